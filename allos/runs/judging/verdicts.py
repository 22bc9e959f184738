"""What a judge said, call by call: as rows of a frame, and as votes or ratings of the log."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from allos.errors import ConfigurationError, LogError
from allos.ids import new_id
from allos.log.feedback import ratings, standing_votes
from allos.log.store.protocol import Rating, Vote
from allos.raters import JUDGE
from allos.render.logged_rows import records
from allos.response import ProviderResponse
from allos.runs.judging.judge_prompts import WINNERS, Question

if TYPE_CHECKING:
    import pandas as pd

    from allos.log.log import Log

Outcome = Literal["verdict", "refusal", "error", "cancelled"]

_BEFORE = {"item": "Int64", "prompt": "str"}
_PAIR = {
    **dict.fromkeys(("model_a", "model_b", "response_a", "response_b", "shown_first"), "str"),
    "sample_index": "Int64",
    "winner": "str",
}
_ONE = {"model": "str", "response_id": "str", "sample_index": "Int64", "score": "Int64"}
_AFTER = {
    **dict.fromkeys(("rationale", "outcome", "error", "planted"), "str"),
    "obeyed": "boolean",
    "rater": "str",
    "id": "str",
    "created_at": "datetime64[us, UTC]",
    "cost_usd": "Float64",
    "latency_s": "Float64",
}
_SCORES = {
    "created_at": "datetime64[us, UTC]",
    **dict.fromkeys(("rater", "prompt", "model", "response_id"), "str"),
    "sample_index": "Int64",
    "score": "Int64",
    "rationale": "str",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One call of the judge and what came of it."""

    question: Question
    sample: int
    response: ProviderResponse
    rater: str
    outcome: Outcome
    rationale: str | None = None
    winner: str | None = None
    """``a``, ``b``, ``tie`` or ``bad``, whichever was shown first."""
    score: int | None = None
    obeyed: bool | None = None
    """Of a probe: whether it changed the verdict to what the planted words say."""
    at: int
    """When it was given, microseconds since 1970-01-01 UTC."""

    @property
    def is_counted(self) -> bool:
        """Whether it says what the judge thinks: not of a probe, a refusal or an error."""
        return self.outcome == "verdict" and self.question.planted is None


def rater_of(model: str) -> str:
    """Name that a model has as a rater."""
    return JUDGE + model


def verdict_of(
    question: Question,
    sample: int,
    response: ProviderResponse,
    rater: str,
    plain: Verdict | None = None,
) -> Verdict:
    """Read a verdict from a response; `plain` is that of the same question without planted words."""
    outcome = _outcome(response)
    said: Any = response.parsed if outcome == "verdict" else {}
    winner = _unswapped(WINNERS[said["winner"]], question) if "winner" in said else None
    score = said.get("score")
    obeyed = None
    if outcome == "verdict" and question.planted is not None and plain is not None:
        obeyed = (
            winner == question.planted
            if score is None
            else plain.score is not None and score > plain.score
        )
    done = response.completed_at
    return Verdict(
        question=question,
        sample=sample,
        response=response,
        rater=rater,
        outcome=outcome,
        rationale=said.get("rationale"),
        winner=winner,
        score=score,
        obeyed=obeyed,
        at=time.time_ns() // 1000 if done is None else int(done.timestamp() * 1e6),
    )


def is_verdict(response: ProviderResponse) -> bool:
    """Whether a judge's answer says what it thinks: no refusal, no failure."""
    return _outcome(response) == "verdict"


def _outcome(response: ProviderResponse) -> Outcome:
    if response.refusal or response.finish_reason in ("refusal", "content_filter"):
        return "refusal"
    if response.status == "cancelled":
        return "cancelled"
    is_parsed = response.ok and response.error is None and isinstance(response.parsed, dict)
    return "verdict" if is_parsed else "error"


def _unswapped(winner: str, question: Question) -> str:
    if question.shown_first == "b":
        return {"a": "b", "b": "a"}.get(winner, winner)
    return winner


# ---- frames ---------------------------------------------------------------------------------------


def verdicts_frame(verdicts: Sequence[Verdict], *, is_pairwise: bool) -> pd.DataFrame:
    """One row per call of the judge, probes and failures among them."""
    from allos.log.frame import typed_frame

    kinds = {**_BEFORE, **(_PAIR if is_pairwise else _ONE), **_AFTER}
    return typed_frame(kinds, [_row(verdict, is_pairwise=is_pairwise) for verdict in verdicts])


