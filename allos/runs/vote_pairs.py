"""Which two answers a person is asked about, and in which order they stand. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from allos.response import ProviderResponse


class Answer(NamedTuple):
    """One answer that can be voted on."""

    row: int
    """Which prompt it answers."""
    column: int
    """Which model gave it."""
    response: ProviderResponse


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one prompt, as they stand."""

    key: str
    """Names it in messages; tells nothing of its models."""
    left: Answer
    right: Answer

    @property
    def row(self) -> int:
        """Which prompt."""
        return self.left.row

    @property
    def ids(self) -> frozenset[str | None]:
        """Ids of the two responses, in no order."""
        return frozenset((self.left.response.id, self.right.response.id))

    @property
    def columns(self) -> frozenset[int]:
        """The two models, in no order."""
        return frozenset((self.left.column, self.right.column))


@dataclass(frozen=True, slots=True)
class Seen:
    """How one vote on two models ended."""

    first: int
    second: int
    points: float
    """Of the first: 1 for a win, 0.5 for a tie, 0 for a loss."""


def make_pairs(answers: Iterable[Answer], seed: str) -> list[Pair]:
    """All pairs of answers of different models to one prompt, shuffled.

    Of several repeats one is drawn for each pair. Answers with the same text are no pair. The order of the pairs,
    and of the two in each, depends on the seed alone.
    """
    by_row: dict[int, dict[int, list[Answer]]] = {}
    for answer in answers:
        by_row.setdefault(answer.row, {}).setdefault(answer.column, []).append(answer)
    drawn = []
    for row, columns in sorted(by_row.items()):
        for one, other in combinations(sorted(columns), 2):
            dice = random.Random(f"{seed} {row} {one} {other}")
            two = [dice.choice(columns[one]), dice.choice(columns[other])]
            if two[0].response.content.strip() == two[1].response.content.strip():
                continue
            dice.shuffle(two)
            drawn.append(two)
    random.Random(seed).shuffle(drawn)
    return [Pair(str(at), left, right) for at, (left, right) in enumerate(drawn)]


def next_pair(left: Sequence[Pair], seen: Iterable[Seen]) -> Pair | None:
    """The pair that tells most: of two models with the fewest votes between them, then the closest ones."""
    between: dict[frozenset[int], int] = {}
    points: dict[int, float] = {}
    counts: dict[int, int] = {}
    for each in seen:
        two = frozenset((each.first, each.second))
        between[two] = between.get(two, 0) + 1
        for column, won in ((each.first, each.points), (each.second, 1 - each.points)):
            points[column] = points.get(column, 0.0) + won
            counts[column] = counts.get(column, 0) + 1

    def strength(column: int) -> float:
        # One virtual tie: without votes it is average.
        return (points.get(column, 0.0) + 0.5) / (counts.get(column, 0) + 1)

    def order(pair: Pair) -> tuple[int, float]:
        gap = abs(strength(pair.left.column) - strength(pair.right.column))
        return between.get(pair.columns, 0), gap

    return min(left, key=order, default=None)
