"""Rows of facts as a quiet table, in HTML and in text: what the sub-commands of ``%allos`` show.

The alignment stands in the cells themselves, so that the table also reads well where a page strips style
sheets: a notebook that is not trusted keeps the properties, GitHub the attributes `align` and `valign`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal, TypeAlias

from allos.render.links import is_safe_link
from allos.render.plain import clean_text, escaped, shorten, unbroken
from allos.render.style import sheet_of

Tone = Literal["plain", "strong", "quiet", "problem"]

TEXT_WIDTH = 100
"""Characters in a line of the text version."""

_SHORTEST = 12
"""To how many characters a column of the text version may be cut, so that a line fits."""
_SHORTEST_NAME = 40
"""A column of names is cut to no less: what tells two of them apart may stand at their ends."""

_CELL = "text-align:left;vertical-align:top"
_NUMBER = "text-align:right;vertical-align:top;white-space:nowrap"
_SHORT = "text-align:left;vertical-align:top;white-space:nowrap"
_PROSE = "text-align:left;vertical-align:top;min-width:12em"
_PROSE_OF_MANY = "text-align:left;vertical-align:top;min-width:9em"
_NARROW = "padding-right:10px"
_MANY_COLUMNS = 8
_UNWRAPPED_CHARS = 60
"""A longer text wraps in any column, else it would run into the next one."""
_UNWRAPPED_NAME_CHARS = 24


@dataclass(frozen=True, slots=True)
class TableCell:
    """One cell; all of its words may be untrusted."""

    text: str
    tone: Tone = "plain"
    below: str = ""
    """A second, quiet line."""
    hint: str = ""
    """What is shown on hover."""
    url: str = ""
    """Where the text leads, if it is a safe link."""


Row: TypeAlias = Sequence[TableCell | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """A table with a line above it and one below.

    Examples
    --------
    >>> table = DataTable(
    ...     title="2 services",
    ...     heads=("service", "calls"),
    ...     rows=[["groq", "12"], ["local", "3"]],
    ...     numbers=frozenset({"calls"}),
    ... )
    >>> print(table_text(table))
    2 services
    <BLANKLINE>
    service  calls
    groq        12
    local        3
    """

    title: str
    """One line; all that is shown where there are no rows."""
    heads: Sequence[str]
    rows: Sequence[Row]
    numbers: frozenset[str] = frozenset()
    """Heads of the columns that are aligned right."""
    short: frozenset[str] = frozenset()
    """Heads of the columns of a few characters, which are never wrapped."""
    prose: frozenset[str] = frozenset()
    """Heads of the columns of sentences, which are given room."""
    names: frozenset[str] = frozenset()
    """Heads of the columns of names, which are wrapped where a page is too narrow for long ones."""
    note: str = ""
    """A quiet line below the table."""


def table_html(table: DataTable) -> str:
    """HTML of a table. Classes are our own; no script, id or ``data-*``, nothing that loads."""
    parts = [f"<p>{escaped(table.title)}</p>"]
    if table.rows:
        heads = "".join(_cell_html("th", head, head, table) for head in table.heads)
        rows = "".join(
            "<tr>"
            + "".join(
                _cell_html("td", head, cell, table)
                for head, cell in zip(table.heads, row, strict=True)
            )
            + "</tr>\n"
            for row in table.rows
        )
        parts.append(
            f'<div class="allos-wide"><table>\n<thead><tr>{heads}</tr></thead>\n'
            f"<tbody>{rows}</tbody></table></div>"
        )
    if table.note:
        parts.append(f'<p><small class="allos-where">{escaped(table.note)}</small></p>')
    body = f'<div class="allos-md">{"".join(parts)}</div>'
    style = f"<style>{sheet_of(body)}</style>"
    return unbroken(f'<div class="allos-out mathjax_ignore tex2jax_ignore">{style}{body}</div>')


def _cell_html(tag: str, head: str, cell: TableCell | str, table: DataTable) -> str:
    cell = _as_cell(cell)
    text = escaped(cell.text)
    if cell.url and is_safe_link(cell.url):
        url = escaped(cell.url)
        text = f'<a href="{url}" target="_blank" rel="noopener noreferrer">{text}</a>'
    if cell.hint:
        text = f'<span title="{escaped(cell.hint)}">{text}</span>'
    match cell.tone:
        case "strong":
            text = f"<b>{text}</b>"
        case "quiet":
            text = f'<span class="allos-where">{text}</span>'
        case "problem":
            text = f'<span class="allos-x">{text}</span>'
    if cell.below:
        text += f'<br><small class="allos-where">{escaped(cell.below)}</small>'
    side = "right" if head in table.numbers else "left"
    unwrapped = _UNWRAPPED_NAME_CHARS if head in table.names else _UNWRAPPED_CHARS
    wraps = head in table.prose or len(cell.text) > unwrapped
    is_long = wraps and tag == "td" and head not in table.short
    name = ' class="allos-long"' if is_long else ""
    style = _style(tag, head, table)
    return f'<{tag}{name} align="{side}" valign="top" style="{style}">{text}</{tag}>'


def _style(tag: str, head: str, table: DataTable) -> str:
    style = _CELL
    if head in table.numbers:
        style = _NUMBER
    elif head in table.short:
        style = _SHORT
    elif head in table.prose and tag == "td":
        style = _PROSE_OF_MANY if len(table.heads) > _MANY_COLUMNS else _PROSE
    return f"{style};{_NARROW}" if len(table.heads) > _MANY_COLUMNS else style


def _as_cell(cell: TableCell | str) -> TableCell:
    return TableCell(cell) if isinstance(cell, str) else cell


def table_text(table: DataTable) -> str:
    """Text version of a table, safe for a terminal and at most `TEXT_WIDTH` wide if it can be.

    A second line of a cell and what is shown on hover are left out.
    """
    parts = [_one_line(table.title)]
    if table.rows:
        rows = [[_one_line(_as_cell(cell).text) for cell in row] for row in table.rows]
        parts.append("\n".join(_lines([list(table.heads), *rows], table)))
    if table.note:
        parts.append(_one_line(table.note))
    return "\n\n".join(parts)


def _lines(rows: Sequence[Sequence[str]], table: DataTable) -> list[str]:
    heads = rows[0]
    widths = [max(map(len, of_column)) for of_column in zip(*rows, strict=True)]
    shortest = [_SHORTEST_NAME if head in table.names else _SHORTEST for head in heads]
    # The widest columns give way first.
    while sum(widths) + 2 * (len(widths) - 1) > TEXT_WIDTH:
        room = [
            (width, at)
            for at, (width, least) in enumerate(zip(widths, shortest, strict=True))
            if width > least
        ]
        if not room:
            break
        widths[max(room, key=itemgetter(0))[1]] -= 1
    return [
        "  ".join(
            shorten(text, width).rjust(width)
            if head in table.numbers
            else shorten(text, width).ljust(width)
            for head, text, width in zip(heads, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _one_line(text: str) -> str:
    return " ".join(clean_text(text).split())
