"""A judge as a scorer: the same question, fence and schema, a score from 0 to 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allos import context
from allos.errors import ConfigurationError
from allos.hashing import messages_digest
from allos.providers import Provider
from allos.providers.validation import flag
from allos.runs.ask import ask
from allos.runs.batching.batch_frame import LOG_SUFFIX
from allos.runs.column_checks import check_column
from allos.runs.grid import build_columns
from allos.runs.judging.judge_prompts import UNIT, Question, verdict_schema
from allos.runs.judging.judged_items import JudgedAnswer, JudgedItem, question_of
from allos.runs.judging.known_scores import KnownScores
from allos.runs.judging.logged_verdicts import judge_identity, key_of, version_of
from allos.runs.remembered_scores import row_id
from allos.scorers import Scorer
from allos.secret import seal_secrets
from allos.tools.schemas import as_schema

TAG = "judge"
"""Tag of a judge's own calls in the log."""


def judge_scorer(
    rubric: str,
    model: str | Provider,
    *,
    name: str = "judge",
    target: str | None = None,
    tags: tuple[str, ...] = (),
    refresh: bool = False,
    **params: Any,
) -> Scorer:
    """Scorer that asks a model, once about each answer; see `allos.judge`.

    Parameters
    ----------
    rubric, model, name, target, tags, refresh, **params
        As in `allos.judge`.

    Returns
    -------
    Scorer
    """
    seal_secrets(params)
    for word, value in (("name", name), ("target", target)):
        if not (isinstance(value, str) and value.strip()) and (word, value) != ("target", None):
            raise ConfigurationError(f"{word} must be the name of a column, got {value!r:.80}.")
    check_column(build_columns([model], [params], {})[0])
    flag("refresh", refresh)
    schema = as_schema(verdict_schema(UNIT))
    assert schema is not None
    assert schema.parse is not None
    parse = schema.parse
    identity = judge_identity(rubric, model, params)
    version = version_of(identity)
    known = KnownScores(version, lambda content: float(parse(content)["score"]))

    def grade(row: Mapping[str, Any], expected: Any = None) -> float:
        asked = _question(rubric, row, expected).messages
        key = key_of(identity, row_id(row), messages_digest(asked))
        before = None if refresh else known.get(key)
        if before is not None:
            return before
        with context.using(run_id=known.run_id, task_key=key):
            said = ask(
                asked, model=model, schema=schema, tags=(TAG, *tags), refresh=refresh, **params
            )
        score = float(said.parsed["score"])
        known.put(key, score)
        return score

    return Scorer(
        name=name,
        version=version,
        function=grade,
        target=target,
        needs_target=target is not None,
    )


def _question(rubric: str, row: Mapping[str, Any], expected: Any) -> Question:
    """What the judge is asked about a row of a frame, whose data may have columns of the log's names."""
    logged = {
        name: row.get(f"{name}{LOG_SUFFIX}", row.get(name)) for name in ("prompt", "messages")
    }
    asked = question_of(logged)
    answer = JudgedAnswer(model="", text=str(row.get("content") or ""))
    return Question(
        item=0,
        judged=JudgedItem(prompt=asked, question=asked, answers=(answer,)),
        rubric=rubric,
        scale=UNIT,
        reference=None if expected is None else str(expected),
    )
