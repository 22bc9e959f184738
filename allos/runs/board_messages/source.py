"""What a board needs of the comparison that it shows: a running one and a finished one have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from allos.errors import Interrupted
from allos.render.arrangement import Arrangement, Names
from allos.render.comparison_view import ComparisonView
from allos.runs.cell import CellSnapshot
from allos.runs.voting import Voting


class BoardColumn(Protocol):
    """One model with one set of parameters."""

    @property
    def index(self) -> int:
        """Its position, from 0."""

    @property
    def name(self) -> str:
        """``provider/model``."""


class BoardCell(Protocol):
    """One call."""

    @property
    def index(self) -> int:
        """Its place among the cells."""

    @property
    def column(self) -> BoardColumn:
        """The model that is asked."""

    @property
    def row(self) -> int:
        """Which of the prompts it asks, from 0."""

    @property
    def sample_index(self) -> int:
        """Which repeat it is, from 0."""

    rating: int | None
    """A person's rating of the answer, where the log has one."""

    def snapshot(self) -> CellSnapshot:
        """One look at its state. Any thread."""


class BoardSource(Protocol):
    """What a board shows: `Comparison`, or `FinishedComparison`."""

    @property
    def id(self) -> str:
        """Id of the comparison."""

    @property
    def done(self) -> bool:
        """Whether every cell has its response."""

    @property
    def can_run(self) -> bool:
        """Whether its calls can be stopped and made again."""

    @property
    def is_blind(self) -> bool:
        """Whether it does not show which model gave which answer."""

    @property
    def answers_version(self) -> int:
        """Grows whenever a response arrives."""

    @property
    def columns(self) -> Sequence[BoardColumn]:
        """Each model with each set of parameters."""

    @property
    def cells(self) -> Sequence[BoardCell]:
        """All calls."""

    @property
    def arrangement(self) -> Arrangement | None:
        """How it is arranged; None as it was asked."""

    def arrange(
        self, *, rows: Names = None, columns: Names = None, colour: str | None = None
    ) -> Any:
        """Show other variables as rows, columns and colours."""

    def view(self) -> ComparisonView:
        """Everything that a table draws, as it is arranged."""

    def arranged_view(self) -> ComparisonView:
        """The view with its names, as it is arranged."""

    def named_view(self) -> ComparisonView:
        """The view with its names, also while it is blind, as it was asked."""

    def layout(self) -> ComparisonView:
        """The view without its cells, as it was asked."""

    def changed_since(self, version: int) -> tuple[int, Sequence[BoardCell]]:
        """Version of now, and the cells that have changed since a version; from 0."""

    @property
    def rubric(self) -> tuple[str, ...]:
        """Questions beside which answer is better."""

    def blind_again(self) -> Any:
        """Hide which model gave which answer, with the questions of the last time."""

    def reveal(self) -> Any:
        """Show it again."""

    def voting(self) -> Voting:
        """Votes on its answers, once all calls have ended."""

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` whenever something has changed."""

    def unwatch(self, watcher: Callable[[], None]) -> None:
        """Take back `watch`."""

    def wait(self, timeout_s: float | None = None) -> Any:
        """Wait until every cell has its response."""

    def interrupted(self) -> Interrupted:
        """Stop everything, and return the error that says so."""
