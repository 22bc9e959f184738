"""Values converted to the types of the log's columns, for rows that nobody has checked."""

from __future__ import annotations

from typing import Any

from allos.log.blocks import INT64_LIMIT
from allos.log.columns import STORED
from allos.log.json_text import to_json_text


def clean_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Row with every value converted to its column's type, for the rare row that SQLite rejects."""
    return tuple(
        clean_value(value, column.sql_type) for value, column in zip(row, STORED, strict=True)
    )


def clean_value(value: Any, sql_type: str) -> Any:
    """Value converted to a column type; None when it cannot be."""
    if value is None:
        return None
    if sql_type == "TEXT":
        text = value if isinstance(value, str) else to_json_text(value)
        if text.isascii():
            return text
        # Joins surrogate pairs that were escaped one by one; a lone surrogate becomes U+FFFD.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    try:
        number = float(value) if sql_type == "REAL" else int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if isinstance(number, int) and not -INT64_LIMIT <= number < INT64_LIMIT else number
