"""What calls cost, by the columns of ``df.allos.cost(by=...)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.money import EMBEDDED
from allos.notebook.tables.values import count, dollars, plural, records
from allos.render.data_table import DataTable, Row, TableCell
from allos.runs.frame_accessor import Cost

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("calls", "failed", "input_tokens", "output_tokens", "cost_usd", "unknown_costs")


def table(frame: pd.DataFrame) -> DataTable:
    """Table of costs with their sum above."""
    names = [str(name) for name in frame.index.names]
    rows: list[Row] = []
    for row in records(frame):
        labels = [TableCell("" if row[n] is None else str(row[n]), tone="strong") for n in names]
        failed = TableCell(count(row["failed"]) if row["failed"] else "", tone="problem")
        tokens = (count(row["input_tokens"]), count(row["output_tokens"]))
        cost = TableCell(_cost(row.get("provider"), row["cost_usd"], row["unknown_costs"]))
        rows.append([*labels, count(row["calls"]), failed, *tokens, cost])
    numbers = ("calls", "failed", "tokens in", "tokens out", "cost")
    when = frame.attrs.get("allos_period", "")
    return DataTable(
        title=f"{_total(frame)} for {plural(int(frame['calls'].sum()), 'call')}{when}"
        if rows
        else f"No call{when}.",
        heads=(*names, *numbers),
        rows=rows,
        numbers=frozenset(numbers),
        note=" ".join(frame.attrs.get("notes", ())),
    )


def _cost(provider: object, usd: float | None, unknown: int) -> str:
    if provider == EMBEDDED and not usd:
        return "free"
    known = "unknown" if usd is None else dollars(usd)
    return f"{known} + {unknown} unknown" if unknown and usd is not None else known


def _total(frame: pd.DataFrame) -> str:
    known = frame["cost_usd"].dropna()
    calls, unknown = int(frame["calls"].sum()), int(frame["unknown_costs"].sum())
    usd = float(known.sum()) if len(known) else None
    return str(Cost(usd, unknown, calls)) if usd is not None else "Unknown cost"
