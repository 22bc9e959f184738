"""One call of a comparison: its state, which the board and the static table read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from functools import partial
from time import monotonic, perf_counter
from typing import Any, NamedTuple, Protocol, TypeVar

from allos.engine.call import Call
from allos.errors import AllosError
from allos.events import Event, Queued, ReasoningDelta, Retrying, TextDelta
from allos.render.comparison_view import CellView, State
from allos.response import ProviderResponse
from allos.runs.grid import Column
from allos.runs.start import cancel_task, start_task
from allos.runs.task import Task

_T = TypeVar("_T")

_TICK_S = 0.2
"""How often a waiting thread wakes: an interrupt that comes in the moment before it blocks would not wake it."""


class CellOwner(Protocol):
    """What a cell needs of the run that it belongs to."""

    @property
    def refresh(self) -> bool:
        """Whether the model is asked even where an answer is recorded."""

    @property
    def is_streamed(self) -> bool:
        """Whether answers are streamed; else they come whole."""

    def in_context(self, work: Callable[..., _T], *args: Any) -> _T:
        """Call a function in the context that the run was made in."""

    def cell_started(self, *, is_sent: bool) -> None:
        """Note that a cell's call has started, and whether a service is asked."""

    def cell_restarted(self, cell: Cell) -> None:
        """Start a cell that is asked again."""

    def cell_changed(self, cell: Cell) -> None:
        """Note that a cell looks different."""

    def cell_finished(self, cell: Cell) -> None:
        """Note that a cell has its response."""


class CellSnapshot(NamedTuple):
    """A cell at one moment; the fields are those of `Cell`."""

    run: int
    state: State
    pieces: list[str]
    reasoning_chars: int
    attempt: Mapping[str, Any] | None
    started: float | None
    first: float | None
    response: ProviderResponse | None


