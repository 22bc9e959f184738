"""The log's SQLite file: opening, inserting, checkpoints. Knows nothing of threads."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos.errors import LogError
from allos.log.columns import insert_rows
from allos.log.files import cannot_open, file_lock, make_place, network_file_system
from allos.log.migrations import migrate
from allos.log.segments import SegmentBuilder, data_version

if TYPE_CHECKING:
    import sqlite3

BUSY_TIMEOUT_S = 5.0
"""How long SQLite waits for another process's transaction before it says "locked"."""

CHECKPOINT_EVERY_BYTES = 4 * 1024 * 1024
"""Growth of the -wal file after which its pages are moved into the log (SQLite: 1,000 pages)."""

SEGMENTS_AT_ONCE = 4
"""Most segments made in a row: a log without any gets them little by little."""

_INSERT_RAW = "INSERT OR IGNORE INTO raw (id, request, reply) VALUES (?, ?, ?)"
_INSERT_RATING = "INSERT INTO ratings (response_id, rating, note, created_at) VALUES (?, ?, ?, ?)"


@dataclass(slots=True)
class Batch:
    """Rows that become durable together."""

    rows: Sequence[tuple[Any, ...]] = ()
    raws: Sequence[tuple[Any, ...]] = ()
    ratings: Sequence[tuple[Any, ...]] = ()


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether this SQLite may lose a commit when two connections write and checkpoint at once.

    Fixed in 3.51.3, and in 3.44.6 and 3.50.7 of their branches:
    https://sqlite.org/wal.html#walresetbug.
    """
    if version[:2] in ((3, 44), (3, 50)):
        return version < ((3, 44, 6) if version[1] == 44 else (3, 50, 7))
    return version < (3, 51, 3)


def is_locked(error: BaseException) -> bool:
    """Whether the error says that another process has the file for the moment."""
    text = str(error)
    return "locked" in text or "busy" in text


def connect(path: Path) -> sqlite3.Connection:
    """Open connection to a log that `Store` has made."""
    import sqlite3

    # The timeout argument is the busy timeout: it stands before any pragma runs.
    db = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        db.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
        db.execute("PRAGMA synchronous = NORMAL")
        if has_wal_reset_bug(sqlite3.sqlite_version_info):
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("PRAGMA journal_size_limit = 0")  # a WAL that starts anew gets short again
    except BaseException:
        db.close()
        raise
    return db


def set_journal(db: sqlite3.Connection, mode: str) -> str:
    """Ask for a journal mode; the mode that the file system allows."""
    import sqlite3

    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            return str(db.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0])
        except sqlite3.OperationalError as error:
            if not is_locked(error):
                if mode == "DELETE":
                    raise
                mode = "DELETE"  # no shared memory here: SQLite cannot even try
            elif time.monotonic() > deadline:
                raise
            else:
                time.sleep(0.02)  # SQLite does not wait by itself when this needs an upgrade


def _insert_rows(db: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert the columns that hold anything: binding a None costs ten times an int (adapters)."""
    count = len(rows)
    used = [
        position
        for position, values in enumerate(zip(*rows, strict=True))
        if values.count(None) < count
    ]
    pick = itemgetter(*used) if len(used) > 1 else lambda row: (row[used[0]],)
    db.executemany(insert_rows(used), map(pick, rows))


