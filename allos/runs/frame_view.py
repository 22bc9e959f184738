"""``df.allos.show()``: a frame to sort, filter and page through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from allos.errors import ConfigurationError, did_you_mean
from allos.log.columns import FRAME_NAMES, SUMMARY
from allos.runs.column_names import column_names

MOST_ROWS = 10_000
"""Rows that a page gets; the frame may have any number."""
_OWN_COLUMNS = 12
"""Of the user's own columns beside those of the log."""


class FrameView:
    """A frame as a notebook shows it: sortable, filterable, in pages.

    Parameters
    ----------
    frame : pandas.DataFrame
    columns : sequence, optional
        Which columns, in this order.

    Raises
    ------
    ConfigurationError
        The frame has no such column, or a column twice.
    """

    def __init__(self, frame: pd.DataFrame, columns: Sequence[Any] | None = None) -> None:
        names = list(frame.columns)
        if columns is None:
            chosen = names
            if tuple(names[: len(FRAME_NAMES)]) == FRAME_NAMES:
                chosen = [*SUMMARY, *names[len(FRAME_NAMES) :][:_OWN_COLUMNS]]
        else:
            chosen = column_names(columns)
        for name in chosen:
            if name not in names:
                known = [str(each) for each in names]
                raise ConfigurationError(
                    f"show() has no column {name!r} to show.{did_you_mean(str(name), known)}"
                )
            if names.count(name) > 1:
                raise ConfigurationError(f"show(): the frame has more than one column {name!r}.")
        self._frame = frame
        self.shown = frame.iloc[:MOST_ROWS][chosen]
        """The rows and columns that are shown."""
        self.selected: frozenset[int] = frozenset()
        """Positions of the selected rows."""

    @property
    def note(self) -> str:
        """What is not shown, in one line; empty where everything is."""
        parts = []
        if len(self.shown) < len(self._frame):
            parts.append(f"the first {len(self.shown):,} of {len(self._frame):,} rows")
        if len(self.shown.columns) < len(self._frame.columns):
            parts.append(f"{len(self.shown.columns)} of {len(self._frame.columns)} columns")
        return ", ".join(parts)

    @property
    def rows(self) -> pd.DataFrame:
        """Selected rows, with all columns; no rows where none is selected."""
        return self._frame.iloc[sorted(row for row in self.selected if 0 <= row < len(self.shown))]

    def __repr__(self) -> str:
        return f"{self.shown!r}\n{self.note}".rstrip()
