"""A comparison under way or done: its results, waiting for them, and what can be done with it."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any, Self, TypeVar

from allos import context, engine
from allos.errors import Interrupted
from allos.ids import new_id
from allos.messages import Message
from allos.providers import Provider
from allos.render.blind import blind_view
from allos.render.comparison_view import (
    ColumnView,
    ComparisonView,
    PromptView,
    RowView,
    shared_prompt,
)
from allos.response import ProviderResponse
from allos.runs import active_runs
from allos.runs.arrangeable import Arrangeable
from allos.runs.cell import Cell
from allos.runs.change_log import ChangeLog
from allos.runs.exportable import Exportable
from allos.runs.grid import Column, Grid
from allos.runs.scheduler import Scheduler
from allos.runs.task import Task
from allos.runs.votable import Votable
from allos.secret import seal_secrets
from allos.session import current_session

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


class Comparison(Arrangeable, Exportable, Votable):
    """A comparison under way or done; made by `compare`.

    In a notebook it shows the live board when a cell displays it. It can be awaited.

    Attributes
    ----------
    id : str
        ``cmp_`` and a ULID; the log's `comparison_id`.
    messages : tuple of Message
        What every model was asked; with several prompts the first.
    columns : tuple of Column
        Each model with each set of parameters.
    cells : list of Cell
        Column by column, repeats in order.
    n : int
        Repeats of every column.
    refresh : bool
        Whether every model is asked even where its answer is recorded.
    """

    is_streamed = True
    can_run = True
    """Whether its calls can be stopped and made again."""

    def __init__(self, grid: Grid, *, refresh: bool = False) -> None:
        self.id = f"cmp_{new_id()}"
        self.refresh = refresh
        self.cells: list[Cell] = []
        self._grid = grid
        self._by_key: dict[str, Cell] = {}
        self._cells_of: list[list[Cell]] = []
        self._watchers: list[Callable[[], None]] = []
        self._changes: ChangeLog[Cell] = ChangeLog()
        # Guards the grid and the counts: calls start and end on several threads.
        self._lock = threading.Lock()
        self._unfinished = self._unstarted = 0
        self._answers_version = 0
        self._was_sent = False
        self._replay_is_known = threading.Event()
        self._session = current_session()
        self._is_logged = context.current().logged and not self._session.log.is_paused
        with context.using(comparison_id=self.id):
            self._context = contextvars.copy_context()
        self._scheduler = self.in_context(Scheduler, self._submit)
        for column in grid.columns:
            self._add_cells(column)

    @property
    def grid(self) -> Grid:
        """Its calls, before they are made."""
        return self._grid

    @property
    def messages(self) -> tuple[Message, ...]:
        """What every model was asked; with several prompts the first, as a template."""
        return self._grid.prompts[0]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Each model with each set of parameters."""
        return self._grid.columns

    @property
    def n(self) -> int:
        """Repeats of every column."""
        return self._grid.n

    kind = "comparison"
    stays_at_service = False

    @property
    def question(self) -> str:
        """What every model was asked, as text."""
        return PromptView.of(self.messages).text

    @property
    def answered(self) -> int:
        """Cells that have their response."""
        return len(self.cells) - self._unfinished

    @property
    def unanswered(self) -> int:
        """Cells that have none yet."""
        return self._unfinished

    def wait_for_calls(self, timeout_s: float) -> None:
        """Wait for the responses, each as long as that."""
        for cell in list(self.cells):
            cell.wait(timeout_s)

    # ---- results ----------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether every cell has its response."""
        return not self._unfinished

    @property
    def responses(self) -> list[ProviderResponse]:
        """One response for each cell, in order, failed and stopped ones included. Waits for them."""
        self.wait()
        return [cell.response for cell in self.cells if cell.response is not None]

    @property
    def frame(self) -> pd.DataFrame:
        """The responses as a DataFrame: one row each, the log's columns. Waits for them."""
        from allos.log.frame import frame_of

        return frame_of(self.responses)

    def wait(self, timeout_s: float | None = None) -> Self:
        """Wait until every cell has its response.

        Parameters
        ----------
        timeout_s : float or None
            Longest wait in seconds.

        Raises
        ------
        TimeoutError
            Some cells are not done; they go on.
        Interrupted
            Ctrl-C or the stop button: everything was stopped, what had arrived is kept.
        """
        deadline = None if timeout_s is None else monotonic() + timeout_s
        try:
            for cell in list(self.cells):
                left_s = None if deadline is None else max(0.0, deadline - monotonic())
                if not cell.wait(left_s):
                    left = sum(not cell.done for cell in self.cells)
                    raise TimeoutError(f"{left} of {len(self.cells)} answers have not arrived yet")
        except KeyboardInterrupt:
            stopped = self.interrupted()
        else:
            return self
        raise stopped

    def from_replay(self) -> bool:
        """Wait until it is known whether no call is sent to a service; True when none is.

        Then every answer is there. Without a replay file that may answer it is False at once.

        Raises
        ------
        Interrupted
            As `wait`.
        """
        if not engine.can_answer_offline():
            return False
        try:
            self._replay_is_known.wait()
        except KeyboardInterrupt:
            stopped = self.interrupted()
        else:
            return not self._was_sent and self.wait() is self
        raise stopped

    def interrupted(self) -> Interrupted:
        """Stop everything, and return the error that says so."""
        self.cancel()
        return Interrupted("Interrupted: the comparison was stopped; what had arrived is kept.")

    def __await__(self) -> Generator[Any, None, Self]:
        return self._wait_on_loop().__await__()

    async def _wait_on_loop(self) -> Self:
        import asyncio

        loop = asyncio.get_running_loop()
        finished = asyncio.Event()

        def wake() -> None:  # loop thread of allos
            if self.done and not loop.is_closed():
                loop.call_soon_threadsafe(finished.set)

        self.watch(wake)
        try:
            wake()
            await finished.wait()
        finally:
            self.unwatch(wake)
        return self

    # ---- control ----------------------------------------------------------------------------

    def start(self) -> None:
        """Start every cell; returns at once. For `compare`."""
        active_runs.add(self._session, self)
        self._schedule(*self._cells_of)

    def cancel(self) -> None:
        """Stop every cell that still runs; what has arrived is kept. Any thread."""
        self._scheduler.cancel()
        for cell in list(self.cells):
            cell.stop()

    def leave(self) -> None:
        """Stop, at the end of the process."""
        self.cancel()

    def add(self, model: str | Provider, **params: Any) -> Column:
        """Ask one more model; a new column at the end. Any thread."""
        seal_secrets(params)
        with self._lock:
            self._grid = self._grid.with_column(model, params)
            column = self._grid.columns[-1]
            self._add_cells(column)
        active_runs.add(self._session, self)
        self._schedule(self._cells_of[column.index])
        return column

    def retry(self, *, failed: bool = False) -> None:
        """Ask again, every model or only where it `failed`; the earlier rows stay. Any thread."""
        for cell in list(self.cells):
            if not failed or cell.state == "error":
                cell.retry()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` whenever something has changed; on the loop thread, so it must be quick."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[], None]) -> None:
        """Take back `watch`."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)

    # ---- what has changed, for the board and the table ------------------------------------------

    @property
    def answers_version(self) -> int:
        """Grows whenever a response arrives, and whenever one is given up for a new one."""
        return self._answers_version

    def cells_of(self, column: int) -> list[Cell]:
        """Cells of a column, by its index."""
        return self._cells_of[column]

    def changed_since(self, version: int) -> tuple[int, list[Cell]]:
        """Cells that have changed since a version, in order, and the version of now; from 0."""
        version, cells = self._changes.since(version)
        return version, sorted(cells, key=lambda cell: cell.index)

    def view(self) -> ComparisonView:
        """What a table draws of the comparison, as far as it has come; without names while it is blind."""
        return blind_view(self.named_view()) if self.is_blind else self.arranged_view()

    def named_view(self) -> ComparisonView:
        """The view with its names, also while it is blind."""
        # Before the columns: a column is there before its cells.
        cells = tuple(cell.view() for cell in list(self.cells))
        return replace(self.layout(), cells=cells)

    def layout(self) -> ComparisonView:
        """The view without its cells; costs nothing where there are thousands."""
        from allos import log

        return ComparisonView(
            id=self.id,
            prompt=self._prompt,
            columns=tuple(
                ColumnView(index=column.index, name=column.name, params=column.params)
                for column in self.columns
            ),
            cells=(),
            rows=self._rows,
            n=self.n,
            logged=self._is_logged and log.is_open(),
        )

    @cached_property
    def _prompt(self) -> PromptView:
        if self._grid.inputs == 1:
            return PromptView.of(next(self._grid.filled())[2])
        return shared_prompt([PromptView.of(prompt) for prompt in self._grid.prompts])

    @cached_property
    def _rows(self) -> tuple[RowView, ...]:
        """The prompts, where there are several; a new column asks the same."""
        if self._grid.inputs == 1:
            return ()
        return tuple(
            RowView(index=index, prompt=PromptView.of(messages), values=values)
            for index, (_, _, messages, values) in enumerate(self._grid.filled())
        )

    def __str__(self) -> str:
        from allos.render.comparison_text import comparison_text

        return comparison_text(self.view())

    def __repr__(self) -> str:
        names = ", ".join(dict.fromkeys(column.name for column in self.columns))
        if self.is_blind:
            names = "blind"
        total = len(self.cells)
        return f"Comparison({names}; {total - self._unfinished} of {total} done)"

    # ---- inside -------------------------------------------------------------------------------

    def _add_cells(self, column: Column) -> None:
        cells: list[Cell] = []
        for at, task in enumerate(self._grid.tasks_of(column)):
            cell = Cell(self, len(self.cells) + len(cells), column, task, row=at // self._grid.n)
            self._by_key[task.key] = cell
            self._changes.add(cell)
            cells.append(cell)
        self._voting = None
        self._unfinished += len(cells)
        self._unstarted += len(cells)
        self._cells_of.append(cells)
        self.cells += cells

    def _schedule(self, *queues: Sequence[Cell]) -> None:
        """Start cells; each sequence is of one column."""
        self._scheduler.add(
            (cells[0].column.name.partition("/")[0], (cell.task for cell in cells))
            for cells in queues
        )

    def in_context(self, work: Callable[..., T], *args: Any) -> T:
        """Run something as the comparison does: in its session, and for its rows of the log."""
        return self._context.copy().run(work, *args)

    def _submit(self, task: Task) -> Future[ProviderResponse] | None:  # starter thread
        return self._by_key[task.key]._start()

    def cell_restarted(self, cell: Cell) -> None:
        """Start a cell that is asked again. For `Cell`."""
        with self._lock:
            self._unfinished += 1
            self._unstarted += 1
            self._answers_version += 1
            self._voting = None  # its pairs are of the answers before
        active_runs.add(self._session, self)
        self.cell_changed(cell)
        self._schedule([cell])

    def cell_started(self, *, is_sent: bool) -> None:
        """Note that a call has started, and whether a service is asked. For `Cell`."""
        with self._lock:
            self._unstarted -= 1
            self._was_sent |= is_sent
            is_known = self._was_sent or not self._unstarted
        if is_known:
            self._replay_is_known.set()

    def cell_finished(self, cell: Cell) -> None:
        """Note that a cell has its response. For `Cell`."""
        with self._lock:
            self._unfinished -= 1
            self._answers_version += 1
            if not self._unfinished:
                self._session.active_runs.discard(self)
        cell._finished.set()
        self.cell_changed(cell)

    def _looks_different(self) -> None:
        with self._lock:
            self._answers_version += 1
        self._tell_watchers()

    def cell_changed(self, cell: Cell) -> None:
        """Note that a cell looks different. For `Cell`."""
        self._changes.add(cell)
        self._tell_watchers()

    def _tell_watchers(self) -> None:
        for watcher in list(self._watchers):
            watcher()
