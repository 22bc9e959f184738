"""What people said of the pairs and answers that a judge has judged."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError, did_you_mean
from allos.raters import is_judge
from allos.render.logged_rows import records

if TYPE_CHECKING:
    import pandas as pd

    from allos.runs.judging.judge_prompts import Scale

Row = Mapping[Any, Any]
POINTS = {"a": 1.0, "tie": 0.5, "bad": 0.5, "b": 0.0}
"""What a winner is worth to the first answer of a pair."""


def labels_of_pairs(items: pd.DataFrame, votes: pd.DataFrame) -> list[float | None]:
    """Share of points that people gave the first answer of each pair; None where nobody voted.

    A vote belongs to a pair by the ids of the responses, or, where it has none, by prompt and models.
    """
    found: dict[tuple[Hashable, ...], list[float]] = {}
    for vote in _of_people(votes, ("rater", "prompt", "model_a", "model_b", "winner")):
        if vote["winner"] not in POINTS:
            raise ConfigurationError(
                f"A winner is {vote['winner']!r:.80}; expected one of {', '.join(POINTS)}."
            )
        points = POINTS[vote["winner"]]
        key = _ids(vote) or _names(vote)
        found.setdefault(key, []).append(points)
        found.setdefault(_turned(key), []).append(1 - points)
    return [
        _mean([*found.get(_ids(item), []), *found.get(_names(item), [])]) for item in records(items)
    ]


def labels_of_answers(
    items: pd.DataFrame, ratings: pd.DataFrame, scale: Scale, rater: str
) -> list[float | None]:
    """Mean rating that people gave each answer; None where nobody rated it."""
    known = set(items["response_id"].dropna())
    found: dict[str, list[float]] = {}
    for row in _of_people(ratings, ("rater", "response_id", "rating")):
        if row["rating"] is not None and row["response_id"] in known:
            found.setdefault(row["response_id"], []).append(float(row["rating"]))
    given = [value for values in found.values() for value in values]
    low, high = scale
    if given and not low <= min(given) <= max(given) <= high:
        raise ConfigurationError(
            f"People's ratings of these answers go from {min(given):g} to {max(given):g}, and the scores of {rater} "
            f"from {low} to {high}: one cannot correct the other. Pass ratings on the judge's scale, as "
            f"human=, or judge with scale=({min(given):g}, {max(given):g})."
        )
    return [_mean(found.get(row["response_id"], ())) for row in records(items)]


def _of_people(frame: pd.DataFrame, needed: Sequence[str]) -> list[Row]:
    """Rows that are not those of judges."""
    columns = getattr(frame, "columns", None)
    if columns is None:
        raise ConfigurationError(
            f"human= must be a DataFrame such as allos.votes() or allos.ratings(), got {type(frame).__name__}."
        )
    for name in needed:
        if name not in columns:
            raise ConfigurationError(
                f"human= needs a column {name!r}, which the frame does not have."
                f"{did_you_mean(name, map(str, columns))} allos.votes() and allos.ratings() have all."
            )
    return [row for row in records(frame) if not is_judge(row["rater"])]


def _ids(row: Row) -> tuple[Hashable, ...]:
    ids = row.get("response_a"), row.get("response_b")
    return ids if all(ids) else ()


def _names(row: Row) -> tuple[Hashable, ...]:
    return row["prompt"], row["model_a"], row["model_b"]


def _turned(key: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    return (*key[:-2], key[-1], key[-2])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
