"""What is done to a SQLite log as a whole: copying it, deleting rows, giving space back."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from allos.errors import LogError
from allos.ids import new_id
from allos.log.log_file import file_lock
from allos.log.store.protocol import Where
from allos.log.store.search_index import SUFFIX, remove_index
from allos.log.store.sqlite_conditions import to_sql
from allos.log.store.sqlite_connection import connect


class Pruned(NamedTuple):
    """What was deleted, or would be."""

    responses: int
    """Rows of the log."""
    raw: int
    """Requests and replies as they were sent and received."""


def backup(path: Path, target: Path) -> None:
    """Copy a log, also while it is written to; the copy is complete or not there at all.

    Raises
    ------
    LogError
        The target exists or cannot be written.
    """
    if target.exists():
        raise LogError(f"{str(target)!r} exists: nothing was copied")
    part = target.with_name(f"{target.name}.{new_id()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with _connected(path, "copy") as db, contextlib.closing(sqlite3.connect(part)) as copy:
            db.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        os.link(part, target)  # fails where somebody was faster
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LogError(f"cannot copy the log to {str(target)!r}: {reason}") from None
    finally:
        part.unlink(missing_ok=True)


def prune(path: Path, where: Where, *, raw_only: bool, dry_run: bool) -> Pruned:
    """Delete the selected rows with all that belongs to them, or their raw JSON alone.

    Raises
    ------
    LogError
        The log cannot be written; nothing was deleted.
    """
    condition = to_sql(where)
    if condition is None:
        raise LogError("prune() without a condition would delete everything")
    chosen = f"SELECT id FROM responses WHERE {condition.sql}"
    values = condition.values
    with _connected(path, "prune") as db:
        db.execute("PRAGMA secure_delete = ON")  # zeros in the place of what was there
        db.execute("BEGIN" if dry_run else "BEGIN IMMEDIATE")
        try:
            (rows,) = db.execute(f"SELECT count(*) FROM ({chosen})", values).fetchone()
            (raw,) = db.execute(
                f"SELECT count(*) FROM raw WHERE id IN ({chosen})", values
            ).fetchone()
            if not dry_run:
                db.execute(f"DELETE FROM raw WHERE id IN ({chosen})", values)
                if not raw_only:
                    db.execute(f"DELETE FROM ratings WHERE response_id IN ({chosen})", values)
                    for side in ("response_a", "response_b"):
                        db.execute(f"DELETE FROM votes WHERE {side} IN ({chosen})", values)
                    # What a batch is made of holds the texts of its rows.
                    db.execute(
                        "DELETE FROM runs WHERE part IN ('request', 'data') AND id IN"
                        f" (SELECT run_id FROM responses WHERE run_id NOTNULL AND {condition.sql})",
                        values,
                    )
                    db.execute(f"DELETE FROM responses WHERE {condition.sql}", values)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        if not dry_run:
            if not raw_only:
                remove_index(path.with_name(path.name + SUFFIX))
            _checkpoint(db, path)
    return Pruned(0 if raw_only else rows, raw)


def vacuum(path: Path) -> int:
    """Give the space of deleted rows back to the disk; returns how many bytes.

    Raises
    ------
    LogError
        Another process is using the log, or the disk is full.
    """
    before = path.stat().st_size
    with _connected(path, "compact") as db:
        db.execute("VACUUM")
        _checkpoint(db, path)
    return max(0, before - path.stat().st_size)


def _checkpoint(db: sqlite3.Connection, path: Path) -> None:
    """Empty the write-ahead log, in which deleted rows may still be; see `SQLiteStore`."""
    with file_lock(path.with_name(path.name + ".lock")) as acquired:
        if acquired:
            with contextlib.suppress(sqlite3.Error):
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextlib.contextmanager
def _connected(path: Path, action: str) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(connect(path)) as db:
            yield db
    except sqlite3.Error as error:
        raise LogError(f"cannot {action} the log {str(path)!r}: {error}") from None
