"""A batch under way or done: its frame, waiting for it, and what can be done with it."""

from __future__ import annotations

import queue
import sys
from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from allos.errors import BatchPausedError, ConfigurationError, Interrupted, LogError
from allos.render.batch_table import BatchRowView, BatchView, state_text
from allos.runs import active_runs
from allos.runs.batching.batch_calls import BatchCalls
from allos.runs.batching.batch_counts import ColumnCounts
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.batch_record import note_decided
from allos.runs.batching.batch_results import BatchResults, BatchRow
from allos.runs.batching.batch_view import batch_view, row_view
from allos.runs.batching.call_states import CallState
from allos.runs.batching.calls import BatchOptions, Calls, Ended, Listener
from allos.runs.batching.rare_collections import RareCollections
from allos.session import Session

if TYPE_CHECKING:
    import pandas as pd


@runtime_checkable
class Pace(Protocol):
    """Decides which rows of a batch are asked, and when to stop."""

    def begin(self, batch: Batch) -> None:
        """Start the first rows; returns at once."""

    def leave(self) -> None:
        """Decide no more."""

    def is_same(self, other: Pace) -> bool:
        """Whether the other one would decide the same."""


_TICK_S = 0.2
"""How often a waiting thread looks whether the batch was paused, and draws its progress."""


