"""Figures of calls: those that belong together in one cell, and each in its unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allos.money import EMBEDDED
from allos.notebook.tables.values import count, excerpt, moment, records
from allos.render.data_table import DataTable, TableCell
from allos.render.format import money, seconds

if TYPE_CHECKING:
    import pandas as pd

_SHARES = ("share", "error_rate")
_HEADS = {
    "time_to_first_token_s_p50": "first token (p95)",
    "latency_s_p50": "latency (p95)",
    "latency_s": "latency",
    "time_to_first_token_s": "first token",
    "tokens_per_second_p50": "tokens/s",
    "error_rate": "errors",
    "input_tokens": "tokens in",
    "output_tokens": "tokens out",
    "cache_read_tokens": "cached",
    "reasoning_tokens": "reasoning",
    "cost_per_call_usd": "per call",
    "unanswered_cost_usd": "on failed calls",
    "input_cost_usd": "for input",
    "output_cost_usd": "for output",
}
# What is shown beside another figure, or says nothing that the title does not.
_BESIDE = {"cost_usd": "unknown_costs", "error_rate": "failed"}
_SLOW = {
    "time_to_first_token_s_p50": "time_to_first_token_s_p95",
    "latency_s_p50": "latency_s_p95",
}
"""The 95th percentile stands behind the median."""
_NAMES = frozenset({"model", "setting"})
"""Columns of names that may be long: they wrap where a page is narrow."""
_NAME_CHARS = 120
_LEFT_OUT = frozenset(
    {"unknown_costs", "unknown_latencies", "unknown_tokens", "streamed", "repeats", "failed"}
    | {"cancelled", *_SLOW.values()}
)
_RARE = frozenset({"cut", "retried", "free", "both_bad"})
"""Counts that are left out where all are 0."""


def table(frame: pd.DataFrame) -> DataTable:
    """Table of figures; columns in which nothing is known are left out."""
    names = [
        name
        for name in map(str, frame.columns)
        if name not in _LEFT_OUT
        and (frame[name].notna().any() or not len(frame))
        and (name not in _RARE or (frame[name] != 0).any())
        and not (name == "unanswered_cost_usd" and (frame[name].fillna(0) == 0).all())
    ]
    heads = [head_of(name) for name in names]
    rows = [[cell_of(name, row) for name in names] for row in records(frame)]
    numbers = [
        head
        for name, head in zip(names, heads, strict=True)
        if frame[name].dtype.kind in "iufb" and name != "http_status"
    ]
    return DataTable(
        title=str(frame.attrs.get("allos_title", "")),
        heads=heads,
        rows=rows,
        numbers=frozenset(numbers),
        short=frozenset(heads).difference(numbers, _NAMES),
        names=_NAMES.intersection(heads),
        note=str(frame.attrs.get("allos_note", "")),
    )


def _is_free(row: Any) -> bool:
    """Whether all calls of a row were those of the embedded model."""
    service = row.get("provider") or str(row.get("setting") or "").partition("/")[0]
    return service == EMBEDDED


def head_of(name: str) -> str:
    """Head of a column."""
    return _HEADS.get(name, name.removesuffix("_usd").replace("_", " "))


def cell_of(name: str, row: Any) -> TableCell | str:
    """Cell of a row, in the unit that the column's name says."""
    value = row[name]
    beside = row.get(_BESIDE.get(name, ""))
    if value is None:
        return TableCell("unknown" if beside else "", tone="quiet")
    if name.endswith("_usd") and not value and _is_free(row):
        return "free" if name == "cost_usd" else ""
    if name.endswith("_usd"):
        return f"{money(value)} + {count(beside)} unknown" if beside else money(value)
    if name in _SHARES:
        text = f"{value:.0%}" if not 0 < value < 0.01 else "< 1%"
        is_problem = name == "error_rate" and value > 0
        return TableCell(text, tone="problem" if is_problem else "plain")
    if "_s_p" in name or name.endswith("_s"):
        slow = row.get(_SLOW.get(name, ""))
        return seconds(value) if slow is None else f"{seconds(value)} ({seconds(slow)})"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}"
    if isinstance(value, int):
        return count(value)
    return (
        moment(value)
        if hasattr(value, "tzinfo")
        else excerpt(value, _NAME_CHARS if name in _NAMES else 40)
    )