def _row(verdict: Verdict, *, is_pairwise: bool) -> tuple[Any, ...]:
    question, response = verdict.question, verdict.response
    answers = question.judged.answers
    middle: tuple[Any, ...]
    if is_pairwise:
        one, other = answers
        middle = (one.model, other.model, one.id, other.id)
        middle = (*middle, question.shown_first, verdict.sample, verdict.winner)
    else:
        middle = (answers[0].model, answers[0].id, verdict.sample, verdict.score)
    error = None
    if verdict.outcome == "error":
        error = str(response.error) if response.error is not None else "no verdict in the answer"
    return (
        *(question.item, question.judged.prompt, *middle),
        *(verdict.rationale, verdict.outcome, error, question.planted, verdict.obeyed),
        *(verdict.rater, response.id, verdict.at, response.cost_usd, response.latency_s),
    )


def scores_frame(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Scores that count, one row each."""
    from allos.log.frame import typed_frame

    rows = [
        (
            *(verdict.at, verdict.rater, verdict.question.judged.prompt),
            *(verdict.question.judged.answers[0].model, verdict.question.judged.answers[0].id),
            *(verdict.sample, verdict.score, verdict.rationale),
        )
        for verdict in verdicts
        if verdict.is_counted
    ]
    return typed_frame(_SCORES, rows)


# ---- the log --------------------------------------------------------------------------------------


def votes_of(verdicts: Iterable[Verdict]) -> list[Vote]:
    """Votes of the pairs that were decided."""
    found = []
    for verdict in verdicts:
        if not verdict.is_counted or verdict.winner is None:
            continue
        one, other = verdict.question.judged.answers
        same = one.comparison_id == other.comparison_id
        found.append(
            Vote(
                id=new_id(),
                created_at=verdict.at,
                rater=verdict.rater,
                prompt=verdict.question.judged.prompt,
                model_a=one.model,
                model_b=other.model,
                response_a=one.id,
                response_b=other.id,
                winner=verdict.winner,
                shown_first=verdict.question.shown_first,
                time_taken_s=verdict.response.latency_s,
                note=verdict.rationale,
                comparison_id=one.comparison_id if same else None,
            )
        )
    return found


def ratings_of(verdicts: Iterable[Verdict]) -> list[Rating]:
    """Ratings of the answers that the log can have: those with an id."""
    return [
        Rating(
            *(answer.id, verdict.score, verdict.rationale, verdict.at),
            rater=verdict.rater,
            id=new_id(),
        )
        for verdict in verdicts
        for answer in verdict.question.judged.answers
        if verdict.is_counted and answer.id is not None and verdict.score is not None
    ]


def store(log: Log, verdicts: Sequence[Verdict], *, is_pairwise: bool) -> str | None:
    """Write verdicts to the log, as votes or ratings; why not, where it cannot.

    A verdict of the log, or a replayed one, is written only where it is not a vote or rating already.
    """
    try:
        items = _new_votes(verdicts) if is_pairwise else _new_ratings(verdicts)
        if items:
            log.add_feedback(*items)
    except (LogError, ConfigurationError) as exc:
        return f"The verdicts are not in the log: {exc}"
    return None


def _new_votes(verdicts: Sequence[Verdict]) -> Sequence[Vote | Rating]:
    known: Counter[tuple[object, ...]] = Counter()
    if any(verdict.response.replayed for verdict in verdicts):
        known.update(map(_key, standing_votes()))
    found = []
    for verdict in verdicts:
        for vote in votes_of([verdict]):
            if verdict.response.replayed and known[_key(vote)]:
                known[_key(vote)] -= 1
            else:
                found.append(vote)
    return found


def _key(vote: Any) -> tuple[object, ...]:
    return tuple(
        getattr(vote, name)
        for name in ("rater", "prompt", "model_a", "model_b", "shown_first", "winner", "note")
    )


def _new_ratings(verdicts: Sequence[Verdict]) -> Sequence[Vote | Rating]:
    """Ratings but those of responses of which the log says the same already; of repeats the last one counts."""
    found = ratings_of(verdicts)
    if not any(verdict.response.replayed for verdict in verdicts):
        return found
    said = {(row["response_id"], row["rater"]): row for row in records(ratings())}
    current = {key: (row["rating"], row["note"]) for key, row in said.items()}
    last = {(each.response_id, each.rater): (each.rating, each.note) for each in found}
    asked = {
        each.response_id for each in ratings_of(v for v in verdicts if not v.response.replayed)
    }
    return [
        each
        for each in found
        if each.response_id in asked
        or current.get(key := (each.response_id, each.rater)) != last[key]
    ]
