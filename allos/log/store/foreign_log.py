"""Reading a log that somebody else wrote, in whatever version, as data and nothing more."""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
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
_LONGEST_ID = 200
_MOST_RAW_BYTES = 64 * 1024 * 1024
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
        """Everything in it, little by little: rows with their raw JSON, then ratings and votes."""
        names = [column.name for column in STORED]
        rows = self._read("responses", names)
        while some := list(islice(rows, BATCH_ROWS)):
            valid = [row for row in map(_response, some) if row is not None]
            self.skipped += len(some) - len(valid)
            yield Batch(rows=valid, raw=list(self._raw([row[0] for row in valid])))
        ratings = self._read("ratings", Rating._fields)
        while some := list(islice(ratings, BATCH_ROWS)):
            found = [Rating._make(_feedback(Rating._fields, row)) for row in some]
            kept = [each for each in found if each.response_id and each.created_at is not None]
            self.skipped += len(some) - len(kept)
            yield Batch(ratings=[_with_id(each) for each in kept])
        votes = self._read("votes", Vote._fields)
        while some := list(islice(votes, BATCH_ROWS)):
            cast = [Vote._make(_feedback(Vote._fields, row)) for row in some]
            kept_votes = [each for each in cast if each.id and each.created_at is not None]
            self.skipped += len(some) - len(kept_votes)
            yield Batch(votes=kept_votes)

    def _read(self, table: str, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Rows with a value for each name, None for columns that the table has not."""
        if table not in self._tables:
            return
        # Generated columns, whose expressions are the author's, are not in this list.
        known = {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}
        selected = ", ".join(f'"{name}"' if name in known else "NULL" for name in names)
        if known.intersection(names):
            yield from self._db.execute(f"SELECT {selected} FROM {table} NOT INDEXED")

    def _raw(self, ids: Sequence[str]) -> Iterator[RawJson]:
        if "raw" not in self._tables:
            return
        for each in ids:
            row = self._db.execute(
                "SELECT request, reply FROM raw WHERE id = ?", (each,)
            ).fetchone()
            if row is not None:
                request, reply = map(_raw_json, row)
                if request is not None or reply is not None:
                    yield RawJson(each, request, reply)


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


def _raw_json(value: Any) -> bytearray | None:
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
