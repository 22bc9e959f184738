"""Logs of somebody else, honest and made-up ones."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest

import allos
import allos.log
from allos.errors import LogError
from allos.log.log_file import APPLICATION_ID
from allos.log.store import foreign_log
from allos.log.store.foreign_log import open_foreign_log
from allos.log.store.migrations import MIGRATIONS
from tests.support.log_rows import a_response, record

SECRET = "what only this computer knows"


def made_up(path: Path, *statements: str, version: int = 4) -> Path:
    """A file that says it is a log, with a schema of its author."""
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {version}")
    return path


def contents(path: Path, max_bytes: int = 10**9) -> list[object]:
    with open_foreign_log(path, max_bytes) as log:
        return [item for batch in log.batches() for item in (*batch.rows, *batch.ratings)]


ID_TABLE = "CREATE TABLE responses (id TEXT, content TEXT)"


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (
            ("CREATE TABLE t (x)", "CREATE VIEW responses AS SELECT 1 AS id"),
            "no table of responses",
        ),
        (("CREATE VIRTUAL TABLE responses USING fts5(id, content)",), "no table of responses"),
        (("CREATE TABLE t (x)",), "no table of responses"),
    ],
)
def test_only_plain_tables_are_read(
    tmp_path: Path, statements: tuple[str, ...], problem: str
) -> None:
    """A view or a virtual table runs what its author wrote, and is not taken for a table."""
    path = made_up(tmp_path / "other.sqlite", *statements)
    with pytest.raises(LogError, match=problem):
        contents(path)


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE responses (id TEXT, content TEXT GENERATED ALWAYS AS (upper(id)) VIRTUAL)",
        "CREATE TABLE responses (id TEXT, content TEXT, other TEXT GENERATED ALWAYS AS (hex(id)) STORED)",
    ],
)
def test_expressions_of_the_author_do_not_run(tmp_path: Path, table: str) -> None:
    """Generated columns and indexes on expressions are left out; triggers never fire."""
    path = made_up(
        tmp_path / "other.sqlite",
        table,
        "INSERT INTO responses (id) VALUES ('one')",
        "CREATE INDEX sly ON responses (lower(id))",
        "CREATE TRIGGER t AFTER INSERT ON responses BEGIN DELETE FROM responses; END",
    )
    (row,) = contents(path)

    assert isinstance(row, tuple)
    assert row[0] == "one"
    assert "ONE" not in row


def test_values_have_the_types_of_the_columns(tmp_path: Path) -> None:
    """Bytes, wrong types, huge numbers and rows without an id are left out or become null."""
    path = made_up(
        tmp_path / "other.sqlite",
        "CREATE TABLE responses (id, created_at, prompt, cost_usd, input_tokens)",
        "INSERT INTO responses VALUES ('a', 'today', x'00ff', 'much', 9e99), (NULL, 1, 2, 3, 4),"
        " (x'61', 1, 2, 3, 4), ('b' || char(10), 1, 2, 3, 4), ('c', 5, 7, 0.5, 6)",
    )
    with open_foreign_log(path, 10**9) as log:
        rows = [row for batch in log.batches() for row in batch.rows]
        skipped = log.skipped

    assert [[value for value in row if value is not None] for row in rows] == [
        ["a"],
        ["c", 5, "7", 6, 0.5],
    ]
    assert skipped == 3


def test_a_file_that_holds_more_than_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that share their pages cannot fill this computer's memory or disk."""
    path = made_up(
        tmp_path / "other.sqlite",
        ID_TABLE,
        "INSERT INTO responses VALUES ('a', zeroblob(9000)), ('b', zeroblob(9000))",
    )
    monkeypatch.setattr(foreign_log, "_MOST_GROWTH", 0)
    monkeypatch.setattr(foreign_log, "BATCH_BYTES", 10_000)
    with pytest.raises(LogError, match="holds more than its size allows"):
        contents(path)
    with pytest.raises(LogError, match="nothing was read"):
        contents(path, max_bytes=1000)


def test_a_file_that_keeps_sqlite_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading ends after a time, whatever the file is like."""
    path = made_up(
        tmp_path / "other.sqlite",
        ID_TABLE,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50000)"
        " INSERT INTO responses SELECT i, 'x' FROM n",
    )
    monkeypatch.setattr(foreign_log, "BATCH_S", -1.0)
    with pytest.raises(LogError, match=r"cannot read .*interrupted"):
        contents(path)


def test_raw_json_that_unpacks_to_very_much(tmp_path: Path) -> None:
    """A bomb is left out; what is honest beside it is kept."""
    bomb = b"x" + zlib.compress(b"0" * (foreign_log._MOST_RAW_BYTES + 1))
    path = made_up(
        tmp_path / "other.sqlite", ID_TABLE, "CREATE TABLE raw (id TEXT, request BLOB, reply BLOB)"
    )
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO raw VALUES ('a', ?, ?), ('b', ?, 5)", (bomb, b"{}", b"xno"))
    with open_foreign_log(path, 10**9) as log:
        (batch,) = log.raw_batches(["a", "b", "c"])

    assert [(raw.id, raw.request, bytes(raw.reply or b"")) for raw in batch.raw] == [
        ("a", None, b"{}")
    ]


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"\xff" * 5000, b"hello"])
def test_what_is_no_log_is_one_line(tmp_path: Path, content: bytes) -> None:
    """Not a database, a damaged one, another application's: one line, and nothing is read."""
    path = tmp_path / "other.sqlite"
    path.write_bytes(content)
    with pytest.raises(LogError) as caught:
        contents(path)

    assert "\n" not in str(caught.value)
    with pytest.raises(LogError, match=r"is not a file|cannot read"):
        contents(tmp_path)
    with pytest.raises(LogError, match="cannot read"):
        contents(tmp_path / "none.sqlite")


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_logs_of_older_versions(tmp_path: Path, version: int) -> None:
    """Columns that an older version did not have are null; its ratings get ids that stay the same."""
    path = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        for migration in MIGRATIONS[:version]:
            migration(db)
        db.execute("INSERT INTO responses (id, content) VALUES ('one', 'Hello')")
        db.execute("INSERT INTO ratings (response_id, rating, created_at) VALUES ('one', 1, 5)")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    first, second = contents(path), contents(path)

    assert first == second
    assert len(first) == 2
    assert path.read_bytes() == before


def test_a_log_of_a_newer_version(tmp_path: Path) -> None:
    """What this version knows is read; the caller can say that something may be missing."""
    path = made_up(
        tmp_path / "new.sqlite",
        "CREATE TABLE responses (id TEXT, content TEXT, feelings TEXT)",
        "INSERT INTO responses VALUES ('one', 'Hello', 'joy')",
        version=99,
    )
    with open_foreign_log(path, 10**9) as log:
        rows = [row for batch in log.batches() for row in batch.rows]

        assert log.is_newer
    assert [value for value in rows[0] if value is not None] == ["one", "Hello"]


def test_a_log_that_is_being_written(tmp_path: Path) -> None:
    """What is still in its write-ahead log is read as well, and the other process goes on."""
    allos.log.open(tmp_path / "own.sqlite")
    record(a_response(1))
    allos.log.flush()

    assert len(contents(tmp_path / "own.sqlite")) == 1
    record(a_response(2))
    allos.log.close()
    assert len(contents(tmp_path / "own.sqlite")) == 2
