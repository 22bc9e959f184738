"""``df.allos.show()``: a frame to sort, filter and page through."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import pandas as pd

from allos.errors import ConfigurationError, did_you_mean
from allos.log.columns import FRAME_NAMES, SUMMARY
from allos.runs.batching.batch_frame import LOG_SUFFIX
from allos.runs.column_names import column_names

MOST_ROWS = 10_000
"""Rows that a page gets; the frame may have any number."""
_OWN_COLUMNS = 12
"""Of the user's own columns beside those of the log."""
_OF_DATA = frozenset({"created_at", "prompt", "input_tokens"})
"""Left out where the data, which the prompts are made of, stands beside the answers."""


def read_first(names: Sequence[Hashable], most_own: int = _OWN_COLUMNS) -> list[Hashable] | None:
    """Columns that people read first of a frame with all columns of the log; None for other frames.

    Parameters
    ----------
    names : sequence
        Names of the frame's columns, of the log or of a batch.
    most_own : int
        How many columns of the data, and how many that were added, such as scores.

    Examples
    --------
    >>> read_first([*FRAME_NAMES, "score"])[-3:]
    ['cost_usd', 'latency_s', 'score']
    >>> read_first(["ticket", *FRAME_NAMES])[:4]
    ['ticket', 'provider', 'model', 'content']
    """
    known = set(names)
    renamed = {n: f"{n}{LOG_SUFFIX}" if f"{n}{LOG_SUFFIX}" in known else n for n in FRAME_NAMES}
    of_log = set(renamed.values())
    if not of_log <= known:
        return None
    start = names.index(renamed["created_at"])
    data = [name for name in names[:start] if name not in of_log]
    added = [name for name in names[start:] if name not in of_log]
    chosen = [renamed[name] for name in SUMMARY if not (data and name in _OF_DATA)]
    return [*data[:most_own], *chosen, *added[:most_own]]


def _chosen(frame: pd.DataFrame, names: Sequence[Hashable]) -> list[Hashable]:
    """Columns of a frame that are shown by default; why calls failed, where some did."""
    found = read_first(names)
    if found is None:
        return list(names)
    status, message = (
        f"{name}{LOG_SUFFIX}" if f"{name}{LOG_SUFFIX}" in names else name
        for name in ("status", "error_message")
    )
    if status in found and frame[message].iloc[:MOST_ROWS].notna().any():
        found.insert(found.index(status) + 1, message)
    return found


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
        chosen = column_names(columns) if columns is not None else _chosen(frame, names)
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
