"""The calls of a batch, made by the workers of an executor: part by part, with what comes back."""

from __future__ import annotations

import contextvars
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from allos.errors import AllosError, LogError
from allos.response import ProviderResponse
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.call_states import CallState, CallStates
from allos.runs.batching.calls import BatchOptions, Ended, Listener
from allos.runs.batching.shared_budget import SharedBudget
from allos.runs.executors import stop_marks
from allos.runs.executors.answer_files import AnswerFiles
from allos.runs.executors.answers_back import FLUSH_S, answers_in_log, take_files
from allos.runs.executors.partition import (
    Partition,
    PartitionResult,
    partition_of,
    request_of,
    without_done,
)
from allos.runs.executors.pool import Pool, reason_of
from allos.runs.executors.worker import run_partition
from allos.session import Session
from allos.tools.schemas import as_schema

_NEWEST = 5
_MAX_CALLS = 500
"""Most calls of a partition."""
_PARTS_PER_SLOT = 4
"""At least so many partitions for each that runs at the same time, so that all end together."""
_AHEAD = 2
"""So many partitions are handed over for each that runs, so that no worker waits for the next one."""
_MAX_FAILURES = 3
"""A partition that failed so often is not handed over again by itself."""

_Done = tuple[Sequence[int], "Future[PartitionResult]"]