class Batch:
    """A batch under way or done; made by `batch`, `resume` and `evaluate`.

    It can be awaited, and iterated: a loop gets each `BatchRow` when it is there. In a notebook it
    shows its progress when a cell displays it.

    Attributes
    ----------
    id : str
        The log's `run_id`; ``bat_`` and what follows from the data and the prompt, unless it was given.
    plan : BatchPlan
        Which calls it makes.
    """

    kind = "batch"

    def __init__(
        self, run_id: str, calls: Calls, session: Session, pace: Pace | None = None
    ) -> None:
        self.id = run_id
        self.pace = pace
        """What decides which rows are asked, and when to stop; None: all are."""
        self.plan: BatchPlan = calls.plan
        self._calls = calls
        self._session = session
        self._results = BatchResults(run_id, calls, session)
        self._is_logged = session.log.is_logging
        self._noted = 0
        self._rare_collections = RareCollections()

    # ---- state ------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.plan)

    @property
    def done(self) -> bool:
        """Whether every call has ended."""
        return not self._calls.states.left

    @property
    def is_paused(self) -> bool:
        """Whether it was paused."""
        return self._calls.is_paused

    @property
    def state(self) -> str:
        """``"running"``, ``"waiting"`` (for a service's batch API), ``"paused"``, ``"done"`` or ``"cancelled"``."""
        if self._calls.is_cancelled:
            return "cancelled"
        if self.done:
            return "done"
        if self.is_paused:
            return "paused"
        return "running" if self.at_service is None else "waiting"

    @property
    def at_service(self) -> tuple[int, int] | None:
        """Calls that the batch APIs of services have done, and all that are there; None: there are none."""
        return self._calls.at_service

    @property
    def stays_at_service(self) -> bool:
        """Whether the services go on with it when the process ends."""
        return self._calls.is_at_service

    @property
    def counts(self) -> Sequence[ColumnCounts]:
        """Calls, errors, tokens, cost and speed of each model with each set of parameters."""
        return tuple(self._calls.states.columns)

    @property
    def notes(self) -> Sequence[str]:
        """One line for each model or service that takes no more calls."""
        return tuple(self._calls.notes)

    @property
    def cost_usd(self) -> float:
        """Cost of the calls of this run, as far as it is known, in US dollars."""
        return sum(each.cost_usd for each in self.counts)

    @property
    def question(self) -> str:
        """The prompt, before the rows' values are put in."""
        return next(
            (m.text or "" for m in reversed(self.plan.grid.prompts[0]) if m.role == "user"), ""
        )

    @property
    def answered(self) -> int:
        """Calls that have ended, or were spared."""
        return len(self) - self.unanswered

    @property
    def spared(self) -> int:
        """Calls that were left out, since what was to be known is known."""
        return sum(each.spared for each in self.counts)

    @property
    def unanswered(self) -> int:
        """Calls that have not."""
        return self._calls.states.left

    # ---- results ----------------------------------------------------------------------------------

    @property
    def frame(self) -> pd.DataFrame:
        """One row per call: the index and columns of the data, then those of the log. Waits.

        A column of the log that the data has as well ends in ``_log``. With a schema its fields are
        columns, of their types.
        """
        self.wait()
        return self.partial

    @property
    def partial(self) -> pd.DataFrame:
        """The frame so far: the calls that have ended."""
        return self.frame_of(self.positions())

    def positions(self) -> list[int]:
        """Numbers of the calls that have ended, as `plan` has them: those of the rows of `partial`."""
        return self._calls.states.ended()

    def frame_of(self, positions: Sequence[int]) -> pd.DataFrame:
        """Frame of some calls that have ended."""
        return self._results.frame(positions)

    def wide(self, values: str | Sequence[str] = "content") -> pd.DataFrame:
        """One row per row of the data, with a column for each model, set of parameters and sample.

        Parameters
        ----------
        values : str or sequence of str
            Columns of `frame` to spread.
        """
        self.wait()
        return self._results.wide(self._calls.states.ended(), values)

    def __iter__(self) -> Iterator[BatchRow]:
        arrived: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        self._calls.listen(arrived.put)
        try:
            seen = set(self._calls.states.ended())
            yield from self._results.rows(sorted(seen))
            while len(seen) < len(self) - self.spared:
                try:
                    ended = arrived.get(timeout=_TICK_S)
                except queue.Empty:
                    self._raise_if_paused()
                    continue
                is_spared = self._calls.states[ended.position] == CallState.SPARED
                if ended.position not in seen and not is_spared:
                    seen.add(ended.position)
                    yield self._results.row(ended)
        finally:
            self._calls.unlisten(arrived.put)

    async def __aiter__(self) -> AsyncIterator[BatchRow]:
        import asyncio

        rows = iter(self)
        while (row := await asyncio.to_thread(next, rows, None)) is not None:
            yield row

    # ---- waiting ------------------------------------------------------------------------------------

    def wait(self, timeout_s: float | None = None, *, progress: bool | None = None) -> Self:
        """Wait until every call has ended and is in the log.

        Parameters
        ----------
        timeout_s : float or None
            Longest wait in seconds.
        progress : bool or None
            Whether to show a progress bar. None: in a terminal.

        Raises
        ------
        TimeoutError
            Some calls have not ended; they go on.
        Interrupted
            Ctrl-C or the stop button: the batch is paused, what has been sent goes on.
        BatchPausedError
            It is paused, so that there is nothing to wait for.
        ProviderError
            With ``on_error="raise"``, the first error.
        """
        from allos.runs.batching.progress_bar import ProgressBar

        deadline = None if timeout_s is None else monotonic() + timeout_s
        states = self._calls.states
        try:
            with ProgressBar(self, shown=progress) as bar:
                while True:
                    with states.changed:
                        if states.left and not self.is_paused:
                            states.changed.wait(_wait_s(deadline, bar.tick_s))
                    bar.update()
                    if not states.left:
                        break
                    self._raise_if_paused()
                    if deadline is not None and monotonic() >= deadline:
                        raise TimeoutError(
                            f"{states.left:,} of {len(self):,} answers have not arrived yet"
                        )
            self._session.log.flush()
        except KeyboardInterrupt:
            stopped = self.interrupted()
        else:
            self._say_notes()
            self._raise_first_error()
            return self
        raise stopped

    def _raise_if_paused(self) -> None:
        if not self.is_paused:
            return
        self._rare_collections.end()
        self._raise_first_error()
        raise BatchPausedError(
            f"The batch {self.id} is paused with {self._calls_left()}: "
            f"resume() goes on, partial is the frame so far.{_because(self._calls.pause_reason)}"
        )

    def _raise_first_error(self) -> None:
        if self._calls.options.on_error != "raise":
            return
        for ended in list(self._calls.failed):
            if ended.response is not None and ended.response.error is not None:
                raise ended.response.error.with_traceback(None)

    def _say_notes(self) -> None:
        """Write what was not sent, once."""
        notes, self._noted = self._calls.notes[self._noted :], len(self._calls.notes)
        for note in notes:
            sys.stderr.write(f"allos: {note}\n")

    def interrupted(self) -> Interrupted:
        """Pause, and return the error that says so."""
        self.pause()
        return Interrupted(
            f"Interrupted: the batch is paused with {self._calls_left()}. "
            "resume() goes on, and so does running it again."
        )

    def _calls_left(self) -> str:
        """How many calls are left; those that were sent before a pause go on and end later."""
        states = self._calls.states
        with states.changed:
            left, started = states.left, states.started
        text = f"{left:,} of {len(self):,} calls left"
        return f"{text}, {started:,} of them under way" if started else text

    def __await__(self) -> Generator[Any, None, Self]:
        return self._wait_on_loop().__await__()

    async def _wait_on_loop(self) -> Self:
        import asyncio

        return await asyncio.to_thread(self.wait)

    def wait_for_calls(self, timeout_s: float) -> None:
        """Wait until what has been sent has ended, as long as that."""
        states = self._calls.states
        with states.changed:
            states.changed.wait_for(lambda: not states.started, timeout_s)
        if self._calls.budget is not None:
            self._calls.budget.give_back()

    # ---- control ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start; returns at once. For `batch`."""
        if not self.done:
            active_runs.add(self._session, self)
            self._rare_collections.begin()
            self._calls.listen(self._forget_when_done)
        if self.pace is not None:
            self.pace.begin(self)
        elif not self.done:
            self._calls.start()

    def change_pace(self, pace: Pace | None) -> None:
        """Let another decide which rows are asked, or none: then all are."""
        if self.pace is not None:
            if pace is not None and self.pace.is_same(pace):
                return
            self.pace.leave()
            self._calls.states.restore_spared()
            if pace is None:
                self._calls.start()
        self.pace = pace
        if pace is not None:
            pace.begin(self)

    def start_rows(self, rows: Sequence[int]) -> None:
        """Start the calls of some rows that are not done. For `pace`."""
        self._steered().start_rows(rows)

    def spare(self) -> list[int]:
        """Start nothing more, for good; returns the numbers of the calls that were left out. For `pace`."""
        spared = self._steered().spare()
        store = self._session.log.store
        if spared and store is not None:
            with suppress(LogError):  # then it counts as stopped
                note_decided(store, self.id, len(self))
        return spared

    def _steered(self) -> BatchCalls:
        """The calls, of which a pace says which are made: those of this process."""
        assert isinstance(self._calls, BatchCalls)
        return self._calls

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every call that ends from now on; quickly, on the loop thread."""
        self._calls.listen(listener)

    def unlisten(self, listener: Listener) -> None:
        """Take back `listen`."""
        self._calls.unlisten(listener)

    def _forget_when_done(self, ended: Ended) -> None:
        if self.done:
            self._session.active_runs.discard(self)
            self._rare_collections.end()

    def pause(self) -> None:
        """Start nothing more; what has been sent goes on, and is kept."""
        self._calls.pause()
        self._rare_collections.end()

    def resume(self) -> Self:
        """Go on after `pause`."""
        if not self.done:
            self._rare_collections.begin()
        self._calls.resume()
        return self

    def cancel(self) -> None:
        """Stop everything; what has arrived is kept, and running it again asks the rest."""
        self._calls.cancel()
        self._session.active_runs.discard(self)
        self._rare_collections.end()

    def leave(self) -> None:
        """Stop what only this process can do, at its end."""
        self._calls.leave()

    def is_same(self, run_id: str, plan: BatchPlan) -> bool:
        """Whether this batch, not cancelled, makes the same calls under the same id."""
        mine = self.plan
        return (
            self.id == run_id
            and self.state != "cancelled"
            and mine.grid.n == plan.grid.n
            and mine.column_keys == plan.column_keys
            and mine.row_keys == plan.row_keys
        )

    # ---- running it again ---------------------------------------------------------------------------

    @property
    def options(self) -> BatchOptions:
        """How its calls are made."""
        return self._calls.options

    @property
    def is_stuck(self) -> bool:
        """Whether it has paused by itself, since its executor does nothing more."""
        return self.is_paused and self._calls.pause_reason is not None

    def goes_on_with(self, options: BatchOptions, executor: Any, pace: Pace | None) -> bool:
        """Whether running the same batch again goes on with this one; False: it is paused, and can be replaced.

        Raises
        ------
        ConfigurationError
            It is under way in another way.
        """
        other = self._made_otherwise(options, executor)
        if other is not None:
            if self.is_paused and self._is_logged and not self._calls.states.started:
                return False
            raise ConfigurationError(
                f"The batch {self.id} is under way {other}: wait for it, or call cancel() on it first. "
                "Nothing was sent."
            )
        is_steered = isinstance(self._calls, BatchCalls) and not self.stays_at_service
        if pace is not None and not is_steered:
            raise ConfigurationError(
                f"The batch {self.id} is under way, and every row of it is asked: wait for it, or leave out "
                "until=. Nothing was sent."
            )
        return True

    def _made_otherwise(self, options: BatchOptions, executor: Any) -> str | None:
        """How it is made, where that is not what is asked for now."""
        if options.mode != self.options.mode:
            return f'with mode="{self.options.mode}"'
        if options.budget_usd != self.options.budget_usd:
            budget = self.options.budget_usd
            return "without budget_usd=" if budget is None else f"with budget_usd={budget:g}"
        mine = self._calls.executor
        if executor is None:
            return "with an executor=" if self.is_stuck and self._is_logged else None
        if mine is None:
            return "without executor="
        return None if mine is executor else "with another executor="

    # ---- what is shown ------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.done and not self._calls.states.started

    def wait_for_change(self, timeout_s: float) -> None:
        """Wait as long as that, or until the batch has ended or is paused."""
        with self._calls.states.changed:
            if not self.is_over:
                self._calls.states.changed.wait(timeout_s)

    def view(self) -> BatchView:
        """What a table of the batch shows at this moment."""
        return batch_view(
            id=self.id,
            state=self.state,
            at_service=self.at_service,
            counts=self.counts,
            newest=self._views(self._calls.newest),
            failed=self._views(self._calls.failed),
            notes=self.notes,
            logged=self._is_logged,
        )

    def _views(self, ended: Iterable[Ended]) -> list[BatchRowView]:
        rows = map(self._results.row, reversed(list(ended)))
        return [row_view(row.index, row.model, row.response) for row in rows]

    def to_html(self) -> str:
        """Return its tables as static, sanitised HTML, as far as it has come."""
        from allos.render.batch_table import batch_html

        return batch_html(self.view())

    def __str__(self) -> str:
        from allos.render.batch_table import batch_text

        return batch_text(self.view())

    def __repr__(self) -> str:
        names = ", ".join(dict.fromkeys(column.name for column in self.plan.grid.columns))
        failed = sum(each.failed + each.not_sent for each in self.counts)
        errors = f", {failed:,} failed" if failed else ""
        state = state_text(self.state, self.at_service)
        word = "done" if self.at_service is None else "answered"
        answered = f"{self.answered:,} of {len(self):,} {word}"
        return f"Batch({self.id!r}, {names}; {state}, {answered}{errors})"


def _because(reason: str | None) -> str:
    return f" {reason}" if reason else ""


def _wait_s(deadline: float | None, tick_s: float) -> float:
    return tick_s if deadline is None else max(0.0, min(tick_s, deadline - monotonic()))
