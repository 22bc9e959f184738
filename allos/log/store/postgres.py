"""The log of a team in PostgreSQL: opening it, appending to it, the budgets that clients share."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from allos.database_url import DatabaseURL
from allos.errors import LogError
from allos.ids import new_id
from allos.log.blocks import Block
from allos.log.columns import STORED_NAMES
from allos.log.store import row_search
from allos.log.store.postgres_connection import (
    RECONNECT_S,
    connect,
    explained,
    is_bad_value,
    is_lost,
    own_connection,
)
from allos.log.store.postgres_schema import SCHEMA, migrate
from allos.log.store.postgres_snapshot import PostgresSnapshot
from allos.log.store.protocol import Batch, Rating, RawJson, RunRecord, Vote, Where

if TYPE_CHECKING:
    from psycopg import Connection

    from allos.log.store.sqlite import SQLiteStore

_MAX_EXPIRED_AT_ONCE = 1000

_SAVE_RUN = (
    f"INSERT INTO {SCHEMA}.runs ({', '.join(RunRecord._fields)})"
    f" VALUES ({', '.join(['%s'] * len(RunRecord._fields))}) ON CONFLICT (owner, id) DO UPDATE SET "
    + ", ".join(
        f"{name} = excluded.{name}"
        for name in RunRecord._fields
        if name not in ("id", "created_at")
    )
)
_TAKE = (
    f"INSERT INTO {SCHEMA}.leases AS known (run_id, holder, usd) VALUES (%s, %s, %s)"
    " ON CONFLICT (owner, run_id, holder) DO UPDATE SET usd = greatest(0, known.usd + excluded.usd)"
)
_SET_NOTE = (
    f"INSERT INTO {SCHEMA}.notes (run_id, name, value) VALUES (%s, %s, %s)"
    " ON CONFLICT (owner, run_id, name) DO UPDATE SET value = excluded.value"
)
_REMOVE_NOTE = (
    f"DELETE FROM {SCHEMA}.notes WHERE owner = current_user AND run_id = %s AND name = %s"
)
_EXPIRED = (
    f"DELETE FROM {SCHEMA}.raw WHERE owner = current_user AND id IN (SELECT raw.id"
    f" FROM {SCHEMA}.responses JOIN {SCHEMA}.raw USING (id) WHERE created_at < %s"
    f" LIMIT {_MAX_EXPIRED_AT_ONCE})"
)

# Process resource: connections that this process inherited through a fork. Closing one here would end
# the parent's session on the server.
_inherited: list[Any] = []


class PostgresStore:
    """A database that a team's kernels log into; see `allos.log.store.protocol.Store`.

    Parameters
    ----------
    url : DatabaseURL
        The tables are created when missing.
    for_reading : bool
        Open nothing yet.
    raw_days : float, optional
        How many days raw JSON is kept; 0: none is stored. By default all is kept.

    Raises
    ------
    LogError
        The database cannot be used as a log; the message is one line.
    """

    journal_mode = None
    notes: tuple[str, ...] = ()

    def __init__(
        self, url: DatabaseURL, *, for_reading: bool = False, raw_days: float | None = None
    ) -> None:
        self._url = url
        self._raw_days = raw_days
        self._expires_raw = raw_days is not None
        self._db: Connection[Any] | None = None
        self._was_there = False
        self._lost_at: float | None = None
        """Since when the server is away."""
        if not for_reading:
            try:
                self._open()
            except LogError:
                raise
            except Exception as error:  # noqa: BLE001  # psycopg's, whose text may hold the URL
                self._fail("open", error)

    @property
    def address(self) -> DatabaseURL:
        """URL of the database."""
        return self._url

    @property
    def location(self) -> str:
        """The URL, without its password."""
        return self._url.shown

    def is_locked(self, error: Exception) -> bool:
        """Whether the server is away for the moment: it may be restarting."""
        return self._lost_at is not None and time.monotonic() - self._lost_at < RECONNECT_S

    def is_bad_value(self, error: Exception) -> bool:
        """Whether PostgreSQL cannot store a value of the batch."""
        return is_bad_value(error)

    def _open(self) -> Connection[Any]:
        if self._db is not None and not self._db.closed:
            return self._db
        db = connect(self._url)
        try:
            migrate(db)
            for table, names in _INCOMING.items():
                db.execute(
                    f"CREATE TEMPORARY TABLE incoming_{table} ON COMMIT DELETE ROWS AS"
                    f" SELECT {names} FROM {SCHEMA}.{table} WITH NO DATA"
                )
        except BaseException as error:
            db.close()
            if isinstance(error, LogError):
                self._fail("open", error)
            raise
        self._db, self._was_there = db, True
        return db

    def append(self, batch: Batch) -> None:
        """Commit a batch, all or nothing.

        Every row has an id that is stored once, so that a batch whose fate is unknown, since the
        connection was lost, is appended again at once.

        Raises
        ------
        LogError
            The server cannot be reached; nothing was committed.
        psycopg.Error
            Nothing was committed.
        """
        try:
            self._append_patiently(batch)
        except Exception as error:
            if not _is_nul(error):
                raise
            self._append_patiently(_without_nul(batch))

    def _append_patiently(self, batch: Batch) -> None:
        for attempt in range(2):
            try:
                self._append(self._open(), batch)
            except LogError:
                raise
            except Exception as error:
                if is_bad_value(error):
                    raise
                if is_lost(error):
                    self.close()
                    if attempt == 0 and self._was_there:
                        continue
                    self._lost_at = self._lost_at or time.monotonic()
                self._fail("write to", error)
            else:
                self._lost_at = None
                return

    def _append(self, db: Connection[Any], batch: Batch) -> None:
        with db.transaction(), db.cursor() as cursor:
            if batch.runs:
                cursor.executemany(_SAVE_RUN, batch.runs)
            if batch.rows:
                _copy(cursor, "responses", batch.rows)
            if batch.raw and self._raw_days != 0:
                _copy(cursor, "raw", batch.raw)
            if batch.ratings:
                cursor.executemany(_insert("ratings", Rating._fields), batch.ratings)
            if batch.votes:
                cursor.executemany(_insert("votes", Vote._fields), batch.votes)

    def _fail(self, what: str, error: Exception) -> NoReturn:
        raise explained(self._url, what, error) from None

    def maintain(self) -> None:
        """Delete raw JSON that is older than it is to be kept."""
        if self._db is None or not self._expires_raw or not self._raw_days:
            return
        before = time.time_ns() // 1000 - int(self._raw_days * 86_400_000_000)
        with contextlib.suppress(Exception):  # it only saves space: it must not stop the log
            self._expires_raw = self._db.execute(_EXPIRED, [before]).rowcount > 0

    def close(self) -> None:
        """Close the connection; `append` opens it again."""
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(Exception):
                db.close()

    def reset_after_fork(self) -> None:
        """Drop the parent's connection without closing it."""
        db, self._db = self._db, None
        if db is not None:
            _inherited.append(db)

    def lease(self, run_id: str, holder: str, usd: float, limit_usd: float) -> float:
        """Take a part of a budget, on a connection of its own; see `Store.lease`. Any thread."""
        with self._own_connection("write to") as db, db.transaction():
            # One at a time for each batch, whoever runs it.
            db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [run_id])
            taken = sum(_leases(db, run_id).values())
            granted = usd if usd < 0 else max(0.0, min(usd, limit_usd - taken))
            if granted:
                db.execute(_TAKE, [run_id, holder, granted])
            return granted

    def leases(self, run_id: str) -> Mapping[str, float]:
        """US dollars that each holder has of a budget. Any thread."""
        with self._own_connection("read") as db:
            return _leases(db, run_id)

    def set_run_note(self, run_id: str, name: str, value: bytes | None) -> None:
        """Store, replace or remove a note of a run, committed when it returns. Any thread."""
        with self._own_connection("write to") as db:
            if value is None:
                db.execute(_REMOVE_NOTE, [run_id, name])
            else:
                db.execute(_SET_NOTE, [run_id, name, value])

    def run_notes(self, run_id: str) -> Mapping[str, bytes]:
        """Notes of a run by name. Any thread."""
        with self._own_connection("read") as db:
            found = db.execute(
                f"SELECT name, value FROM {SCHEMA}.notes WHERE run_id = %s", [run_id]
            )
            return {name: bytes(value) for name, value in found.fetchall()}

    def _own_connection(self, what: str) -> contextlib.AbstractContextManager[Connection[Any]]:
        return own_connection(self._url, what, patient=self._was_there)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """Open the log for reading, as it is now, on a connection of its own. Any thread.

        Raises
        ------
        LogError
            It cannot be read.
        """
        with self._own_connection("read") as db:
            db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield PostgresSnapshot(db)

    def salvage(self) -> NoReturn:
        """Databases are repaired by whoever runs them.

        Raises
        ------
        LogError
            Always.
        """
        raise LogError(f"the log {self.location!r} is damaged: its server's messages say how")

    def search(
        self, words: Sequence[str], where: Where, columns: Sequence[str], limit: int
    ) -> Block:
        """Rows whose prompt or content has all the words, the newest first. Any thread."""
        with self.snapshot() as snapshot:
            seqs = row_search.scanned(snapshot, words, where, limit)
            return row_search.block_of(snapshot, seqs, where, columns, limit)

    def reopened(self) -> PostgresStore:
        """Return the same database on a connection of its own."""
        return PostgresStore(self._url, raw_days=self._raw_days)

    def sibling(self) -> SQLiteStore:
        """Return a new log in a file of the user's, for rows that the server cannot take.

        Raises
        ------
        LogError
            It cannot be created.
        """
        from platformdirs import user_data_path

        from allos.log.store.sqlite import SQLiteStore

        folder: Path = user_data_path("allos", appauthor=False)
        return SQLiteStore(folder / f"log-rescued-{new_id()}.sqlite")


