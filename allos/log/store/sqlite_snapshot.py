"""Reading the log's SQLite file inside one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from allos.log.blocks import Block, block_from_rows, select_rows
from allos.log.store import sqlite_runs
from allos.log.store.protocol import Rating, RawJson, RunRecord, Vote, Where
from allos.log.store.segments import read_segments
from allos.log.store.sqlite_conditions import to_sql
from allos.log.store.sqlite_connection import largest_seq

if TYPE_CHECKING:
    import sqlite3

# From so many selected rows on, decoding segments and dropping rows is faster than reading rows.
MIN_ROWS_FOR_SEGMENTS = 2000
MIN_SHARE_FOR_SEGMENTS = 0.1

_MAX_PLACEHOLDERS = 500  # SQLite before 3.32 allows 999 in a statement


class SQLiteSnapshot:
    """One log file at one moment; see `allos.log.store.protocol.Snapshot`.

    Parameters
    ----------
    db : sqlite3.Connection
        Its transaction has begun, so that all statements see the same rows.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.damage: str | None = None
        """What could not be read; None: nothing is known to be damaged."""

    def scan(
        self, where: Where, columns: Sequence[str], limit: int | None = None
    ) -> Iterator[Block]:
        """Blocks of the selected rows; with `limit`, the newest ones."""
        db = self._db
        names = list(dict.fromkeys(["seq", *columns]))
        quoted = ", ".join(f'"{name}"' for name in names)
        select = f"SELECT {quoted} FROM responses"
        condition = to_sql(where)
        filtered = f" WHERE {condition.sql}" if condition else ""
        values = condition.values if condition else ()
        if limit is not None:
            rows = db.execute(
                f"{select}{filtered} ORDER BY created_at DESC, seq DESC LIMIT ?", (*values, limit)
            ).fetchall()
            yield block_from_rows(names, rows[::-1])
            return
        if condition is None:
            yield from self._all_blocks(names, select)
            return
        found = db.execute(f"SELECT seq FROM responses{filtered} ORDER BY seq", values).fetchall()
        share = MIN_SHARE_FOR_SEGMENTS * largest_seq(db)
        if len(found) >= MIN_ROWS_FOR_SEGMENTS and len(found) >= share:
            wanted = [seq for (seq,) in found]
            for block in self._all_blocks(names, select):
                yield select_rows(block, "seq", wanted)
        else:
            rows = db.execute(f"{select}{filtered} ORDER BY seq", values).fetchall()
            yield block_from_rows(names, rows)

    def texts_after(self, seq: int, limit: int) -> list[tuple[int, str, str | None, str | None]]:
        """`seq`, `id`, prompt and content of the next rows."""
        return self._db.execute(
            "SELECT seq, id, prompt, content FROM responses WHERE seq > ? ORDER BY seq LIMIT ?",
            (seq, limit),
        ).fetchall()

    def texts_newest_first(self, where: Where) -> Iterator[tuple[int, str | None, str | None]]:
        """`seq`, prompt and content of the selected rows."""
        condition = to_sql(where)
        filtered = f" WHERE {condition.sql}" if condition else ""
        yield from self._db.execute(
            f"SELECT seq, prompt, content FROM responses{filtered} ORDER BY seq DESC",
            condition.values if condition else (),
        )

    def id_of(self, seq: int) -> str | None:
        """`id` of the row with this `seq`, None where there is none."""
        found = self._db.execute("SELECT id FROM responses WHERE seq = ?", (seq,)).fetchone()
        return None if found is None else found[0]

    def rows(
        self, seqs: Sequence[int], where: Where, columns: Sequence[str]
    ) -> dict[int, tuple[Any, ...]]:
        """Values of those of the rows that are selected, by their `seq`."""
        names = ", ".join(f'"{name}"' for name in columns)
        condition = to_sql(where)
        filtered = f" AND {condition.sql}" if condition else ""
        values = condition.values if condition else ()
        found = {}
        for start in range(0, len(seqs), _MAX_PLACEHOLDERS):
            some = seqs[start : start + _MAX_PLACEHOLDERS]
            marks = ", ".join("?" * len(some))
            for row in self._db.execute(
                f"SELECT seq, {names} FROM responses WHERE seq IN ({marks}){filtered}",
                (*some, *values),
            ):
                found[row[0]] = row[1:]
        return found

    def _all_blocks(self, names: Sequence[str], select: str) -> Iterator[Block]:
        """Every row by `seq`: segments where there are any, rows between and after them."""
        db = self._db
        done = 0
        damaged: list[int] = []
        for segment in read_segments(db, names, damaged):
            if segment.first_seq > done + 1:
                between = db.execute(
                    f"{select} WHERE seq > ? AND seq < ? ORDER BY seq", (done, segment.first_seq)
                ).fetchall()
                yield block_from_rows(names, between)
            yield segment.block
            done = segment.last_seq
        newest = db.execute(f"{select} WHERE seq > ? ORDER BY seq", (done,)).fetchall()
        yield block_from_rows(names, newest)
        if damaged:
            self.damage = "a part of it could not be read, all rows were"

    def ratings(self) -> Iterator[Rating]:
        """All ratings, oldest first."""
        names = ", ".join(Rating._fields)
        # Not by `seq` alone: those of another log that was merged are older than they are new here.
        found = self._db.execute(f"SELECT {names} FROM ratings ORDER BY created_at, seq")
        return map(Rating._make, found)

    def votes(self) -> Iterator[Vote]:
        """All votes, oldest first."""
        names = ", ".join(Vote._fields)
        return map(Vote._make, self._db.execute(f"SELECT {names} FROM votes ORDER BY id"))

    def runs(self, run_id: str | None = None) -> Iterator[RunRecord]:
        """Batches, oldest first, or the one with this id."""
        return sqlite_runs.read(self._db, run_id)

    def raw(self, ids: Sequence[str]) -> Iterator[RawJson]:
        """Request bodies and replies of these responses, those that are stored."""
        for start in range(0, len(ids), _MAX_PLACEHOLDERS):
            some = ids[start : start + _MAX_PLACEHOLDERS]
            marks = ", ".join("?" * len(some))
            yield from map(
                RawJson._make,
                self._db.execute(f"SELECT id, request, reply FROM raw WHERE id IN ({marks})", some),
            )
