from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from pathlib import Path

import pytest

from allos.errors import LogError
from allos.log.pending_rows import BATCH_ROWS, RETRY_FAILED_S, RETRY_LOCKED_S, PendingRows
from allos.log.store.protocol import Rating
from allos.log.store.sqlite import SQLiteStore
from allos.response import ProviderResponse
from tests.support.log_rows import BadValue, Locked, MemoryStore, a_response


def pending_rows(store: MemoryStore | SQLiteStore, max_rows: int = 50_000) -> PendingRows:
    return PendingRows(store, dict, max_rows)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_many_rows_are_committed_in_order(store: MemoryStore) -> None:
    """More rows than one commit takes arrive complete and in order."""
    pending = pending_rows(store)
    for number in range(BATCH_ROWS + 5):
        pending.add(a_response(number))

    assert pending.commit()
    assert store.contents == [f"Answer {number}" for number in range(BATCH_ROWS + 5)]
    assert pending.retry_s is None


def test_rows_are_kept_while_the_disk_fails(store: MemoryStore) -> None:
    """One warning, the rows stay, and the next attempt commits them."""
    pending = pending_rows(store)
    pending.add(a_response(1))
    store.failure = OSError("disk I/O error")
    with pytest.warns(RuntimeWarning, match="disk I/O error") as caught:  # noqa: PT031  # two attempts, one warning
        first = pending.commit()
        again = pending.commit()
    report = pending.pop_error()
    pending.add(a_response(2))
    store.failure = None

    assert (first, again, len(caught)) == (False, False, 1)
    assert report is not None
    assert "disk I/O error" in report
    assert pending.retry_s == RETRY_FAILED_S
    assert pending.commit()
    assert store.contents == ["Answer 1", "Answer 2"]
    assert pending.pop_error() is None


def test_a_locked_store_is_retried_soon(store: MemoryStore) -> None:
    """While another process writes, there is no warning and the next attempt comes soon."""
    pending = pending_rows(store)
    pending.add(a_response(1))
    store.failure = Locked()

    assert not pending.commit()
    assert pending.locked
    assert pending.retry_s == RETRY_LOCKED_S


def test_memory_is_bounded(store: MemoryStore) -> None:
    """Of too many pending rows the oldest are discarded, which is reported once."""
    pending = pending_rows(store, max_rows=3)
    store.failure = LogError("the disk is full")
    for number in range(5):
        pending.add(a_response(number))
    with pytest.warns(RuntimeWarning, match="disk is full"):
        pending.commit()
    report = pending.pop_error()
    store.failure = None

    assert report is not None
    assert report.startswith("2 rows were not logged: the disk is full")
    assert pending.commit()
    assert store.contents == ["Answer 2", "Answer 3", "Answer 4"]


def test_a_bad_value_does_not_hold_back_its_batch(store: MemoryStore) -> None:
    """The rows around one that the store cannot store are committed; the failure is reported."""
    pending = pending_rows(store)
    for number in range(4):
        pending.add(a_response(number))
    pending.add_rating(Rating("x", 1, None, 5))
    store.bad_ids = {a_response(2).id or ""}

    with pytest.warns(RuntimeWarning, match="cannot store a value of response"):
        assert pending.commit()
    assert store.contents == ["Answer 0", "Answer 1", "Answer 3"]
    assert store.all_ratings == [Rating("x", 1, None, 5)]
    assert "1 row was not logged" in (pending.pop_error() or "")
    assert pending.retry_s is None


def test_a_failure_in_the_middle_of_a_bad_batch_loses_nothing(store: MemoryStore) -> None:
    """When the database fails while rows go one by one, all of them are tried again."""
    pending = pending_rows(store)
    pending.add(a_response(1))
    store.failures = [BadValue(), Locked()]

    assert not pending.commit()
    assert pending.locked
    assert pending.commit()
    assert store.contents == ["Answer 1"]


def test_values_that_sqlite_rejects_are_cleaned(log_path: Path) -> None:
    """Lone surrogates, large integers and other objects are converted; other rows are unchanged."""
    store = SQLiteStore(log_path)
    pending = pending_rows(store)
    pending.add(a_response(1))
    pending.add(a_response(2, content="half \ud800", metadata={"seed": 2**80, "api": object()}))
    pending.add(a_response(3))
    committed, report = pending.commit(), pending.pop_error()
    store.close()
    db = sqlite3.connect(log_path)
    found = [row[0] for row in db.execute("SELECT content FROM responses ORDER BY seq")]
    db.close()

    assert (committed, report) == (True, None)
    assert found == ["Answer 1", "half �", "Answer 3"]


def test_a_response_that_cannot_be_a_row_is_reported(store: MemoryStore) -> None:
    """A response that cannot be turned into a row is reported; the others are committed."""
    pending = pending_rows(store)
    with pytest.warns(RuntimeWarning, match="could not be turned into a row"):
        pending.add(a_response(1, metadata={"base_url": 7}))
    pending.add(a_response(2))
    report_before = pending.commit() and pending.pop_error()

    assert report_before
    assert "1 row was not logged" in report_before
    assert store.contents == ["Answer 2"]


def test_a_response_without_id_gets_one(store: MemoryStore) -> None:
    """Every row has an id."""
    pending = pending_rows(store)
    pending.add(ProviderResponse("a"))
    pending.add(ProviderResponse("b"))
    pending.commit()
    ids = list(store.rows)

    assert [len(each) for each in ids] == [26, 26]
    assert ids == sorted(set(ids))


def test_rows_that_cannot_be_committed_are_rescued(store: MemoryStore) -> None:
    """At the end, what a store cannot take goes to one beside it, later rows too."""
    pending = PendingRows(store, dict)
    store.failure, store.beside = OSError("disk gone"), MemoryStore()
    for number in range(2):
        pending.add(a_response(number))
        with pytest.warns(RuntimeWarning) if number == 0 else nullcontext():
            assert not pending.commit()
        said = pending.rescue()
        assert said is not None
        assert "its rows are in 'memory'" in said

    assert pending.retry_s is None
    assert store.beside.contents == ["Answer 0", "Answer 1"]
    assert store.contents == []
    assert pending.rescue() is None


def test_nothing_is_rescued_from_a_locked_store(store: MemoryStore) -> None:
    """A locked store is whole: its rows wait."""
    pending = PendingRows(store, dict)
    store.failure, store.beside = Locked(), MemoryStore()
    pending.add(a_response(0))
    pending.commit()

    assert pending.rescue() is None
    assert pending.retry_s is not None
    assert store.beside.contents == []


def test_rows_stay_where_there_is_no_store_beside(store: MemoryStore) -> None:
    """Without another store, or with one that fails as well, the rows stay in memory."""
    pending = PendingRows(store, dict)
    store.failure = OSError("disk gone")
    pending.add(a_response(0))
    with pytest.warns(RuntimeWarning):
        pending.commit()
    assert pending.rescue() is None
    store.beside = MemoryStore()
    store.beside.failure = OSError("all disks gone")

    assert pending.rescue() is None
    assert pending.retry_s is not None
    assert "disk gone" in str(pending.error)
