"""Batches of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.notebook.tables.values import count, dollars, excerpt, moment, records
from allos.render.data_table import DataTable, Row, TableCell

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("batch_id", "state", "calls", "answered", "cost_usd", "models", "prompt")


def table(frame: pd.DataFrame) -> DataTable:
    """Table of batches."""
    rows: list[Row] = [
        [
            TableCell(row["batch_id"], tone="strong"),
            row["state"],
            f"{count(row['answered'])} of {count(row['calls'])}",
            dollars(row["cost_usd"]),
            TableCell(row["models"] or "", tone="quiet"),
            excerpt(row["prompt"]),
            moment(row.get("updated_at")),
        ]
        for row in records(frame)
    ]
    return DataTable(
        title=("1 batch" if len(rows) == 1 else f"{len(rows):,} batches")
        if rows
        else "No batch in the log.",
        heads=("batch", "state", "answered", "cost", "models", "prompt", "last start"),
        rows=rows,
        numbers=frozenset({"answered", "cost"}),
        short=frozenset({"batch", "state", "last start"}),
        note="allos.resume(ID) goes on with one." if rows else "",
    )
