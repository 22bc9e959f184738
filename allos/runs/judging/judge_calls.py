"""The calls of a judge: started together, stopped together, each a row of the log."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from allos.errors import Interrupted
from allos.ids import new_id
from allos.messages import Message
from allos.response import ProviderResponse
from allos.runs import active_runs
from allos.runs.cell import Cell
from allos.runs.grid import Column, Grid
from allos.runs.judging.logged_verdicts import LoggedVerdicts
from allos.runs.scheduler import Scheduler
from allos.runs.task import Task
from allos.runs.waiting import wait_for
from allos.session import current_session

T = TypeVar("T")


class JudgeCalls:
    """Calls of one model about many things; the context of their rows is that of the caller.

    Parameters
    ----------
    prompts : sequence of tuple of Message
        What it is asked.
    column : Column
        The judge.
    n : int
        Repeats of each.
    logged : LoggedVerdicts
        What it has said before, and is not asked.
    refresh : bool
        Whether it is asked even where an answer is recorded.
    is_streamed : bool
        Whether its answers are streamed.

    Attributes
    ----------
    id : str
        Of this asking; the log does not have it.
    """

    kind = "judge"
    stays_at_service = False

    def __init__(
        self,
        prompts: Sequence[tuple[Message, ...]],
        column: Column,
        *,
        n: int,
        logged: LoggedVerdicts,
        refresh: bool,
        is_streamed: bool,
    ) -> None:
        self.id = f"jdg_{new_id()}"
        self.refresh = refresh
        self.is_streamed = is_streamed
        self._session = current_session()
        self._context = contextvars.copy_context()
        self._lock = threading.Lock()  # guards the count: calls end on several threads
        grid = Grid(prompts, [column], n=n)
        self._column = grid.columns[0]
        keys = logged.keys(prompts, n)
        known = logged.read(keys)
        self._places = [(prompt, sample) for prompt in range(len(prompts)) for sample in range(n)]
        self._known = {
            (prompt, sample): known[keys[prompt][sample]]
            for prompt, sample in self._places
            if keys[prompt][sample] in known
        }
        tasks = [
            grid.task(self._column, prompt=prompt, sample=sample, key=keys[prompt][sample])
            for prompt, sample in self._places
            if (prompt, sample) not in self._known
        ]
        self.cells = [Cell(self, index, self._column, task) for index, task in enumerate(tasks)]
        self._by_key = {cell.task.key: cell for cell in self.cells}
        self._unfinished = len(self.cells)
        self._scheduler = Scheduler(self._submit)

    def run(self) -> None:
        """Start the calls and wait for them.

        Raises
        ------
        Interrupted
            Ctrl-C or the stop button: everything was stopped, what had arrived is kept.
        """
        if not self.cells:
            return
        active_runs.add(self._session, self)
        try:
            self._schedule()
            wait_for(self, self.cells, self._session.on_progress)
        except KeyboardInterrupt:
            self.cancel()
        else:
            return
        for cell in self.cells:
            cell.wait()
        raise Interrupted("Interrupted: the judge was stopped; its verdicts so far are in the log.")

    def answers(self) -> list[tuple[int, int, ProviderResponse]]:
        """Number of the prompt, of the repeat, and the response, in order; also those that the log had."""
        found = dict(self._known)
        for cell in self.cells:
            if cell.response is not None:
                found[cell.task.prompt, cell.sample_index] = cell.response
        return [(*place, found[place]) for place in self._places if place in found]

    @property
    def from_log(self) -> int:
        """Calls that are not made, since the log has their verdicts."""
        return len(self._known)

    def cancel(self) -> None:
        """Stop every call that still runs. Any thread."""
        self._scheduler.cancel()
        for cell in self.cells:
            cell.stop()

    def leave(self) -> None:
        """Stop, at the end of the process."""
        self.cancel()

    # ---- for `active_runs` ----------------------------------------------------------------------

    @property
    def question(self) -> str:
        """That it judges, and by whom."""
        return f"{self._column.name} judges"

    @property
    def answered(self) -> int:
        """Calls that are done."""
        return len(self.cells) - self._unfinished

    @property
    def unanswered(self) -> int:
        """Calls that are not."""
        return self._unfinished

    def wait_for_calls(self, timeout_s: float) -> None:
        """Wait for the responses, each as long as that."""
        for cell in self.cells:
            cell.wait(timeout_s)

    def _schedule(self) -> None:
        service = self._column.name.partition("/")[0]
        self._scheduler.add([(service, (cell.task for cell in self.cells))])

    def _submit(self, task: Task) -> Future[ProviderResponse] | None:  # starter thread
        return self._by_key[task.key]._start()

    # ---- for `Cell` -----------------------------------------------------------------------------

    def in_context(self, work: Callable[..., T], *args: Any) -> T:
        """Call a function in the context that the calls were made in."""
        return self._context.copy().run(work, *args)

    def cell_started(self, *, is_sent: bool) -> None:
        """Nothing to do: nobody looks while it runs."""

    def cell_restarted(self, cell: Cell) -> None:
        """Nothing to do: no call is made twice."""

    def cell_changed(self, cell: Cell) -> None:
        """Nothing to do: nobody looks while it runs."""

    def cell_finished(self, cell: Cell) -> None:
        """Note that a call has its response."""
        with self._lock:
            self._unfinished -= 1
            if not self._unfinished:
                self._session.active_runs.discard(self)
        cell._finished.set()
