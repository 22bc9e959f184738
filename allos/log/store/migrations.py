"""The schema of the SQLite log, built by numbered migrations.

A released migration never changes. A new column gets ``since=<version>`` in `allos.log.columns` and
a function here that runs `add_columns(<version>)`; a test opens a file of the previous version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from allos.errors import LogError
from allos.log.columns import add_columns, create_table
from allos.log.log_file import APPLICATION_ID
from allos.log.store.protocol import Vote
from allos.log.store.segments import CREATE as CREATE_SEGMENTS

if TYPE_CHECKING:
    import sqlite3


def _1_create(db: sqlite3.Connection) -> None:
    db.execute(create_table(1))
    db.execute("CREATE INDEX responses_created_at ON responses (created_at)")
    db.execute(
        "CREATE INDEX responses_comparison_id ON responses (comparison_id)"
        " WHERE comparison_id IS NOT NULL"
    )
    db.execute(
        "CREATE INDEX responses_conversation_id ON responses (conversation_id)"
        " WHERE conversation_id IS NOT NULL"
    )
    db.execute("CREATE TABLE raw (id TEXT PRIMARY KEY, request BLOB, reply BLOB) WITHOUT ROWID")
    db.execute(
        "CREATE TABLE ratings (seq INTEGER PRIMARY KEY, response_id TEXT NOT NULL,"
        " rating INTEGER, note TEXT, created_at INTEGER NOT NULL)"
    )
    for statement in CREATE_SEGMENTS:
        db.execute(statement)


def _2_parts_of_the_answer(db: sqlite3.Connection) -> None:
    for statement in add_columns(2):
        db.execute(statement)


def _3_name_of_the_conversation(db: sqlite3.Connection) -> None:
    for statement in add_columns(3):
        db.execute(statement)
    db.execute(
        "CREATE INDEX responses_conversation ON responses (conversation)"
        " WHERE conversation IS NOT NULL"
    )


def _4_raters_and_votes(db: sqlite3.Connection) -> None:
    # Without types and indexes: the whole schema fits into the first page of the file, so that damage
    # to no other page makes the log unreadable.
    for column in ("rater", "tags", "undo", "id"):
        db.execute(f"ALTER TABLE ratings ADD COLUMN {column}")
    # The same in every copy of a log, so that merging two copies finds each rating once.
    db.execute("UPDATE ratings SET id = response_id || '-' || created_at || '-' || seq")
    db.execute(f"CREATE TABLE votes ({', '.join(Vote._fields)}, PRIMARY KEY (id)) WITHOUT ROWID")


def _5_batches(db: sqlite3.Connection) -> None:
    for statement in add_columns(5):
        db.execute(statement)
    # Short, so that the schema still fits into the first page: see version 4.
    indexed = ("comparison_id", "conversation_id", "conversation")
    for name in indexed:
        db.execute(f"DROP INDEX responses_{name}")
    for number, name in enumerate((*indexed, "run_id"), 1):
        db.execute(f"CREATE INDEX i{number} ON responses({name})WHERE {name} NOTNULL")
    db.execute("DROP INDEX segment_columns_name")
    db.execute("CREATE UNIQUE INDEX i5 ON segment_columns(name,first_seq)")
    # One row for each part of what a batch is made of, and for each lease of its budget.
    db.execute("CREATE TABLE runs(id,part,value,PRIMARY KEY(id,part))WITHOUT ROWID")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _1_create,
    _2_parts_of_the_answer,
    _3_name_of_the_conversation,
    _4_raters_and_votes,
    _5_batches,
)
"""Item `n - 1` migrates a file from version `n - 1` to `n`."""

VERSION = len(MIGRATIONS)
"""Version of the schema that this version of allos writes."""


def migrate(db: sqlite3.Connection) -> None:
    """Migrate an open file to the current schema; several processes may do so at once.

    Raises
    ------
    LogError
        A newer version of allos wrote the file, or it is not a log.
    """
    if is_current(db):
        return  # the usual case: no lock is needed
    db.execute("BEGIN IMMEDIATE")
    try:
        version = _version(db)  # again: another process may have been first
        _check(db, version)
        for step in MIGRATIONS[version:]:
            step(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def is_current(db: sqlite3.Connection) -> bool:
    """Whether an open file has the current schema."""
    return _version(db) == VERSION and _application_id(db) == APPLICATION_ID


def _check(db: sqlite3.Connection, version: int) -> None:
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if _application_id(db) != APPLICATION_ID and (version or tables):
        raise LogError("it is a SQLite database of another program")
    if version > VERSION:
        raise LogError(
            f"it was written by a newer version of allos (schema {version}, this one supports "
            f"{VERSION}): upgrade allos, or set ALLOS_LOG to another file"
        )


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _application_id(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA application_id").fetchone()[0])