class Cell:
    """One call of a comparison, made by it.

    Attributes
    ----------
    index : int
        Its place among the cells.
    row : int
        Which of the prompts it asks, from 0.
    column : Column
    task : Task
    run : int
        How often it was asked again; what was seen of an earlier run is void.
    state : str
        ``queued`` (not sent, or held back by limits), ``running``, ``waiting`` (for its next
        attempt), then ``ok``, ``error`` or ``cancelled``.
    pieces : list of str
        The text so far, as it arrived. Only ever appended to, so a reader needs no lock; each run
        has a list of its own.
    reasoning_chars : int
        How much reasoning has arrived.
    attempt : mapping or None
        The failed attempt that will be repeated: `message`, `attempt`, `max_attempts`, `wait_s`, and
        `until`, the `time.monotonic` of the next one.
    started : float or None
        `time.perf_counter` when the attempt was sent, or will be; None until that is known.
    first : float or None
        `time.perf_counter` of the first text or reasoning.
    response : ProviderResponse or None
        Once the call has ended.
    rating : int or None
        A person's rating of the response, as far as it was given here.
    """

    def __init__(
        self, owner: CellOwner, index: int, column: Column, task: Task, *, row: int = 0
    ) -> None:
        self._owner = owner
        self.index = index
        self.row = row
        self.column = column
        self.task = task
        self.run = -1
        self._finished = threading.Event()
        # Guards the state: a starter, the loop and a person who stops the call all move it.
        self._lock = threading.Lock()
        self._begin_run()

    def _begin_run(self) -> None:
        self.run += 1
        self.state: State = "queued"
        self.pieces: list[str] = []
        self.reasoning_chars = 0
        self.attempt: Mapping[str, Any] | None = None
        self.started: float | None = None
        self.first: float | None = None
        self.response: ProviderResponse | None = None
        self.rating: int | None = None
        self._call: Call | None = None
        self._claimed = self._stopped = self._is_held = False
        self._finished.clear()

    @property
    def sample_index(self) -> int:
        """Which repeat of its column this is, from 0."""
        return self.task.sample

    @property
    def text(self) -> str:
        """The text so far."""
        return self.response.content if self.response is not None else "".join(self.pieces)

    @property
    def done(self) -> bool:
        """Whether its response is there."""
        return self._finished.is_set()

    def snapshot(self) -> CellSnapshot:
        """One look at a cell that others change meanwhile. Any thread."""
        with self._lock:
            return CellSnapshot(*(getattr(self, name) for name in CellSnapshot._fields))

    def view(self) -> CellView:
        """What a table or a board draws of the cell at this moment. Any thread."""
        now = self.snapshot()
        return CellView(
            column=self.column.index,
            row=self.row,
            sample_index=self.sample_index,
            state=now.state,
            text="".join(now.pieces) if now.response is None else now.response.content,
            attempt=now.attempt,
            response=now.response,
        )

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the response; False when it is not there in time."""
        deadline = None if timeout_s is None else monotonic() + timeout_s
        while True:
            left_s = _TICK_S if deadline is None else max(0.0, deadline - monotonic())
            if self._finished.wait(min(left_s, _TICK_S)):
                return True
            if left_s <= 0:
                return False

    def stop(self) -> None:
        """Stop the call; what has arrived is kept, and logged. Any thread."""
        with self._lock:
            if self._stopped or self.done:
                return
            self._stopped = True
            call, was_claimed, self._claimed = self._call, self._claimed, True
        if call is not None:
            call.cancel()
        elif not was_claimed:  # no starter has it yet, and none will
            self._follow(self._owner.in_context(cancel_task, self.task, self.column))

    def retry(self) -> None:
        """Ask again; the row of the earlier answer stays. Any thread; nothing while it runs."""
        with self._lock:
            if not self.done:
                return
            self._begin_run()
        self._owner.cell_restarted(self)

    def _start(self) -> Future[ProviderResponse] | None:  # starter thread
        with self._lock:
            if self._claimed:
                return None
            self._claimed, run = True, self.run
        call = start_task(
            self.task,
            self.column,
            refresh=self._owner.refresh,
            on_events=partial(self._receive, run) if self._owner.is_streamed else None,
        )
        with self._lock:
            self._call, stopped = call, self._stopped
            if self.state == "queued" and not self._is_held:  # else its events came before
                self.state = "running"
                self.started = self.started or perf_counter()
        if stopped:
            call.cancel()
        self._follow(call)
        self._owner.cell_changed(self)
        return call.future

    def _follow(self, call: Call) -> None:
        self._owner.cell_started(is_sent=call.is_sent)
        call.future.add_done_callback(self._arrived)

    def _receive(self, run: int, events: Sequence[Event]) -> None:  # loop thread
        with self._lock:
            if run != self.run:
                return
            for event in events:
                self._apply(event)
        self._owner.cell_changed(self)

    def _apply(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self.pieces.append(text)
                self._see_output()
            case ReasoningDelta(text):
                self.reasoning_chars += len(text)
                self._see_output()
            case Retrying():
                self.attempt = {**asdict(event), "until": monotonic() + event.wait_s}
                self.state, self.started = "waiting", perf_counter() + event.wait_s
            case Queued():
                self._is_held, self.attempt = event.is_waiting, None
                self.state = "queued" if self._is_held else "running"
                self.started = None if self._is_held else perf_counter()

    def _see_output(self) -> None:
        self.first = self.first or perf_counter()
        if self.state == "waiting":
            self.state, self.attempt = "running", None

    # ---- its end --------------------------------------------------------------------------------

    def _arrived(self, future: Future[ProviderResponse]) -> None:  # loop thread
        try:
            response = future.result()
        except Exception as exc:  # noqa: BLE001 - a fault of our own must not leave a cell running
            error = AllosError(f"{type(exc).__name__}: {exc}")
            response = ProviderResponse(metadata={"status": "error"}, error=error)
        self._finish(response)

    def _finish(self, response: ProviderResponse) -> None:
        with self._lock:
            self.response = response
            self.attempt = None
            self.state = response.status
        # Counted before a waiter wakes up and looks whether all are done.
        self._owner.cell_finished(self)
