"""Responses that a search found, with the text around the match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.notebook.tables.values import excerpt, moment, plural, records
from allos.render.data_table import DataTable, TableCell

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("created_at", "provider", "model", "found_in", "snippet")

_SNIPPET_CHARS = 180


def table(frame: pd.DataFrame) -> DataTable:
    """Table of matches, in the order of the frame."""
    has_notebooks = "notebook" in frame.columns and bool(frame["notebook"].notna().any())
    rows = [
        [
            moment(row["created_at"]),
            TableCell("/".join(filter(None, (row["provider"], row["model"]))), tone="strong"),
            TableCell(row["found_in"] or "", tone="quiet"),
            excerpt(row["snippet"], _SNIPPET_CHARS),
            *([TableCell(row["notebook"] or "", tone="quiet")] if has_notebooks else []),
        ]
        for row in records(frame)
    ]
    return DataTable(
        title=f"{plural(len(rows), 'response')} found" if rows else "No response has these words.",
        heads=("time", "model", "found in", "text", *(["notebook"] if has_notebooks else [])),
        rows=rows,
        short=frozenset({"time", "found in"}),
        prose=frozenset({"text"}),
        note="%allos show ID shows one whole: the frame has the column id." if rows else "",
    )
