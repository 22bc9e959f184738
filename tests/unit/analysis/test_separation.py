from __future__ import annotations

import math

import pytest

from allos.analysis.separation import Separation


def rows_until_decided(test: Separation, rows: list[list[float]]) -> int | None:
    for number, row in enumerate(rows, start=1):
        test.add(row)
        if test.best >= 0:
            return number
    return None


def test_a_model_that_always_wins_is_found_soon() -> None:
    """More models need a little more, since any of them could be named wrongly."""
    stops = [rows_until_decided(Separation(k), [[0.0] * (k - 1) + [1.0]] * 99) for k in (2, 3, 9)]

    assert stops == [9, 10, 12]


def test_the_best_has_to_be_better_than_every_other() -> None:
    """Two that are the same are both better than the third, and none of them is named."""
    test = Separation(3)

    assert rows_until_decided(test, [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]] * 200) is None
    assert test.is_better.tolist() == [
        [False, False, True],
        [False, False, True],
        [False, False, False],
    ]
    assert test.differences[0].tolist() == [0, 0, 0.5]


def test_unknown_scores_say_nothing_about_their_model() -> None:
    """The other pairs go on with the row."""
    test = Separation(3)
    rows_until_decided(test, [[1.0, 0.0, math.nan]] * 50)

    assert test.best == -1
    assert test.is_better[0].tolist() == [False, True, False]
    assert math.isnan(test.differences[0, 2])
    assert rows_until_decided(test, [[1.0, math.nan, 0.0]] * 50) == 10


def test_a_verdict_stays() -> None:
    """Whatever comes after it."""
    test = Separation(2)
    rows_until_decided(test, [[1.0, 0.0]] * 20)
    for _ in range(100):
        test.add([0.0, 1.0])

    assert test.best == 0


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_the_level_is_what_has_to_be_won(level: float) -> None:
    """On a fair game no money is made on average: of a won row, and of a lost one."""
    test = Separation(2, level)
    rows = rows_until_decided(test, [[0.75, 0.25]] * 200)
    more = rows_until_decided(Separation(2, (1 + level) / 2), [[0.75, 0.25]] * 200)

    assert rows is not None
    assert more is not None
    assert rows < more


def test_no_bet_while_it_is_behind() -> None:
    """A table whose rows are dealt without putting them back owes a model what it has lost so far."""
    test = Separation(2)
    rows_until_decided(test, [[0.0, 1.0]] * 4)

    # It wins nothing with the four rows that only draw level, and has lost its first bet, made at zero.
    assert rows_until_decided(test, [[1.0, 0.0]] * 40) == 4 + 9 + 3
    assert test.best == 0
