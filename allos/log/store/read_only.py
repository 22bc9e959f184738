"""Connections that can only read: for a query of the user's, and for a file of somebody else's.

A SQLite file can hold views, triggers, virtual tables and expressions of its author, and a query could
attach other files. So nothing is allowed but to read, what the file's schema calls is not trusted
(https://sqlite.org/security.html), and sizes are limited.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from allos.log.store.sqlite_connection import BUSY_TIMEOUT_S, is_unwritable

_ALWAYS = frozenset(
    [sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_FUNCTION]
)
_READING_PRAGMAS = frozenset(["application_id", "user_version", "table_info"])
_UNSAFE_FUNCTIONS = frozenset(
    ["load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "randomblob", "zeroblob"]
)
MOST_VALUE_BYTES = 64 * 1024 * 1024
"""Longest text or BLOB that is read."""


def is_allowed(
    action: int, first: str | None, second: str | None, *_: str | None, functions: bool = True
) -> int:
    """SQLite's authorizer for statements that only read."""
    if action == sqlite3.SQLITE_PRAGMA and first in _READING_PRAGMAS:
        return sqlite3.SQLITE_OK if second is None or first == "table_info" else sqlite3.SQLITE_DENY
    if action not in _ALWAYS:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (not functions or second in _UNSAFE_FUNCTIONS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


@contextlib.contextmanager
def open_read_only(path: Path, *, functions: bool = True) -> Iterator[sqlite3.Connection]:
    """Open a file in which statements can only read.

    Parameters
    ----------
    path : Path
    functions : bool
        Whether statements may call SQL functions.
    """
    with contextlib.closing(connect_read_only(path)) as db:
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_VALUE_BYTES)
        db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
            db.execute(f"PRAGMA {pragma}")
        if sys.version_info >= (3, 12):
            db.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
            db.setconfig(sqlite3.SQLITE_DBCONFIG_TRUSTED_SCHEMA, False)
        db.execute("PRAGMA query_only = ON")
        db.set_authorizer(
            lambda action, first, second, database, source: is_allowed(
                action, first, second, functions=functions
            )
        )
        yield db


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open connection to a file, also one with a write-ahead log where no file can be made beside it.

    Raises
    ------
    sqlite3.Error
        It cannot be read, or only a part of it: the newest rows are still in its write-ahead log.
    """
    try:
        return _connect(path)
    except sqlite3.OperationalError as error:
        if not is_unwritable(error) or not path.is_file():
            raise
        wal = path.with_name(path.name + "-wal")
        if wal.is_file() and wal.stat().st_size:
            raise sqlite3.OperationalError(
                f"its newest rows are in {wal.name!r}, which needs a file beside it and none can be made "
                f"({error}); copy both files to a folder that can be written"
            ) from None
    return _connect(path, "&immutable=1")


def _connect(path: Path, more: str = "") -> sqlite3.Connection:
    db = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro{more}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        db.execute("PRAGMA user_version").fetchone()  # opens the file
    except BaseException:
        db.close()
        raise
    return db
