"""Reading a log that somebody else wrote, in whatever version, as data and nothing more."""

from __future__ import annotations

import contextlib
import sqlite3
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from allos.errors import LogError
from allos.log.clean_values import clean_value
from allos.log.columns import STORED
from allos.log.log_file import APPLICATION_ID
from allos.log.store.migrations import VERSION
from allos.log.store.protocol import Batch, Rating, RawJson, Vote
from allos.log.store.read_only import open_read_only

BATCH_ROWS = 1000
BATCH_BYTES = 64 * 1024 * 1024
BATCH_S = 60.0
"""Longest time for a batch: a made-up file can keep SQLite busy without an end."""
_ROW_BYTES = 100
_MOST_GROWTH = 4
"""How many times its size a file may hold, in characters and with what a row takes besides."""
_LONGEST_ID = 200
_MOST_RAW_BYTES = 64 * 1024 * 1024
_RAW = "SELECT request, reply FROM raw WHERE id = ?"
_SCHEMA = "SELECT name, type, sql FROM sqlite_master"
_NUMBERS = {"created_at": "INTEGER", "rating": "INTEGER", "undo": "INTEGER", "time_taken_s": "REAL"}


class ForeignLog:
    """Somebody else's log, open for reading; see `open_foreign_log`.

    Attributes
    ----------
    is_newer : bool
        Whether a newer version of allos wrote it: what this one does not know is left out.
    skipped : int
        Rows so far that are not what a log holds, such as those without an id.
    """

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path
        self._room = _MOST_GROWTH * path.stat().st_size + BATCH_BYTES
        self._deadline = time.monotonic() + BATCH_S
        db.set_progress_handler(self._is_late, 10_000)
        self.skipped = 0
        if _pragma(db, "application_id") != APPLICATION_ID:
            raise LogError(f"{str(path)!r} is not a log of allos")
        self.is_newer = _pragma(db, "user_version") > VERSION
        # Views and virtual tables run code of their author: only plain tables are read.
        self._tables = {
            name
            for name, kind, sql in db.execute(_SCHEMA)
            if kind == "table" and " ".join(str(sql).upper().split()).startswith("CREATE TABLE")
        }
        if "responses" not in self._tables:
            raise LogError(f"{str(path)!r} is not a log of allos: it has no table of responses")

    def batches(self) -> Iterator[Batch]:
        """Rows, ratings and votes, little by little; `raw_batches` has the raw JSON."""
        names = [column.name for column in STORED]
        rows = self._read("responses", names)
        while some := self._some(rows):
            valid = [row for row in map(_response, some) if row is not None]
            self.skipped += len(some) - len(valid)
            yield Batch(rows=valid)
        ratings = self._read("ratings", Rating._fields)
        while some := self._some(ratings):
            found = [Rating._make(_feedback(Rating._fields, row)) for row in some]
            kept = [each for each in found if each.response_id and each.created_at is not None]
            self.skipped += len(some) - len(kept)
            yield Batch(ratings=[_with_id(each) for each in kept])
        votes = self._read("votes", Vote._fields)
        while some := self._some(votes):
            cast = [Vote._make(_feedback(Vote._fields, row)) for row in some]
            kept_votes = [each for each in cast if each.id and each.created_at is not None]
            self.skipped += len(some) - len(kept_votes)
            yield Batch(votes=kept_votes)

    def _some(self, rows: Iterator[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Next rows, as many as fit into memory and into the file's size.

        Rows of a made-up file may share their pages, so that they hold far more than the file.
        """
        self._deadline = time.monotonic() + BATCH_S
        found: list[tuple[Any, ...]] = []
        size = 0
        for row in rows:
            found.append(row)
            size += _ROW_BYTES + sum(len(value) for value in row if isinstance(value, str | bytes))
            if len(found) == BATCH_ROWS or size > BATCH_BYTES:
                break
        self._room -= size
        if self._room < 0:
            raise LogError(f"{str(self._path)!r} holds more than its size allows: it is damaged")
        return found

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def _read(self, table: str, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Rows with a value for each name, None for columns that the table has not."""
        if table not in self._tables:
            return
        # Generated columns, whose expressions are the author's, are not in this list.
        known = {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}
        selected = ", ".join(f'"{name}"' if name in known else "NULL" for name in names)
        if known.intersection(names):
            rows = self._db.execute(f"SELECT {selected} FROM {table} NOT INDEXED")
            # A plain iterator: `yield from` would close the cursor after its connection.
            yield from iter(rows.fetchone, None)

    def raw_batches(self, ids: Sequence[str]) -> Iterator[Batch]:
        """Raw JSON of these responses, little by little."""
        rows = self._raw(ids) if "raw" in self._tables else iter(())
        while some := self._some(rows):
            yield Batch(raw=[raw for row in some if (raw := _raw_json(*row)) is not None])

    def _raw(self, ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        for each in ids:
            row = self._db.execute(_RAW, (each,)).fetchone()
            if row is not None:
                yield (each, *row)


@contextlib.contextmanager
def open_foreign_log(path: Path, max_bytes: int) -> Iterator[ForeignLog]:
    """Open a log of somebody else.

    Raises
    ------
    LogError
        It is not a log, too large, or damaged.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise LogError(f"{str(path)!r} is not a file")
    except OSError as error:
        raise LogError(f"cannot read {str(path)!r}: {error.strerror}") from None
    if size > max_bytes:
        raise LogError(
            f"{str(path)!r} has {size:,} bytes, more than max_bytes={max_bytes:,}: nothing was read"
        )
    try:
        with open_read_only(path, functions=False) as db:
            db.text_factory = lambda data: data.decode("utf-8", "replace")
            yield ForeignLog(db, path)
    except sqlite3.Error as error:
        raise LogError(f"cannot read {str(path)!r}: {' '.join(str(error).split())}") from None


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _response(row: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Row with each value of its column's type; None for one without a usable id."""
    if not _is_id(row[0]):
        return None
    return tuple(_value(value, column.sql_type) for value, column in zip(row, STORED, strict=True))


def _feedback(names: Sequence[str], row: tuple[Any, ...]) -> Iterator[Any]:
    return (
        _value(value, _NUMBERS.get(name, "TEXT")) for name, value in zip(names, row, strict=True)
    )


def _value(value: Any, sql_type: str) -> Any:
    return None if isinstance(value, bytes) else clean_value(value, sql_type)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable()


def _with_id(rating: Rating) -> Rating:
    """Rating of a log from before ratings had ids: the same in every copy of it."""
    if rating.id is not None:
        return rating
    return rating._replace(id=f"{rating.response_id}-{rating.created_at}-{rating.rating}")


def _raw_json(id: str, request: Any, reply: Any) -> RawJson | None:
    packed = RawJson(id, _packed(request), _packed(reply))
    return None if packed.request is None and packed.reply is None else packed


def _packed(value: Any) -> bytearray | None:
    """Packed JSON; None for what is none, or would be very long when it is unpacked."""
    if not isinstance(value, bytes):
        return None
    if value[:1] == b"x":
        try:
            unpacker = zlib.decompressobj()
            unpacker.decompress(value, _MOST_RAW_BYTES)
        except zlib.error:
            return None
        if unpacker.unconsumed_tail or not unpacker.eof:
            return None
    return bytearray(value)