_INCOMING = {
    "responses": ", ".join(f'"{name}"' for name in STORED_NAMES),
    "raw": ", ".join(RawJson._fields),
}
"""Tables that are written by COPY, and its columns."""


def _copy(cursor: Any, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Add the rows that are not stored yet. COPY alone would check no row's owner."""
    names = _INCOMING[table]
    with cursor.copy(f"COPY incoming_{table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute(
        f"INSERT INTO {SCHEMA}.{table} ({names}) SELECT {names} FROM incoming_{table}"
        " ON CONFLICT (id) DO NOTHING"
    )


def _insert(table: str, names: Sequence[str]) -> str:
    marks = ", ".join(["%s"] * len(names))
    return (
        f"INSERT INTO {SCHEMA}.{table} ({', '.join(names)}) VALUES ({marks})"
        " ON CONFLICT (id) DO NOTHING"
    )


def _leases(db: Connection[Any], run_id: str) -> dict[str, float]:
    found = db.execute(
        f"SELECT holder, sum(usd) FROM {SCHEMA}.leases WHERE run_id = %s GROUP BY holder", [run_id]
    )
    return dict(found.fetchall())


def _is_nul(error: Exception) -> bool:
    """Whether a text holds U+0000, which PostgreSQL stores in no text."""
    return is_bad_value(error) and "NUL" in str(error)


def _without_nul(batch: Batch) -> Batch:
    def clean(value: Any) -> Any:
        return value.replace("\x00", "\ufffd") if isinstance(value, str) else value

    return replace(
        batch,
        rows=[tuple(map(clean, row)) for row in batch.rows],
        ratings=[Rating._make(map(clean, each)) for each in batch.ratings],
        votes=[Vote._make(map(clean, each)) for each in batch.votes],
    )
