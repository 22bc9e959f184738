from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from allos.errors import LogError
from allos.log.columns import STORED
from allos.log.store.migrations import APPLICATION_ID, MIGRATIONS, VERSION, migrate


def opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def test_an_empty_file_becomes_a_log(log_path: Path) -> None:
    """Version 0 is brought to the current schema, and a second time changes nothing."""
    db = opened(log_path)
    migrate(db)
    migrate(db)
    columns = [row[1] for row in db.execute("PRAGMA table_info(responses)")]
    found = (pragma(db, "user_version"), pragma(db, "application_id"))
    db.close()

    assert found == (VERSION, APPLICATION_ID)
    added = [column.name for column in sorted(STORED, key=lambda column: column.since)]
    assert columns == ["seq", *added]


def test_a_log_of_the_first_version_is_kept(log_path: Path) -> None:
    """A file with the columns of version 1 gets those of later ones, null in its rows."""
    db = opened(log_path)
    MIGRATIONS[0](db)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")
    db.execute("INSERT INTO responses (id, content) VALUES ('one', 'Hi')")
    migrate(db)
    row = db.execute("SELECT id, content, parts, citations, logprobs FROM responses").fetchone()
    version = pragma(db, "user_version")
    db.close()

    assert row == ("one", "Hi", None, None, None)
    assert version == VERSION


def test_the_schema_is_on_the_first_page(log_path: Path) -> None:
    """No other page than the first is needed to know the tables, which limits what damage can do."""
    db = opened(log_path)
    migrate(db)
    try:
        db.execute("CREATE VIRTUAL TABLE temp.pages USING dbstat(main)")
    except sqlite3.OperationalError:
        pytest.skip("this SQLite was built without dbstat")
    names = ("sqlite_master", "sqlite_schema")
    found = db.execute("SELECT pageno FROM pages WHERE name IN (?, ?)", names).fetchall()
    db.close()

    assert found == [(1,)]


def test_ratings_of_older_logs_get_an_id(log_path: Path) -> None:
    """The same rating has the same id in every copy of a log; it has no rater."""
    db = opened(log_path)
    for step in MIGRATIONS[:3]:
        step(db)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("PRAGMA user_version = 3")
    db.execute("INSERT INTO ratings (response_id, rating, created_at) VALUES ('one', 1, 5)")
    migrate(db)
    row = db.execute("SELECT id, rating, rater, undo FROM ratings").fetchone()
    db.close()

    assert row == ("one-5-1", 1, None, None)


def test_a_newer_log_is_refused_and_left_alone(log_path: Path) -> None:
    """A schema from the future says what to do and is not touched."""
    db = opened(log_path)
    migrate(db)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(
        LogError, match=rf"newer version of allos \(schema {VERSION + 1}.*upgrade allos"
    ):
        migrate(db)
    version, in_transaction = pragma(db, "user_version"), db.in_transaction
    db.close()

    assert version == VERSION + 1
    assert not in_transaction


def test_another_programs_database_is_refused(log_path: Path) -> None:
    """A file that holds other tables, or another version count, is not made a log."""
    db = opened(log_path)
    db.execute("CREATE TABLE t (a)")
    with pytest.raises(LogError, match="another program"):
        migrate(db)
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master")]
    db.close()

    assert tables == ["t"]


def test_a_failing_migration_changes_nothing(log_path: Path, monkeypatch) -> None:
    """All steps come together or not at all."""

    def bad(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE half (a)")
        raise RuntimeError("no")

    monkeypatch.setattr("allos.log.store.migrations.MIGRATIONS", (bad,))
    db = opened(log_path)
    with pytest.raises(RuntimeError):
        migrate(db)
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    db.close()

    assert tables == 0
