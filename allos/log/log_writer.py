"""The log's writer: one thread per process that groups commits.

The engine's loop thread only hands responses over; rows are built and committed here, because a
commit on the loop thread would stall every stream while another process holds the lock.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from allos.errors import LogError
from allos.log.pending_rows import BATCH_ROWS, PendingRows
from allos.log.store.sqlite import Store
from allos.response import ProviderResponse

if TYPE_CHECKING:
    import sqlite3

GATHER_S = 0.02
"""How long the first response waits for company, so that a burst shares one commit."""


@dataclass(frozen=True, slots=True)
class _Rating:
    row: tuple[Any, ...]


@dataclass(slots=True, eq=False)
class _Flush:
    """Everything handed over before this mark is to be committed."""

    done: threading.Event = field(default_factory=threading.Event)
    report: str | None = None


class _Stop:
    """The thread ends when it meets this."""


_Item = ProviderResponse | _Rating | _Flush | _Stop

_abandoned: list[sqlite3.Connection] = []  # a parent's connections; closing them would be wrong


class Writer:
    """Takes finished responses from any thread and commits them to one store.

    Parameters
    ----------
    store : Store
        The open log. From here on only the writer touches it.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._fresh()

    def _fresh(self) -> None:
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()  # guards: at most one thread, none once `_closed`
        self._closed = False
        self._working = threading.Lock()  # guards: store, backlog and marks have one user
        self._backlog = PendingRows(self.store)
        self._marks: list[_Flush] = []
        self._forking = False

    # any thread

    def observe(self, response: ProviderResponse) -> None:
        """Hand a response over; it is committed within some 20 ms."""
        self._queue.put(response)
        if self._thread is None or self._closed:
            self._attend()

    def rate(self, response_id: str, rating: int | None, note: str | None) -> None:
        """Hand over a rating of a response."""
        now_us = time.time_ns() // 1000
        self._queue.put(_Rating((response_id, rating, note, now_us)))
        if self._thread is None or self._closed:
            self._attend()

    def flush(self, timeout_s: float) -> None:
        """Wait until everything handed over before is committed.

        Raises
        ------
        LogError
            The disk failed, or another process kept the lock; the rows stay in memory and are
            tried again. Or rows were given up.
        """
        if self._thread is None and self._queue.empty() and self._backlog.retry_s is None:
            return  # nothing waits
        mark = _Flush()
        self._queue.put(mark)
        self._hurry.set()
        if self._thread is None or self._closed:
            self._attend()
        if not mark.done.wait(timeout_s):
            problem = self._backlog.problem
            raise LogError(
                f"the log {str(self.store.path)!r} was not written within {timeout_s:g} s"
                f"{f' ({problem})' if problem else ''}; its rows wait and are tried again"
            )
        if mark.report is not None:
            raise LogError(mark.report)

    def close(self, timeout_s: float) -> None:
        """Commit what was handed over, end the thread, close the file.

        Later responses are still written, by the thread that hands them over.

        Raises
        ------
        LogError
            As `flush`; the thread has been told to end all the same.
        """
        try:
            if self._thread is not None:
                self.flush(timeout_s)
        finally:
            with self._starting:
                self._closed = True
                thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(_Stop())
                self._hurry.set()
                thread.join(timeout_s)
            self._attend(timeout_s)

    def _attend(self, timeout_s: float = -1) -> None:
        """Start the thread, or after `close` do its work here."""
        with self._starting:
            if not self._closed:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="allos-log", daemon=True)
                    self._thread.start()
                return
        if self._working.acquire(timeout=timeout_s):
            try:
                while not self._queue.empty():
                    self._work(self._waiting())
                self._answer(self._backlog.pop_error())
                self.store.close()
            finally:
                self._working.release()

    # around a fork

    def before_fork(self) -> None:
        """Close the file: SQLite must not be open while a process forks.

        It counts locks per process and would count wrongly in the child
        (https://sqlite.org/howtocorrupt.html, section 2.6). The next commit opens it again.
        """
        self._forking = self._working.acquire(timeout=1.0)  # a commit takes milliseconds
        if self._forking:
            self.store.close()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if self._forking:
            self._forking = False
            self._working.release()

    def after_fork_in_child(self) -> None:
        """Start anew: what the parent had not written is the parent's to write."""
        left = self.store.abandon()
        if left is not None:
            _abandoned.append(left)
        self._fresh()

    # writer thread

    def _run(self) -> None:
        stopped = False
        while not stopped:
            items = self._take()
            with self._working:
                stopped = self._work(items)
                self.store.tidy()

    def _take(self) -> list[_Item]:
        """Wait for the next items, and a moment for more."""
        try:
            first = self._queue.get(timeout=self._backlog.retry_s)
        except queue.Empty:
            return []
        if isinstance(first, ProviderResponse) and self._queue.qsize() < BATCH_ROWS:
            self._hurry.wait(GATHER_S)
        self._hurry.clear()
        return [first, *self._waiting()]

    def _waiting(self) -> list[_Item]:
        items: list[_Item] = []
        with contextlib.suppress(queue.Empty):
            while len(items) < BATCH_ROWS:
                items.append(self._queue.get_nowait())
        return items

    def _work(self, items: list[_Item]) -> bool:
        """Commit the items and answer the flushes among them; True when the thread is to end."""
        stopped = False
        for item in items:
            if isinstance(item, ProviderResponse):
                self._backlog.add(item)
            elif isinstance(item, _Rating):
                self._backlog.add_rating(item.row)
            elif isinstance(item, _Flush):
                self._marks.append(item)
            else:
                stopped = True
        if self._backlog.commit() or not self._backlog.locked or stopped:
            # While another process has the lock, a flush waits on: the next try may succeed.
            self._answer(self._backlog.pop_error() if self._marks else None)
        return stopped

    def _answer(self, report: str | None) -> None:
        for mark in self._marks:
            mark.report = report
            mark.done.set()
        self._marks.clear()
