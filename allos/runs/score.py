"""`allos.score`: scores of answers as columns. Nothing is asked again."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import numbers
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from allos.dtypes import text_dtype
from allos.errors import ConfigurationError, did_you_mean
from allos.providers.validation import flag
from allos.render.logged_rows import records
from allos.runs.batching.batch_frame import LOG_SUFFIX
from allos.runs.keywords import checked_keywords
from allos.scorers import Scorer, as_scorer

if TYPE_CHECKING:
    import pandas as pd

THREADS = 8
AT_ONCE = 16
"""Rows that an async scorer is given at once."""

OUTCOME = "outcome"
"""Column that says whether there is an answer to score."""
ANSWERED = "answered"
_CUT = frozenset({"length", "context_exceeded", "pause"})
_REFUSED = frozenset({"refusal", "content_filter"})
ERROR_SUFFIX = "_error"
_ANSWER = ("content", "status", "finish_reason", "refusal")
"""Columns of the log that say what the answer is, whatever the data's own are."""


class _Scored(NamedTuple):
    value: float | None
    error: str | None = None


@checked_keywords()
def score(
    frame: pd.DataFrame,
    scorers: Any,
    *,
    target: str | None = None,
    count_failures: bool = False,
) -> pd.DataFrame:
    """Score the answers of a frame; nothing is asked again.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per answer, with the log's columns: of a batch, a comparison or `allos.responses`. It is
        not changed.
    scorers : sequence of callable or str
        Functions of a row, sync or async, and ready ones of `allos.scorers` or their names. Sync ones
        run in threads.
    target : str or None
        Column with the expected answer, for ready scorers without one of their own.
    count_failures : bool
        Give a row without a whole answer (failed, refused, cut, not sent) the score 0. By default its
        score is unknown: that a service failed says nothing about the model's answer.

    Returns
    -------
    pandas.DataFrame
        The frame with the column `outcome` (``answered``, ``refused``, ``cut``, ``failed`` or
        ``cancelled``) and one column per scorer, `Float64`, null where the score is unknown. Where a
        scorer failed, its column ending in ``_error`` says how. ``attrs["scorers"]`` has their versions.

    Raises
    ------
    ConfigurationError
        Two scorers have one name, a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame({"content": ["Billing.", "shipping"], "label": ["billing", "refund"]})
    >>> score(answers, ["exact"], target="label")["exact"].tolist()
    [1.0, 0.0]
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise ConfigurationError(
            f"score() needs a DataFrame with one row per answer, such as batch.frame, got {type(frame).__name__}."
        )
    flag("count_failures", count_failures)
    named = normalize_scorers(scorers, target)
    _check_columns(frame, named)
    rows = [_answer_first(row) for row in records(frame)]
    outcomes = [outcome_of(row) for row in rows]
    wanted = [at for at, outcome in enumerate(outcomes) if outcome == ANSWERED]
    result = frame.copy()
    result[OUTCOME] = pd.array(outcomes, dtype=text_dtype())
    for scorer in named:
        scored = dict(zip(wanted, _run(scorer, [rows[at] for at in wanted]), strict=True))
        otherwise = _Scored(0.0 if count_failures else None)
        found = [scored.get(at, otherwise) for at in range(len(rows))]
        result[scorer.name] = pd.array([each.value for each in found], dtype="Float64")
        errors = [each.error for each in found]
        name = scorer.name + ERROR_SUFFIX
        if any(errors):
            result[name] = pd.array(errors, dtype=text_dtype())
        elif name in result:
            result = result.drop(columns=name)
    versions = dict(frame.attrs.get("scorers", {}))
    result.attrs["scorers"] = {**versions, **{each.name: each.version for each in named}}
    return result


def normalize_scorers(scorers: Any, target: str | None) -> list[Scorer]:
    """Scorers as a list, each with a name of its own."""
    listed = [scorers] if callable(scorers) or isinstance(scorers, str) else scorers
    if not isinstance(listed, Iterable) or isinstance(listed, Mapping | bytes):
        raise ConfigurationError(f"scorers must be a list of functions, got {scorers!r:.80}.")
    if target is not None and not isinstance(target, str):
        raise ConfigurationError(
            f"target: the data has no column {target!r:.80}; it must be a name. Nothing was sent."
        )
    found = [as_scorer(each, target=target) for each in listed]
    if not found:
        raise ConfigurationError("scorers must have at least one scorer.")
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(
                f"Two scorers have the name {name!r}: give one another, as in exact(name='other')."
            )
    return found


def outcome_of(row: Mapping[str, Any]) -> str:
    """Whether a row has a whole answer, and what it has instead."""
    status = row.get("status")
    reason = row.get("finish_reason")
    if reason in _REFUSED or row.get("refusal"):
        return "refused"
    if status == "cancelled":
        return "cancelled"
    if status not in (None, "ok"):
        return "failed"
    return "cut" if reason in _CUT else ANSWERED


def _answer_first(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Row whose `content` and outcome are the answer's, where the data has such columns as well."""
    answers = {name: row[f"{name}{LOG_SUFFIX}"] for name in _ANSWER if f"{name}{LOG_SUFFIX}" in row}
    return {**row, **answers}


def _check_columns(frame: pd.DataFrame, scorers: Sequence[Scorer]) -> None:
    known = [str(column) for column in frame.columns]
    wanted = ["content", *(each.target for each in scorers if each.target is not None)]
    for name in wanted:
        if name not in known:
            raise ConfigurationError(
                f"The frame has no column {name!r}.{did_you_mean(name, known)} A scorer needs it."
            )


def _run(scorer: Scorer, rows: Sequence[Mapping[str, Any]]) -> list[_Scored]:
    if not rows:
        return []
    if scorer.is_async:
        return _on_own_loop(lambda: _await_all(scorer, rows))
    here = contextvars.copy_context()  # a scorer may ask a model, in the session of the caller
    with ThreadPoolExecutor(THREADS, thread_name_prefix="allos-score") as pool:
        return list(pool.map(lambda row: here.copy().run(_scored, scorer, row), rows))


def _scored(scorer: Scorer, row: Mapping[str, Any]) -> _Scored:
    try:
        value = scorer(row)
        if inspect.isawaitable(value):
            awaited = value

            async def wait() -> Any:
                return await awaited

            value = asyncio.run(wait())
        return _Scored(_as_number(value))
    except Exception as exc:  # noqa: BLE001 - one row must not stop the others
        return _Scored(None, f"{type(exc).__name__}: {exc}")


async def _await_all(scorer: Scorer, rows: Sequence[Mapping[str, Any]]) -> list[_Scored]:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(row: Mapping[str, Any]) -> _Scored:
        async with room:
            try:
                return _Scored(_as_number(await scorer(row)))
            except Exception as exc:  # noqa: BLE001 - as above
                return _Scored(None, f"{type(exc).__name__}: {exc}")

    return await asyncio.gather(*map(one, rows))


def _on_own_loop(work: Callable[[], Any]) -> list[_Scored]:
    """Run a coroutine on a loop of its own: a kernel's loop is running already."""
    found: list[list[_Scored]] = []
    here = contextvars.copy_context()
    thread = threading.Thread(
        target=lambda: found.append(here.run(asyncio.run, work())), name="allos-score", daemon=True
    )
    thread.start()
    thread.join()
    return found[0]


def _as_number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool | numbers.Real) or type(value).__name__ in ("bool_", "bool"):
        number = float(value)
        return None if number != number else number
    raise TypeError(f"a score must be a number, True, False or None, got {type(value).__name__}")
