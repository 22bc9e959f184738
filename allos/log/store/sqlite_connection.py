"""Connections to the log's SQLite file, and what is peculiar about SQLite's versions and errors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

_ROWS_AT_ONCE = 32
"""Rows that one execution of a statement inserts; their values are fewer than SQLite takes (32,766)."""

BUSY_TIMEOUT_S = 5.0
"""How long SQLite waits for another process's transaction before it fails with "locked"."""


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether this SQLite may lose a commit when two connections write and checkpoint at once.

    Fixed in 3.51.3, and in 3.44.6 and 3.50.7 of their branches:
    https://sqlite.org/wal.html#walresetbug.
    """
    if version[:2] in ((3, 44), (3, 50)):
        return version < ((3, 44, 6) if version[1] == 44 else (3, 50, 7))
    return version < (3, 51, 3)


def is_locked(error: BaseException) -> bool:
    """Whether the error means that another process has locked the file for the moment."""
    message = str(error)
    return "locked" in message or "busy" in message


def is_bad_value(error: BaseException) -> bool:
    """Whether the error is about a value that SQLite cannot store, not about the file."""
    import sqlite3

    return isinstance(
        error,
        OverflowError
        | TypeError
        | ValueError
        | sqlite3.ProgrammingError
        | sqlite3.InterfaceError
        | sqlite3.DataError,
    )


def is_damage(error: BaseException) -> bool:
    """Whether the error means that a part of the file is not what SQLite wrote, or cannot be read."""
    import sqlite3

    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    return (
        isinstance(error, UnicodeError)  # in a message of SQLite that quotes damaged names
        or primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG)
        or str(error).startswith(("no such table", "no such column"))  # of a damaged schema
        or code == sqlite3.SQLITE_IOERR_READ
        or "decode to UTF-8" in str(error)
    )


def is_unwritable(error: BaseException) -> bool:
    """Whether the error means that SQLite cannot write to the file, or make the files beside it."""
    import sqlite3

    code = getattr(error, "sqlite_errorcode", None)
    return (
        isinstance(code, int)
        and code != sqlite3.SQLITE_IOERR_READ
        and code & 0xFF
        in (
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR,
        )
    )


def connect(path: Path) -> sqlite3.Connection:
    """Open connection to a log file that exists."""
    import sqlite3

    # The timeout argument is the busy timeout: it must be set before any pragma runs.
    db = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        db.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
        db.execute("PRAGMA synchronous = NORMAL")
        if has_wal_reset_bug(sqlite3.sqlite_version_info):
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("PRAGMA journal_size_limit = 0")  # truncate the WAL when it is reset
    except BaseException:
        db.close()
        raise
    return db


def set_journal_mode(db: sqlite3.Connection, mode: str) -> str:
    """Request a journal mode; returns the one that the file system allows."""
    import sqlite3

    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            return str(db.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0])
        except sqlite3.OperationalError as error:
            if not is_locked(error):
                if mode == "DELETE":
                    raise
                mode = "DELETE"  # there is no shared memory here, which WAL needs
            elif time.monotonic() > deadline:
                raise
            else:
                time.sleep(0.02)  # the busy timeout does not cover this upgrade of a lock


def insert_new(table: str, names: Sequence[str]) -> str:
    """SQL statement that inserts a row of these columns, unless its primary key is stored already."""
    marks = ", ".join("?" * len(names))
    columns = ", ".join(names)
    return f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING"


def insert_many(db: sqlite3.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows, many of them with each execution of a statement.

    The module gives the interpreter's lock (GIL) up for each execution, and a thread that has it, such as a
    busy loop thread, keeps it for 5 ms: with an execution for each row, 200 rows a second.

    Parameters
    ----------
    db : sqlite3.Connection
    statement : str
        Inserts one row: it has ``VALUES (?, ...)`` once.
    rows : sequence of tuple
    """
    whole = len(rows) - len(rows) % _ROWS_AT_ONCE
    if whole:
        begin, end = statement.index("(?"), statement.rindex("?)") + 2
        marks = ", ".join([statement[begin:end]] * _ROWS_AT_ONCE)
        at_once = statement[:begin] + marks + statement[end:]
        for at in range(0, whole, _ROWS_AT_ONCE):
            db.execute(at_once, list(chain.from_iterable(rows[at : at + _ROWS_AT_ONCE])))
    db.executemany(statement, rows[whole:])


def largest_seq(db: sqlite3.Connection) -> int:
    """`seq` of the newest row, 0 in an empty log."""
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM responses").fetchone()[0])
