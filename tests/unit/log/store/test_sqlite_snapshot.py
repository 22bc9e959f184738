from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from allos.log.rows import raw_of, row_of, unpack
from allos.log.store import sqlite_snapshot
from allos.log.store.protocol import Batch, Rating, Where
from allos.log.store.sqlite import SQLiteStore
from tests.support.log_rows import a_response


def batch(*numbers: int) -> Batch:
    responses = [a_response(number) for number in numbers]
    raw = [found for response in responses if (found := raw_of(response)) is not None]
    return Batch(rows=[row_of(response, {}) for response in responses], raw=raw)


@pytest.fixture
def store(log_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(log_path)
    yield store
    store.close()


def contents(store: SQLiteStore, where: Where, limit: int | None = None) -> list[str]:
    with store.snapshot() as snapshot:
        blocks = list(snapshot.scan(where, ["content"], limit))
    chunks = [block.columns["content"] for block in blocks if block.row_count]
    return [
        text
        for chunk in chunks
        if chunk.values is not None
        for text in (chunk.values if chunk.codes is None else chunk.values[chunk.codes])
    ]


def test_a_snapshot_does_not_see_later_rows(store: SQLiteStore) -> None:
    """All that is read in one snapshot belongs together, while others write."""
    store.append(batch(1))
    with store.snapshot() as snapshot:
        first = [block.row_count for block in snapshot.scan(Where(), ["id"])]
        store.append(batch(2))
        store.append(Batch(ratings=[Rating("x", 1, None, 5)]))
        again = [block.row_count for block in snapshot.scan(Where(), ["id"])]
        ratings = list(snapshot.ratings())

    assert (first, again, ratings) == ([1], [1], [])


def test_rows_come_in_the_order_of_commits(store: SQLiteStore) -> None:
    """Without a limit rows come by commit; with one, the newest by time, oldest of them first."""
    store.append(batch(3, 1))
    store.append(batch(2))

    assert contents(store, Where()) == ["Answer 3", "Answer 1", "Answer 2"]
    assert contents(store, Where(), limit=2) == ["Answer 2", "Answer 3"]
    assert contents(store, Where(texts=("answer 1",)), limit=5) == ["Answer 1"]


def test_a_filter_reads_segments_where_that_is_faster(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From rows or from segments, the same rows in the same order."""
    monkeypatch.setattr("allos.log.store.segments.SEGMENT_ROWS", 10)
    for start in range(0, 60, 10):
        store.append(batch(*range(start, start + 10)))
        store.maintain()
    where = Where(any_of={"content": tuple(f"Answer {number}" for number in range(0, 60, 2))})
    by_rows = contents(store, where)
    monkeypatch.setattr(sqlite_snapshot, "MIN_ROWS_FOR_SEGMENTS", 5)

    assert by_rows == [f"Answer {number}" for number in range(0, 60, 2)]
    assert contents(store, where) == by_rows


def test_raw_json_of_many_ids(store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """More ids than one statement allows are read in several; unknown ids are left out."""
    monkeypatch.setattr(sqlite_snapshot, "_MAX_PLACEHOLDERS", 2)
    store.append(batch(1, 2, 3))
    ids = [a_response(number).id or "" for number in (1, 2, 3, 4)]
    with store.snapshot() as snapshot:
        found = {raw.id: unpack(raw.reply) for raw in snapshot.raw(ids)}

    assert list(found) == ids[:3]
    assert found[ids[0]] == '{"id":"chatcmpl-1","choices":[]}'
