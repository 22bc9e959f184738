from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from allos.errors import LogError
from allos.log.log_writer import LogWriter
from allos.log.store.protocol import Rating
from allos.log.store.sqlite import SQLiteStore
from tests.support.log_rows import MemoryStore, a_response


def count(path: Path) -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute("SELECT count(*) FROM responses").fetchone()[0])
    finally:
        db.close()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def writer(store: MemoryStore):
    writer = LogWriter(store, dict)
    yield writer
    writer.close(10)


def test_flush_means_committed(writer: LogWriter, store: MemoryStore) -> None:
    """After a flush every response and rating put before is in the store, in few commits."""
    for number in range(300):
        writer.put(a_response(number))
    writer.put(Rating(a_response(0).id or "", 1, None, 5))
    writer.flush(10)

    assert store.contents == [f"Answer {number}" for number in range(300)]
    assert [(each.response_id, each.rating) for each in store.all_ratings] == [
        (a_response(0).id, 1)
    ]
    assert store.commits < 100


def test_rows_are_committed_without_a_flush(writer: LogWriter, store: MemoryStore) -> None:
    """Nobody has to flush."""
    writer.put(a_response())
    deadline = time.monotonic() + 10
    while not store.rows and time.monotonic() < deadline:
        threading.Event().wait(0.005)

    assert store.contents == ["Answer 0"]


def test_many_threads_put_responses(writer: LogWriter, store: MemoryStore) -> None:
    """Rows of several threads all arrive, by one writer thread."""

    def put_many(start: int) -> None:
        for number in range(start, start + 200):
            writer.put(a_response(number))

    threads = [threading.Thread(target=put_many, args=(n * 200,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writers = [thread for thread in threading.enumerate() if thread.name == "allos-log"]
    writer.flush(10)

    assert len(writers) == 1
    assert len(store.rows) == 1000


def test_flush_without_rows_starts_no_thread(store: MemoryStore) -> None:
    """An unused log costs no thread."""
    writer = LogWriter(store, dict)
    writer.flush(10)
    names = [thread.name for thread in threading.enumerate()]
    writer.close(10)

    assert "allos-log" not in names


def test_close_ends_the_thread_and_later_rows_are_still_written(store: MemoryStore) -> None:
    """A response that is put after close is committed by the thread that puts it."""
    writer = LogWriter(store, dict)
    writer.put(a_response(1))
    writer.close(10)
    names = [thread.name for thread in threading.enumerate()]
    writer.put(a_response(2))
    writer.close(10)

    assert "allos-log" not in names
    assert store.contents == ["Answer 1", "Answer 2"]
    assert store.is_closed


def test_a_locked_file_delays_and_loses_nothing(log_path: Path) -> None:
    """While another connection holds the lock, flush waits; then every row is there."""
    writer = LogWriter(SQLiteStore(log_path), dict)
    other = sqlite3.connect(log_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writer.put(a_response(1))
    with pytest.raises(LogError, match=r"not written within 0\.1 s; its rows are kept"):
        writer.flush(0.1)
    other.execute("ROLLBACK")
    other.close()
    writer.close(10)

    assert count(log_path) == 1


def test_a_failing_disk_is_reported_by_flush_and_recovers(store: MemoryStore) -> None:
    """Whoever puts a response never sees it, flush says why, and the rows are committed later."""
    writer = LogWriter(store, dict)
    store.failure = OSError("database or disk is full")
    with pytest.warns(RuntimeWarning, match="disk is full"):  # noqa: PT031  # raised on the writer's thread
        writer.put(a_response(1))
        with pytest.raises(
            LogError, match="cannot write to the log 'memory': database or disk is full"
        ):
            writer.flush(10)
    store.failure = None
    writer.put(a_response(2))
    writer.close(10)

    assert store.contents == ["Answer 1", "Answer 2"]


def test_putting_a_response_is_cheap(writer: LogWriter) -> None:
    """The loop thread only puts a response on a queue: far below a commit's time."""
    responses = [a_response(number) for number in range(2000)]
    writer.put(responses.pop())
    start = time.thread_time()
    for response in responses:
        writer.put(response)
    per_response_us = (time.thread_time() - start) / len(responses) * 1e6

    assert per_response_us < 50  # measured 0.2 to 1; a loaded machine is slower
