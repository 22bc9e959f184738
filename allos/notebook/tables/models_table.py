"""Models of a service; a frame of them has the columns that the service reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from allos.notebook.tables.values import count, moment, plural, records
from allos.render.data_table import DataTable, Row, TableCell

if TYPE_CHECKING:
    import pandas as pd


def table(frame: pd.DataFrame) -> DataTable:
    """Table of models; columns that no model has a value in are left out."""
    heads = ("model", "name", "context", "max output", "created", "")
    rows: list[Row] = [
        [
            TableCell(row["model"], tone="strong"),
            TableCell(row.get("name") or "", tone="quiet"),
            count(row.get("context_window")),
            count(row.get("max_output_tokens")),
            moment(row.get("created_at")),
            TableCell(_end(row), tone="quiet"),
        ]
        for row in records(frame)
    ]
    used = [at for at in range(len(heads)) if any(_text(row[at]) for row in rows)]
    name = frame.attrs.get("allos_service", "")
    found = plural(len(rows), "model") if rows else "no model"
    return DataTable(
        title=f"{name}: {found}" if name else found,
        heads=[heads[at] for at in used],
        short=frozenset({"created"}),
        rows=[[row[at] for at in used] for row in rows],
        numbers=frozenset({"context", "max output"}),
    )


def _text(cell: TableCell | str) -> str:
    return cell if isinstance(cell, str) else cell.text


def _end(row: Mapping[str, Any]) -> str:
    """What is known of the end of a model."""
    lifecycle, day, successor = map(row.get, ("lifecycle", "shutdown_at", "replacement"))
    if lifecycle in (None, "active"):
        return ""
    ends = f" on {day:%Y-%m-%d}" if day is not None else ""
    replaced = f"; use {successor}" if successor else ""
    return f"{lifecycle}{ends}{replaced}"