def _largest_seq(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM responses").fetchone()[0])


class Store:
    """One log file, opened for writing.

    Parameters
    ----------
    path : Path
        The file; it and its folder are made when missing.

    Attributes
    ----------
    journal_mode : str
        ``"wal"``, or what the file system allowed instead.
    notes : tuple of str
        What a careful person should know about this log, for ``%allos doctor``.

    Raises
    ------
    LogError
        The file cannot be a log, in one line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal_mode = ""
        self.notes: tuple[str, ...] = ()
        self._db: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._checkpoint_here = False
        self._sealer = SegmentBuilder()
        self._wal_done_bytes = 0
        self._lock_path = path.with_name(path.name + ".lock")
        self._wal_path = path.with_name(path.name + "-wal")
        self.open()

    def open(self) -> None:
        """Open the file, unless it is open."""
        import sqlite3

        if self._db is not None:
            return
        make_place(self.path)
        network = network_file_system(self.path.parent)
        try:
            self._db = connect(self.path)
            self.journal_mode = set_journal(self._db, "DELETE" if network else "WAL")
            migrate(self._db)
        except LogError as error:
            self.close()
            raise LogError(cannot_open(self.path, str(error))) from None
        except sqlite3.Error as error:
            self.close()
            raise LogError(cannot_open(self.path, str(error))) from None
        self._checkpoint_here = self.journal_mode == "wal" and has_wal_reset_bug(
            sqlite3.sqlite_version_info
        )
        self._inode = self._inode_now()
        self._sealer = SegmentBuilder()
        self.notes = self._careful_notes(network, sqlite3.sqlite_version)

    def _careful_notes(self, network: str | None, sqlite: str) -> tuple[str, ...]:
        notes = []
        if self.journal_mode != "wal":
            where = f"a network file system ({network})" if network else "this file system"
            notes.append(
                f"{where} cannot keep a write-ahead log: the log uses SQLite's "
                f"{self.journal_mode} journal, so writers and readers wait for each other"
            )
        if self._checkpoint_here:
            notes.append(
                f"SQLite {sqlite} is older than 3.51.3 (WAL-reset bug): "
                "checkpoints are made under a file lock"
            )
        return tuple(notes)

    def _inode_now(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def insert(self, batch: Batch) -> None:
        """Commit a batch, all or nothing.

        Rows whose `id` is there already are left alone, so a batch whose fate is unknown may be
        inserted again.

        Raises
        ------
        sqlite3.Error, LogError
            Nothing was committed.
        """
        if self._db is not None and self._inode_now() != self._inode:
            self.close()  # the file was removed or replaced; a row must not go to a nameless file
        self.open()
        db = self._db
        assert db is not None
        db.execute("BEGIN IMMEDIATE")
        try:
            if batch.rows:
                before = _largest_seq(db)
                _insert_rows(db, batch.rows)
                after = _largest_seq(db)
                version = data_version(db)
            if batch.raws:
                db.executemany(_INSERT_RAW, batch.raws)
            if batch.ratings:
                db.executemany(_INSERT_RATING, batch.ratings)
            db.execute("COMMIT")
        except BaseException:
            import sqlite3

            with contextlib.suppress(sqlite3.Error):  # some failures have rolled back already
                db.execute("ROLLBACK")
            raise
        if batch.rows:
            self._sealer.remember(version, before, after, batch.rows)

    def tidy(self) -> None:
        """Make segments and checkpoints that are due."""
        if self._db is None:
            return
        # Both only save time later: whatever fails here must not stop the log.
        with contextlib.suppress(Exception):
            largest = _largest_seq(self._db)
            for _ in range(SEGMENTS_AT_ONCE):
                if not self._sealer.seal(self._db, largest):
                    break
            self._checkpoint_if_large(self._db)

    def _checkpoint_if_large(self, db: sqlite3.Connection) -> None:
        """Move the -wal file's pages into the log where SQLite may not do it by itself.

        A FULL checkpoint holds the write lock from before it reads the WAL's header, so no commit
        can reset the WAL meanwhile, which is what the bug needs; the file lock keeps a second
        checkpoint out.
        """
        if not self._checkpoint_here:
            return
        try:
            size_bytes = os.stat(self._wal_path).st_size
        except OSError:
            return
        if size_bytes < self._wal_done_bytes:
            self._wal_done_bytes = 0  # it has started anew
        if size_bytes - self._wal_done_bytes < CHECKPOINT_EVERY_BYTES:
            return
        with file_lock(self._lock_path) as free:
            if free:
                db.execute("PRAGMA wal_checkpoint(FULL)")
                self._wal_done_bytes = size_bytes  # a reader may keep it from starting anew

    def close(self) -> None:
        """Close the file; `open` and `insert` open it again."""
        import sqlite3

        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()

    def abandon(self) -> sqlite3.Connection | None:
        """Forget the connection without closing it: after a fork it belongs to the parent."""
        db, self._db = self._db, None
        return db
