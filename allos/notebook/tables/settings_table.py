"""Settings and where each is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.notebook.tables.values import records
from allos.render.data_table import DataTable, TableCell

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("value", "set_by", "help")


def table(frame: pd.DataFrame) -> DataTable:
    """Table of settings; what is not set is quiet."""
    rows = [
        [
            TableCell(row["setting"], tone="strong" if row["value"] is not None else "plain"),
            TableCell("not set", tone="quiet") if row["value"] is None else TableCell(row["value"]),
            TableCell(row["set_by"] or "", tone="quiet"),
            TableCell(row["help"] or "", tone="quiet"),
        ]
        for row in records(frame)
    ]
    return DataTable(
        title="Settings",
        heads=("setting", "value", "set by", ""),
        short=frozenset({"set by", "setting"}),
        rows=rows,
        note="allos.configure(NAME=...) changes a setting for this process.",
    )
