"""The log: every response becomes a row of one SQLite file on this computer, or of a team's PostgreSQL.

Nothing is written before `open`; ``%load_ext allos``, `allos.ask` and `allos.compare` call it.
``ALLOS_LOG`` names the file or the database, or is ``off``. Read the rows with `allos.responses`. These functions
work on the log of the current session.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos import _process, context
from allos.database_url import sealed_url
from allos.errors import ConfigurationError
from allos.log.log import Address, Log, LogInfo, Redaction

if TYPE_CHECKING:
    from allos.log.feedback import rate, ratings, vote, votes, withdraw_vote
    from allos.log.sql_query import sql
    from allos.log.upkeep import Merged, backup, merge, prune, to_parquet, vacuum

# public name -> the module it is imported from when it is first used
_PUBLIC = {
    "Merged": "allos.log.upkeep",
    "backup": "allos.log.upkeep",
    "merge": "allos.log.upkeep",
    "prune": "allos.log.upkeep",
    "sql": "allos.log.sql_query",
    "to_parquet": "allos.log.upkeep",
    "vacuum": "allos.log.upkeep",
    "rate": "allos.log.feedback",
    "ratings": "allos.log.feedback",
    "vote": "allos.log.feedback",
    "votes": "allos.log.feedback",
    "withdraw_vote": "allos.log.feedback",
}

__all__ = [
    "LogInfo",
    "Merged",
    "backup",
    "close",
    "flush",
    "info",
    "is_open",
    "is_paused",
    "merge",
    "off",
    "on",
    "open",
    "path",
    "paused",
    "prune",
    "rate",
    "ratings",
    "redact",
    "session_id",
    "sql",
    "to_parquet",
    "vacuum",
    "vote",
    "votes",
    "withdraw_vote",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'allos.log' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def _log() -> Log:
    log: Log = _process.current_session().log
    return log


def open(path: Address = None) -> LogInfo:
    """Log every response of the current session from now on.

    Parameters
    ----------
    path : str or path-like, optional
        The file; or the URL of a team's PostgreSQL database, ``postgresql://user@host/database``, for
        which ``allos-jupyter[postgres]`` is installed. Its password is best left to ``PGPASSWORD`` or
        ``~/.pgpass``; in the URL it is never shown. By default an open log stays open; else the setting `log` (``ALLOS_LOG``), else
        ``log.sqlite`` in the user's data folder. If another file is open, it is finished first.

    Returns
    -------
    LogInfo
        Its `path` is None when the log is ``off``, or in a database.

    Raises
    ------
    LogError
        The file or database cannot be used as a log; the message is one line. An open log stays open.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> open(folder + "/log.sqlite").journal_mode
    'wal'
    >>> close()
    """
    where = sealed_url(path)
    del path  # a traceback may show variables
    return _log().open(where)


def close(timeout_s: float = 10.0) -> None:
    """Write what is pending and stop logging; does nothing when no log is open.

    Raises
    ------
    LogError
        Rows could not be written within `timeout_s` seconds.
    """
    _log().close(timeout_s)


def flush(timeout_s: float = 10.0) -> None:
    """Wait until every response so far is committed.

    Parameters
    ----------
    timeout_s : float
        Longest wait in seconds.

    Raises
    ------
    LogError
        The log cannot be written; its rows are kept in memory and retried.
    """
    _log().flush(timeout_s)


def is_open() -> bool:
    """Whether responses are being logged."""
    return _log().is_open


def path() -> Path | None:
    """File of the open log, None when no log is open, or it is in a database."""
    return _log().path


def info() -> LogInfo:
    """Where the open log is and how it is stored."""
    return _log().info()


def off() -> None:
    """Log no call of the current session from now on, until `on`.

    Calls under way are still logged. The log stays open: it can be read, and answers in it rated.

    Examples
    --------
    >>> off()
    >>> on()
    """
    _log().is_paused = True


def on() -> None:
    """Log calls again after `off`; calls that were made in between are not."""
    _log().is_paused = False


def is_paused() -> bool:
    """Whether `off` keeps calls out of the log."""
    return _log().is_paused


@contextmanager
def paused() -> Iterator[None]:
    """Log no call that is made in a block, however long it takes.

    Examples
    --------
    ::

        with allos.log.paused():
            allos.ask("Something private", model="local/smollm2")
    """
    with context.using(logged=False):
        yield


def redact(function: Redaction | None) -> None:
    """Change each text before it is written to the log: prompts, answers, errors, notes and raw JSON.

    It runs on the log's own thread and slows no call down. A call's own answer is not changed.

    Parameters
    ----------
    function : callable or None
        Gets a text and returns what is written in its place. Of JSON it gets each string by itself. Where it
        fails, none of the row's texts is written. None ends it.

    Raises
    ------
    ConfigurationError
        It is not callable.

    Examples
    --------
    ::

        import re

        allos.log.redact(lambda text: re.sub(r"[\\w.]+@[\\w.]+", "(an address)", text))
    """
    if function is not None and not callable(function):
        raise ConfigurationError(
            f"redact() needs a function that gets and returns a text, got {function!r:.80}"
        )
    log = _log()
    log.flush()
    log.redaction = function


def session_id() -> str:
    """ULID of the current session in this process, the `session_id` of its rows."""
    return _log().session_id
