"""Reading a damaged SQLite log: every row that can be read, from its table or from its segments.

The rows are copied into a database in memory, on which queries run as on any log. SQLite finds damage
page by page: a scan of the table ends at a page that cannot be read, and goes on behind it, where the
next key that can be reached is searched for.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from allos.log.blocks import Block
from allos.log.columns import STORED
from allos.log.store.migrations import migrate
from allos.log.store.protocol import Rating, RawJson, Vote
from allos.log.store.segments import read_segments
from allos.log.store.sqlite_connection import BUSY_TIMEOUT_S, insert_new
from allos.log.store.sqlite_snapshot import SQLiteSnapshot

_FARTHEST = 2**40
"""How far behind a damaged page the next row is searched for, in keys."""

_NAMES = ["seq", *(column.name for column in STORED)]
_COLUMNS = ", ".join(f'"{name}"' for name in _NAMES)
_INSERT = f"INSERT OR IGNORE INTO responses ({_COLUMNS}) VALUES ({', '.join('?' * len(_NAMES))})"

_ERRORS = (sqlite3.Error, UnicodeError)
"""The second one where a message of SQLite quotes damaged names."""

_Row = tuple[Any, ...]


class SalvagedSnapshot(SQLiteSnapshot):
    """What can be read of a damaged log; see `allos.log.store.protocol.Snapshot`."""

    def __init__(self, copy: sqlite3.Connection, source: sqlite3.Connection) -> None:
        super().__init__(copy)
        self._source = source

    def raw(self, ids: Sequence[str]) -> Iterator[RawJson]:
        """Request bodies and replies of these responses, those that can be read."""
        lost = 0
        for response_id in ids:
            try:
                found = self._source.execute(
                    "SELECT id, request, reply FROM raw WHERE id = ?", (response_id,)
                ).fetchone()
            except _ERRORS:
                lost += 1
                continue
            if found and all(isinstance(value, bytes | None) for value in found[1:]):
                yield RawJson(*found)
        if lost:
            self.damage = _joined(self.damage, f"{lost} requests and replies could not be read")


@contextlib.contextmanager
def salvage(path: Path) -> Iterator[SalvagedSnapshot]:
    """Copy every row of a log that can be read, and open the copy.

    Raises
    ------
    sqlite3.Error
        Nothing can be read.
    """
    with (
        closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as source,
        closing(sqlite3.connect(":memory:", isolation_level=None)) as copy,
    ):
        # First of all: SQLite then also opens a file that is shorter than it should be.
        source.execute("PRAGMA writable_schema = 1")
        source.execute("PRAGMA query_only = 1")
        source.text_factory = _decoded
        migrate(copy)
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        snapshot = SalvagedSnapshot(copy, source)
        snapshot.damage = _copy(source, copy)
        yield snapshot


def _copy(source: sqlite3.Connection, copy: sqlite3.Connection) -> str | None:
    """Copy rows and ratings; return what could not be read."""
    copy.execute("BEGIN")
    table = _Scan(source, f"SELECT {_COLUMNS} FROM responses NOT INDEXED", "seq")
    found: set[int] = set()
    for row in table:
        if _is_row(row):
            copy.execute(_INSERT, _cleaned(row))
            found.add(row[0])
    expected, is_index_whole = _indexed_seqs(source)
    segments, damaged_segments = _missing_blocks(source, expected - found or None, found)
    for block in segments:
        for row in _rows_of(block):
            if row[0] not in found and _is_row(row):
                copy.execute(_INSERT, _cleaned(row))
                found.add(row[0])
    unread = [
        name
        for name, names in (("ratings", Rating._fields), ("votes", Vote._fields))
        if _copy_feedback(source, copy, name, names)
    ]
    copy.execute("COMMIT")
    lost = len(expected - found)
    problem = None
    if lost:
        problem = f"{lost} of {len(expected | found)} rows could not be read, all others were"
    elif table.is_damaged and not is_index_whole:
        problem = f"{len(found)} rows were read, others could not be"
    elif table.is_damaged or not is_index_whole or damaged_segments:
        problem = "a part of it could not be read, all rows were"
    for table_name in unread:
        problem = _joined(problem, f"some {table_name} could not be read")
    return problem


def _copy_feedback(
    source: sqlite3.Connection, copy: sqlite3.Connection, table: str, names: Sequence[str]
) -> bool:
    """Copy ratings or votes; True where some could not be read. An older log lacks some columns."""
    try:
        known = {row[1] for row in source.execute(f"PRAGMA table_info({table})")}
    except _ERRORS:
        return True
    names = [name for name in names if name in known]
    if not names:
        return False
    if table == "votes":
        rows: _Plain | _Scan = _Plain(source, f"SELECT {', '.join(names)} FROM votes")
    else:
        names = ["seq", *names]
        rows = _Scan(source, f"SELECT {', '.join(names)} FROM {table}", "seq")
    insert = insert_new(table, names)
    for row in rows:
        facts = dict(zip(names, row, strict=True))
        is_text = isinstance(facts.get("response_id", facts.get("id")), str)
        if is_text and isinstance(facts.get("created_at"), int):
            copy.execute(insert, row)
    return rows.is_damaged


class _Plain:
    """Rows of a table from its beginning up to the first page that cannot be read."""

    def __init__(self, db: sqlite3.Connection, select: str) -> None:
        self.is_damaged = False
        self._db = db
        self._select = select

    def __iter__(self) -> Iterator[_Row]:
        try:
            yield from self._db.execute(self._select)
        except _ERRORS:
            self.is_damaged = True


class _Scan:
    """Rows of a table in both directions, with those pages left out that cannot be read."""

    def __init__(self, db: sqlite3.Connection, select: str, key: str) -> None:
        self.is_damaged = False
        self._db = db
        self._select = select
        self._key = key

    def __iter__(self) -> Iterator[_Row]:
        last = 0
        start: int | None = 1
        while start is not None:
            try:
                for row in self._rows(">=", start, "ASC"):
                    if isinstance(row[0], int) and row[0] > last:
                        last = row[0]
                        yield row
                return
            except _ERRORS:
                self.is_damaged = True
                start = self._next_readable(max(start, last + 1))
        # The end of the table lies behind a page that cannot be read: come from there.
        with contextlib.suppress(*_ERRORS):
            for row in self._rows("<=", 2**63 - 1, "DESC"):
                if not isinstance(row[0], int) or row[0] <= last:
                    return
                yield row

    def _rows(self, comparison: str, key: int, order: str) -> Iterator[_Row]:
        return self._db.execute(
            f"{self._select} WHERE {self._key} {comparison} ? ORDER BY {self._key} {order}", (key,)
        )

    def _next_readable(self, first: int) -> int | None:
        """Lowest key above `first` from which a row can be read; None where there is none."""
        bad, step = first, 1
        while not self._is_readable(first + step):
            bad, step = first + step, step * 2
            if step > _FARTHEST:
                return None
        good = first + step
        while good - bad > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if self._is_readable(middle) else (good, middle)
        return good

    def _is_readable(self, key: int) -> bool:
        try:
            next(self._rows(">=", key, "ASC"), None)
        except _ERRORS:
            return False
        return True


def _indexed_seqs(db: sqlite3.Connection) -> tuple[set[int], bool]:
    """`seq` of all rows as an index has them, and whether the index could be read to its end."""
    found: set[int] = set()
    select = "SELECT seq FROM responses INDEXED BY responses_created_at ORDER BY created_at"
    for order in ("ASC", "DESC"):
        try:
            found.update(seq for (seq,) in db.execute(f"{select} {order}"))
        except _ERRORS:
            continue
        return found, True
    return found, False


def _missing_blocks(
    db: sqlite3.Connection, missing: set[int] | None, found: set[int]
) -> tuple[list[Block], int]:
    """Segments that hold rows which the table does not give, and how many cannot be read."""
    blocks: list[Block] = []
    damaged: list[int] = []
    with contextlib.suppress(*_ERRORS):
        for segment in read_segments(db, _NAMES, damaged):
            seqs = range(segment.first_seq, segment.last_seq + 1)
            wanted = missing if missing is not None else seqs
            if any(seq in wanted and seq not in found for seq in seqs):
                blocks.append(segment.block)
    return blocks, len(damaged)


def _rows_of(block: Block) -> Iterator[_Row]:
    """Rows of a block, with values in the order of `_NAMES`."""
    columns = []
    for name in _NAMES:
        values, mask, codes = block.columns.get(name, (None, None, None))
        if values is None:
            columns.append([None] * block.row_count)
            continue
        listed = (values if codes is None else values[codes]).tolist()
        if mask is not None:
            listed = [
                None if null else value for value, null in zip(listed, mask.tolist(), strict=True)
            ]
        columns.append(listed)
    return zip(*columns, strict=True)


def _is_row(row: _Row) -> bool:
    return isinstance(row[0], int) and isinstance(row[1], str) and bool(row[1])


def _cleaned(row: _Row) -> _Row:
    """Row whose values have their columns' types, else null: a damaged page may hold others."""
    values = zip(row[1:], STORED, strict=True)
    kinds = {"TEXT": str, "INTEGER": int, "REAL": int | float}
    return (
        row[0],
        *(value if isinstance(value, kinds[column.sql_type]) else None for value, column in values),
    )


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _joined(*parts: str | None) -> str | None:
    return "; ".join(part for part in parts if part) or None
