"""Columnar copies of finished stretches of the log, so that a large frame is quick to make.

Reading 100,000 rows cell by cell makes 7 million Python objects and takes more than a second; a
segment keeps each column of 2,048 rows as one blob, which numpy and a JSON parser take whole.
Segments are a cache and nothing else: the table `responses` is the truth, triggers drop a segment
when one of its rows changes, and rows without a segment are read as rows.
"""

from __future__ import annotations

import contextlib
import sys
from array import array
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from allos.log.columns import STORED, STORED_NAMES

if TYPE_CHECKING:
    import sqlite3

    import numpy as np
    import numpy.typing as npt

    Objects = npt.NDArray[np.object_]

SEGMENT_ROWS = 2048
"""Rows of one segment; the newest rows, fewer than this, have none."""

_MOST_TEXTS = SEGMENT_ROWS // 4  # a column with no more different texts is kept as codes

_INT64 = 2**63

_SELECT = ", ".join(f'"{name}"' for name in STORED_NAMES)

CREATE = (
    "CREATE TABLE segments (first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL,"
    " row_count INTEGER NOT NULL)",
    "CREATE TABLE segment_columns (first_seq INTEGER NOT NULL, name TEXT NOT NULL,"
    " data BLOB NOT NULL)",
    "CREATE UNIQUE INDEX segment_columns_name ON segment_columns (name, first_seq)",
    *(
        f"CREATE TRIGGER segments_{event} AFTER {event} ON responses BEGIN"
        " DELETE FROM segments WHERE first_seq <= old.seq AND last_seq >= old.seq; END"
        for event in ("update", "delete")
    ),
    "CREATE TRIGGER segments_gone AFTER DELETE ON segments BEGIN"
    " DELETE FROM segment_columns WHERE first_seq = old.first_seq; END",
)
"""DDL of the segments."""


