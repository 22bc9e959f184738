"""Which two answers are shown, and in which order."""

from __future__ import annotations

from collections import Counter

from allos.response import ProviderResponse
from allos.runs.vote_pairs import Answer, Seen, make_pairs, next_pair


def _answers(rows: int, columns: int, repeats: int = 1) -> list[Answer]:
    return [
        Answer(row, column, ProviderResponse(f"{row} {column}", id=f"{row}.{column}.{at}"))
        for row in range(rows)
        for column in range(columns)
        for at in range(repeats)
    ]


def test_every_two_models_are_a_pair_of_each_prompt() -> None:
    """Three models make three pairs; of repeats one is drawn."""
    pairs = make_pairs(_answers(4, 3, repeats=2), "seed")

    assert len(pairs) == 12
    assert Counter(tuple(sorted(pair.columns)) for pair in pairs) == {
        (0, 1): 4,
        (0, 2): 4,
        (1, 2): 4,
    }
    assert all(pair.left.row == pair.right.row == pair.row for pair in pairs)


def test_order_and_sides_depend_on_the_seed_alone() -> None:
    """Neither model stands on the left more often than by chance; a restart changes nothing."""
    pairs = make_pairs(_answers(400, 2), "seed")

    assert pairs == make_pairs(_answers(400, 2), "seed")
    assert [pair.row for pair in pairs] != [pair.row for pair in make_pairs(_answers(400, 2), "b")]
    assert 160 < sum(pair.left.column == 0 for pair in pairs) < 240


def test_the_same_text_is_no_pair() -> None:
    """There is nothing to choose."""
    same = [Answer(0, column, ProviderResponse(" Yes. ", id=str(column))) for column in (0, 1)]
    other = Answer(0, 2, ProviderResponse("No.", id="2"))

    assert make_pairs(same, "seed") == []
    assert {pair.columns for pair in make_pairs([*same, other], "seed")} == {
        frozenset((0, 2)),
        frozenset((1, 2)),
    }


def test_the_next_pair_is_of_models_with_few_votes_that_are_close() -> None:
    """First the fewest votes between the two, then the smallest difference."""
    pairs = make_pairs(_answers(1, 3), "seed")
    fewest = next_pair(pairs, [Seen(0, 1, 1.0), Seen(1, 2, 0.5)])
    close = next_pair(pairs, [Seen(0, 1, 1.0), Seen(0, 2, 1.0), Seen(1, 2, 0.5)])

    assert fewest is not None
    assert fewest.columns == {0, 2}
    assert close is not None
    assert close.columns == {1, 2}
    assert next_pair([], []) is None
