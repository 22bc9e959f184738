from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from allos.log.store.read_only import open_read_only

REFUSED = [
    "DELETE FROM t",
    "INSERT INTO t VALUES (2)",
    "CREATE TABLE u (x)",
    "CREATE TEMP TABLE u (x)",
    "DROP TABLE t",
    "ATTACH ':memory:' AS other",
    "VACUUM INTO '/tmp/never-written'",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA user_version = 5",
    "BEGIN IMMEDIATE",
    "SELECT load_extension('x')",
    "SELECT randomblob(1000000000)",
    "ANALYZE",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "with a ? and #.sqlite"
    with closing(sqlite3.connect(found)) as db, db:
        db.execute("CREATE TABLE t (x)")
        db.execute("INSERT INTO t VALUES (1)")
    return found


@pytest.mark.parametrize("statement", REFUSED)
def test_nothing_but_reading_is_allowed(path: Path, statement: str) -> None:
    """Whatever the statement, the file and the other files of the computer stay as they are."""
    before = path.read_bytes()
    with open_read_only(path) as db, pytest.raises(sqlite3.Error):
        db.execute(statement).fetchall()

    assert path.read_bytes() == before
    assert not Path("/tmp/never-written").exists()


def test_reading_works(path: Path) -> None:
    """Queries, functions and common table expressions; functions only where they are wanted."""
    query = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3) SELECT {} FROM n"
    )
    with open_read_only(path) as db:
        assert db.execute(query.format("max(i)")).fetchone() == (3,)
        assert db.execute("SELECT upper('a'), x FROM t").fetchone() == ("A", 1)
    with open_read_only(path, functions=False) as db:
        assert db.execute(query.format("i")).fetchall() == [(1,), (2,), (3,)]
        with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
            db.execute("SELECT upper('a')")


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    """Opening for reading leaves no empty database behind."""
    with pytest.raises(sqlite3.OperationalError), open_read_only(tmp_path / "none.sqlite"):
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_file(tmp_path: Path) -> None:
    """A log with a write-ahead log needs a file beside it; where there can be none, it is read all the same."""
    path = tmp_path / "wal.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (x)")
        db.execute("INSERT INTO t VALUES (1)")
    (tmp_path / "wal.sqlite-shm").mkdir()
    with open_read_only(path) as db:
        assert db.execute("SELECT x FROM t").fetchone() == (1,)


def test_rows_of_a_write_ahead_log_are_not_left_out_in_silence(path: Path, monkeypatch) -> None:
    """On a full disk a file can only be read as it is, without them: it is refused, and says where they are."""

    def full(*_: object) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    path.with_name(path.name + "-wal").write_bytes(b"rows")
    monkeypatch.setattr("allos.log.store.read_only._connect", full)
    with (
        pytest.raises(sqlite3.OperationalError, match=r"newest rows are in '.*-wal'"),
        open_read_only(path),
    ):
        pass
