"""Starts the tasks of a run, thousands of them, on a few threads.

Starting a call may block: it may import an SDK, look up a key or start the embedded server. So calls
are started on threads of their own, and one column that is slow to start holds up no other. What has
been started runs on the loop thread and needs no thread here. Where a service is known to start at once,
the next call starts where one has ended, on the loop thread: a hand-over to another thread would cost
more than the start, and would hold up every call that ends at the same moment.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import chain
from time import perf_counter

from allos.engine import MustWait
from allos.response import ProviderResponse
from allos.runs.task import Task

STARTERS = 8
"""Most threads of a run that start calls."""

MAX_UNFINISHED = 1_000
"""Most calls of a column that are started and not finished. More would only wait in the queue of their
provider's limits, and each costs memory and a coroutine."""

SLOW_S = 0.05
"""Longest start on the loop thread, which all calls and streams wait for; then threads start the rest."""

STARTS_PER_END = 2
"""Most calls that start where one ends. One would never make up for a call that was not started; all would
hold up the others that end at the same moment."""

IDLE_S = 0.5
"""How long a thread without work waits for some, while there are tasks left: starting one costs more than
starting a call."""

Submit = Callable[[Task], Future[ProviderResponse] | None]
"""Starts one task; None where nothing is under way. It raises nothing, but `MustWait` on the thread on which
another call has ended: then a starter thread starts the task."""


