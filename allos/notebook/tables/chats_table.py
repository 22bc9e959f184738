"""Conversations of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.notebook.tables.values import count, moment, plural, records
from allos.render.data_table import DataTable, Row, TableCell

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("turns", "models", "tokens", "last_at", "conversation_id")


def table(frame: pd.DataFrame) -> DataTable:
    """Table of conversations."""
    rows: list[Row] = [
        [
            TableCell(row["name"], tone="strong", hint=row["conversation_id"]),
            count(row["turns"]),
            TableCell(row["models"] or "", tone="quiet"),
            count(row["tokens"]),
            moment(row["last_at"]),
        ]
        for row in records(frame)
    ]
    return DataTable(
        title=plural(len(rows), "conversation")
        if rows
        else "No conversation: --chat NAME starts one, or continues one of the log.",
        heads=("name", "turns", "models", "tokens", "last turn"),
        short=frozenset({"last turn", "name"}),
        rows=rows,
        numbers=frozenset({"turns", "tokens"}),
        note="%allos chats show NAME prints one; reset NAME and branch NAME NEW." if rows else "",
    )
