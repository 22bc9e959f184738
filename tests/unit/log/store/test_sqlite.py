from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

import allos.log.store.sqlite as store_module
from allos.errors import LogError
from allos.log.rows import raw_of, row_of
from allos.log.store import sqlite_connection
from allos.log.store.protocol import Batch, Rating, RunRecord, Store
from allos.log.store.sqlite import SQLiteStore
from tests.support.log_rows import a_response


def batch(*numbers: int) -> Batch:
    responses = [a_response(number) for number in numbers]
    raws = [raw for response in responses if (raw := raw_of(response)) is not None]
    return Batch(rows=[row_of(response, {}) for response in responses], raw=raws)


def count(path: Path, table: str = "responses") -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    finally:
        db.close()


def test_a_batch_is_committed(log_path: Path) -> None:
    """Rows, raw texts and ratings are there for another connection."""
    store = SQLiteStore(log_path)
    store.append(Batch(batch(1, 2).rows, batch(1, 2).raw, [Rating("x", 1, "good", 5)]))
    found = [count(log_path, table) for table in ("responses", "raw", "ratings")]
    store.close()

    assert found == [2, 2, 1]
    assert store.journal_mode == "wal"


def test_the_same_row_is_kept_once(log_path: Path) -> None:
    """A batch whose fate was unknown may be inserted again."""
    store = SQLiteStore(log_path)
    store.append(batch(1, 2))
    store.append(batch(2, 3))
    store.close()

    assert count(log_path) == 3


def test_a_failing_batch_leaves_nothing(log_path: Path) -> None:
    """All of a batch is committed, or none of it."""
    store = SQLiteStore(log_path)
    with pytest.raises(sqlite3.IntegrityError):
        store.append(Batch(batch(1).rows, ratings=[Rating(None, 1, None, 5)]))  # type: ignore[arg-type]
    store.append(batch(2))
    store.close()

    assert count(log_path) == 1


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX files")
def test_all_files_are_the_owners_alone(tmp_path: Path) -> None:
    """The log and its -wal and -shm files have 0600, also one that was readable before."""
    path = tmp_path / "log.sqlite"
    SQLiteStore(path).close()
    path.chmod(0o644)
    store = SQLiteStore(path)
    store.append(batch(1))
    modes = {found.name: stat.S_IMODE(found.stat().st_mode) for found in tmp_path.iterdir()}
    store.close()

    assert modes == {"log.sqlite": 0o600, "log.sqlite-wal": 0o600, "log.sqlite-shm": 0o600}


def test_a_removed_file_is_made_anew(log_path: Path) -> None:
    """Rows never go to a file without a name."""
    store = SQLiteStore(log_path)
    store.append(batch(1))
    for name in ("", "-wal", "-shm"):
        log_path.with_name(log_path.name + name).unlink()
    store.append(batch(2))
    store.close()

    assert count(log_path) == 1


@pytest.mark.parametrize("content", [b"hello\n", b"SQLite format 3\0" + b"junk" * 300])
def test_a_file_that_is_no_database_is_refused(log_path: Path, content: bytes) -> None:
    """One line says so, and the file stays as it was."""
    log_path.write_bytes(content)
    with pytest.raises(LogError, match=r"^cannot open the log") as caught:
        SQLiteStore(log_path)

    assert "\n" not in str(caught.value)
    assert log_path.read_bytes() == content


def test_old_sqlite_checkpoints_under_the_lock_only(log_path: Path, monkeypatch) -> None:
    """With the bug, the WAL grows while another process has the lock, and shrinks afterwards."""
    monkeypatch.setattr(store_module, "has_wal_reset_bug", lambda version: True)
    monkeypatch.setattr(sqlite_connection, "has_wal_reset_bug", lambda version: True)
    monkeypatch.setattr(store_module, "CHECKPOINT_EVERY_BYTES", 50_000)
    store = SQLiteStore(log_path)
    wal = log_path.with_name(log_path.name + "-wal")
    with store_module.file_lock(log_path.with_name(log_path.name + ".lock")):
        for number in range(60):
            store.append(batch(number))
            store.maintain()
    grown = wal.stat().st_size
    for number in range(60, 120):
        store.append(batch(number))
        store.maintain()
    bounded = wal.stat().st_size
    notes = store.notes
    store.close()

    assert grown > 4 * 50_000
    assert bounded < 3 * 50_000
    assert "WAL-reset bug" in notes[-1]


def test_a_file_system_without_wal_gets_another_journal(log_path: Path, monkeypatch) -> None:
    """On a network file system the log works without WAL, says so, and stays so."""
    monkeypatch.setattr(store_module, "network_file_system", lambda folder: "nfs4")
    store = SQLiteStore(log_path)
    store.append(batch(1))
    store.close()

    assert store.journal_mode == "delete"
    assert "nfs4" in store.notes[0]
    assert count(log_path) == 1


def test_the_file_is_a_store(log_path: Path) -> None:
    """It has what the log needs of a database, and tells a bad value from a locked file."""
    store: Store = SQLiteStore(log_path)
    store.close()

    assert store.location == str(log_path)
    assert store.is_locked(sqlite3.OperationalError("database is locked"))
    assert not store.is_locked(sqlite3.OperationalError("disk I/O error"))
    assert store.is_bad_value(OverflowError())
    assert not store.is_bad_value(sqlite3.OperationalError("disk I/O error"))


def test_an_unreadable_file_is_one_line(log_path: Path) -> None:
    """What SQLite says about a damaged file comes as a LogError."""
    store = SQLiteStore(log_path)
    store.close()
    log_path.write_bytes(b"SQLite format 3\0" + b"junk" * 300)
    with pytest.raises(LogError, match=r"^cannot read the log '.*'") as caught, store.snapshot():
        pass

    assert "\n" not in str(caught.value)


def test_what_a_batch_is_made_of_is_kept_and_replaced(log_path: Path) -> None:
    """A second start keeps when it was first; without an id the data is left out."""
    store = SQLiteStore(log_path)
    first = RunRecord("bat_1", 1, 1, "q", 2, bytearray(b"{}"), bytearray(b"[1]"))
    store.append(Batch(runs=[first, first._replace(id="bat_2", created_at=2)]))
    store.append(Batch(runs=[first._replace(created_at=9, updated_at=9, calls=5)]))
    with store.snapshot() as snapshot:
        listed = list(snapshot.runs())
        (one,) = snapshot.runs("bat_1")
    store.close()

    assert [(run.id, bytes(run.data)) for run in listed] == [("bat_1", b""), ("bat_2", b"")]
    assert (one.created_at, one.updated_at, one.calls, bytes(one.data)) == (1, 9, 5, b"[1]")
