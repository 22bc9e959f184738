"""The thread that builds rows and commits them in groups.

The engine's loop thread only puts responses on a queue: a commit on the loop thread would stall
every stream while another process holds the database's lock.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from allos.errors import LogError
from allos.log.pacing import Pacer
from allos.log.pending_rows import BATCH_ROWS, PendingRows, Row, unchanged
from allos.log.store.protocol import Rating, RunRecord, Store, Vote
from allos.response import ProviderResponse

GROUP_S = 0.02
"""How long the first response of a group is held back, so that a burst shares one commit."""


@dataclass(slots=True, eq=False)
class _Flush:
    """Marks a position in the queue: everything before it is to be committed."""

    done: threading.Event = field(default_factory=threading.Event)
    error: str | None = None


class _Stop:
    """Ends the thread."""


_Item = ProviderResponse | Row | Rating | Vote | RunRecord | _Flush | _Stop


class LogWriter:
    """Accepts responses from any thread and commits them to one store.

    Parameters
    ----------
    store : Store
        From here on only the writer writes to it.
    process_facts : callable
        Facts of the process by column name, for each row.
    redacted : callable
        ``redacted(item)`` changes a row, a rating or a vote before it is written.
    """

    def __init__(
        self,
        store: Store,
        process_facts: Callable[[], Mapping[str, Any]],
        redacted: Callable[[Any], Any] = unchanged,
    ) -> None:
        self._store = store
        self._redacted = redacted
        self._process_facts = process_facts
        self._reset()

    def _reset(self) -> None:
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._flush_requested = threading.Event()
        self._thread: threading.Thread | None = None
        self._thread_lock = threading.Lock()  # guards: at most one thread, none once `_closed`
        self._closed = False
        self._store_lock = threading.Lock()  # guards: store, pending rows and flushes have one user
        self._pending = PendingRows(self._store, self._process_facts, redacted=self._redacted)
        self._flushes: list[_Flush] = []
        self._rescued: str | None = None
        """Where rows are that the store could not take."""
        self._holds_store_for_fork = False

    # any thread

    def put(self, item: ProviderResponse | Row | Rating | Vote | RunRecord) -> None:
        """Accept a finished response, a rating, a vote or a batch; it is committed within about 20 ms."""
        self._queue.put(item)
        if self._thread is None or self._closed:
            self._start_thread_or_commit()

    def flush(self, timeout_s: float) -> None:
        """Wait until everything accepted so far is committed.

        Raises
        ------
        LogError
            A commit failed, or another process kept the lock: the rows stay in memory and are
            retried. Or rows were discarded.
        """
        if self._thread is None and self._queue.empty() and self._pending.retry_s is None:
            return
        flush = _Flush()
        self._queue.put(flush)
        self._flush_requested.set()
        if self._thread is None or self._closed:
            self._start_thread_or_commit()
        if not flush.done.wait(timeout_s):
            reason = f" ({self._pending.error})" if self._pending.error else ""
            raise LogError(
                f"the log {self._store.location!r} was not written within {timeout_s:g} s{reason}; "
                "its rows are kept in memory and retried"
            )
        if flush.error is not None:
            raise LogError(flush.error)

    def close(self, timeout_s: float) -> None:
        """Commit what was accepted, end the thread, close the store.

        A response that is put later is committed by the thread that puts it.

        Raises
        ------
        LogError
            As `flush`; the thread ends all the same. What the store cannot take is then in a new one
            beside it.
        """
        error: LogError | None = None
        try:
            if self._thread is not None:
                self.flush(timeout_s)
        except LogError as exc:
            error = exc
        finally:
            with self._thread_lock:
                self._closed = True
                thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(_Stop())
                self._flush_requested.set()
                thread.join(timeout_s)
            self._start_thread_or_commit(timeout_s)
        if error is not None:
            raise LogError(f"{error}; {self._rescued}" if self._rescued else str(error)) from None

    def _start_thread_or_commit(self, timeout_s: float = -1) -> None:
        """Start the thread; after `close`, do its work on this one."""
        with self._thread_lock:
            if not self._closed:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="allos-log", daemon=True)
                    self._thread.start()
                return
        if self._store_lock.acquire(timeout=timeout_s):
            try:
                while not self._queue.empty():
                    self._process(self._queued_items())
                self._finish_flushes(self._pending.pop_error())
                self._rescued = self._pending.rescue() or self._rescued
                self._store.close()
            finally:
                self._store_lock.release()

    # around a fork

    def before_fork(self) -> None:
        """Close the store: SQLite must not be open while a process forks.

        It counts locks per process and would count wrongly in the child
        (https://sqlite.org/howtocorrupt.html, section 2.6). The next commit opens it again.
        """
        self._holds_store_for_fork = self._store_lock.acquire(timeout=1.0)  # a commit takes ms
        if self._holds_store_for_fork:
            self._store.close()

    def after_fork_in_parent(self) -> None:
        """Let commits continue."""
        if self._holds_store_for_fork:
            self._holds_store_for_fork = False
            self._store_lock.release()

    def after_fork_in_child(self) -> None:
        """Start with an empty queue: what the parent had not written yet, the parent writes."""
        self._store.reset_after_fork()
        self._reset()

    # writer thread

    def _run(self) -> None:
        stopped = False
        while not stopped:
            items = self._next_items()
            with self._store_lock:
                stopped = self._process(items)
                if self._queue.qsize() < BATCH_ROWS:  # else what has time would let it fall behind
                    self._store.maintain()

    def _next_items(self) -> list[_Item]:
        """Wait for an item, and a moment for more of them."""
        try:
            first = self._queue.get(timeout=self._pending.retry_s)
        except queue.Empty:
            return []
        if isinstance(first, ProviderResponse) and self._queue.qsize() < BATCH_ROWS:
            self._flush_requested.wait(GROUP_S)
        self._flush_requested.clear()
        return [first, *self._queued_items()]

    def _queued_items(self) -> list[_Item]:
        items: list[_Item] = []
        with contextlib.suppress(queue.Empty):
            while len(items) < BATCH_ROWS:
                items.append(self._queue.get_nowait())
        return items

    def _process(self, items: list[_Item]) -> bool:
        """Commit the items and finish the flushes among them; True when the thread is to end."""
        stopped = False
        pacer = Pacer(self._queue.qsize())
        for item in items:
            pacer.pause_if_due()
            if isinstance(item, ProviderResponse):
                self._pending.add(item)
            elif isinstance(item, Row):
                self._pending.add_row(item)
            elif isinstance(item, Rating):
                self._pending.add_rating(item)
            elif isinstance(item, RunRecord):
                self._pending.add_run(item)
            elif isinstance(item, Vote):
                self._pending.add_vote(item)
            elif isinstance(item, _Flush):
                self._flushes.append(item)
            else:
                stopped = True
        if self._pending.commit() or not self._pending.locked or stopped:
            # While another process holds the lock, flushes wait: the next attempt may succeed.
            self._finish_flushes(self._pending.pop_error() if self._flushes else None)
        return stopped

    def _finish_flushes(self, error: str | None) -> None:
        for flush in self._flushes:
            flush.error = error
            flush.done.set()
        self._flushes.clear()
