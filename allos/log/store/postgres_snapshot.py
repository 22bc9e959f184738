"""Reading a team's log inside one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from allos.log.blocks import Block, block_from_rows
from allos.log.store.postgres_conditions import to_sql
from allos.log.store.postgres_schema import SCHEMA
from allos.log.store.protocol import Rating, RawJson, RunRecord, Vote, Where

if TYPE_CHECKING:
    from psycopg import Connection, ServerCursor

_BLOCK_ROWS = 10_000
"""Rows that are fetched at once."""

RESPONSES = f"{SCHEMA}.responses"


class PostgresSnapshot:
    """A team's log at one moment; see `allos.log.store.protocol.Snapshot`.

    Parameters
    ----------
    db : psycopg.Connection
        Its transaction has begun, so that all statements see the same rows.
    """

    damage: str | None = None

    def __init__(self, db: Connection[Any]) -> None:
        self._db = db
        self._cursors = 0

    def scan(
        self, where: Where, columns: Sequence[str], limit: int | None = None
    ) -> Iterator[Block]:
        """Blocks of the selected rows; with `limit`, the newest ones."""
        names = list(dict.fromkeys(["seq", *columns]))
        condition, values = to_sql(where)
        select = f"SELECT {_quoted(names)} FROM {RESPONSES} WHERE {condition}"
        if limit is None:
            query = f"{select} ORDER BY seq"
        else:
            newest = f"{select} ORDER BY created_at DESC, seq DESC LIMIT %s"
            query, values = (
                f"SELECT * FROM ({newest}) AS newest ORDER BY created_at, seq",
                [
                    *values,
                    limit,
                ],
            )
        for rows in self._fetch(query, values):
            yield block_from_rows(names, rows)
        yield block_from_rows(names, [])

    def _fetch(self, query: str, values: Sequence[Any]) -> Iterator[list[tuple[Any, ...]]]:
        """Rows in parts: the server keeps the others until they are wanted."""
        self._cursors += 1
        cursor: ServerCursor[Any] = self._db.cursor(f"allos_{self._cursors}", binary=True)
        with cursor:
            cursor.execute(query, values)
            while rows := cursor.fetchmany(_BLOCK_ROWS):
                yield rows

    def texts_newest_first(self, where: Where) -> Iterator[tuple[int, str | None, str | None]]:
        """`seq`, prompt and content of the selected rows."""
        condition, values = to_sql(where)
        query = f"SELECT seq, prompt, content FROM {RESPONSES} WHERE {condition} ORDER BY seq DESC"
        for rows in self._fetch(query, values):
            yield from rows

    def rows(
        self, seqs: Sequence[int], where: Where, columns: Sequence[str]
    ) -> dict[int, tuple[Any, ...]]:
        """Values of those of the rows that are selected, by their `seq`."""
        condition, values = to_sql(where)
        names = _quoted(["seq", *columns])
        found = self._db.execute(
            f"SELECT {names} FROM {RESPONSES} WHERE seq = ANY(%s) AND {condition}",
            [list(seqs), *values],
        )
        return {row[0]: row[1:] for row in found}

    def ratings(self) -> Iterator[Rating]:
        """All ratings, oldest first."""
        names = ", ".join(Rating._fields)
        query = f"SELECT {names} FROM {SCHEMA}.ratings ORDER BY created_at, seq"
        return map(Rating._make, self._db.execute(query))

    def votes(self) -> Iterator[Vote]:
        """All votes, oldest first."""
        names = ", ".join(Vote._fields)
        query = f"SELECT {names} FROM {SCHEMA}.votes ORDER BY id"
        return map(Vote._make, self._db.execute(query))

    def runs(self, run_id: str | None = None) -> Iterator[RunRecord]:
        """Batches, oldest first, or the one with this id.

        Where several people have run the same one, it is the record of whoever did so last.
        """
        names = ", ".join(RunRecord._fields).replace(
            "data", "data" if run_id is not None else "''::bytea AS data"
        )
        chosen, values = ("", []) if run_id is None else ("WHERE id = %s", [run_id])
        newest = f"SELECT DISTINCT ON (id) {names} FROM {SCHEMA}.runs {chosen} ORDER BY id, updated_at DESC"
        for row in self._db.execute(
            f"SELECT * FROM ({newest}) AS newest ORDER BY created_at", values
        ):
            record = RunRecord._make(row)
            yield record._replace(request=bytearray(record.request), data=bytearray(record.data))

    def raw(self, ids: Sequence[str]) -> Iterator[RawJson]:
        """Request bodies and replies of these responses, those that are stored."""
        query = f"SELECT id, request, reply FROM {SCHEMA}.raw WHERE id = ANY(%s)"
        yield from map(RawJson._make, self._db.execute(query, [list(ids)]))


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
