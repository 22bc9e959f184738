"""What a judge is shown: pairs of answers to one question, or single answers, from a frame."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError, did_you_mean
from allos.log.stored_messages import messages_of
from allos.render.logged_rows import records
from allos.response import ProviderResponse

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAnswer:
    """One answer."""

    model: str
    """``provider/model``; of several settings of it that were compared, with what tells them apart."""
    text: str
    provider_model: str | None = None
    """``provider/model`` alone, where that is not `model`."""
    id: str | None = None
    """The log's `id` of its response."""
    comparison_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedItem:
    """What one verdict is about: one answer, or two to the same question."""

    prompt: str
    """As in the log's column."""
    question: str
    """The whole conversation that was answered, as text."""
    answers: tuple[JudgedAnswer, ...]


@dataclass(frozen=True, slots=True)
class JudgedData:
    """Everything that is to be judged."""

    items: Sequence[JudgedItem]
    models: Sequence[str]
    """Whose answers they are: ``provider/model``."""
    skipped: int
    """Rows without an answer: failed, stopped, or empty."""
    unpaired: int
    """Answers that no other is to be compared with."""


def frame_of_answers(data: Any) -> pd.DataFrame:
    """Frame of what `allos.judge` was given: a frame, a comparison, or responses."""
    import pandas as pd

    if isinstance(data, ProviderResponse):
        data = [data]
    if isinstance(data, list | tuple) and all(isinstance(one, ProviderResponse) for one in data):
        from allos.log.frame import frame_of

        data = frame_of(list(data))
    frame = data if isinstance(data, pd.DataFrame) else getattr(data, "frame", None)
    if not isinstance(frame, pd.DataFrame):
        raise ConfigurationError(
            "judge() needs a DataFrame of responses, such as allos.responses(), a comparison, or a list of "
            f"responses, got {type(data).__name__}."
        )
    known = [str(name) for name in frame.columns]
    for name in ("model", "content"):
        if name not in known:
            raise ConfigurationError(
                f"judge() needs a column {name!r}, which the frame does not have."
                f"{did_you_mean(name, known)} allos.responses() returns all columns."
            )
    if "prompt" not in known and "messages" not in known:
        raise ConfigurationError(
            "judge() needs a column 'prompt', or 'messages': what the answers answer. "
            "allos.responses() returns all columns."
        )
    return frame


def single_answers(frame: pd.DataFrame) -> JudgedData:
    """Each answer alone."""
    found, skipped = _answers(frame)
    items = [
        JudgedItem(prompt=prompt, question=question, answers=(answer,))
        for _, prompt, question, answer in found
    ]
    if not items:
        raise _nothing(len(frame), "has an answer to judge")
    return JudgedData(items, _models(items), skipped, 0)


def answer_pairs(frame: pd.DataFrame, baseline: str | None) -> JudgedData:
    """Every two models' answers to the same question; with a baseline, each other one's and then its own.

    Settings of one model that were compared are like two models. Where models answered a question several times, their first answers are a pair, their second ones, and
    so on. The models of a pair are in the order of their names, not in that of the rows, which depends on
    who was faster: the same answers are always judged by the same requests.
    """
    found, skipped = _answers(frame)
    questions: dict[str, dict[str, list[tuple[str, str, JudgedAnswer]]]] = {}
    for key, prompt, question, answer in found:
        by_model = questions.setdefault(key, {})
        by_model.setdefault(answer.model, []).append((prompt, question, answer))
    models = sorted({answer.model for *_, answer in found})
    if baseline is not None and baseline not in models:
        raise ConfigurationError(
            f"baseline={baseline!r:.80} has no answers in the frame.{did_you_mean(baseline, models)} "
            f"Its models: {', '.join(models[:12]) or 'none'}."
        )
    items, used = [], set()
    for by_model in questions.values():
        for first, second in combinations([name for name in models if name in by_model], 2):
            if baseline is not None and baseline not in (first, second):
                continue
            if first == baseline:
                first, second = second, first
            for (prompt, question, one), (_, _, other) in zip(
                by_model[first], by_model[second], strict=False
            ):
                items.append(JudgedItem(prompt=prompt, question=question, answers=(one, other)))
                used |= {id(one), id(other)}
    if not items:
        raise _nothing(
            len(frame),
            "is one of two models' answers to the same prompt, which pairs need. "
            'mode="pointwise" scores each answer alone',
        )
    return JudgedData(items, _models(items), skipped, len(found) - len(used))


def _answers(frame: pd.DataFrame) -> tuple[list[tuple[str, str, str, JudgedAnswer]], int]:
    """Key of the question, prompt, question and answer of each row, and how many rows have none."""
    found = []
    rows = records(frame)
    named = sorted(
        zip(rows, _labels(frame, rows), strict=True),
        key=lambda pair: pair[0].get("sample_index") or 0,
    )
    for row, label in named:
        text = row["content"] or row.get("refusal") or ""
        prompt, question = row.get("prompt"), question_of(row)
        is_answer = row.get("status") in (None, "ok") and isinstance(text, str) and text.strip()
        if not is_answer or not question or not row["model"]:
            continue
        answer = JudgedAnswer(
            model=label,
            provider_model=_name(row),
            text=text,
            id=row.get("id"),
            comparison_id=row.get("comparison_id"),
        )
        found.append((question, str(prompt or question), question, answer))
    return found, len(rows) - len(found)


def question_of(row: Row) -> str:
    """The conversation that was answered; a single message stands alone."""
    try:
        messages, _ = messages_of(row.get("messages"))
    except (ValueError, TypeError, KeyError):
        messages = ()
    if not messages:
        return str(row.get("prompt") or "")
    if len(messages) == 1:
        return messages[0].text or ""
    return "\n\n".join(f"{message.role.value}: {message.text or ''}" for message in messages)


def _labels(frame: pd.DataFrame, rows: Sequence[Row]) -> list[str]:
    """Whose answer each row is: a model, or where several settings of it were compared, one of these."""
    from allos.analysis.model_settings import compared_settings, setting_labels

    names = [_name(row) for row in rows]
    compared = compared_settings(frame)
    if not compared:
        return names
    settings = setting_labels(frame)
    return [
        setting if name in compared else name for name, setting in zip(names, settings, strict=True)
    ]


def _name(row: Row) -> str:
    return f"{row['provider']}/{row['model']}" if row.get("provider") else str(row["model"])


def _models(items: Sequence[JudgedItem]) -> list[str]:
    answers = (answer for item in items for answer in item.answers)
    return list(dict.fromkeys(answer.provider_model or answer.model for answer in answers))


def _nothing(rows: int, what: str) -> ConfigurationError:
    return ConfigurationError(f"None of the {rows:,} rows {what}. Nothing was sent.")


def canonical(*texts: str) -> str:
    """One text that stands for several, in their order."""
    return json.dumps(texts, ensure_ascii=True)