class ExecutorCalls:
    """Makes the calls of a batch in other processes; see `allos.runs.batching.calls.Calls`.

    Workers log every answer themselves, so that a worker which dies loses nothing that was answered: who
    takes over its partition finds the answers in the log.

    Parameters
    ----------
    run_id, plan, session, options, kept, spent_by_session
        As in `BatchCalls`.
    pool : Pool
        Who makes the calls.
    files : AnswerFiles, optional
        Where workers write what they have, if they do not share the log.
    """

    is_at_service = False
    at_service = None

    def __init__(
        self,
        run_id: str,
        plan: BatchPlan,
        session: Session,
        options: BatchOptions,
        pool: Pool,
        *,
        kept: Iterable[int] = (),
        spent_by_session: Mapping[str, float] | None = None,
        files: AnswerFiles | None = None,
    ) -> None:
        self.plan = plan
        self.options = options
        self.states = CallStates(plan, kept)
        self.notes: list[str] = []
        self.newest: deque[Ended] = deque(maxlen=_NEWEST)
        self.failed: deque[Ended] = deque(maxlen=_NEWEST)
        self.stop_errors: dict[int, AllosError] = {}
        self.responses: dict[int, ProviderResponse] = {}
        self.is_paused = self.is_cancelled = False
        self.pause_reason: str | None = None
        self.budget: SharedBudget | None = None  # each worker takes its parts
        self._pool = pool
        self.executor: Any = pool.given
        self._session = session
        share = options.concurrency and max(1, options.concurrency // pool.slots)
        self._request = request_of(
            run_id,
            plan,
            replace(options, concurrency=share),
            session,
            spent_by_session=spent_by_session or {},
            since=time.time_ns() // 1000 if options.refresh else None,
            processes=pool.processes,
            files=files,
        )
        self._files = files
        self._is_logged = files is not None or self._request.log.address is not None
        self._schemas = [as_schema(column.params.get("schema")) for column in plan.grid.columns]
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()  # guards: _listeners, _thread, _futures
        self._futures: set[Future[PartitionResult]] = set()
        self._thread: threading.Thread | None = None
        self._done: queue.SimpleQueue[_Done | None] = queue.SimpleQueue()
        self._failures: dict[int, int] = {}
        """By the first row of a partition, how often a worker failed with it."""
        self._context = contextvars.copy_context()

    # ---- what is asked for (any thread) -----------------------------------------------------------

    def start(self) -> None:
        """Hand over every call that is not done; returns at once."""
        with self._lock:
            if self._thread is None:
                run = partial(self._context.copy().run, self._run)
                self._thread = threading.Thread(target=run, name="allos-executor", daemon=True)
                self._thread.start()

    def pause(self) -> None:
        """Hand over nothing more; workers end the calls under way, and give back the others."""
        self.is_paused = True
        self._take_back()

    def resume(self) -> None:
        """Go on."""
        self._request = replace(self._request, number=self._request.number + 1)
        self.is_paused, self.pause_reason = False, None
        self._failures.clear()
        self.start()

    def cancel(self) -> None:
        """Hand over nothing more; workers end the calls under way, and log them."""
        self.is_cancelled, self.is_paused = True, False
        self._take_back()
        self._give_up(CallState.CANCELLED)

    def leave(self) -> None:
        """Stop: nobody would take what workers give back."""
        self.cancel()

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every call that ends from now on."""
        with self._lock:
            self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        """Take back `listen`."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _take_back(self) -> None:
        with self._lock:
            futures = list(self._futures)
        for future in futures:  # those that run already cannot be
            future.cancel()
        self._done.put(None)
        with self.states.changed:
            self.states.changed.notify_all()

    # ---- its own thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        """Keep the executor busy until nothing is left to hand over and everything is back."""
        self._stop_workers(self._request.number - 1)  # of a process that was killed
        waiting = self._partitions()
        under_way = 0
        most = _AHEAD * self._pool.slots
        while True:
            while under_way < most and not self._is_stopped:
                rows = next(waiting, None)
                if rows is None:
                    break
                under_way += self._hand_over(rows)
            if not under_way:
                if self._is_over():
                    return
                waiting = self._partitions()  # also those that came back
                continue
            item = self._done.get()
            if item is None:
                if self._is_stopped:
                    self._stop_workers(self._request.number)
            else:
                under_way -= 1
                if not self._take(*item):
                    waiting = self._partitions()

    def _stop_workers(self, number: int) -> None:
        """Let the log stop the workers of all starts up to this one."""
        marks = self._session.log.store if self._files is None else self._files
        stop_marks.leave(marks, self._request.run_id, number)

    @property
    def _is_stopped(self) -> bool:
        return self.is_paused or self.is_cancelled

    def _is_over(self) -> bool:
        """Whether the thread ends: nothing is left, or to be handed over now. `start` makes another."""
        with self._lock:
            if not self._is_stopped and next(self._partitions(), None) is not None:
                return False
            self._thread = None
            return True

    def _partitions(self) -> Iterator[list[int]]:
        """Rows that have calls to be made, part by part."""
        plan = self.plan
        calls_of_row = len(plan.grid.columns) * plan.grid.n
        rows = [row for group in plan.groups() for row in group if self._waiting(row)]
        parts = _PARTS_PER_SLOT * self._pool.slots
        share = self._request.options.concurrency or 1
        calls = (
            math.ceil(len(rows) * calls_of_row / parts / share) * share
        )  # no half-empty last round
        size = max(1, min(calls, _MAX_CALLS) // calls_of_row)
        for start in range(0, len(rows), size):
            yield rows[start : start + size]

    def _waiting(self, row: int) -> list[int]:
        each = len(self.plan.grid.columns) * self.plan.grid.n
        return [at for at in range(row * each, (row + 1) * each) if self.states.is_waiting(at)]

    def _hand_over(self, rows: list[int]) -> bool:
        """Give a partition to the executor; False when it is not under way."""
        positions = [at for row in rows for at in self._positions(row)]
        done = [at for at, position in enumerate(positions) if not self.states.start(position)]
        if len(done) == len(positions):
            return False
        part: Partition = without_done(partition_of(self._request, self.plan, rows), done)
        try:
            future: Future[PartitionResult] = self._pool.executor.submit(run_partition, part)
        except Exception as error:  # noqa: BLE001  # whatever an executor raises: it takes no more
            self.states.put_back(positions)
            self._pause_because(f"The executor takes no more work: {reason_of(error)}")
            return False
        with self._lock:
            self._futures.add(future)
        future.add_done_callback(lambda each: self._done.put((positions, each)))
        return True

    def _positions(self, row: int) -> range:
        each = len(self.plan.grid.columns) * self.plan.grid.n
        return range(row * each, (row + 1) * each)

    def _take(self, positions: Sequence[int], future: Future[PartitionResult]) -> bool:
        """Note what a worker has made of a partition; False when it is to be handed over again."""
        with self._lock:
            self._futures.discard(future)
        try:
            result = future.result()
        except CancelledError:
            self.states.put_back(positions)
        except Exception as error:  # noqa: BLE001  # of the worker, of the executor, or of its network
            self.states.put_back(positions)
            self._take_files(positions)
            count = self._failures[positions[0]] = self._failures.get(positions[0], 0) + 1
            if count >= _MAX_FAILURES or type(error).__name__ == "BrokenProcessPool":
                self._pause_because(f"A worker did not do its part: {reason_of(error)}")
        else:
            self._take_result(positions, result)
            return not result.left
        if self.is_cancelled:
            self._give_up(CallState.CANCELLED)
        return False

    def _take_files(self, positions: Sequence[int]) -> None:
        """Take what the worker had written before it died."""
        if self._files is None:
            return
        try:
            take_files(self._files, self._session)
            self._end_logged(positions)
        except LogError as exc:
            self._pause_because(f"The answers of a worker cannot be read: {exc}")

    def _end_logged(self, positions: Iterable[int]) -> None:
        """End those calls that are answered in the log; no worker is at them any more."""
        store, request = self._session.log.store, self._request
        assert store is not None
        self._session.log.flush(FLUSH_S)
        found = answers_in_log(store, request.run_id, self.plan, positions, request.since)
        for position, response in found.items():
            if self.states.start(position):
                self._end(position, self._parsed(position, response))

    def _take_result(self, positions: Sequence[int], result: PartitionResult) -> None:
        self._session.log.add_rows(result.rows)
        for at, response in result.responses:
            position = positions[at]
            if self.states[position] == CallState.STARTED:
                self._end(position, self._parsed(position, response))
        self.stop_errors.update(result.stop_errors)
        for note in result.notes:
            if note not in self.notes:
                self.notes.append(note)
        if len(result.rows) > len(result.responses):  # those of a worker that died, too
            earlier = [at for at in positions if self.states[at] == CallState.STARTED]
            self.states.put_back(earlier)
            self._end_logged(earlier)
        left_out = [positions[at] for at in result.not_sent]
        self.states.put_back([*left_out, *(positions[at] for at in result.left)])
        if self.is_cancelled:
            self._give_up(CallState.CANCELLED)
        if left_out and not self.is_cancelled:
            self._give_up(CallState.NOT_SENT, set(left_out))

    def _parsed(self, position: int, response: ProviderResponse) -> ProviderResponse:
        """The response with its value, of a type that stayed here."""
        schema = self._schemas[self.plan.parts(position)[1]]
        if schema is None or schema.parse is None or not response.ok:
            return response
        with suppress(ValueError):
            return replace(response, parsed=schema.parse(response.content))
        return response

    def _end(self, position: int, response: ProviderResponse) -> None:
        ended = Ended(position, response)
        if not self._is_logged:
            self.responses[position] = response
        (self.failed if response.status == "error" else self.newest).append(ended)
        if self.options.on_error == "raise" and response.status == "error":
            self.pause()
        self.states.end(position, response)
        self._tell([ended])

    def _tell(self, ended: Iterable[Ended]) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            for each in ended:
                listener(each)

    def _pause_because(self, reason: str) -> None:
        self.pause_reason = reason
        self.pause()

    def _give_up(self, state: CallState, only: set[int] | None = None) -> None:
        given_up = self.states.give_up(lambda column: True, state, only)
        self._tell([Ended(position, None) for position in given_up])
