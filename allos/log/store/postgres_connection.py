"""Connections to a team's PostgreSQL, and what its errors mean."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from allos.database_url import DatabaseURL
from allos.errors import LogError

if TYPE_CHECKING:
    from psycopg import Connection

CONNECT_S = 5
"""Longest wait for a connection, unless the URL says otherwise."""

RECONNECT_S = 8.0
"""How long a server that was there before may be away, restarting, before that is an error."""

_PAUSE_S = 0.1

INSTALL = "python -m pip install 'allos-jupyter[postgres]'"


def connect(url: DatabaseURL) -> Connection[Any]:
    """Open connection, in which every statement is a transaction of its own.

    Raises
    ------
    LogError
        The URL is not valid, or psycopg is not installed.
    psycopg.Error
        The server cannot be reached, or refuses; the message may hold parts of the URL.
    """
    if not url.is_valid:
        raise LogError(
            f"{url.shown} is not a valid URL: it is postgresql://user@host:port/database, with "
            "characters such as @ / # in a password written as %40 %2F %23"
        )
    try:
        import psycopg
    except ImportError:
        raise LogError(
            f"a log in PostgreSQL needs psycopg, which is not installed: {INSTALL}"
        ) from None
    # The parameters are no variable: a traceback may show those.
    return psycopg.connect(**_parameters(url))


def _parameters(url: DatabaseURL) -> dict[str, Any]:
    from psycopg.conninfo import conninfo_to_dict

    defaults = {"connect_timeout": CONNECT_S, "application_name": "allos", "keepalives_idle": 30}
    return {
        **defaults,
        **conninfo_to_dict(url.reveal()),
        "client_encoding": "UTF8",
        "autocommit": True,
    }


def explained(url: DatabaseURL, what: str, error: Exception) -> LogError:
    """Error in one line, without a secret: ``cannot open the log '…': …``."""
    message = " ".join(url.redact(str(error)).split()) or type(error).__name__
    return LogError(f"cannot {what} the log {url.shown!r}: {message}")


def is_lost(error: Exception) -> bool:
    """Whether the connection or the server is gone, or is starting or stopping."""
    import psycopg

    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not (
        isinstance(error, psycopg.errors.DiskFull | psycopg.errors.OutOfMemory)
    )


def is_bad_value(error: Exception) -> bool:
    """Whether the error is about a value that PostgreSQL cannot store, not about the database."""
    import psycopg

    if isinstance(error, psycopg.ProgrammingError):
        return error.sqlstate is None  # it was not sent: psycopg has no type for the value
    kinds = psycopg.DataError | psycopg.IntegrityError | OverflowError | TypeError | ValueError
    return isinstance(error, kinds)


@contextlib.contextmanager
def own_connection(url: DatabaseURL, what: str, *, patient: bool) -> Iterator[Connection[Any]]:
    """Connection for one block; a `patient` one waits for a server that is restarting.

    Raises
    ------
    LogError
        The server cannot be reached, or the block failed.
    """
    db = _connect(url, what, RECONNECT_S if patient else 0.0)
    import psycopg

    try:
        with contextlib.closing(db):
            yield db
    except psycopg.Error as error:
        raise explained(url, what, error) from None


def _connect(url: DatabaseURL, what: str, patience_s: float) -> Connection[Any]:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return connect(url)
        except LogError:
            raise
        except Exception as error:  # noqa: BLE001  # psycopg's, whose text may hold the URL
            failed = explained(url, what, error)
            if not is_lost(error) or time.monotonic() >= deadline:
                raise failed from None
        time.sleep(_PAUSE_S)
