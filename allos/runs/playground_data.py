"""The data of a playground: its columns, some of its rows, and both as code."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from allos.runs.data import data_rows
from allos.runs.playground_code import is_literal, value_source


def is_table(data: Any) -> bool:
    """Whether it is a frame, of pandas or polars."""
    return hasattr(data, "columns") and hasattr(data, "head")


def kind_of(data: Any) -> str:
    """``"frame"`` (pandas), ``"polars"`` or ``"list"``."""
    if hasattr(data, "to_dicts"):
        return "polars"
    return "frame" if is_table(data) else "list"


def columns_of(data: Any) -> list[str] | None:
    """Names that every row has; None without data."""
    if data is None:
        return None
    if is_table(data):
        return list(map(str, data.columns))
    rows = data_rows(data) or []
    return [name for name in rows[0] if all(name in row for row in rows)]


def take(data: Any, which: str, count: int) -> Any:
    """Some rows; `rows_source` writes the same as code."""
    kind = kind_of(data)
    match which, kind:
        case "all", _:
            return data
        case "first", "list":
            return data[:count]
        case "first", _:
            return data.head(count)
        case "sample", "frame":
            return data.sample(count, random_state=0)
        case "sample", "polars":
            return data.sample(count, seed=0)
        case "sample", _:
            return random.Random(0).sample(data, count)
        case _, "frame":
            return data.iloc[[count - 1]]
        case _:
            return data[count - 1 : count]


def rows_source(name: str, which: str, count: int, *, kind: str) -> str:
    """Expression for some rows of a variable; `kind` is ``"frame"`` (pandas), ``"polars"`` or ``"list"``.

    Examples
    --------
    >>> rows_source("tickets", "sample", 3, kind="frame")
    'tickets.sample(3, random_state=0)'
    """
    first = {"list": f"{name}[:{count}]"}.get(kind, f"{name}.head({count})")
    sample = {
        "frame": f"{name}.sample({count}, random_state=0)",
        "polars": f"{name}.sample({count}, seed=0)",
    }.get(kind, f"random.Random(0).sample({name}, {count})")
    row = {
        "frame": f"{name}.iloc[[{count - 1}]]",
        "polars": f"{name}[{count - 1}:{count}]",
    }.get(kind, f"[{name}[{count - 1}]]")
    return {"all": name, "first": first, "sample": sample, "row": row}[which]


def literal_rows(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str | None:
    """Rows written out, with the columns that are used; None where a value has no literal.

    Examples
    --------
    >>> literal_rows([{"a": 1, "b": object()}], ["a"])
    '[\\n        {"a": 1},\\n    ]'
    """
    lines = []
    for row in rows:
        values = {name: _plain(row[name]) for name in names}
        if not is_literal(values):
            return None
        lines.append(f"        {value_source(values)},")
    return "\n".join(["[", *lines, "    ]"])


def _plain(value: Any) -> Any:
    """A number of NumPy as Python's own."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) == () else value


def name_of(data: Any) -> str | None:
    """Variable of the caller that holds the data; None where it has no name."""
    if data is None:
        return None
    frame = sys._getframe(2)  # the caller of `playground`, which has called this
    for names in (frame.f_locals, frame.f_globals):
        for name, value in list(names.items()):
            if value is data and name.isidentifier() and not name.startswith("_"):
                return name
    return None
