"""What a ``{{ value }}`` of a cell becomes: text, an image, or the first rows of a table.

pandas and the plotting libraries are recognised by name and never imported here.
"""

from __future__ import annotations

import builtins
import csv
import json
from io import StringIO
from typing import Any

from allos import template
from allos.errors import ConfigurationError, did_you_mean
from allos.parts import File, Image, Part, as_part
from allos.tools.tool import as_tool

BUDGET_TOKENS = 1000
"""About how many tokens a table may use."""

_CHARS_PER_TOKEN = 4
_CELL_CHARS = (200, 50, 12)  # a wide table gets shorter cells, so that some rows fit
_MIN_ROWS = 3
_MAX_ROWS = 1000  # more than any budget allows


class Values:
    """Converts values into parts of a prompt, and notes what was left out.

    Examples
    --------
    >>> Values().convert("x", 1.5)
    '1.5'
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        """One note for each value that was shortened."""

    def convert(self, source: str, value: Any) -> Part:
        """Text, image or file for a value.

        Parameters
        ----------
        source : str
            The expression, for the notes.
        value : object
            An image or file stays one; an object with ``_repr_llm_()`` is replaced by what that
            returns; a DataFrame becomes its columns and as many rows as the budget allows; anything
            else is ``str(value)``.
        """
        repr_llm = getattr(type(value), "_repr_llm_", None)
        if callable(repr_llm):
            value = repr_llm(value)
        part = as_part(value)
        if part is not None:
            return part
        kind = _pandas_kind(value)
        if kind is None:
            return str(value)
        text, left_out = table_text(value.to_frame() if kind == "Series" else value)
        if left_out:
            self.notes.append(f"{source}: {', '.join(left_out)}")
        return text


def image_of(name: str, namespace: dict[str, Any]) -> Image | File:
    """Image or file in a variable, for ``--image NAME``.

    Raises
    ------
    ConfigurationError
        No such variable, or it holds neither an image nor a file.
    """
    if not name.isidentifier():
        raise ConfigurationError(
            f'--image must be a variable name, or a path in quotes: --image "{name}". '
            "Nothing was sent."
        )
    part = as_part(_variable("--image", name, namespace))
    if part is None or isinstance(part, str):
        kind = type(namespace[name]).__name__
        raise ConfigurationError(
            f"--image: {name!r} is a {kind}, not an image or a figure. "
            "A file is allos.Image(path=...). Nothing was sent."
        )
    return part


def schema_of(text: str, namespace: dict[str, Any]) -> Any:
    """Type or JSON schema for ``--schema``: a name, an expression such as ``list[City]``, or JSON.

    Raises
    ------
    ConfigurationError
        No such variable, or invalid JSON.
    TemplateError
        The expression fails.
    """
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError as exc:
            raise ConfigurationError(
                f"--schema is not valid JSON ({exc}). Nothing was sent."
            ) from None
    if not text.isidentifier():
        found, _ = template.fill(f"{{{{{text}}}}}", namespace, lambda source, value: value)
        return found[0] if found else text
    if text not in namespace and isinstance(builtin := getattr(builtins, text, None), type):
        return builtin
    return _variable("--schema", text, namespace)


def tool_of(name: str, namespace: dict[str, Any]) -> Any:
    """Function for ``--tools``.

    Raises
    ------
    ConfigurationError
        No such variable, or it is not callable by a model.
    """
    function = _variable("--tools", name, namespace)
    as_tool(function)
    return function


def _variable(flag: str, name: str, namespace: dict[str, Any]) -> Any:
    if name in namespace:
        return namespace[name]
    hint = "" if name.isidentifier() else " It must be a variable name."
    raise ConfigurationError(
        f"{flag}: {name!r} is not defined.{did_you_mean(name, namespace)}{hint} Nothing was sent."
    )


def _pandas_kind(value: object) -> str | None:
    for base in type(value).__mro__:
        if base.__module__.partition(".")[0] == "pandas" and base.__name__ in (
            "DataFrame",
            "Series",
        ):
            return base.__name__
    return None


def table_text(frame: Any, budget_tokens: int = BUDGET_TOKENS) -> tuple[str, list[str]]:
    """Schema and first rows of a DataFrame within a budget.

    Parameters
    ----------
    frame : pandas.DataFrame
    budget_tokens : int
        Counted as four characters each.

    Returns
    -------
    text : str
        Shape, each column with its dtype, rows as CSV; says what was cut.
    left_out : list of str
        Such as ``"5 of 48,210 rows sent"``; empty when nothing was cut.
    """
    budget = budget_tokens * _CHARS_PER_TOKEN
    rows, columns = frame.shape
    left_out: list[str] = []
    lines = [f"DataFrame, {_plural(rows, 'row')}, {_plural(columns, 'column')}", "", "Columns:"]
    # By position, since column names may repeat.
    dtypes = [
        f"- {_cell(name, 50)}: {dtype}"
        for name, dtype in zip(frame.columns, frame.dtypes, strict=True)
    ]
    shown = _count_fitting(dtypes, budget // 2)
    lines += dtypes[:shown]
    if shown < columns:
        left_out.append(f"{shown:,} of {columns:,} columns sent")
        lines.append(f"- and {columns - shown:,} more, left out here and below")
        frame = frame.iloc[:, :shown]
    if not rows:
        return "\n".join(lines), left_out

    left = budget - sum(len(line) + 1 for line in lines)
    for limit in _CELL_CHARS:
        head, cut = _csv(frame.head(_MAX_ROWS), limit)
        sent = _count_fitting(head[1:], left - len(head[0]))
        if sent >= min(rows, _MIN_ROWS):
            break
    sent = max(1, sent)
    lines += ["", f"First {sent:,} of {rows:,} rows:" if sent < rows else "All rows:"]
    lines += head[: sent + 1]
    if sent < rows:
        left_out.append(f"{sent:,} of {rows:,} rows sent")
    if any(cut[:sent]):
        left_out.append(f"texts cut to {limit} characters")
    return "\n".join(lines), left_out


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _count_fitting(lines: list[str], budget: int) -> int:
    """How many of the lines fit into a budget of characters."""
    for count, line in enumerate(lines):
        budget -= len(line) + 1
        if budget < 0:
            return count
    return len(lines)


def _csv(head: Any, limit: int) -> tuple[list[str], list[bool]]:
    """CSV lines of a few rows, the header first; and for each row whether a cell was cut."""
    # A RangeIndex holds no information.
    with_index = type(head.index).__name__ != "RangeIndex"
    names = ["" if name is None else name for name in head.index.names] if with_index else []
    lines = [_csv_line([_cell(name, limit) for name in (*names, *head.columns)])]
    cut: list[bool] = []
    known = head.notna().to_numpy()
    for at, row in enumerate(head.itertuples(index=False, name=None)):
        label = head.index[at] if with_index else ()
        labels = label if isinstance(label, tuple) else (label,)
        values = [value if is_known else "" for value, is_known in zip(row, known[at], strict=True)]
        cells = [str(value) for value in (*labels, *values)]
        cut.append(any(len(cell) > limit for cell in cells))
        lines.append(_csv_line([_cell(cell, limit) for cell in cells]))
    return lines, cut


def _cell(value: object, limit: int) -> str:
    text = str(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _csv_line(cells: list[str]) -> str:
    buffer = StringIO()
    # With this terminator the writer quotes texts that hold either kind of line end.
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue().removesuffix("\r\n")
