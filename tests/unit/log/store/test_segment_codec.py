from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.log import arrow_strings
from allos.log.blocks import NULLS, Block, ColumnChunk, as_objects
from allos.log.frame import column
from allos.log.store import segment_codec
from allos.log.store.segment_codec import decode, encode_numbers, encode_strings


@pytest.fixture(autouse=True)
def _few_distinct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_codec, "MAX_DISTINCT", 3)


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_strings_come_back(values: list[str | None]) -> None:
    """Few or many distinct strings, nulls among them: the same values in the same order."""
    chunk = decode(bytes(encode_strings(values)), len(values))

    assert chunk.values is not None
    found = chunk.values if chunk.codes is None else chunk.values[chunk.codes]
    assert list(found) == values


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_integers_come_back(values: list[int | None]) -> None:
    """Every 64-bit integer is exact, and nulls stay nulls."""
    chunk = decode(bytes(encode_numbers(values, "i")), len(values))
    nulls = [False] * len(values) if chunk.mask is None else chunk.mask

    assert chunk.values is not None
    found = [None if null else int(v) for v, null in zip(chunk.values, nulls, strict=True)]
    assert found == values


@given(st.lists(st.none() | st.floats(allow_nan=False), min_size=1))
def test_floats_come_back(values: list[float | None]) -> None:
    """Every float is exact to the bit."""
    chunk = decode(bytes(encode_numbers(values, "f")), len(values))
    nulls = [False] * len(values) if chunk.mask is None else chunk.mask

    assert chunk.values is not None
    found = [None if null else float(v) for v, null in zip(chunk.values, nulls, strict=True)]
    assert found == values


def test_a_value_that_is_not_a_number_is_null() -> None:
    """A string in a column of numbers does not cost the others."""
    chunk = decode(bytes(encode_numbers([1, "x", 2**70, "3"], "i")), 4)

    assert chunk.values is not None
    assert chunk.mask is not None
    assert list(chunk.values) == [1, 0, 0, 3]
    assert list(chunk.mask) == [False, True, True, False]


def test_strings_that_cannot_be_packed_come_back() -> None:
    """SQLite stores any value in a column of any type."""
    values = ["a", "b", None, "c", "é" * 9, 7]
    blob = bytes(encode_strings(values))

    assert blob[:1] == b"t"
    assert list(decode(blob, len(values)).values) == values
    assert arrow_strings.pack(["\ud800"]) is None


@pytest.mark.parametrize("has_arrow", [True, False])
def test_damaged_strings_are_an_error(monkeypatch: pytest.MonkeyPatch, has_arrow: bool) -> None:
    """Every byte changed or cut off is told, or gives some text; nothing is read beyond the blob."""
    if has_arrow:
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(arrow_strings, "is_installed", lambda: has_arrow)
    values = ["één", None, "", "zwei", "𝄞 three", "four"]
    blob = bytes(encode_strings(values))
    assert blob[:1] == b"U"
    assert list(decode(blob, len(values)).values) == values

    told = 0
    for at in range(1, len(blob)):
        for changed in (
            blob[:at],
            blob[:at] + bytes([blob[at] ^ 0xFF]) + blob[at + 1 :],
            blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :],
        ):
            try:
                found = list(decode(changed, len(values)).values)
            except (ValueError, LookupError):
                told += 1
            else:
                assert len(found) == len(values)
                "".join(text or "" for text in found).encode()
    assert told > len(blob)


def test_a_column_is_the_same_with_and_without_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of every kind in one column: packed, coded, null, and rows that are in no segment."""
    pytest.importorskip("pyarrow")
    packed = ["a", None, "é", "d", "e"]
    coded = ["x", None, "x"]

    def columns() -> list[object]:
        chunks = [
            decode(bytes(encode_strings(packed)), 5),
            decode(bytes(encode_strings(coded)), 3),
            NULLS,
            ColumnChunk(as_objects(["plain", None])),
        ]
        keep = np.array([True, False, True, True, False])
        blocks = [
            Block(count, {"content": chunk})
            for count, chunk in zip((5, 3, 2, 2), chunks, strict=True)
        ]
        blocks.append(Block(3, {"content": ColumnChunk(chunks[0].values[keep])}))
        found = column(blocks, "content")
        return [None if value is pd.NA or value != value else value for value in found]

    with_arrow = columns()
    monkeypatch.setattr(arrow_strings, "is_installed", lambda: False)
    monkeypatch.setattr(arrow_strings, "is_storage", lambda: False)

    assert columns() == with_arrow
    expected = [*packed, *coded, None, None, "plain", None, "a", "é", "d"]
    assert with_arrow == expected
