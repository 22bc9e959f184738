"""Columnar copies of 2,048 consecutive rows each, from which large frames are built quickly.

Segments are a cache: the table `responses` is the truth, triggers drop a segment when one of its
rows changes, and rows without a segment are read as rows. Why, and what it saves:
``docs/explanation/columnar-segments.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from allos.log.blocks import Block, ColumnChunk
from allos.log.columns import STORED_NAMES
from allos.log.pacing import Pacer
from allos.log.store.segment_codec import decode, encode

if TYPE_CHECKING:
    import sqlite3

SEGMENT_ROWS = 2048
"""Rows of one segment; the newest rows, fewer than this, have none."""

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


class Segment(NamedTuple):
    """One stored segment."""

    first_seq: int
    last_seq: int
    block: Block


class SegmentBuilder:
    """Builds a segment of every 2,048 committed rows, on one connection.

    Keeps the rows that this connection committed last, so that they are rarely read back.
    """

    def __init__(self) -> None:
        self._data_version = -1
        self._first_seq = 1
        self._rows: list[tuple[Any, ...]] = []

    def add(
        self, version: int, seq_before: int, seq_after: int, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Keep rows that were committed while the largest `seq` grew from before to after.

        `version` is the `data_version` inside that transaction.
        """
        expected = self._first_seq + len(self._rows) - 1
        if version != self._data_version or seq_before != expected:
            self._clear(seq_before)  # another connection has committed in between
            self._data_version = version
        if seq_after - seq_before == len(rows):
            self._rows.extend(rows)
        else:  # some were stored already
            self._clear(seq_after)

    def _clear(self, largest_seq: int) -> None:
        self._rows = []
        self._first_seq = largest_seq + 1

    def build_next(self, db: sqlite3.Connection, largest_seq: int) -> bool:
        """Build the next segment if there are rows enough; True when one was built.

        The connection must not be inside a transaction.
        """
        if largest_seq - _last_segment_seq(db) < SEGMENT_ROWS:
            return False
        db.execute("BEGIN IMMEDIATE")
        try:
            last = _last_segment_seq(db)  # again: another process may have been first
            found = self._kept_rows(db, last) or _read_rows(db, last)
            if found is None:
                db.execute("COMMIT")
                return False
            seqs, rows = found
            db.execute("INSERT INTO segments VALUES (?, ?, ?)", (seqs[0], seqs[-1], len(seqs)))
            pacer = Pacer()
            for name, data in encode(seqs, rows):
                db.execute("INSERT INTO segment_columns VALUES (?, ?, ?)", (seqs[0], name, data))
                pacer.pause_if_due()
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        done = seqs[-1] + 1 - self._first_seq
        if done > 0:
            self._rows = self._rows[done:]
            self._first_seq = seqs[-1] + 1
        return True

    def _kept_rows(
        self, db: sqlite3.Connection, last: int
    ) -> tuple[Sequence[int], list[tuple[Any, ...]]] | None:
        start = last + 1 - self._first_seq
        if start < 0 or len(self._rows) < start + SEGMENT_ROWS:
            return None
        if data_version(db) != self._data_version:
            return None
        rows = list(islice(self._rows, start, start + SEGMENT_ROWS))
        return range(last + 1, last + 1 + SEGMENT_ROWS), rows


def data_version(db: sqlite3.Connection) -> int:
    """Number that changes when another connection has committed something."""
    return int(db.execute("PRAGMA data_version").fetchone()[0])


def _last_segment_seq(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(last_seq), 0) FROM segments").fetchone()[0])


def _read_rows(
    db: sqlite3.Connection, last: int
) -> tuple[Sequence[int], list[tuple[Any, ...]]] | None:
    found = db.execute(
        f"SELECT seq, {_SELECT} FROM responses WHERE seq > ? ORDER BY seq LIMIT {SEGMENT_ROWS}",
        (last,),
    ).fetchall()
    if len(found) < SEGMENT_ROWS:
        return None
    return [row[0] for row in found], [row[1:] for row in found]


def read_segments(
    db: sqlite3.Connection, names: Sequence[str], damaged: list[int]
) -> Iterator[Segment]:
    """Segments in the order of their rows, with the columns `names`.

    Those that cannot be read are left out, and their `first_seq` is added to `damaged`.
    """
    import sqlite3

    marks = ", ".join("?" * len(names))
    found = db.execute(
        "SELECT first_seq, last_seq, row_count FROM segments ORDER BY first_seq"
    ).fetchall()
    for first, last, row_count in found:
        try:
            blobs = db.execute(
                f"SELECT name, data FROM segment_columns WHERE first_seq = ? AND name IN ({marks})",
                (first, *names),
            )
            columns = {name: decode(data, row_count) for name, data in blobs}
            _check(columns, first, last, row_count)
        except (sqlite3.Error, ValueError, TypeError, LookupError):  # UnicodeError is a ValueError
            damaged.append(first)
            continue
        yield Segment(first, last, Block(row_count, columns))


def _check(columns: Mapping[str, ColumnChunk], first: int, last: int, row_count: int) -> None:
    """Raise where a segment's `seq` are not those of its rows."""
    seqs = columns["seq"].values
    if seqs is None or len(seqs) != row_count or (seqs[0], seqs[-1]) != (first, last):
        raise ValueError("not the rows of this segment")
