"""Rows of the log: ten columns of any frame, chosen columns, and the shorter table of ``%allos log``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from allos.log.columns import FRAME_NAMES, SUMMARY
from allos.notebook.tables.values import count, dollars, excerpt, is_free, moment, plural, records
from allos.render.data_table import DataTable, TableCell
from allos.render.format import seconds
from allos.runs.batching.batch_frame import LOG_SUFFIX
from allos.runs.frame_view import read_first

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = FRAME_NAMES

LOG_VIEW = "log"
"""Value of ``frame.attrs["allos_view"]`` for the table of ``%allos log``."""

_MAX_OTHERS = 6
"""How many columns of the user's own are shown as well."""
_HINT_CHARS = 600
_RAW = frozenset({"raw_request", "raw_reply"})
_NUMBERS = frozenset({"input_tokens", "output_tokens", "cost_usd", "latency_s"})
_PROSE = frozenset({"prompt", "content", "system", "reasoning", "refusal", "error_message", "note"})
_ALL_EXCERPTS_CHARS = 240
"""Room for the texts of one row where columns were chosen: the fewer columns, the longer the excerpts."""
_MOST_CHOSEN = 12
_LONG_CHARS = 30
"""A longer text may wrap."""
_LARGE = 10_000


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
    names = [name for name in frame.columns if name not in _RAW]
    shown = read_first(names, _MAX_OTHERS) or list(SUMMARY)
    rows = len(frame)
    all_columns = f"{plural(len(frame.columns), 'column')}, {len(shown)} shown"
    return DataTable(
        title=f"{plural(rows, 'response')}, {all_columns}" if rows else "No response.",
        heads=("", *map(str, shown)),
        rows=_lines(frame, shown, 45),
        numbers=_NUMBERS,
        short=frozenset({"created_at", "provider", "status"}),
        prose=frozenset({"prompt", "content"}),
        note="df.columns lists all columns; df[[...]] shows those that you name." if rows else "",
    )


def has_all_columns(frame: pd.DataFrame) -> bool:
    """Whether a frame has all columns of the log, wherever they stand: of a batch, the data's are first."""
    return frame.columns.is_unique and read_first(list(frame.columns)) is not None


def is_part(frame: pd.DataFrame) -> bool:
    """Whether a frame is rows of responses with chosen columns, a text among them."""
    from pandas.api.types import is_integer_dtype

    names = list(frame.columns)
    return (
        all(isinstance(name, str) for name in names)
        and len(set(names)) == len(names) <= _MOST_CHOSEN
        and bool(_PROSE.intersection(names))
        # Not what was computed of the rows: its index says what each line is.
        and frame.index.nlevels == 1
        and frame.index.name is None
        and is_integer_dtype(frame.index)
    )


def part_table(frame: pd.DataFrame) -> DataTable:
    """Table of chosen columns, texts at the left; the fewer columns, the longer the excerpts."""
    from pandas.api.types import is_numeric_dtype

    names = [str(name) for name in frame.columns]
    numbers = [name for name in names if is_numeric_dtype(frame[name])]
    prose = _PROSE.intersection(names) | {name for name in names if _is_long(frame[name])}
    return DataTable(
        title=plural(len(frame), "response") if len(frame) else "No response.",
        heads=("", *names),
        rows=_lines(frame, names, max(45, _ALL_EXCERPTS_CHARS // len(prose))),
        numbers=frozenset(numbers),
        short=frozenset(names) - prose - frozenset(numbers) - {"model"},
        prose=prose,
    )


def _is_long(column: pd.Series) -> bool:
    """Whether a column of the user's own, which may have any name, holds texts to be read."""
    from pandas.api.types import is_string_dtype

    return is_string_dtype(column) and bool((column.head(100).str.len() > _LONG_CHARS).any())


def _lines(
    frame: pd.DataFrame, names: Sequence[Any], excerpt_chars: int
) -> list[list[TableCell | str]]:
    """Lines of a frame with the labels of its rows, and a line of dots where some are left out."""
    shown, gap_after = _some_rows(frame)
    lines: list[list[TableCell | str]] = []
    for at, (label, row) in enumerate(zip(shown.index, records(shown), strict=True)):
        if at == gap_after:
            lines.append([TableCell("…", tone="quiet")] * (1 + len(names)))
        why = None if "error_message" in names else row.get("error_message")
        cells = [
            replace(excerpt(why, excerpt_chars), tone="problem")
            if name == "content" and row[name] is None and why is not None
            else _cell(name, row, excerpt_chars)
            for name in names
        ]
        lines.append([TableCell(str(label), tone="quiet"), *cells])
    return lines


def _some_rows(frame: pd.DataFrame) -> tuple[pd.DataFrame, int | None]:
    """Rows to show, as many as pandas would, and before which of them others are left out."""
    import pandas as pd

    most, few = pd.get_option("display.max_rows"), pd.get_option("display.min_rows")
    if not most or len(frame) <= most:
        return frame, None
    half = max(1, min(few or most, most) // 2)
    return pd.concat([frame.iloc[:half], frame.iloc[-half:]]), half


def _cell(name: Any, row: Mapping[str, Any], excerpt_chars: int) -> TableCell | str:
    value = row[name]
    if name in _CELLS and f"{name}{LOG_SUFFIX}" not in row:
        return _CELLS[name](row)
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < _LARGE else f"{value:,.0f}"
    return str(value) if isinstance(value, int) else excerpt(value, excerpt_chars)


_CELLS: Mapping[str, Callable[[Mapping[str, Any]], TableCell | str]] = {
    "status": lambda row: _status(row),
    "input_tokens": lambda row: count(row["input_tokens"]),
    "output_tokens": lambda row: count(row["output_tokens"]),
    "cost_usd": lambda row: _cost(row),
    "latency_s": lambda row: seconds(row["latency_s"]) if row["latency_s"] is not None else "",
}
"""Columns that are shown in a way of their own."""


def _model(row: Mapping[str, Any]) -> str:
    return "/".join(part for part in (row["provider"], row["model"]) if part)


def _tokens(row: Mapping[str, Any]) -> str:
    sides = (("in", row["input_tokens"]), ("out", row["output_tokens"]))
    return ", ".join(f"{count(value)} {side}" for side, value in sides if value is not None)


def _cost(row: Mapping[str, Any]) -> str:
    if row["cost_usd"] is None and is_free(row.get("provider")):
        return "free"
    return dollars(row["cost_usd"])


def _answer(row: Mapping[str, Any]) -> TableCell:
    """Beginning of the answer; of a call that brought none, why."""
    if row["content"] is None and row["error_message"] is not None:
        return replace(excerpt(row["error_message"], 70), tone="problem")
    return excerpt(row["content"], 70)


def _status(row: Mapping[str, Any], words: Mapping[str, str] = MappingProxyType({})) -> TableCell:
    status = str(row["status"] or "")
    shown = words.get(status, status)
    if status == "error":
        hint = str(row.get("error_message") or "")[:_HINT_CHARS]
        return TableCell(shown, tone="problem", hint=hint)
    return TableCell(shown, tone="quiet")
