"""What people said of the pairs and answers that a judge has judged."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError
from allos.render.logged_rows import records

if TYPE_CHECKING:
    import pandas as pd

    from allos.runs.judging.judge_prompts import Scale

POINTS = {"a": 1.0, "tie": 0.5, "bad": 0.5, "b": 0.0}
"""What a winner is worth to the first answer of a pair."""


def labels_of_pairs(items: pd.DataFrame, votes: pd.DataFrame) -> list[float | None]:
    """Share of points that people gave the first answer of each pair; None where nobody voted.

    A vote belongs to a pair by the ids of the responses, or, where one has none, by prompt and models.
    """
    found: dict[tuple[Hashable, ...], list[float]] = {}
    for vote in records(votes):
        points = POINTS[vote["winner"]]
        key = _key(vote)
        found.setdefault(key, []).append(points)
        found.setdefault(_turned(key), []).append(1 - points)
    return [_mean(found.get(_key(item))) for item in records(items)]


def labels_of_answers(
    items: pd.DataFrame, ratings: pd.DataFrame, scale: Scale, rater: str
) -> list[float | None]:
    """Mean rating that people gave each answer; None where nobody rated it."""
    known = set(items["response_id"].dropna())
    found: dict[str, list[float]] = {}
    for row in records(ratings):
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
    return [_mean(found.get(row["response_id"])) for row in records(items)]


def _key(row: Any) -> tuple[Hashable, ...]:
    if row.get("response_a") and row.get("response_b"):
        return row["response_a"], row["response_b"]
    return row["prompt"], row["model_a"], row["model_b"]


def _turned(key: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    return (*key[:-2], key[-1], key[-2])


def _mean(values: list[float] | None) -> float | None:
    return sum(values) / len(values) if values else None
