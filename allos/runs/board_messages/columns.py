"""Columns, and what can be arranged as columns, as the page of a board gets them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from allos.render.arrangement import Arrangement
from allos.render.comparison_columns import (
    column_heading,
    column_labels,
    column_tints,
    differing_params,
    key_letter,
)
from allos.render.comparison_variables import variables
from allos.render.comparison_view import ColumnView, ComparisonView
from allos.render.plain import clean_text

View = dict[str, Any]
"""JSON values only."""


def column_key(column: ColumnView) -> str:
    """Name of a column in messages; what is hidden of one arrangement is not hidden of another.

    Examples
    --------
    >>> column_key(ColumnView(index=1, name="groq/a"))
    '1'
    >>> column_key(ColumnView(index=1, name="", values={"language": "Thai"}))
    '1-a6afbe30'
    """
    if not column.values:
        return str(column.index)
    values = repr(sorted(column.values.items())).encode("utf-8", "surrogatepass")
    return f"{column.index}-{crc32(values):x}"


def describe_columns(columns: Sequence[ColumnView]) -> list[View]:
    """What a page shows of each column, apart from its `numbers`."""
    described = []
    tints, labels = column_tints(columns), column_labels(columns)
    for column, tint, apart, words in zip(
        columns, tints, differing_params(columns), labels, strict=True
    ):
        model, service = map(clean_text, column_heading(column))
        is_arranged = not column.name and bool(column.values or column.tint)
        described.append(
            {
                "key": column_key(column),
                "letter": key_letter(column.index),
                "provider": clean_text(", ".join(words))
                if is_arranged
                else service or "unknown service",
                "model": model,
                "params": ""
                if is_arranged
                else clean_text(", ".join([*apart, *column.values.values()])),
                "run": clean_text(column.run),
                "slot": tint.slot,
                "shade": tint.shade,
            }
        )
    return described


def columns_title(columns: Sequence[ColumnView]) -> str:
    """Names of the variables that the columns stand for; ``model`` where each is one."""
    if any(column.name for column in columns):
        return "model"
    names = dict.fromkeys(name for each in columns for name in each.values)
    return clean_text(", ".join(names)) or "column"


def varying_names(layout: ComparisonView) -> list[str]:
    """Variables that tell calls apart, for the page to choose from."""
    found = variables(layout)
    # A name that a page cannot be shown as it is could not be sent back either.
    return [name for name, values in found.items() if len(values) > 1 and name == clean_text(name)]


def arranged_by(arrangement: Arrangement | None) -> View:
    """Variables of the rows, the columns and the colours; rows and columns are null where they are as asked."""
    chosen = arrangement or Arrangement()
    return {
        "rows": None if chosen.rows is None else [*map(clean_text, chosen.rows)],
        "columns": None if chosen.columns is None else [*map(clean_text, chosen.columns)],
        "colour": clean_text(chosen.colour),
    }
