"""The log in a SQLite file: opening it, appending to it, checkpoints."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos.errors import LogError
from allos.ids import new_id
from allos.log.blocks import Block
from allos.log.columns import insert_rows
from allos.log.log_file import (
    VARIABLE,
    UnwritableLogError,
    cannot_open,
    create_file,
    file_lock,
    is_full,
    network_file_system,
)
from allos.log.store import sqlite_runs
from allos.log.store.migrations import is_current, migrate
from allos.log.store.protocol import Batch, DamagedStoreError, Rating, Vote, Where
from allos.log.store.segments import SegmentBuilder, data_version
from allos.log.store.sqlite_connection import (
    connect,
    has_wal_reset_bug,
    insert_many,
    insert_new,
    is_bad_value,
    is_damage,
    is_locked,
    is_unwritable,
    largest_seq,
    set_journal_mode,
)
from allos.log.store.sqlite_snapshot import SQLiteSnapshot

if TYPE_CHECKING:
    import sqlite3

    from allos.log.store.sqlite_salvage import SalvagedSnapshot

CHECKPOINT_EVERY_BYTES = 4 * 1024 * 1024
"""Growth of the -wal file after which its pages are moved into the log (SQLite: 1,000 pages)."""

MAX_SEGMENTS_AT_ONCE = 4
"""Most segments built after one commit: a log that has none gets them little by little."""

MAX_EXPIRED_AT_ONCE = 1000
"""Raw JSON of how many responses is deleted in one transaction."""

_EXPIRED = (
    "DELETE FROM raw WHERE id IN (SELECT raw.id FROM responses JOIN raw USING (id)"
    f" WHERE created_at < ? LIMIT {MAX_EXPIRED_AT_ONCE})"
)
_INSERT_RAW = "INSERT OR IGNORE INTO raw (id, request, reply) VALUES (?, ?, ?)"
_INSERT_RATING = insert_new("ratings", Rating._fields)
_INSERT_VOTE = insert_new("votes", Vote._fields)

# Process resource: connections that this process inherited through a fork. Closing one here would
# checkpoint the parent's log under the parent's feet, and so would collecting it.
_inherited: list[sqlite3.Connection] = []


class SQLiteStore:
    """One log file, opened for writing; see `allos.log.store.protocol.Store`.

    Parameters
    ----------
    path : Path
        The file; it and its folder are created when missing.
    for_reading : bool
        Open nothing yet: the file may be one that cannot be opened for writing.
    raw_days : float, optional
        How many days raw JSON is kept; 0: none is stored. By default all is kept.

    Attributes
    ----------
    journal_mode : str
        ``"wal"``, or what the file system allowed instead.
    notes : tuple of str
        Limitations of this log, for ``%allos doctor``.

    Raises
    ------
    LogError
        The file cannot be used as a log; the message is one line.
    """

    def __init__(
        self, path: Path, *, for_reading: bool = False, raw_days: float | None = None
    ) -> None:
        self.path = path
        self._raw_days = raw_days
        self._expires_raw = raw_days is not None
        """Whether raw JSON may be left that is older than `raw_days`."""
        self.journal_mode = ""
        self.notes: tuple[str, ...] = ()
        self._db: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._checkpoint_ourselves = False
        self._segments = SegmentBuilder()
        self._checkpointed_bytes = 0
        self._lock_path = path.with_name(path.name + ".lock")
        self._wal_path = path.with_name(path.name + "-wal")
        if not for_reading:
            self._open()

    @property
    def address(self) -> Path:
        """The file."""
        return self.path

    @property
    def location(self) -> str:
        """Path of the file."""
        return str(self.path)

    def is_locked(self, error: Exception) -> bool:
        """Whether another process has locked the file for the moment."""
        return is_locked(error)

    def is_bad_value(self, error: Exception) -> bool:
        """Whether SQLite cannot store a value of the batch."""
        return is_bad_value(error)

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        if self._db is not None:
            return self._db
        create_file(self.path)
        network = network_file_system(self.path.parent)
        try:
            self._db = db = connect(self.path)
            self.journal_mode = set_journal_mode(db, "DELETE" if network else "WAL")
            migrate(db)
        except (LogError, sqlite3.Error, UnicodeError) as error:
            self.close()
            if is_damage(error):
                raise DamagedStoreError(
                    cannot_open(self.path, f"it is damaged ({error})")
                ) from None
            reason = f"the disk is full ({error})" if is_full(self.path.parent) else str(error)
            kind = UnwritableLogError if is_unwritable(error) else LogError
            raise kind(cannot_open(self.path, reason)) from None
        self._checkpoint_ourselves = self.journal_mode == "wal" and has_wal_reset_bug(
            sqlite3.sqlite_version_info
        )
        self._inode = self._current_inode()
        self._segments = SegmentBuilder()
        self.notes = self._limitations(network, sqlite3.sqlite_version)
        return db

    def _limitations(self, network: str | None, sqlite: str) -> tuple[str, ...]:
        notes = []
        if self.journal_mode != "wal":
            where = f"a network file system ({network})" if network else "this file system"
            notes.append(
                f"{where} does not support a write-ahead log: the log uses SQLite's "
                f"{self.journal_mode} journal, so readers and writers wait for each other"
            )
        if self._checkpoint_ourselves:
            notes.append(
                f"SQLite {sqlite} is older than 3.51.3 (WAL-reset bug): "
                "checkpoints run under a file lock"
            )
        return tuple(notes)

    def _current_inode(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def append(self, batch: Batch) -> None:
        """Commit a batch, all or nothing.

        Raises
        ------
        sqlite3.Error, LogError
            Nothing was committed.
        """
        if self._db is not None and self._current_inode() != self._inode:
            self.close()  # the file was removed or replaced: rows must not go to a nameless file
        db = self._open()
        db.execute("BEGIN IMMEDIATE")
        try:
            if batch.rows:
                before = largest_seq(db)
                _insert_rows(db, batch.rows)
                after = largest_seq(db)
                version = data_version(db)
            if batch.raw and self._raw_days != 0:
                insert_many(db, _INSERT_RAW, batch.raw)
            if batch.ratings:
                db.executemany(_INSERT_RATING, batch.ratings)
            if batch.runs:
                sqlite_runs.save(db, batch.runs)
            if batch.votes:
                db.executemany(_INSERT_VOTE, batch.votes)
            db.execute("COMMIT")
        except BaseException:
            import sqlite3

            with contextlib.suppress(sqlite3.Error):  # some failures have rolled back already
                db.execute("ROLLBACK")
            raise
        if batch.rows:
            self._segments.add(version, before, after, batch.rows)

    def maintain(self) -> None:
        """Build segments and run checkpoints that are due."""
        if self._db is None:
            return
        # Both only save time later: whatever fails here must not stop the log.
        with contextlib.suppress(Exception):
            largest = largest_seq(self._db)
            for _ in range(MAX_SEGMENTS_AT_ONCE):
                if not self._segments.build_next(self._db, largest):
                    break
            if self._expires_raw and self._raw_days is not None:
                self._expires_raw = delete_raw(self._db, self._raw_days) > 0
            self._checkpoint_if_large(self._db)

    def _checkpoint_if_large(self, db: sqlite3.Connection) -> None:
        """Move the -wal file's pages into the log where SQLite must not do it by itself.

        A FULL checkpoint holds the write lock from before it reads the WAL's header, so no commit
        can reset the WAL meanwhile, which is what triggers the bug; the file lock keeps a second
        checkpoint out.
        """
        if not self._checkpoint_ourselves:
            return
        try:
            size_bytes = os.stat(self._wal_path).st_size
        except OSError:
            return
        if size_bytes < self._checkpointed_bytes:
            self._checkpointed_bytes = 0  # the WAL was reset
        if size_bytes - self._checkpointed_bytes < CHECKPOINT_EVERY_BYTES:
            return
        with file_lock(self._lock_path) as acquired:
            if acquired:
                db.execute("PRAGMA wal_checkpoint(FULL)")
                self._checkpointed_bytes = size_bytes  # a reader may keep the WAL from being reset

    def close(self) -> None:
        """Close the file; `append` opens it again."""
        import sqlite3

        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()

    def reset_after_fork(self) -> None:
        """Drop the parent's connection without closing it."""
        db, self._db = self._db, None
        if db is not None:
            _inherited.append(db)

    def lease(self, run_id: str, holder: str, usd: float, limit_usd: float) -> float:
        """Take a part of a budget, on a connection of its own; see `Store.lease`. Any thread."""
        with self._own_connection("write to") as db:
            return sqlite_runs.lease(db, run_id, holder, usd, limit_usd)

    def leases(self, run_id: str) -> Mapping[str, float]:
        """US dollars that each holder has of a budget. Any thread."""
        with self._own_connection("read") as db:
            return sqlite_runs.leases(db, run_id)

    def set_run_note(self, run_id: str, name: str, value: bytes | None) -> None:
        """Store or remove a note of a run, committed when it returns. Any thread."""
        with self._own_connection("write to") as db:
            sqlite_runs.set_note(db, run_id, name, value)

    def run_notes(self, run_id: str) -> Mapping[str, bytes]:
        """Notes of a run by name. Any thread."""
        with self._own_connection("read") as db:
            return sqlite_runs.notes(db, run_id)

    @contextlib.contextmanager
    def _own_connection(self, what: str) -> Iterator[sqlite3.Connection]:
        import sqlite3

        try:
            with contextlib.closing(connect(self.path)) as db:
                yield db
        except (sqlite3.Error, UnicodeError) as error:
            raise LogError(f"cannot {what} the log {str(self.path)!r}: {error}") from error

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[SQLiteSnapshot]:
        """Open the file for reading, as it is now, on a connection of its own. Any thread.

        Raises
        ------
        LogError
            It cannot be read; `DamagedStoreError` where `salvage` may read the rest.
        """
        import sqlite3

        try:
            with contextlib.closing(self._for_reading()) as db:
                yield SQLiteSnapshot(db)
        except (sqlite3.Error, UnicodeError) as error:
            kind = DamagedStoreError if is_damage(error) else LogError
            raise kind(f"cannot read the log {str(self.path)!r}: {error}") from error

    def _for_reading(self) -> sqlite3.Connection:
        """Connection that reads the file as it is now, with the current schema."""
        import sqlite3

        db = self._connected_for_reading()
        if self._db is not None or is_current(db):
            return db
        # Of an older version, and it cannot be changed.
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        try:
            with contextlib.closing(db):
                db.backup(copy)
            migrate(copy)
        except LogError as error:
            copy.close()
            raise LogError(cannot_open(self.path, str(error))) from None
        except BaseException:
            copy.close()
            raise
        return copy

    def _connected_for_reading(self) -> sqlite3.Connection:
        import sqlite3

        db = None
        try:
            db = connect(self.path)
            db.execute("PRAGMA query_only = 1")
            db.execute("BEGIN")
            db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            return db
        except sqlite3.OperationalError as error:
            if db is not None:
                db.close()
            if not is_unwritable(error):
                raise
        from allos.log.store.read_only import connect_read_only

        return connect_read_only(self.path)

    def search(
        self, words: Sequence[str], where: Where, columns: Sequence[str], limit: int
    ) -> Block:
        """Rows whose prompt or content has all the words; see `Store.search`. Any thread."""
        from allos.log.store.search import find

        with self.snapshot() as snapshot:
            return find(snapshot, self.path, words, where, columns, limit)

    @contextlib.contextmanager
    def salvage(self) -> Iterator[SalvagedSnapshot]:
        """Open the file for reading, with everything of it that can be read. Any thread.

        Raises
        ------
        LogError
            Nothing can be read.
        """
        import sqlite3

        from allos.log.store.sqlite_salvage import salvage

        try:
            with salvage(self.path) as snapshot:
                yield snapshot
        except (sqlite3.Error, UnicodeError) as error:
            raise LogError(
                f"cannot read the log {str(self.path)!r}: nothing of it can be read ({error}). Keep a "
                f"copy of the file; `sqlite3 FILE .recover` may save some of it. Set {VARIABLE} to "
                "another file"
            ) from error

    def reopened(self) -> SQLiteStore:
        """Return the same file on a connection of its own."""
        return SQLiteStore(self.path, raw_days=self._raw_days)

    def sibling(self) -> SQLiteStore:
        """Return a new log beside this one, for rows that this one cannot take.

        Raises
        ------
        LogError
            It cannot be created.
        """
        return SQLiteStore(self.path.with_name(f"{self.path.stem}-rescued-{new_id()}.sqlite"))


def delete_raw(db: sqlite3.Connection, days: float) -> int:
    """Delete some of the raw JSON that is older than so many days; returns of how many responses."""
    before = time.time_ns() // 1000 - int(days * 86_400_000_000)
    return int(db.execute(_EXPIRED, (before,)).rowcount)


def _insert_rows(db: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert the columns that hold a value: binding a None costs ten times an int (adapters)."""
    count = len(rows)
    used = [
        position
        for position, values in enumerate(zip(*rows, strict=True))
        if values.count(None) < count
    ]
    pick = itemgetter(*used) if len(used) > 1 else lambda row: (row[used[0]],)
    insert_many(db, insert_rows(used), [pick(row) for row in rows])
