from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from allos.log.segments import _encode_numbers, _encode_text, decode
from hypothesis import given
from hypothesis import strategies as st

from allos.log import segments
from allos.log.columns import NAMES
from allos.log.filters import Where
from allos.log.query import read
from allos.log.rows import row_of
from allos.log.store.sqlite import Batch, Store
from tests.support.log_rows import a_response

ALL = Where("")


def insert(store: Store, start: int, stop: int) -> None:
    store.insert(Batch([row_of(a_response(number), {}) for number in range(start, stop)]))
    store.tidy()


def execute(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(path) as db:
        found = db.execute(sql).fetchall()
    db.close()
    return found


def spans(path: Path) -> list[tuple[Any, ...]]:
    return execute(path, "SELECT first_seq, last_seq FROM segments ORDER BY first_seq")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_ROWS", 10)
    monkeypatch.setattr(segments, "_MOST_TEXTS", 3)


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_texts_come_back(values: list[str | None]) -> None:
    """Few or many different texts, nulls among them: the same texts in the same order."""
    piece = decode(bytes(_encode_text(values)), len(values))

    assert piece.values is not None
    found = piece.values if piece.codes is None else piece.values[piece.codes]
    assert list(found) == values


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_integers_come_back(values: list[int | None]) -> None:
    """Every 64-bit integer is exact, and nulls stay nulls."""
    piece = decode(bytes(_encode_numbers(values, "i")), len(values))
    nulls = [False] * len(values) if piece.nulls is None else piece.nulls

    assert piece.values is not None
    found = [None if null else int(v) for v, null in zip(piece.values, nulls, strict=True)]
    assert found == values


@given(st.lists(st.none() | st.floats(allow_nan=False), min_size=1))
def test_floats_come_back(values: list[float | None]) -> None:
    """Every float is exact to the bit."""
    piece = decode(bytes(_encode_numbers(values, "f")), len(values))
    nulls = [False] * len(values) if piece.nulls is None else piece.nulls

    assert piece.values is not None
    found = [None if null else float(v) for v, null in zip(piece.values, nulls, strict=True)]
    assert found == values


def test_what_is_no_number_is_null() -> None:
    """A text in a number's column does not stop the others."""
    piece = decode(bytes(_encode_numbers([1, "x", 2**70, "3"], "i")), 4)

    assert piece.values is not None
    assert piece.nulls is not None
    assert list(piece.values) == [1, 0, 0, 3]
    assert list(piece.nulls) == [False, True, True, False]


def test_full_stretches_get_segments(log_path: Path) -> None:
    """Every ten rows become a segment, whatever the commits; the rest stays rows."""
    store = Store(log_path)
    for start in range(0, 37, 4):
        insert(store, start, min(start + 4, 37))
    store.close()

    assert spans(log_path) == [(1, 10), (11, 20), (21, 30)]


def test_segments_and_rows_give_the_same_frame(log_path: Path) -> None:
    """With and without segments the frame is equal."""
    store = Store(log_path)
    insert(store, 0, 37)
    store.tidy()
    store.close()
    with_segments = read(log_path, NAMES, ALL)
    execute(log_path, "DELETE FROM segments")
    left = execute(log_path, "SELECT count(*) FROM segment_columns")

    assert len(with_segments) == 37
    assert read(log_path, NAMES, ALL).equals(with_segments)
    assert left == [(0,)]


def test_a_changed_row_drops_its_segment(log_path: Path) -> None:
    """What somebody changes or deletes by hand is what the frame shows."""
    store = Store(log_path)
    insert(store, 0, 35)
    store.close()
    execute(log_path, "UPDATE responses SET content = 'changed' WHERE seq = 13")
    execute(log_path, "DELETE FROM responses WHERE seq = 25")
    frame = read(log_path, ["id", "content"], ALL)

    assert spans(log_path) == [(1, 10)]
    assert len(frame) == 34
    assert frame["content"][12] == "changed"


def test_rows_changed_before_they_are_sealed_are_read_again(log_path: Path) -> None:
    """The writer does not trust its memory when another connection has written."""
    store = Store(log_path)
    insert(store, 0, 8)
    execute(log_path, "UPDATE responses SET content = 'changed' WHERE seq = 3")
    execute(log_path, "DELETE FROM responses WHERE seq = 5")
    insert(store, 8, 14)
    store.close()
    frame = read(log_path, ["content"], ALL)

    assert spans(log_path) == [(1, 11)]
    assert frame["content"][2] == "changed"
    assert "Answer 4" not in set(frame["content"])


def test_two_stores_share_the_segments(log_path: Path) -> None:
    """Rows of two connections in turn: each seq in one segment, nothing twice."""
    first, second = Store(log_path), Store(log_path)
    for start in range(0, 60, 6):
        insert(first, start, start + 3)
        insert(second, start + 3, start + 6)
    first.close()
    second.close()

    assert spans(log_path) == [(start, start + 9) for start in range(1, 60, 10)]
    assert list(read(log_path, ["content"], ALL)["content"]) == [
        f"Answer {number}" for number in range(60)
    ]
