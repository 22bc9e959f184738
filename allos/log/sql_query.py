"""`allos.log.sql`: a query of the user's on the log, as a typed frame."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError, LogError
from allos.log.columns import DTYPES
from allos.log.query import open_store
from allos.log.store.sqlite_connection import is_damage

if TYPE_CHECKING:
    import pandas as pd

_STEPS = 10_000
"""Instructions of SQLite between two looks at the clock."""


def sql(
    query: str,
    params: Sequence[Any] | Mapping[str, Any] = (),
    *,
    timeout_s: float = 60.0,
) -> pd.DataFrame:
    """Result of one SQL query on the log; nothing can be changed by it.

    The tables are `responses` (times are microseconds since 1970-01-01 UTC, flags 0 or 1), `ratings`,
    `votes`, and `raw` (compressed).

    Parameters
    ----------
    query : str
        One ``SELECT``, with ``?`` or ``:name`` for values.
    params : sequence or mapping
        The values.
    timeout_s : float
        Longest time in seconds.

    Returns
    -------
    pandas.DataFrame
        Columns with the name of one of the log's have its dtype, where their values fit; others are `Int64`,
        `Float64` or text.

    Raises
    ------
    ConfigurationError
        It is not one query that only reads, or SQLite does not understand it.
    LogError
        The log is off, cannot be read, or the query takes too long.

    Examples
    --------
    ::

        allos.log.sql("select model, count(*) as calls, avg(latency_s) from responses group by model")
        allos.log.sql("select * from responses where created_at > ?", [1_790_000_000_000_000])
    """
    import sqlite3

    from allos.log.frame import typed_frame
    from allos.log.store.opening import file_of
    from allos.log.store.read_only import open_read_only

    given: object = query
    if not isinstance(given, str) or not given.strip():
        raise ConfigurationError(f"sql() needs one SELECT as a string, got {query!r:.80}")
    store, _ = open_store()
    deadline = time.monotonic() + timeout_s
    stop: list[BaseException] = []

    def is_over() -> bool:
        try:
            return time.monotonic() > deadline
        except KeyboardInterrupt as interrupt:  # of the user, while SQLite was calling
            stop.append(interrupt)
            return True

    try:
        with open_read_only(file_of(store, "allos.log.sql()")) as db:
            db.set_progress_handler(is_over, _STEPS)
            cursor = db.execute(query, params)
            if cursor.description is None:
                raise ConfigurationError(_ONLY_READS)
            names = [column[0] for column in cursor.description]
            rows = cursor.fetchall()
    except (sqlite3.Error, sqlite3.Warning, ValueError, TypeError, OverflowError) as error:
        if stop:
            raise stop[0] from None
        raise _explained(error, query, timeout_s) from None
    return typed_frame(_kinds(names, rows), rows)


_ONLY_READS = "sql() only reads the log: the query must be one SELECT"


def _explained(error: Exception, query: str, timeout_s: float) -> ConfigurationError | LogError:
    message = " ".join(str(error).split())
    if is_damage(error) and not message.startswith("no such"):
        return LogError(f"cannot read the log: {message}. allos.responses() reads what can be read")
    if "interrupted" in message:
        return LogError(
            f"the query took longer than {timeout_s:g} s: timeout_s= sets another limit"
        )
    if any(
        part in message for part in ("not authorized", "prohibited", "one statement", "readonly")
    ):
        return ConfigurationError(f"{_ONLY_READS} ({message})")
    return ConfigurationError(f"SQLite does not accept the query: {message}")


def _kinds(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for position, name in enumerate(names):
        found = {type(row[position]) for row in rows} - {type(None)}
        kind = DTYPES.get(name)
        if kind is None or not _fits(kind, found):
            kind = "Int64" if found == {int} else "Float64" if found <= {int, float} else "str"
            if not found:
                kind = "str"
        unique, number = name, 2
        while unique in kinds:  # select 1 as a, 2 as a
            unique, number = f"{name}_{number}", number + 1
        kinds[unique] = kind
    return kinds


def _fits(kind: str, found: set[type]) -> bool:
    if kind == "str":
        return found <= {str}
    return found <= ({int, float} if kind == "Float64" else {int})
