"""How much Markdown is formatted: text beyond a limit would take long to parse, or to draw."""

from __future__ import annotations

from copy import copy
from typing import Self

MAX_CHARS = 100_000
"""About 15,000 words; the longest answer that is formatted."""
MAX_BRACKETS = 5_000
MAX_LINKS = 1_000
MAX_TABLE_CELLS = 10_000
MAX_FORMULAS = 1_000
MAX_BLOCK_LEVELS = 20
MAX_INLINE_LEVELS = 60


class LimitExceededError(Exception):
    """The text is beyond a limit; the message says which."""


class Size:
    """What makes a text slow to parse, added up block by block."""

    def __init__(self) -> None:
        self._chars = self._brackets = self._links = self._cells = 0

    def copy(self) -> Self:
        """Return a size to try with."""
        return copy(self)

    def add(self, text: str) -> None:
        """Count a text that will be parsed.

        Raises
        ------
        LimitExceededError
            It is too much.
        """
        self._chars += len(text)
        if self._chars > MAX_CHARS:
            raise LimitExceededError(f"longer than {MAX_CHARS:,} characters")
        self._brackets += text.count("[")
        if self._brackets > MAX_BRACKETS:
            raise LimitExceededError(f"more than {MAX_BRACKETS:,} brackets")
        self._links += max(text.count("](") + text.count("]["), text.count("://"))
        if self._links > MAX_LINKS:
            raise LimitExceededError(f"more than {MAX_LINKS:,} links")
        self._cells += _table_cells(text) if "|" in text else 0
        if self._cells > MAX_TABLE_CELLS:
            raise LimitExceededError(f"tables of more than {MAX_TABLE_CELLS:,} cells")


def _table_cells(text: str) -> int:
    """Upper bound of the cells of all tables: the parser pads short rows to full width."""
    cells = columns = 0
    for line in text.split("\n"):
        if "-" in line and "|" in line and not line.strip(" \t|:->"):
            columns = line.count("|") + 1
        elif not line.strip(" \t>"):
            columns = 0
        cells += columns
    return cells
