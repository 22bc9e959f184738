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

from allos.log.store.sqlite_connection import BUSY_TIMEOUT_S

_ALWAYS = frozenset(
    [sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_FUNCTION]
)
_READING_PRAGMAS = frozenset(["application_id", "user_version", "table_info"])
_UNSAFE_FUNCTIONS = frozenset(
    ["load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "randomblob", "zeroblob"]
)
_NO_SHARED_MEMORY = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
"""Errors of a file with a write-ahead log in a folder where nothing can be written: it is read as it is."""
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
    try:
        db = _connect(path)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _NO_SHARED_MEMORY or not path.is_file():
            raise
        db = _connect(path, "&immutable=1")
    with contextlib.closing(db):
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
