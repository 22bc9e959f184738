from __future__ import annotations

from typing import Any

import pytest

from allos.log.blocks import NULLS, as_number, as_numbers, block_from_rows, select_rows

NAMES = ("seq", "content", "latency_s", "seed")
ROWS: list[tuple[Any, ...]] = [(1, "a", 0.5, None), (2, None, None, None), (4, "c", 1.5, None)]


def test_rows_become_columns() -> None:
    """Strings are objects, numbers have a mask where some are null, and a null column is NULLS."""
    block = block_from_rows(NAMES, ROWS)
    content, latency = block.columns["content"], block.columns["latency_s"]

    assert block.row_count == 3
    assert content.values is not None
    assert content.values.tolist() == ["a", None, "c"]
    assert latency.values is not None
    assert latency.mask is not None
    assert (latency.values.tolist(), latency.mask.tolist()) == (
        [0.5, 0.0, 1.5],
        [False, True, False],
    )
    assert block.columns["seq"].mask is None
    assert block.columns["seed"] is NULLS


def test_no_rows_are_an_empty_block() -> None:
    """Without rows there are no columns, and nothing can be selected."""
    empty = block_from_rows(NAMES, [])

    assert (empty.row_count, dict(empty.columns)) == (0, {})
    assert select_rows(empty, "seq", [1]) == empty


def test_selected_rows_keep_their_values() -> None:
    """All columns are cut alike: strings, masks and nulls; an unknown number selects nothing."""
    block = select_rows(block_from_rows(NAMES, ROWS), "seq", [2, 4, 9])
    content, latency = block.columns["content"], block.columns["latency_s"]

    assert block.row_count == 2
    assert content.values is not None
    assert content.values.tolist() == [None, "c"]
    assert latency.mask is not None
    assert latency.mask.tolist() == [True, False]
    assert block.columns["seed"] is NULLS


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, None), ("7", 7), ("x", None), (2.9, 2), (2**63, None), (-(2**63), -(2**63))],
)
def test_a_number_fits_in_64_bits(value: Any, expected: int | None) -> None:
    """What SQLite may hold in an integer column, as an integer; None where it is not one."""
    assert as_number(value, int) == expected


def test_an_array_of_numbers_masks_what_is_not_one() -> None:
    """One bad value does not cost the others."""
    values, mask = as_numbers([1, "x", 2**70], "<i8")

    assert mask is not None
    assert (values.tolist(), mask.tolist()) == ([1, 0, 0], [False, True, True])
