"""A comparison that has ended, from a view alone: what a board of logged rows draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self

from allos.errors import Interrupted
from allos.render.blind import blind_view
from allos.render.comparison_table import comparison_html
from allos.render.comparison_text import comparison_text
from allos.render.comparison_view import CellView, ColumnView, ComparisonView
from allos.runs.arrangeable import Arrangeable
from allos.runs.cell import CellSnapshot
from allos.runs.exportable import Exportable
from allos.runs.votable import Votable


class FinishedCell:
    """One call that has ended; it looks to a board like a `Cell`."""

    def __init__(self, index: int, column: ColumnView, view: CellView) -> None:
        self.index = index
        self.row = view.row
        self.column = column
        self.sample_index = view.sample_index
        self.rating = view.rating
        self._view = view

    def snapshot(self) -> CellSnapshot:
        """Its state, which does not change."""
        return CellSnapshot(
            run=0,
            state=self._view.state,
            pieces=[],
            reasoning_chars=0,
            attempt=None,
            started=None,
            first=None,
            response=self._view.response,
        )


class FinishedComparison(Arrangeable, Exportable, Votable):
    """A comparison of which nothing runs; in a notebook it shows its board.

    Parameters
    ----------
    view : ComparisonView
    """

    done = True
    can_run = False
    """Whether its calls can be stopped and made again."""

    def __init__(self, view: ComparisonView) -> None:
        self.id = view.id
        self.answers_version = 0
        self._watchers: list[Callable[[], None]] = []
        self._view = view
        by_index = {column.index: column for column in view.columns}
        self.cells = [
            FinishedCell(index, by_index[cell.column], cell)
            for index, cell in enumerate(view.cells)
        ]
        self._cells_of: dict[int, list[FinishedCell]] = {index: [] for index in by_index}
        for cell in self.cells:
            self._cells_of[cell.column.index].append(cell)

    @property
    def columns(self) -> Sequence[ColumnView]:
        """Each model with each set of parameters."""
        return self._view.columns

    def view(self) -> ComparisonView:
        """Everything that its table shows; without names while it is blind."""
        return blind_view(self._view) if self.is_blind else self.arranged_view()

    def named_view(self) -> ComparisonView:
        """The view with its names, also while it is blind."""
        return self._view

    def layout(self) -> ComparisonView:
        """The view without its cells."""
        return replace(self._view, cells=())

    def cells_of(self, column: int) -> Sequence[FinishedCell]:
        """Cells of a column, by its index."""
        return self._cells_of[column]

    def changed_since(self, version: int) -> tuple[int, Sequence[FinishedCell]]:
        """All cells to who has seen none, nothing to others."""
        return 1, [] if version else self.cells

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` when it is shown in another way: answers never change."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[], None]) -> None:
        """Take back `watch`."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)

    def _looks_different(self) -> None:
        self.answers_version += 1
        for watcher in list(self._watchers):
            watcher()

    def wait(self, timeout_s: float | None = None) -> Self:
        """Return at once."""
        return self

    def interrupted(self) -> Interrupted:
        """Return the error that says that a cell was interrupted; nothing ran."""
        return Interrupted("Interrupted.")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": comparison_html(self.view()), "text/plain": str(self)}

    def __str__(self) -> str:
        return comparison_text(self.view())
