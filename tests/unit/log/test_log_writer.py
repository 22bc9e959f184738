from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from allos.log.writer import Writer

from allos.errors import LogError
from allos.log.store.sqlite import Batch, Store
from tests.support.log_rows import a_response


def count(path: Path, table: str = "responses") -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        db.close()


@pytest.fixture
def writer(log_path: Path):
    writer = Writer(Store(log_path))
    yield writer
    writer.close(10)


def test_flush_means_committed(writer: Writer, log_path: Path) -> None:
    """After a flush another connection sees every row handed over before."""
    for number in range(300):
        writer.observe(a_response(number))
    writer.rate(a_response(0).id or "", 1, None)
    writer.flush(10)

    assert count(log_path) == 300
    assert count(log_path, "ratings") == 1


def test_rows_come_by_themselves(writer: Writer, log_path: Path) -> None:
    """Nobody has to flush."""
    writer.observe(a_response())
    deadline = time.monotonic() + 10
    while not count(log_path) and time.monotonic() < deadline:
        threading.Event().wait(0.005)

    assert count(log_path) == 1


def test_many_threads_hand_over(writer: Writer, log_path: Path) -> None:
    """Rows of several threads all arrive, by one writer thread."""

    def hand_over(start: int) -> None:
        for number in range(start, start + 200):
            writer.observe(a_response(number))

    threads = [threading.Thread(target=hand_over, args=(n * 200,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writers = [thread for thread in threading.enumerate() if thread.name == "allos-log"]
    writer.flush(10)

    assert len(writers) == 1
    assert count(log_path) == 1000


def test_flush_without_rows_starts_nothing(log_path: Path) -> None:
    """An unused log costs no thread."""
    writer = Writer(Store(log_path))
    writer.flush(10)
    names = [thread.name for thread in threading.enumerate()]
    writer.close(10)

    assert "allos-log" not in names


def test_close_ends_the_thread_and_later_rows_are_still_written(log_path: Path) -> None:
    """A response that comes after close is written by whoever brings it."""
    writer = Writer(Store(log_path))
    writer.observe(a_response(1))
    writer.close(10)
    names = [thread.name for thread in threading.enumerate()]
    writer.observe(a_response(2))
    writer.close(10)

    assert "allos-log" not in names
    assert count(log_path) == 2


def test_a_locked_file_delays_and_loses_nothing(writer: Writer, log_path: Path) -> None:
    """While another connection holds the lock, flush waits; then everything is there."""
    other = sqlite3.connect(log_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writer.observe(a_response(1))
    with pytest.raises(LogError, match=r"not written within 0\.1 s; its rows wait"):
        writer.flush(0.1)
    other.execute("ROLLBACK")
    other.close()
    writer.flush(10)

    assert count(log_path) == 1


def test_a_failing_disk_is_told_by_flush_and_recovers(log_path: Path) -> None:
    """The caller of observe never sees it, flush says why, and the rows come later."""
    broken = threading.Event()

    class Disk(Store):
        def insert(self, batch: Batch) -> None:
            if broken.is_set():
                raise sqlite3.OperationalError("database or disk is full")
            super().insert(batch)

    writer = Writer(Disk(log_path))
    broken.set()
    with pytest.warns(RuntimeWarning, match="disk is full"):  # noqa: PT031  # it comes from the writer's thread
        writer.observe(a_response(1))
        with pytest.raises(LogError, match="cannot be written: database or disk is full"):
            writer.flush(10)
    broken.clear()
    writer.observe(a_response(2))
    writer.close(10)

    assert count(log_path) == 2


def test_handing_over_is_cheap(writer: Writer) -> None:
    """The loop thread only puts a response on a queue: far below a commit's time."""
    responses = [a_response(number) for number in range(2000)]
    writer.observe(responses.pop())
    start = time.thread_time()
    for response in responses:
        writer.observe(response)
    per_response_us = (time.thread_time() - start) / len(responses) * 1e6

    assert per_response_us < 50  # measured 0.2 to 1; a loaded machine is slower
