"""Rows of the log: ten columns of any frame, and the shorter table of ``%allos log``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from allos.log.columns import FRAME_NAMES, SUMMARY
from allos.notebook.tables.values import count, dollars, excerpt, moment, plural, records
from allos.render.data_table import DataTable, TableCell
from allos.render.format import seconds

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = FRAME_NAMES

LOG_VIEW = "log"
"""Value of ``frame.attrs["allos_view"]`` for the table of ``%allos log``."""

_MAX_OTHERS = 6
"""How many columns of the user's own are shown as well."""
_HINT_CHARS = 600
_RAW = frozenset({"raw_request", "raw_reply"})


def table(frame: pd.DataFrame) -> DataTable:
    """Table of responses."""
    return _log(frame) if frame.attrs.get("allos_view") == LOG_VIEW else _summary(frame)


def _log(frame: pd.DataFrame) -> DataTable:
    rows = [
        [
            moment(row["created_at"]),
            TableCell(_model(row), tone="strong"),
            excerpt(row["prompt"], 50),
            _answer(row),
            TableCell(_tokens(row), tone="quiet"),
            TableCell(_cost(row), tone="quiet"),
            _status(row, {"cancelled": "stopped", "error": "failed"}),
        ]
        for row in records(frame)
    ]
    title = f"{plural(len(rows), 'response')}, newest first" if rows else "No response in the log."
    return DataTable(
        title=title,
        heads=("time", "model", "prompt", "answer", "tokens", "cost", "status"),
        rows=rows,
        short=frozenset({"time", "tokens", "cost", "status"}),
        prose=frozenset({"prompt", "answer"}),
        note=str(frame.attrs.get("allos_note", "")),
    )


def _summary(frame: pd.DataFrame) -> DataTable:
    others = [name for name in frame.columns[len(COLUMNS) :] if name not in _RAW][:_MAX_OTHERS]
    rows = len(frame)
    shown, gap_after = _some_rows(frame)
    lines: list[list[TableCell | str]] = []
    for at, (label, row) in enumerate(zip(shown.index, records(shown), strict=True)):
        if at == gap_after:
            lines.append([TableCell("…", tone="quiet")] * (1 + len(SUMMARY) + len(others)))
        cells = [TableCell(str(label), tone="quiet"), *_summary_cells(row)]
        lines.append([*cells, *(excerpt(row[name], 40) for name in others)])
    all_columns = f"{plural(len(frame.columns), 'column')}, {len(SUMMARY) + len(others)} shown"
    return DataTable(
        title=f"{plural(rows, 'response')}, {all_columns}" if rows else "No response.",
        heads=("", *SUMMARY, *map(str, others)),
        rows=lines,
        numbers=frozenset({"input_tokens", "output_tokens", "cost_usd", "latency_s"}),
        short=frozenset({"created_at", "provider", "status"}),
        prose=frozenset({"content"}),
        note="df.columns lists all columns. A choice of them, df[[...]], is shown by pandas."
        if rows
        else "",
    )


def _some_rows(frame: pd.DataFrame) -> tuple[pd.DataFrame, int | None]:
    """Rows to show, as many as pandas would, and before which of them others are left out."""
    import pandas as pd

    most, few = pd.get_option("display.max_rows"), pd.get_option("display.min_rows")
    if not most or len(frame) <= most:
        return frame, None
    half = max(1, min(few or most, most) // 2)
    return pd.concat([frame.iloc[:half], frame.iloc[-half:]]), half


def _summary_cells(row: Mapping[str, Any]) -> Iterator[TableCell | str]:
    yield moment(row["created_at"])
    yield row["provider"] or ""
    yield excerpt(row["model"], 40)
    yield excerpt(row["prompt"], 40)
    yield excerpt(row["content"], 50)
    yield _status(row)
    yield count(row["input_tokens"])
    yield count(row["output_tokens"])
    yield _cost(row)
    yield seconds(row["latency_s"]) if row["latency_s"] is not None else ""


def _model(row: Mapping[str, Any]) -> str:
    return "/".join(part for part in (row["provider"], row["model"]) if part)


def _tokens(row: Mapping[str, Any]) -> str:
    sides = (("in", row["input_tokens"]), ("out", row["output_tokens"]))
    return ", ".join(f"{count(value)} {side}" for side, value in sides if value is not None)


def _cost(row: Mapping[str, Any]) -> str:
    return dollars(row["cost_usd"])


def _answer(row: Mapping[str, Any]) -> TableCell:
    """Beginning of the answer; of a call that brought none, why."""
    if row["content"] is None and row["error_message"] is not None:
        return replace(excerpt(row["error_message"], 70), tone="problem")
    return excerpt(row["content"], 70)


def _status(row: Mapping[str, Any], words: Mapping[str, str] = MappingProxyType({})) -> TableCell:
    status = row["status"] or ""
    shown = words.get(status, status)
    if status == "error":
        return TableCell(shown, tone="problem", hint=(row["error_message"] or "")[:_HINT_CHARS])
    return TableCell(shown, tone="quiet")
