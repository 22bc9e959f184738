"""The log: every response becomes a row of one SQLite file on this computer.

Nothing is written before `open`; ``%load_ext allos``, `allos.ask` and `allos.compare` call it.
``ALLOS_LOG`` names the file, or is ``off``. Read the rows with `allos.responses`.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from allos import _process

if TYPE_CHECKING:
    from allos.log.writer import Writer
    from allos.response import ProviderResponse

__all__ = ["LogInfo", "close", "flush", "info", "is_open", "open", "path", "rate", "session_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInfo:
    """Where the log is and how it is kept; usable as a path."""

    path: Path | None
    """The file; None when there is no log."""
    journal_mode: str | None = None
    """``"wal"``, or what the file system allowed instead."""
    notes: tuple[str, ...] = ()
    """What a careful person should know about this log."""

    def __fspath__(self) -> str:
        if self.path is None:
            raise TypeError("the log is off: there is no file")
        return str(self.path)


_writer: Writer | None = None
_lock = threading.RLock()  # guards: `_writer` and its place among the observers change together
_hooked = False


def open(path: str | os.PathLike[str] | None = None) -> LogInfo:
    """Log every response of this process from now on.

    Parameters
    ----------
    path : str or path-like, optional
        The file. Without it an open log stays; else ``ALLOS_LOG``, else ``log.sqlite`` in the
        user's data folder. Another file than the open one: that one is finished first.

    Returns
    -------
    LogInfo
        Its `path` is None when ``ALLOS_LOG`` is ``off``.

    Raises
    ------
    LogError
        The file cannot be a log; one line says why. An open log stays open.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> open(folder + "/log.sqlite").journal_mode
    'wal'
    >>> close()
    """
    global _writer
    with _lock:
        if path is None and _writer is not None:
            return info()
        from allos.log.files import chosen_path

        chosen = chosen_path(path)
        if chosen is None:
            return info()
        if _writer is not None and _writer.store.path == chosen:
            return info()
        from allos.log.store.sqlite import Store
        from allos.log.writer import Writer

        writer = Writer(Store(chosen))
        try:
            close()
        finally:
            _hook()
            _writer = writer
        return info()


def close(timeout_s: float = 10.0) -> None:
    """Write what is waiting and stop logging; without an open log nothing happens.

    Raises
    ------
    LogError
        Rows could not be written within `timeout_s` seconds.
    """
    global _writer
    with _lock:
        writer, _writer = _writer, None
        if writer is None:
            return
    writer.close(timeout_s)


def flush(timeout_s: float = 10.0) -> None:
    """Wait until every response handed over so far is committed.

    Parameters
    ----------
    timeout_s : float
        Longest wait in seconds.

    Raises
    ------
    LogError
        The log cannot be written; rows wait in memory and are tried again.
    """
    writer = _writer
    if writer is not None:
        writer.flush(timeout_s)


def write(response: ProviderResponse) -> None:
    """Hand a response to the open log."""
    writer = _writer
    if writer is not None:
        writer.observe(response)


def is_open() -> bool:
    """Whether responses are being logged."""
    return _writer is not None


def path() -> Path | None:
    """File of the open log, None when no log is open."""
    writer = _writer
    return None if writer is None else writer.store.path


def info() -> LogInfo:
    """Where the open log is and how it is kept."""
    writer = _writer
    if writer is None:
        return LogInfo(path=None)
    store = writer.store
    return LogInfo(path=store.path, journal_mode=store.journal_mode, notes=store.notes)


def rate(response_id: str, rating: int | None = None, note: str | None = None) -> None:
    """Rate a response, or write a note on it; the newest rating and the newest note count.

    Parameters
    ----------
    response_id : str
        The `id` of the response.
    rating : int, optional
        Any scale of your own: 1 and -1 for thumbs, 1 to 5 for stars.
    note : str, optional
        Free text. With neither, both are withdrawn.

    Raises
    ------
    LogError
        No log is open.
    ConfigurationError
        The rating is no whole number, or another value is no text.
    """
    from allos.errors import ConfigurationError, LogError

    for name, value, wanted, kinds in (
        ("response_id", response_id, "a text, the id of a response", str),
        ("rating", rating, "a whole number", int | None),
        ("note", note, "a text", str | None),
    ):
        if not isinstance(value, kinds) or (name == "rating" and abs(rating or 0) >= 2**63):
            raise ConfigurationError(f"{name} is {wanted}, not {value!r:.80}.")
    writer = _writer
    if writer is None:
        raise LogError("no log is open: call allos.log.open() first")
    writer.rate(response_id, rating, note)


def session_id() -> str:
    """ULID of this process, the `session_id` of its rows."""
    from allos.log import provenance

    return provenance.session_id()


def _hook() -> None:
    """Finish the log at exit, and take it safely through forks; once per process."""
    global _hooked
    if _hooked:
        return
    _hooked = True
    _process.on_exit(_process.ExitStage.SESSION, _at_exit)
    _process.on_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )


def _at_exit() -> None:
    """Write what is waiting; the log stays among the observers for those who finish later."""
    from allos.errors import LogError

    writer = _writer
    if writer is None:
        return
    try:
        writer.close(timeout_s=10.0)
    except LogError as error:
        sys.stderr.write(f"allos: {error}\n")


_forking: Writer | None = None


def _before_fork() -> None:
    global _forking
    _lock.acquire()
    _forking = _writer
    if _forking is not None:
        _forking.before_fork()


def _after_fork_in_parent() -> None:
    if _forking is not None:
        _forking.after_fork_in_parent()
    _lock.release()


def _after_fork_in_child() -> None:
    global _lock
    if _forking is not None:
        _forking.after_fork_in_child()
    _lock = threading.RLock()
