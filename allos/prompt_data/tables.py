"""A table as text: its shape, its columns with their types, and as many rows as fit, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from allos.prompt_data.text import CHARS_PER_TOKEN, DataText, count_fitting, plural, value_text

MAX_ROWS = 1000
"""More than any budget allows."""

_CELL_CHARS = (200, 50, 12)
"""A wide table gets shorter cells, so that some rows fit."""
_NAME_CHARS = 50
_MIN_ROWS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of any library."""

    kind: str
    """What the library calls it: ``DataFrame``, ``Table``."""
    names: Sequence[Any]
    """Of the columns; they may repeat."""
    dtypes: Sequence[str]
    row_count: int | None
    """None where it is unknown before all is computed."""
    rows: Callable[[int, int], list[Sequence[Any]]]
    """Return the first rows, given how many rows and columns: labels and values. A missing value is None."""
    label_names: Sequence[Any] = ()
    """Names of the labels of rows."""


def table_text(table: Table, budget_tokens: int) -> DataText:
    """Return schema and first rows of a table within a budget, counted as four characters a token."""
    budget = budget_tokens * CHARS_PER_TOKEN
    columns, rows = len(table.names), table.row_count
    known_rows = "rows not counted" if rows is None else plural(rows, "row")
    left_out: list[str] = []
    lines = [f"{table.kind}, {known_rows}, {plural(columns, 'column')}", "", "Columns:"]
    dtypes = [
        f"- {shorten(str(name), _NAME_CHARS)}: {dtype}"
        for name, dtype in zip(table.names, table.dtypes, strict=True)
    ]
    shown = max(min(1, columns), count_fitting(dtypes, budget // 2))
    lines += dtypes[:shown]
    if shown < columns:
        left_out.append(f"{shown:,} of {columns:,} columns sent")
        lines.append(f"- and {columns - shown:,} more, left out here and below")
    head = table.rows(MAX_ROWS + 1, shown) if rows != 0 else []
    if rows is None and len(head) <= MAX_ROWS:
        rows = len(head)
    if not head:
        return DataText("\n".join(lines), tuple(left_out))

    left = budget - sum(len(line) + 1 for line in lines)
    names = [*table.label_names, *table.names[:shown]]
    cells = [[_cell_text(value) for value in row] for row in head[:MAX_ROWS]]
    for limit in _CELL_CHARS:
        header, *csv_lines = [_csv_line(row, limit) for row in (map(str, names), *cells)]
        sent = count_fitting(csv_lines, left - len(header))
        if sent >= min(len(head), _MIN_ROWS):
            break
    sent = max(1, sent)
    if sent == rows:
        lines += ["", "All rows:"]
    else:
        of_all = "" if rows is None else f" of {rows:,}"
        lines += ["", f"First {sent:,}{of_all} rows:"]
        left_out.append(f"{sent:,}{of_all} rows sent" if of_all else f"first {sent:,} rows sent")
    lines += [header, *csv_lines[:sent]]
    sent_cells = (cell for row in cells[:sent] for cell in row)
    if any(len(cell) > limit for cell in (*sent_cells, *map(str, names))):
        left_out.append(f"texts cut to {limit} characters")
    return DataText("\n".join(lines), tuple(left_out))


def shorten(text: str, limit: int) -> str:
    """Cut a text to a number of characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _cell_text(value: Any) -> str:
    """Return a cell's complete text: arrays and lists in cells print shortened."""
    if value is None:
        return ""
    for method in ("to_pylist", "to_numpy"):  # a table or a column within a cell
        if hasattr(value, "__len__") and hasattr(value, method):
            value = getattr(value, method)()
    if hasattr(value, "tolist") and getattr(value, "ndim", None):
        import numpy as np

        array = np.asarray(value)
        # More values than any cell may show, so that a longer one is seen to be cut.
        value = (array.reshape(-1)[: 2 * _CELL_CHARS[0]] if array.size > 1000 else array).tolist()
    return value_text(value) if isinstance(value, list | tuple | dict) else str(value)


def _csv_line(cells: Any, limit: int) -> str:
    buffer = StringIO()
    # With this terminator the writer quotes texts that hold either kind of line end.
    csv.writer(buffer, lineterminator="\r\n").writerow([shorten(cell, limit) for cell in cells])
    return buffer.getvalue().removesuffix("\r\n")
