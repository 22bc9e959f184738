from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
