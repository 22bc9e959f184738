"""Path and size of the log, and whether it can be written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from allos.database_url import DatabaseURL
from allos.errors import LogError
from allos.runs.checks.file_size import file_size
from allos.runs.finding import Finding

_LARGE_LOG_BYTES = 200_000_000
"""In larger logs the rows are estimated instead of counted."""
_LITTLE_SPACE_BYTES = 200_000_000


def log(online: bool) -> Iterator[Finding]:
    """Path and size of the log, and whether it can be written."""
    import shutil
    import sqlite3

    from allos.log.log_file import VARIABLE, log_address, network_file_system
    from allos.log.store.sqlite_connection import has_wal_reset_bug
    from allos.session import current_session

    session = current_session()
    store = session.log.store
    path = store.address if store is not None else log_address(session.settings.get("log"))
    if isinstance(path, DatabaseURL):
        yield _team_log(path)
        return
    if path is None:
        yield Finding("log", "note", "The log is off.", f"Unset {VARIABLE} to log responses.")
        return
    if not path.exists():
        yield Finding("log", "ok", f"{path} will be created by the first call.")
    else:
        yield _log_file(path)
    folder = next(each for each in (path.parent, *path.parents) if each.exists())
    if not os.access(path if path.exists() else folder, os.W_OK):
        yield Finding(
            "log", "problem", f"{path} cannot be written.", f"Set {VARIABLE} to another file."
        )
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_SPACE_BYTES:
        yield Finding(
            "log",
            "problem",
            f"Only {file_size(free)} of disk space are left for the log.",
            "Free disk space.",
        )
    if network := network_file_system(folder):
        yield Finding(
            "log",
            "note",
            f"The log is on a network file system ({network}): it must not be written from two computers.",
            f"Set {VARIABLE} to a local file.",
        )
    version = sqlite3.sqlite_version
    if has_wal_reset_bug(sqlite3.sqlite_version_info):
        yield Finding(
            "log",
            "note",
            f"SQLite {version} has a rare bug with several writers (fixed in 3.51.3); allos works "
            "around it.",
            "Do not write to the log with other programs.",
        )
    else:
        yield Finding("log", "ok", f"SQLite {version}.")


def _team_log(url: DatabaseURL) -> Finding:
    """Whether the team's database can be reached and written."""
    from allos.log.log_file import VARIABLE
    from allos.log.store.opening import open_store

    try:
        open_store(url).close()
    except LogError as exc:
        return Finding("log", "problem", f"{exc}.", f"Check the URL, or set {VARIABLE} to a file.")
    return Finding("log", "ok", f"The log is in the database {url}.")


def _log_file(path: Path) -> Finding:
    import sqlite3

    size = path.stat().st_size
    count = "count(*)" if size < _LARGE_LOG_BYTES else "max(seq)"
    try:
        db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0.2)
        try:
            rows = db.execute(f"SELECT {count} FROM responses").fetchone()[0] or 0
        finally:
            db.close()
    except sqlite3.Error as exc:
        return Finding(
            "log",
            "problem",
            f"{path} cannot be read as a log: {exc}.",
            "Set ALLOS_LOG to another file.",
        )
    about = "" if count == "count(*)" else "about "
    return Finding("log", "ok", f"{path}: {about}{rows:,} rows, {file_size(size)}.")
