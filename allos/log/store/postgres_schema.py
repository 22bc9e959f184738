"""The schema of a team's log in PostgreSQL, and who sees which rows.

The columns are those of `allos.log.columns`, as in SQLite. Every table has `owner`, the database's user
who wrote the row: people see their own rows, those of roles that they are members of, and who created
the tables sees all. The database enforces that (row-level security), whatever a client asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from allos.errors import LogError
from allos.log.columns import SqlType, add_columns, definitions
from allos.log.log_file import APPLICATION_ID
from allos.log.store.migrations import VERSION

if TYPE_CHECKING:
    from psycopg import Connection

SCHEMA = "allos"
"""The schema of all tables, so that the database may have others."""

TYPES: Mapping[SqlType, str] = {"TEXT": "text", "INTEGER": "bigint", "REAL": "double precision"}
_OWNER = "owner name NOT NULL DEFAULT current_user"

_FIRST_VERSION = 5
"""Version of SQLite's schema that the first one of PostgreSQL had the columns of."""

_OF_VERSION_5 = (
    f"CREATE SCHEMA {SCHEMA}",
    f"CREATE TABLE {SCHEMA}.version (number integer NOT NULL)",
    f"INSERT INTO {SCHEMA}.version VALUES ({_FIRST_VERSION})",
    f"CREATE TABLE {SCHEMA}.responses (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    f" {', '.join(definitions(_FIRST_VERSION, TYPES))}, {_OWNER})",
    f"CREATE INDEX ON {SCHEMA}.responses (created_at)",
    *(
        f"CREATE INDEX ON {SCHEMA}.responses ({name}) WHERE {name} IS NOT NULL"
        for name in ("run_id", "task_key", "comparison_id", "conversation_id", "conversation")
    ),
    f"CREATE TABLE {SCHEMA}.raw (id text PRIMARY KEY, request bytea, reply bytea, {_OWNER})",
    f"CREATE TABLE {SCHEMA}.ratings (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " response_id text NOT NULL, rating bigint, note text, created_at bigint NOT NULL, rater text,"
    f" tags text, undo bigint, id text UNIQUE, {_OWNER})",
    f"CREATE TABLE {SCHEMA}.votes (id text PRIMARY KEY, created_at bigint NOT NULL, rater text,"
    " prompt text, model_a text, model_b text, response_a text, response_b text, winner text,"
    " shown_first text, time_taken_s double precision, note text, tags text, comparison_id text,"
    f" withdraws text, {_OWNER})",
    f"CREATE TABLE {SCHEMA}.runs (id text, created_at bigint NOT NULL, updated_at bigint NOT NULL,"
    " question text NOT NULL, calls bigint NOT NULL, request bytea NOT NULL, data bytea NOT NULL,"
    f" {_OWNER}, PRIMARY KEY (owner, id))",
    f"CREATE TABLE {SCHEMA}.leases (run_id text, holder text, usd double precision NOT NULL,"
    f" {_OWNER}, PRIMARY KEY (owner, run_id, holder))",
    f"CREATE TABLE {SCHEMA}.notes (run_id text, name text, value bytea NOT NULL,"
    f" {_OWNER}, PRIMARY KEY (owner, run_id, name))",
)

_MINE = "owner = current_user"
_VISIBLE = "owner IN (SELECT rolname FROM pg_roles WHERE pg_has_role(oid, 'member'))"
_RIGHTS = {
    "responses": "SELECT, INSERT",
    "raw": "SELECT, INSERT, DELETE",
    "ratings": "SELECT, INSERT",
    "votes": "SELECT, INSERT",
    "runs": "SELECT, INSERT, UPDATE",
    "leases": "SELECT, INSERT, UPDATE",
    "notes": "SELECT, INSERT, UPDATE, DELETE",
}


def _security(table: str) -> list[str]:
    """Anyone who may connect may log; what they see and change the database decides row by row."""
    name = f"{SCHEMA}.{table}"
    return [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY reading ON {name} FOR SELECT USING ({_VISIBLE})",
        f"CREATE POLICY writing ON {name} FOR INSERT WITH CHECK ({_MINE})",
        f"CREATE POLICY changing ON {name} FOR UPDATE USING ({_MINE}) WITH CHECK ({_MINE})",
        f"CREATE POLICY deleting ON {name} FOR DELETE USING ({_MINE})",
        f"GRANT {_RIGHTS[table]} ON {name} TO PUBLIC",
    ]


def migrate(db: Connection[Any]) -> None:
    """Create the tables or bring them to the current version; many clients may do so at once.

    Raises
    ------
    LogError
        A newer version of allos made them, or this user may not.
    """
    if _version(db) == VERSION:
        return  # the usual case: no lock is needed
    # Before the transaction begins: one that waits in it would not see the tables of who was first.
    db.execute("SELECT pg_advisory_lock(%s)", [APPLICATION_ID])
    try:
        with db.transaction():
            _migrate(db)
    finally:
        db.execute("SELECT pg_advisory_unlock(%s)", [APPLICATION_ID])


def _migrate(db: Connection[Any]) -> None:
    version = _version(db)  # again: another client may have been first
    if version is None:
        _create(db)
        version = _FIRST_VERSION
    if version > VERSION:
        raise LogError(
            f"a newer version of allos made its tables (schema {version}, this one supports "
            f"{VERSION}): upgrade allos"
        )
    for number in range(version + 1, VERSION + 1):
        for statement in add_columns(number, f"{SCHEMA}.responses", TYPES):
            db.execute(statement)
        db.execute(f"UPDATE {SCHEMA}.version SET number = {number}")


def _create(db: Connection[Any]) -> None:
    for statement in _OF_VERSION_5:
        db.execute(statement)
    for table in _RIGHTS:
        for statement in _security(table):
            db.execute(statement)
    db.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO PUBLIC")
    db.execute(f"GRANT SELECT ON {SCHEMA}.version TO PUBLIC")


def _version(db: Connection[Any]) -> int | None:
    """Version of the tables, None where there are none."""
    row = db.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.version"]).fetchone()
    if row is None or row[0] is None:
        return None
    row = db.execute(f"SELECT max(number) FROM {SCHEMA}.version").fetchone()
    return None if row is None else row[0]
