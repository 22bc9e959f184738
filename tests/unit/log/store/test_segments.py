from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from allos.log.columns import NAMES
from allos.log.query import read
from allos.log.rows import row_of
from allos.log.store import segment_codec, segments
from allos.log.store.protocol import Batch, Where
from allos.log.store.sqlite import SQLiteStore
from tests.support.log_rows import a_response


def insert(store: SQLiteStore, start: int, stop: int) -> None:
    store.append(Batch([row_of(a_response(number), {}) for number in range(start, stop)]))
    store.maintain()


def frame_of_file(path: Path, names: Sequence[str]) -> pd.DataFrame:
    store = SQLiteStore(path)
    try:
        return read(store, names, Where())
    finally:
        store.close()


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
    monkeypatch.setattr(segment_codec, "MAX_DISTINCT", 3)


def test_full_runs_of_rows_get_segments(log_path: Path) -> None:
    """Every ten rows become a segment, whatever the commits; the rest stays rows."""
    store = SQLiteStore(log_path)
    for start in range(0, 37, 4):
        insert(store, start, min(start + 4, 37))
    store.close()

    assert spans(log_path) == [(1, 10), (11, 20), (21, 30)]


def test_segments_and_rows_give_the_same_frame(log_path: Path) -> None:
    """With and without segments the frame is equal."""
    store = SQLiteStore(log_path)
    insert(store, 0, 37)
    store.maintain()
    store.close()
    with_segments = frame_of_file(log_path, NAMES)
    execute(log_path, "DELETE FROM segments")
    left = execute(log_path, "SELECT count(*) FROM segment_columns")

    assert len(with_segments) == 37
    assert frame_of_file(log_path, NAMES).equals(with_segments)
    assert left == [(0,)]


def test_a_changed_row_drops_its_segment(log_path: Path) -> None:
    """What somebody changes or deletes by hand is what the frame shows."""
    store = SQLiteStore(log_path)
    insert(store, 0, 35)
    store.close()
    execute(log_path, "UPDATE responses SET content = 'changed' WHERE seq = 13")
    execute(log_path, "DELETE FROM responses WHERE seq = 25")
    frame = frame_of_file(log_path, ["id", "content"])

    assert spans(log_path) == [(1, 10)]
    assert len(frame) == 34
    assert frame["content"][12] == "changed"


def test_rows_changed_before_their_segment_are_read_again(log_path: Path) -> None:
    """The builder does not use the rows it kept when another connection has committed."""
    store = SQLiteStore(log_path)
    insert(store, 0, 8)
    execute(log_path, "UPDATE responses SET content = 'changed' WHERE seq = 3")
    execute(log_path, "DELETE FROM responses WHERE seq = 5")
    insert(store, 8, 14)
    store.close()
    frame = frame_of_file(log_path, ["content"])

    assert spans(log_path) == [(1, 11)]
    assert frame["content"][2] == "changed"
    assert "Answer 4" not in set(frame["content"])


def test_two_stores_share_the_segments(log_path: Path) -> None:
    """Rows of two connections in turn: each seq in one segment, nothing twice."""
    first, second = SQLiteStore(log_path), SQLiteStore(log_path)
    for start in range(0, 60, 6):
        insert(first, start, start + 3)
        insert(second, start + 3, start + 6)
    first.close()
    second.close()

    assert spans(log_path) == [(start, start + 9) for start in range(1, 60, 10)]
    assert list(frame_of_file(log_path, ["content"])["content"]) == [
        f"Answer {number}" for number in range(60)
    ]
