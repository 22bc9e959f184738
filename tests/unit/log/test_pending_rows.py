from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from allos.errors import LogError
from allos.log.pending_rows import BATCH_ROWS, RETRY_FAILED_S, RETRY_LOCKED_S, PendingRows
from allos.log.store.sqlite import Batch, Store
from allos.response import ProviderResponse
from tests.support.log_rows import a_response


class FailingStore(Store):
    """A store whose disk fails as long as `failure` is set."""

    failure: Exception | None = None

    def insert(self, batch: Batch) -> None:
        if self.failure is not None:
            raise self.failure
        super().insert(batch)


def contents(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    try:
        return [row[0] for row in db.execute("SELECT content FROM responses ORDER BY seq")]
    finally:
        db.close()


@pytest.fixture
def store(log_path: Path):
    store = FailingStore(log_path)
    yield store
    store.close()


def test_many_rows_are_committed_in_order(store: FailingStore, log_path: Path) -> None:
    """More rows than one commit takes arrive complete and in order."""
    backlog = PendingRows(store)
    for number in range(BATCH_ROWS + 5):
        backlog.add(a_response(number))

    assert backlog.commit()
    assert contents(log_path) == [f"Answer {number}" for number in range(BATCH_ROWS + 5)]
    assert backlog.retry_s is None


def test_rows_wait_while_the_disk_fails(store: FailingStore, log_path: Path) -> None:
    """One warning, the rows stay, and the next try writes them."""
    backlog = PendingRows(store)
    backlog.add(a_response(1))
    store.failure = sqlite3.OperationalError("disk I/O error")
    with pytest.warns(RuntimeWarning, match="disk I/O error") as caught:  # noqa: PT031  # two tries, one warning
        first = backlog.commit()
        again = backlog.commit()
    report = backlog.pop_error()
    backlog.add(a_response(2))
    store.failure = None

    assert (first, again, len(caught)) == (False, False, 1)
    assert report is not None
    assert "disk I/O error" in report
    assert backlog.retry_s == RETRY_FAILED_S
    assert backlog.commit()
    assert contents(log_path) == ["Answer 1", "Answer 2"]
    assert backlog.pop_error() is None


def test_a_locked_file_is_no_failure(store: FailingStore) -> None:
    """While another process writes, nothing is said and the next try comes soon."""
    backlog = PendingRows(store)
    backlog.add(a_response(1))
    store.failure = sqlite3.OperationalError("database is locked")

    assert not backlog.commit()
    assert backlog.locked
    assert backlog.retry_s == RETRY_LOCKED_S


def test_memory_is_bounded(store: FailingStore, log_path: Path) -> None:
    """Of too many waiting rows the oldest are given up, and that is told once."""
    backlog = PendingRows(store, kept_rows=3)
    store.failure = LogError("the disk is full")
    for number in range(5):
        backlog.add(a_response(number))
    with pytest.warns(RuntimeWarning, match="disk is full"):
        backlog.commit()
    report = backlog.pop_error()
    store.failure = None

    assert report is not None
    assert report.startswith("2 rows of the log were given up: the disk is full")
    assert backlog.commit()
    assert contents(log_path) == ["Answer 2", "Answer 3", "Answer 4"]


def test_a_bad_value_does_not_hold_back_its_batch(store: FailingStore, log_path: Path) -> None:
    """Values that SQLite refuses are cleaned; the other rows are as they were."""
    backlog = PendingRows(store)
    backlog.add(a_response(1))
    backlog.add(a_response(2, content="half \ud800", metadata={"seed": 2**80, "api": object()}))
    backlog.add(a_response(3))

    assert backlog.commit()
    assert contents(log_path) == ["Answer 1", "half �", "Answer 3"]
    assert backlog.pop_error() is None


def test_a_strange_response_is_told_and_left_out(store: FailingStore, log_path: Path) -> None:
    """What cannot be made a row is reported; the others are written."""
    backlog = PendingRows(store)
    with pytest.warns(RuntimeWarning, match="could not be turned into a row"):
        backlog.add(a_response(1, metadata={"base_url": 7}))
    backlog.add(a_response(2))
    report_before = backlog.commit() and backlog.pop_error()

    assert report_before
    assert "1 row of the log were given up" in report_before
    assert contents(log_path) == ["Answer 2"]


def test_a_response_without_id_gets_one(store: FailingStore, log_path: Path) -> None:
    """Every row can be named."""
    backlog = PendingRows(store)
    backlog.add(ProviderResponse("a"))
    backlog.add(ProviderResponse("b"))
    backlog.commit()
    db = sqlite3.connect(log_path)
    ids = [row[0] for row in db.execute("SELECT id FROM responses ORDER BY seq")]
    db.close()

    assert [len(found) for found in ids] == [26, 26]
    assert ids == sorted(set(ids))
