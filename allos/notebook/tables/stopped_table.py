"""Comparisons that were stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.notebook.tables.values import count, excerpt, plural, records
from allos.render.data_table import DataTable, Row, TableCell

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("stopped", "answered", "prompt")


def table(frame: pd.DataFrame) -> DataTable:
    """Table of comparisons: how many of their calls were stopped, how many had answered."""
    rows: list[Row] = [
        [
            TableCell(row["comparison_id"], tone="strong"),
            excerpt(row["prompt"]),
            count(row["stopped"]),
            count(row["answered"]),
        ]
        for row in records(frame)
    ]
    return DataTable(
        title=f"Stopped {plural(len(rows), 'comparison')}."
        if rows
        else "No comparison is running.",
        heads=("comparison", "prompt", "stopped", "answered"),
        rows=rows,
        numbers=frozenset({"stopped", "answered"}),
        note="Partial answers are kept." if rows else "",
    )
