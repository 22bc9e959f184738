"""The log of a session: an interceptor that sends every finished response to a writer."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from allos import _process, context
from allos.database_url import DatabaseURL
from allos.engine import After, Interceptor, PreparedCall
from allos.errors import LogError
from allos.log.provenance import ProcessFacts
from allos.response import ProviderResponse

if TYPE_CHECKING:
    from allos.log.log_writer import LogWriter
    from allos.log.pending_rows import Row
    from allos.log.store.protocol import Rating, RunRecord, Store, Vote

_CLOSE_S = 10.0

Redaction = Callable[[str], str]
"""Gets a text that is to be logged, and returns what is written in its place."""

Address = str | os.PathLike[str] | DatabaseURL | None
"""What names a log: the path of its file, or the URL of its database."""

Loggable = TypeVar("Loggable", "Row", "Rating", "Vote")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInfo:
    """Where the log is and how it is stored; usable as a path where it is a file."""

    path: Path | None
    """The file; None when no log is open, or it is in a database."""
    journal_mode: str | None = None
    """``"wal"``, or what the file system allowed instead."""
    notes: tuple[str, ...] = ()
    """Limitations of this log: a network file system, an old SQLite."""
    location: str | None = None
    """The file, or the URL of the database without its password; None when no log is open."""

    def __fspath__(self) -> str:
        if self.path is None:
            where = "off" if self.location is None else f"in the database {self.location}"
            raise TypeError(f"the log is {where}: there is no file")
        return str(self.path)


class Log(Interceptor):
    """Writes every response of its session to one file while it is open.

    Several logs may be open in one process, each with its own file and thread.

    Parameters
    ----------
    configured_path : callable, optional
        Path to use where `open` is given none; it may return None, and ``"off"`` for no log.
    raw_days : callable, optional
        How many days requests and replies as sent are kept, when a log is opened; None: for ever.
    """

    observes_refused = True

    def __init__(
        self,
        configured_path: Callable[[], Address] = lambda: None,
        raw_days: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._configured_path = configured_path
        self._raw_days = raw_days
        self._store: Store | None = None
        self._writer: LogWriter | None = None
        self.opens_on_first_call = False
        """Whether the next call opens the log."""
        self.is_paused = False
        """Whether no call is logged for now; see `allos.log.off`."""
        self.redaction: Redaction | None = None
        """What changes texts before they are written; see `allos.log.redact`."""
        self._open_failed = False
        self._facts: dict[int, ProcessFacts] = {}  # by process id

    # ---- the interceptor -----------------------------------------------------------------------

    @property
    def may_wait(self) -> bool:
        """Until it is open."""
        return self.opens_on_first_call

    def before(self, call: PreparedCall) -> After | None:
        """Open the log if that was left for the first call. Caller's thread."""
        if self.is_paused or not context.current().logged:
            return None
        if self.opens_on_first_call:
            self.try_open()
        # Also without an open log: it may be open by the time the response is there.
        return self._write

    def _write(self, response: ProviderResponse) -> ProviderResponse:  # loop thread
        writer = self._writer
        if writer is not None:
            writer.put(response)
        return response

    def open_on_first_call(self) -> None:
        """Let the next call open the log, as `try_open`: without a call, no file is created."""
        self.opens_on_first_call = self._writer is None

    def try_open(self) -> None:
        """Open the log, unless it is open; a failure warns once and never stops a call."""
        self.opens_on_first_call = False
        if self._open_failed:
            return
        try:
            self.open()
        except LogError as error:
            self._open_failed = True
            warnings.warn(f"Responses are not logged: {error}", UserWarning, stacklevel=3)

    # ---- open, close, read ---------------------------------------------------------------------

    def open(self, path: Address = None) -> LogInfo:
        """Log every response of the session from now on; see `allos.log.open`."""
        from allos.log.log_file import log_address

        with _lock:
            if path is None and self._writer is not None:
                return self.info()
            chosen = log_address(path or self._configured_path())
            if chosen is None or (self._store is not None and self._store.address == chosen):
                return self.info()
            from allos.log.log_writer import LogWriter
            from allos.log.store.opening import open_store

            store = open_store(chosen, raw_days=self._raw_days())
            try:
                self.close()
            finally:
                self._store, self._writer = (
                    store,
                    LogWriter(store, self.process_facts, self.redacted),
                )
                self._open_failed = False
                _open_writers.add(self._writer)
            return self.info()

    def close(self, timeout_s: float = _CLOSE_S) -> None:
        """Write what is pending and stop logging; see `allos.log.close`."""
        with _lock:
            writer, self._writer, self._store = self._writer, None, None
            self.opens_on_first_call = False
        if writer is not None:
            try:
                writer.close(timeout_s)
            finally:
                with _lock:
                    _open_writers.discard(writer)

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until every response so far is committed; see `allos.log.flush`."""
        writer = self._writer
        if writer is not None:
            writer.flush(timeout_s)

    @property
    def is_open(self) -> bool:
        """Whether responses are being logged."""
        return self._writer is not None

    @property
    def is_logging(self) -> bool:
        """Whether a call that is made now becomes a row."""
        return self._writer is not None and not self.is_paused and context.current().logged

    @property
    def store(self) -> Store | None:
        """Database of the open log, None when no log is open."""
        return self._store

    def readable_store(self) -> tuple[Store | None, LogError | None]:
        """Database to read from, opened if need be, and why it cannot be written where only reading works.

        Raises
        ------
        LogError
            The log cannot be opened, not even for reading.
        """
        from allos.log.log_file import UnwritableLogError, log_address
        from allos.log.store.opening import open_store
        from allos.log.store.protocol import DamagedStoreError

        try:
            self.open()
        except (DamagedStoreError, UnwritableLogError) as error:
            chosen = log_address(self._configured_path())
            return (None if chosen is None else open_store(chosen, for_reading=True)), error
        return self._store, None

    @property
    def has_file(self) -> bool:
        """Whether there is a log to read: an open one, or the configured file or database."""
        from allos.log.log_file import log_address

        if self._store is not None:
            return True
        chosen = log_address(self._configured_path())
        return chosen is not None and (not isinstance(chosen, Path) or chosen.is_file())

    @property
    def path(self) -> Path | None:
        """File of the open log, None when no log is open, or it is in a database."""
        return self.info().path

    def info(self) -> LogInfo:
        """Where the open log is and how it is stored."""
        store = self._store
        if store is None:
            return LogInfo(path=None)
        return LogInfo(
            path=store.address if isinstance(store.address, Path) else None,
            journal_mode=store.journal_mode,
            notes=store.notes,
            location=store.location,
        )

    def add_feedback(self, *items: Rating | Vote) -> None:
        """Write ratings and votes, and wait until they are committed.

        Raises
        ------
        LogError
            The log is off, or cannot be written.
        """
        self.open()
        writer = self._writer
        if writer is None:
            raise LogError(
                "the log is off (ALLOS_LOG=off), so nothing can be rated: unset ALLOS_LOG, or call "
                "allos.log.open(path)"
            )
        for item in items:
            writer.put(item)
        writer.flush(_CLOSE_S)

    def add_rows(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write rows of other processes, with values in the order of `allos.log.columns.STORED`."""
        from allos.log.pending_rows import Row

        writer = self._writer
        if writer is not None:
            for values in rows:
                writer.put(Row(values, None))

    def redacted(self, item: Loggable) -> Loggable:
        """Change a row, its raw JSON, a rating or a vote as `redaction` says. Writer's thread."""
        if self.redaction is None:
            return item
        from allos.log.row_redaction import redacted

        return redacted(item, self.redaction)

    def save_run(self, run: RunRecord) -> None:
        """Store what a batch is made of; committed before the rows that come after it."""
        writer = self._writer
        if writer is not None:
            writer.put(run)

    # ---- provenance ----------------------------------------------------------------------------

    @property
    def session_id(self) -> str:
        """ULID of the session in this process, the `session_id` of its rows."""
        return self._process_facts().session_id

    def process_facts(self) -> dict[str, Any]:
        """Facts of the process as of now, by column name. Any thread."""
        return self._process_facts().current()

    def _process_facts(self) -> ProcessFacts:
        pid = os.getpid()  # a forked child is a session of its own
        # setdefault is atomic: threads that come here at once get the same session.
        return self._facts.get(pid) or self._facts.setdefault(pid, ProcessFacts())


# ---- fork and exit -----------------------------------------------------------------------------

# Process resource: the writers that may have pending rows or an open file.
_open_writers: set[LogWriter] = set()

# Guards `_open_writers` and which writer each log has. Held across a fork, so that the same writers
# are there before and after it.
_lock = threading.RLock()


def _write_pending_at_exit() -> None:
    """Write what is pending. Logs stay open for the responses of what ends later."""
    for writer in tuple(_open_writers):
        try:
            writer.close(_CLOSE_S)
        except LogError as error:
            sys.stderr.write(f"allos: {error}\n")


def _before_fork() -> None:
    _lock.acquire()
    for writer in _open_writers:
        writer.before_fork()


def _after_fork_in_parent() -> None:
    for writer in _open_writers:
        writer.after_fork_in_parent()
    _lock.release()


def _after_fork_in_child() -> None:
    global _lock
    for writer in _open_writers:
        writer.after_fork_in_child()
    _lock = threading.RLock()


_process.on_exit(_process.ExitStage.SESSION, _write_pending_at_exit)
_process.on_fork(
    before=_before_fork,
    after_in_parent=_after_fork_in_parent,
    after_in_child=_after_fork_in_child,
)