class Scheduler:
    """Starts tasks in order within a column, and the columns in turn.

    Starters go where the fewest of them are, and one is kept from any single service: when that
    blocks, with however many columns, the others still start. Threads exist only while there is
    something left to start, and the idle ones not for long.

    Parameters
    ----------
    submit : callable
        Starts one task and returns the future of its response.
    max_in_flight : int or None
        Most calls of the whole run that are started and not finished, which services share evenly: one
        that does not answer keeps its share, and no more. None leaves it to the limits of the
        providers, and to `MAX_UNFINISHED` for each column.
    limit_of : callable or None
        Most calls of a service, by its name, that are started and not finished. It is asked before each
        start, and may change.
    starts_at_once : callable or None
        Whether the next call of a service, by its name, may start on the thread on which one has ended.
        None: starter threads start all.
    """

    def __init__(
        self,
        submit: Submit,
        *,
        max_in_flight: int | None = None,
        limit_of: Callable[[str], int] | None = None,
        starts_at_once: Callable[[str], bool] | None = None,
    ) -> None:
        self._submit = submit
        self._starts_at_once = starts_at_once
        self._max_in_flight = max_in_flight
        self._limit_of = limit_of
        self._paused = False
        self._context = contextvars.copy_context()
        # Guards everything below; held for a moment only, the loop thread takes it as well.
        # Invariant: while a queue is ready and there is room, a thread will look at it, or the end of a
        # call of its service.
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._idle = self._woken = 0
        """Threads that wait for work, and those among them that were given some and do not know yet."""
        self._unexhausted = 0
        """Queues that may have tasks left."""
        self._services: dict[str, _Service] = {}
        self._in_flight = 0
        self._threads = 0
        self._cancelled = 0

    def add(self, columns: Iterable[tuple[str, Iterable[Task]]]) -> None:
        """Start the tasks of some columns; returns at once. Any thread.

        Parameters
        ----------
        columns : iterable of pairs
            Of each column its service, and its tasks in the order of their start; they are taken from
            the iterable one at a time. Columns of one service tend to block on the same thing.
        """
        with self._lock:
            for name, tasks in columns:
                service = self._services.setdefault(name, _Service(name))
                service.ready.append(_Queue(iter(tasks), service, self._cancelled))
                service.is_direct = False
                self._unexhausted += 1
            is_needed = self._claim_thread()
        if is_needed:  # one is enough for now: it starts the others, and the caller goes on
            self._start_thread()

    def pause(self) -> None:
        """Start nothing more until `resume`; what has been started goes on. Any thread."""
        with self._lock:
            self._paused = True

    def resume(self) -> None:
        """Go on after `pause`. Any thread."""
        with self._lock:
            self._paused = False
            for service in self._services.values():
                service.is_direct = False
            is_needed = self._claim_thread()
        if is_needed:
            self._start_thread()

    def cancel(self) -> None:
        """Start nothing more of what was added so far; what has been started goes on. Any thread."""
        with self._lock:
            self._cancelled += 1
            for service in self._services.values():
                self._unexhausted -= len(service.ready)
                service.ready.clear()

    def _claim_thread(self) -> bool:  # holds the lock
        """Wake a thread where there is work for it, or count in one that is to be started."""
        if not self._has_room() or not self._left_to_threads():
            return False
        if self._idle:
            self._idle -= 1
            self._woken += 1
            self._work.notify()
            return False
        is_needed = self._threads < STARTERS
        self._threads += is_needed
        return is_needed

    def _start_thread(self) -> None:
        context = self._context.copy()  # a context is entered by one thread at a time
        threading.Thread(
            target=context.run, args=(self._start_tasks,), name="allos-start", daemon=True
        ).start()

    def _startable(self) -> list[_Service]:
        most, share = max(1, STARTERS - 1), self._fair_share()
        return [
            service
            for service in self._services.values()
            if service.ready and service.starters < most and self._takes_more(service, share)
        ]

    def _takes_more(self, service: _Service, share: float) -> bool:
        if service.in_flight >= share:
            return False
        return self._limit_of is None or service.in_flight < self._limit_of(service.name)

    def _left_to_threads(self) -> list[_Service]:
        return [each for each in self._startable() if not (each.is_direct and each.in_flight)]

    def _fair_share(self) -> float:
        """Most calls of one service, so that all with something to start get as many, or one more."""
        if self._max_in_flight is None:
            return float("inf")
        active = [each for each in self._services.values() if each.ready or each.in_flight]
        share, rest = divmod(self._max_in_flight, max(1, len(active)))
        return share + (sum(each.in_flight > share for each in active) < rest)

    def _has_room(self) -> bool:
        if self._paused:
            return False
        return self._max_in_flight is None or self._in_flight < self._max_in_flight

    # ---- starter threads ----------------------------------------------------------------------

    def _start_tasks(self) -> None:
        while (queue := self._next_queue()) is not None:
            self._start_next(queue)

    def _start_next(self, queue: _Queue) -> bool:
        """Start the next task of a queue that was taken; False where nothing is under way."""
        task = next(queue.tasks, None)
        try:
            future = self._submit(task) if task is not None else None
        except MustWait:
            assert task is not None
            queue.tasks = chain((task,), queue.tasks)
            self._put_back(queue, exhausted=False, in_flight=False)
            raise
        self._put_back(queue, exhausted=task is None, in_flight=future is not None)
        if future is None:
            return False
        future.add_done_callback(partial(self._finished, queue))
        return True

    def _next_queue(self) -> _Queue | None:
        """Take a queue of the service with the fewest starters; None ends the thread."""
        with self._lock:
            while not (startable := self._left_to_threads()) or not self._has_room():
                if not self._unexhausted or not self._wait_for_work():
                    self._threads -= 1
                    return None
            queue = self._take(startable)
            is_needed = self._claim_thread()
        if is_needed:
            self._start_thread()
        return queue

    def _take(self, startable: list[_Service]) -> _Queue:  # holds the lock
        service = min(startable, key=lambda each: each.starters)
        # To the end, so that services with as many starters take turns.
        self._services[service.name] = self._services.pop(service.name)
        service.starters += 1
        service.in_flight += 1
        self._in_flight += 1
        queue = service.ready.popleft()
        queue.in_flight += 1
        return queue

    def _wait_for_work(self) -> bool:  # holds the lock
        """Wait a moment; False when there was nothing to do."""
        self._idle += 1
        self._work.wait(IDLE_S)
        if self._woken:
            self._woken -= 1
            return True
        self._idle -= 1
        return False

    def _put_back(self, queue: _Queue, *, exhausted: bool, in_flight: bool) -> None:
        with self._lock:
            queue.service.starters -= 1
            if not in_flight:
                queue.in_flight -= 1
                queue.service.in_flight -= 1
                self._in_flight -= 1
            if exhausted or queue.cancelled_before < self._cancelled:
                self._unexhausted -= 1
                return
            if queue.in_flight < MAX_UNFINISHED:
                queue.service.ready.append(queue)
            else:
                queue.held = True

    # ---- loop thread --------------------------------------------------------------------------

    def _finished(self, queue: _Queue, _: Future[ProviderResponse]) -> None:
        with self._lock:
            queue.in_flight -= 1
            queue.service.in_flight -= 1
            self._in_flight -= 1
            # Not with each that ends: a thread then starts many at once.
            if queue.held and queue.in_flight <= MAX_UNFINISHED // 2:
                queue.held = False
                if queue.cancelled_before == self._cancelled:
                    queue.service.ready.append(queue)
                else:
                    self._unexhausted -= 1
        if self._starts_at_once is not None:
            self._context.copy().run(self._start_here)
        with self._lock:
            is_needed = self._claim_thread()
        if is_needed:
            self._start_thread()

    def _start_here(self) -> None:
        """Start calls on this thread, if nothing has to be waited for."""
        started = 0
        while started < STARTS_PER_END and (queue := self._take_at_once()) is not None:
            service = queue.service
            began = perf_counter()
            try:
                started += self._start_next(queue)
            except MustWait:
                service.is_direct = False
                return
            service.is_slow = perf_counter() - began > SLOW_S
            with self._lock:
                is_full = not self._has_room() or not self._takes_more(service, self._fair_share())
                service.is_direct = is_full and not service.is_slow

    def _take_at_once(self) -> _Queue | None:
        assert self._starts_at_once is not None
        with self._lock:
            startable = self._startable() if self._has_room() else []
        quick = []
        for service in startable:
            # Asked without the lock: it looks at providers and interceptors.
            if not service.is_slow and self._starts_at_once(service.name):
                quick.append(service)
            else:
                service.is_direct = False
        with self._lock:
            quick = [each for each in self._startable() if each in quick] if quick else []
            return self._take(quick) if quick and self._has_room() else None


class _Service:
    """Columns that may block on the same thing."""

    __slots__ = ("in_flight", "is_direct", "is_slow", "name", "ready", "starters")

    def __init__(self, name: str) -> None:
        self.name = name
        self.in_flight = 0
        self.ready: deque[_Queue] = deque()
        self.starters = 0
        self.is_slow = False
        """Whether a start on the loop thread took long."""
        self.is_direct = False
        """Whether its calls start where others end, as long as any are in flight: it has as many as it may,
        and nothing is to be waited for."""


class _Queue:
    """What is left to start of one column; one starter at a time takes from it."""

    __slots__ = ("cancelled_before", "held", "in_flight", "service", "tasks")

    def __init__(self, tasks: Iterator[Task], service: _Service, cancelled_before: int) -> None:
        self.tasks = tasks
        self.service = service
        self.cancelled_before = cancelled_before
        """How often the run was cancelled before the tasks were added."""
        self.in_flight = 0
        self.held = False
        """Whether it waits for its calls to finish."""
