"""The calls of a batch: starting, pausing and stopping them, and what becomes of each."""

from __future__ import annotations

import contextvars
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from allos import context, engine
from allos.engine import adaptive_window
from allos.engine.adaptive_window import AdaptiveWindow
from allos.engine.call import Call
from allos.errors import AllosError, BudgetError
from allos.providers import Provider
from allos.providers.pricing import budgets
from allos.response import ProviderResponse
from allos.runs.batching.batch_plan import LONG_PREFIX_CHARS, BatchPlan
from allos.runs.batching.call_states import CallState, CallStates
from allos.runs.batching.calls import BatchOptions, Calls, Ended, Listener
from allos.runs.batching.reused_answers import ReusedAnswers
from allos.runs.batching.shared_budget import SharedBudget
from allos.runs.batching.stopping import Stop, StopRules, not_sent_note
from allos.runs.batching.tool_calls import ToolOptions, ToolRun, functions_of
from allos.runs.grid import Column
from allos.runs.scheduler import Scheduler
from allos.runs.start import split_options, start_task
from allos.runs.task import Task
from allos.session import Session

_NEWEST = 5


class BatchCalls:
    """Makes the calls of a batch.

    Parameters
    ----------
    run_id : str
    plan : BatchPlan
    session : Session
    options : BatchOptions
    kept : iterable of int
        Positions of the calls that are answered already.
    spent_by_session : mapping, optional
        What earlier runs of the batch have cost, for its budget.
    tools : ToolOptions, optional
        How tools are run.
    """

    waits_for_budget = True
    """Whether a call that does not fit into the budget waits for others, which may cost less than feared."""
    executor: Any = None
    is_at_service = False
    """Whether the services go on with it when this process ends."""

    def __init__(
        self,
        run_id: str,
        plan: BatchPlan,
        session: Session,
        options: BatchOptions,
        *,
        kept: Iterable[int] = (),
        spent_by_session: Mapping[str, float] | None = None,
        tools: ToolOptions | None = None,
    ) -> None:
        self.plan = plan
        self._tools = tools or ToolOptions()
        self._runs_tools = [bool(functions_of(column)) for column in plan.grid.columns]
        self.options = options
        self.states = CallStates(plan, kept)
        self.notes: list[str] = []
        """One line for each column or service that takes no more."""
        self.newest: deque[Ended] = deque(maxlen=_NEWEST)
        self.failed: deque[Ended] = deque(maxlen=_NEWEST)
        self._noting = (
            threading.Lock()
        )  # guards: notes, which keep their places, and what they count
        self._refused: Counter[int] = Counter()
        """By column, the calls that did not fit into the budget when it was their turn."""
        self._budget_notes: dict[int, int] = {}
        """By column, the place of its note."""
        self.stop_errors: dict[int, AllosError] = {}
        """By column, why its calls are not sent any more."""
        self.responses: dict[int, ProviderResponse] = {}
        """By position; only those that the log does not have, or not as they came."""
        self.is_paused = self.is_cancelled = False
        self.pause_reason: str | None = None
        self._session = session
        self._services = [service_of(column) for column in plan.grid.columns]
        self._reused = [ReusedAnswers(session)] if options.reuse else []
        self._rules = StopRules()
        self._bound: dict[int, Column] = {}
        self._calls: dict[int, Call | ToolRun] = {}
        self._followers: dict[int, list[int]] = {}
        """By position of a call that warms the service's cache, those that wait for it."""
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()  # guards: _calls, _followers, _listeners and what is stopped
        self.budget: SharedBudget | None = None
        with ExitStack() as block:
            block.enter_context(context.using(run_id=run_id))
            if self.waits_for_budget:
                block.enter_context(budgets.waiting())
            if options.budget_usd is not None:
                self.budget = SharedBudget(
                    session, run_id, options.budget_usd, spent_by_session or {}
                )
                block.enter_context(self.budget.budget)
            self._context = contextvars.copy_context()
        self._scheduler: Scheduler = self._context.copy().run(
            partial(
                Scheduler,
                self._submit,
                max_in_flight=options.concurrency,
                starts_at_once=self._starts_at_once,
                limit_of=None if options.concurrency is not None else self._limit_of,
            )
        )

    # ---- what is asked for (any thread) -----------------------------------------------------------

    def start(self) -> None:
        """Start every call that is not done."""
        self._scheduler.add(
            (service, self._queue(column))
            for column, service in enumerate(self._services)
            if self.states.columns[column].left
        )

    def start_rows(self, rows: Sequence[int]) -> None:
        """Start the calls of some rows that are not done, in this order."""
        samples = range(self.plan.grid.n)

        def positions(column: int) -> Iterator[int]:
            return (self.plan.position(row, column, sample) for row in rows for sample in samples)

        self._scheduler.add(
            (service, self._tasks(positions(column)))
            for column, service in enumerate(self._services)
        )

    def spare(self) -> list[int]:
        """Start nothing more, for good; what has been sent goes on. Positions of what was left out."""
        self._scheduler.cancel()
        spared = self._give_up(lambda column: True, CallState.SPARED)
        self._give_back_budget()
        return spared

    def pause(self) -> None:
        """Start nothing more; what has been sent goes on."""
        self.is_paused = True
        self._scheduler.pause()
        with self.states.changed:
            self.states.changed.notify_all()

    def resume(self) -> None:
        """Go on."""
        self.is_paused = False
        self._scheduler.resume()

    def cancel(self) -> None:
        """Stop every call that has not ended."""
        self.is_cancelled = True
        self.is_paused = False
        self._scheduler.cancel()
        with self._lock:
            self._followers.clear()
            calls = list(self._calls.values())
        self._give_up(lambda column: True, CallState.CANCELLED)
        for call in calls:
            call.cancel()

    def leave(self) -> None:
        """Do what the end of the process asks for."""
        self.cancel()

    @property
    def at_service(self) -> tuple[int, int] | None:
        """Calls that are done at their services, and all that are there; None: there are none."""
        return None

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every call that ends from now on; quickly, on the loop thread."""
        with self._lock:
            self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        """Take back `listen`."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    # ---- order --------------------------------------------------------------------------------------

    def _queue(self, column: int) -> Iterator[Task]:
        """Tasks of a column; of those with a long prefix in common, the first one alone."""
        for group in self.plan.groups():
            positions = (
                self.plan.position(row, column, sample)
                for row in group
                for sample in range(self.plan.grid.n)
            )
            if self.plan.prefix_chars(group) < LONG_PREFIX_CHARS:
                yield from self._tasks(positions)
                continue
            waiting = list(filter(self.states.is_waiting, positions))
            if len(waiting) > 1:
                with self._lock:
                    self._followers[waiting[0]] = waiting[1:]
            yield from self._tasks(waiting[:1])

    def _tasks(self, positions: Iterable[int]) -> Iterator[Task]:
        for position in positions:
            if self.states.is_waiting(position):
                yield self.plan.task(position)

    # ---- starter threads, and the loop thread where nothing waits ------------------------------------

    def _window(self, service: str) -> AdaptiveWindow:
        windows = self._session.windows
        return windows.get(service) or windows.setdefault(service, AdaptiveWindow())

    def _limit_of(self, service: str) -> int:
        return self._window(service).size

    def _starts_at_once(self, service: str) -> bool:
        """Whether the next call of a service may start on this thread: the loop's, if nothing can wait."""
        if not engine.runtime.get().is_loop_thread or any(self._runs_tools) or self._reused:
            return False
        for index, name in enumerate(self._services):
            if name == service:
                column = self._bound.get(index)
                if column is None or not isinstance(column.model, Provider):
                    return False
                if not column.model.starts_at_once:
                    return False
        return True

    def _submit(self, task: Task) -> Future[ProviderResponse] | None:
        position = self.plan.position_of(task)
        if not self.states.start(position):
            return None
        column = self.bound_column(task.column)
        try:
            with adaptive_window.using(self._window(self._services[task.column])):
                call = self._start(task, column)
        except engine.MustWait:
            self.states.put_back([position])
            raise
        self.follow(position, call)
        return call.future

    def _start(self, task: Task, column: Column) -> Call | ToolRun:
        refresh = self.options.refresh
        if not self._runs_tools[task.column]:
            on_loop = engine.runtime.get().is_loop_thread
            return start_task(task, column, refresh=refresh, answers=self._reused, on_loop=on_loop)
        run = ToolRun(task, column, self._tools, self._session, refresh=refresh)
        run.start()
        return run

    def follow(self, position: int, call: Call | ToolRun) -> None:
        """Note what becomes of a call that was started. Any thread but the loop thread."""
        is_kept = not self._session.log.is_logging or self._session.log.redaction is not None
        with self._lock:
            self._calls[position] = call
            is_cancelled = self.is_cancelled
        if is_cancelled:
            call.cancel()
        call.future.add_done_callback(partial(self._arrived, position, is_kept))

    def bound_column(self, index: int) -> Column:
        """Column with its provider, which is made once and not for every call."""
        column = self._bound.get(index)
        if column is None:
            column = self.plan.grid.columns[index]
            if not isinstance(column.model, Provider):
                options, rest = split_options(column.model, column.params)
                try:
                    provider = self._session.provider_for(column.model, **options)
                except (AllosError, ValueError, TypeError):
                    return column  # its call has the error
                column = replace(column, model=provider, params=rest)
            self._bound[index] = column
        return column

    # ---- loop thread ----------------------------------------------------------------------------------

    def _arrived(self, position: int, is_kept: bool, future: Future[ProviderResponse]) -> None:
        try:
            response = future.result()
        except Exception as exc:  # noqa: BLE001 - a fault of our own must not leave a call running
            error = AllosError(f"{type(exc).__name__}: {exc}")
            response = ProviderResponse(metadata={"status": "error"}, error=error)
        column = self.plan.parts(position)[1]
        with self._lock:
            self._calls.pop(position, None)
            followers = self._followers.pop(position, None)
            listeners = list(self._listeners)
            if is_kept:
                self.responses[position] = replace(response, raw=(), body=None, reply=None)
        if not self.is_cancelled:
            stop = self._rules.after(response, column, self._services[column])
            if stop is not None and response.error is not None:
                self._stop(stop, column, response.error)
        (self.failed if response.status == "error" else self.newest).append(
            Ended(position, response)
        )
        if self.options.on_error == "raise" and response.status == "error":
            self.pause()
        self.states.end(position, response)
        for listener in listeners:
            listener(Ended(position, response))
        if followers:
            self._scheduler.add([(self._services[column], self._tasks(followers))])
        self._give_back_budget()

    def _give_back_budget(self) -> None:
        if self.budget is not None and not self.states.left and not self.states.started:
            # Not here: it waits for other processes.
            threading.Thread(target=self.budget.give_back, name="allos-budget", daemon=True).start()

    def _stop(self, stop: Stop, column: int, error: AllosError) -> None:
        """Send no more of a column, or of all columns of its service."""
        service = self._services[column]

        def is_stopped(other: int) -> bool:
            if stop is Stop.COLUMN:
                return other == column
            return self._services[other] == service

        for other in filter(is_stopped, range(len(self._services))):
            self.stop_errors.setdefault(other, error)
        count = len(self._give_up(is_stopped, CallState.NOT_SENT))
        name = self.plan.grid.columns[column].name if stop is Stop.COLUMN else service
        with self._noting:
            if isinstance(error, BudgetError):
                self._note_refusal(column, name)
            elif count:
                self.notes.append(not_sent_note(name, count, error))

    def _note_refusal(self, column: int, name: str) -> None:
        """Say of how many calls a budget has kept a column; several may be refused, one after the other."""
        self._refused[column] += 1
        count = self._refused[column] + self.states.columns[column].not_sent
        note = not_sent_note(name, count, self.stop_errors[column])
        place = self._budget_notes.setdefault(column, len(self.notes))
        self.notes[place : place + 1] = [note]

    def _give_up(self, is_wanted: Callable[[int], bool], state: CallState) -> list[int]:
        positions = self.states.give_up(is_wanted, state)
        self._tell(positions)
        return positions

    def _tell(self, positions: Iterable[int]) -> None:
        """Tell the listeners of calls that are not made."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            for position in positions:
                listener(Ended(position, None))


def service_of(column: Column) -> str:
    """Name of what the calls of a column share: the service, and its host where that is given."""
    name = column.name.partition("/")[0]
    model = column.model
    base_url = model.base_url if isinstance(model, Provider) else column.params.get("base_url")
    return f"{name} at {base_url}" if base_url else name


def facts_without_row(calls: Calls, positions: Iterable[int]) -> dict[int, Mapping[str, Any]]:
    """What is known of calls that have ended and are not in the log."""
    facts: dict[int, Mapping[str, Any]] = {}
    for position in positions:
        _, column, sample = calls.plan.parts(position)
        state = calls.states[position]
        if state not in (CallState.NOT_SENT, CallState.CANCELLED):
            continue
        name = calls.plan.grid.columns[column].name
        known: dict[str, Any] = {
            "provider": name.partition("/")[0],
            "model": name.partition("/")[2],
            "sample_index": sample,
            "task_key": calls.plan.key(position),
            "status": "cancelled" if state == CallState.CANCELLED else "error",
        }
        error = calls.stop_errors.get(column)
        if state == CallState.NOT_SENT and error is not None:
            known["error_type"] = type(error).__name__
            known["error_message"] = f"Not sent: {error}"
        facts[position] = known
    return facts
