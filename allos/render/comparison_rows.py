"""Prompts of a comparison that has several: how they are named, and how many a table shows.

Shared by the static table, its plain-text version and the live board.
"""

from __future__ import annotations

from collections.abc import Sequence

from allos.render.comparison_view import ComparisonView, RowView
from allos.render.plain import clean_text, shorten, visible_name

MAX_TABLE_ROWS = 50
"""A static table shows so many prompts; the log, and the live board, have all of them."""
_LABEL_CHARS = 120
_MAX_NAMES = 3


def row_label(row: RowView) -> str:
    """Name of a prompt: the values that were put into its template, else its own text, on one line.

    Examples
    --------
    >>> from allos.render.comparison_view import PromptView
    >>> row_label(RowView(index=0, prompt=PromptView(text="Hello in Thai!"), values={"lang": "Thai"}))
    'Thai'
    """
    text = " · ".join(row.values.values()) if row.values else row.prompt.text or row.prompt.system
    return shorten(" ".join(clean_text(text).split()), _LABEL_CHARS)


def rows_title(rows: Sequence[RowView]) -> str:
    """Name of the column of prompts: the names of the values that were put in, or ``prompt``."""
    given = dict.fromkeys(name for row in rows for name in row.values)
    names = [visible_name(name, "unnamed column") for name in given]
    if not names or len(names) > _MAX_NAMES:
        return "row" if names else "prompt"
    return clean_text(", ".join(names))


def table_rows(view: ComparisonView) -> tuple[tuple[RowView, ...], str]:
    """Prompts that a static table shows, and a line about those that it does not.

    Of several runs, those whose answers differ most come first, as on the live board.
    """
    rows = tuple(sorted(view.rows, key=_by_change))
    left = len(rows) - MAX_TABLE_ROWS
    if left <= 0:
        return rows, ""
    where = (
        f"allos.comparison({view.id!r}) shows all of them." if view.logged else "The log has them."
    )
    return rows[:MAX_TABLE_ROWS], f"{left:,} more rows are not in this table. {where}"


def _by_change(row: RowView) -> float:
    return 1.0 if row.change is None else -row.change