class SegmentBuilder:
    """Makes a segment of every 2,048 committed rows, on one connection.

    Remembers the rows that were committed on it last, so that usually nothing is read again.
    """

    def __init__(self) -> None:
        self._version = -1
        self._first_seq = 1
        self._rows: list[tuple[Any, ...]] = []

    def remember(
        self, version: int, before: int, after: int, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Note rows that were committed when the largest `seq` grew from `before` to `after`.

        `version` is the `data_version` inside that transaction.
        """
        known = self._first_seq + len(self._rows) - 1
        if version != self._version or before != known:
            self._forget(before)  # another connection wrote in between
            self._version = version
        if after - before == len(rows):
            self._rows.extend(rows)
        else:  # some were there already
            self._forget(after)

    def _forget(self, largest: int) -> None:
        self._rows = []
        self._first_seq = largest + 1

    def seal(self, db: sqlite3.Connection, largest: int) -> bool:
        """Make the next segment if there are rows for one; True when it made one.

        `largest` is the largest `seq`. The connection must not be inside a transaction.
        """
        if largest - _sealed_to(db) < SEGMENT_ROWS:
            return False
        db.execute("BEGIN IMMEDIATE")
        try:
            sealed = _sealed_to(db)  # again: another process may have been first
            found = self._recall(db, sealed) or _read(db, sealed)
            if found is None:
                db.execute("COMMIT")
                return False
            seqs, rows = found
            db.execute("INSERT INTO segments VALUES (?, ?, ?)", (seqs[0], seqs[-1], len(seqs)))
            db.executemany(
                "INSERT INTO segment_columns VALUES (?, ?, ?)",
                [(seqs[0], name, data) for name, data in encode(seqs, rows)],
            )
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        keep_from = seqs[-1] + 1 - self._first_seq
        if keep_from > 0:
            self._rows = self._rows[keep_from:]
            self._first_seq = seqs[-1] + 1
        return True

    def _recall(
        self, db: sqlite3.Connection, sealed: int
    ) -> tuple[Sequence[int], list[tuple[Any, ...]]] | None:
        start = sealed + 1 - self._first_seq
        if start < 0 or len(self._rows) < start + SEGMENT_ROWS:
            return None
        if data_version(db) != self._version:
            return None
        rows = list(islice(self._rows, start, start + SEGMENT_ROWS))
        return range(sealed + 1, sealed + 1 + SEGMENT_ROWS), rows


def data_version(db: sqlite3.Connection) -> int:
    """Number that changes when another connection has committed something."""
    return int(db.execute("PRAGMA data_version").fetchone()[0])


def _sealed_to(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(last_seq), 0) FROM segments").fetchone()[0])


def _read(
    db: sqlite3.Connection, sealed: int
) -> tuple[Sequence[int], list[tuple[Any, ...]]] | None:
    found = db.execute(
        f"SELECT seq, {_SELECT} FROM responses WHERE seq > ? ORDER BY seq LIMIT {SEGMENT_ROWS}",
        (sealed,),
    ).fetchall()
    if len(found) < SEGMENT_ROWS:
        return None
    return [row[0] for row in found], [row[1:] for row in found]


def encode(seqs: Sequence[int], rows: Sequence[tuple[Any, ...]]) -> list[tuple[str, bytearray]]:
    """Blob of each column that holds anything, and of `seq`.

    Kinds, by first byte: ``t`` JSON array of texts and nulls; ``c`` one 16-bit code per row, then
    the JSON array of the texts (code 0 is null, 1 the first text); ``i`` 64-bit integers; ``f`` 64-bit floats; ``I``,
    ``F`` the same after one byte per row that is 1 where null. Little-endian.
    """
    blobs = [("seq", _encode_numbers(seqs, "i"))]
    for column, values in zip(STORED, zip(*rows, strict=True), strict=True):
        if values.count(None) == len(values):
            continue
        if column.sql_type == "TEXT":
            blobs.append((column.name, _encode_text(values)))
        else:
            kind = "i" if column.sql_type == "INTEGER" else "f"
            blobs.append((column.name, _encode_numbers(values, kind)))
    return blobs


def _encode_text(values: Sequence[Any]) -> bytearray:
    from allos.log.rows import to_json_bytes

    texts = [text for text in dict.fromkeys(values) if text is not None]
    if len(texts) > _MOST_TEXTS:
        return bytearray(b"t") + to_json_bytes(values)
    codes: dict[Any, int] = {None: 0}
    codes.update((text, code) for code, text in enumerate(texts, 1))
    numbers = array("h", [codes[value] for value in values])
    return bytearray(b"c") + _little_endian(numbers) + to_json_bytes(texts)


def _encode_numbers(values: Sequence[Any], kind: str) -> bytearray:
    # The array module, not numpy: this runs where numpy may not be loaded yet.
    code, convert = ("q", int) if kind == "i" else ("d", float)
    if None not in values:
        with contextlib.suppress(TypeError, OverflowError):
            return bytearray(kind.encode()) + _little_endian(array(code, values))
    numbers = [_number(value, convert) for value in values]
    nulls = bytes([number is None for number in numbers])
    filled = array(code, [0 if number is None else number for number in numbers])
    return bytearray(kind.upper().encode()) + nulls + _little_endian(filled)


def _number(value: Any, convert: type[int] | type[float]) -> int | float | None:
    """The value as a 64-bit number; None for what is none (SQLite keeps a text in any column)."""
    if value is None:
        return None
    try:
        number = convert(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if isinstance(number, int) and not -_INT64 <= number < _INT64 else number


def _little_endian(numbers: array[Any]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def numbers_of(
    values: Sequence[Any], dtype: str
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """Array of numbers, and where they are null (None: nowhere); what is no number is null."""
    import numpy as np

    with contextlib.suppress(TypeError, ValueError, OverflowError):
        if None not in values:
            return np.array(values, dtype=dtype), None
    convert = int if dtype == "<i8" else float
    numbers = [_number(value, convert) for value in values]
    filled = np.array([0 if number is None else number for number in numbers], dtype=dtype)
    return filled, np.array([number is None for number in numbers])


class Piece(NamedTuple):
    """Values of one column in a stretch of rows."""

    values: npt.NDArray[Any] | None
    """None: all null. Texts are objects, None where null."""
    nulls: npt.NDArray[np.bool_] | None = None
    """Where numbers are null; None: nowhere."""
    codes: npt.NDArray[np.integer[Any]] | None = None
    """Row by row the position of its text in `values`, which then holds each text once."""


def decode(data: bytes, count: int) -> Piece:
    """Values of one blob of `encode`, of `count` rows."""
    import numpy as np
    from jiter import from_json

    kind = data[:1]
    if kind == b"t":
        return Piece(as_objects(from_json(data[1:], cache_mode="none")))
    if kind == b"c":
        codes = np.frombuffer(data, dtype="<i2", count=count, offset=1)
        texts = from_json(data[1 + 2 * count :], cache_mode="none")
        return Piece(as_objects([None, *texts]), codes=codes)
    dtype = "<i8" if kind in b"iI" else "<f8"
    if kind in b"if":
        return Piece(np.frombuffer(data, dtype=dtype, count=count, offset=1))
    nulls = np.frombuffer(data, dtype="u1", count=count, offset=1).astype(bool)
    return Piece(np.frombuffer(data, dtype=dtype, count=count, offset=1 + count), nulls)


def as_objects(values: Sequence[Any]) -> Objects:
    """Array of the objects themselves, whatever they are."""
    import numpy as np

    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects
