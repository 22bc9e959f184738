"""`allos.responses`: the log as a pandas DataFrame."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, overload

from allos import _process
from allos.dtypes import text_dtype
from allos.errors import LogError
from allos.log.columns import COLUMNS
from allos.log.filters import (
    NamedModel,
    build_where,
    check_columns,
    check_limit,
    reject_unknown,
    reject_unnamed,
    utc_now,
)
from allos.log.frame_formats import FrameFormat, check_format, convert
from allos.log.log_file import UnwritableLogError
from allos.log.store.protocol import DamagedStoreError

if TYPE_CHECKING:
    import pandas as pd
    from pandas.api.extensions import ExtensionArray

    from allos.log.log import Log
    from allos.log.store.protocol import Snapshot, Store, Where

_JOINED = tuple(column.name for column in COLUMNS if column.joined)
_RAW = ("raw_request", "raw_reply")


@overload
def responses(
    *positional: Any, format: Literal["arrow", "polars"], **filters: Any
) -> Any: ...  # an Arrow table or a polars frame, of packages that need not be there


@overload
def responses(
    *positional: Any,
    provider: str | Iterable[str] | None = None,
    model: str | NamedModel | Iterable[str | NamedModel] | None = None,
    status: str | Iterable[str] | None = None,
    since: str | date | timedelta | None = None,
    until: str | date | timedelta | None = None,
    tags: str | Iterable[str] | None = None,
    notebook: str | Iterable[str] | None = None,
    comparison_id: str | Iterable[str] | None = None,
    conversation: str | Iterable[str] | None = None,
    conversation_id: str | Iterable[str] | None = None,
    session_id: str | Iterable[str] | None = None,
    text: str | Iterable[str] | None = None,
    limit: int | None = None,
    raw: bool = False,
    columns: Iterable[str] | str | None = None,
    format: Literal["pandas"] = "pandas",
    **unknown: Any,
) -> pd.DataFrame: ...


def responses(
    *positional: Any,
    provider: str | Iterable[str] | None = None,
    model: str | NamedModel | Iterable[str | NamedModel] | None = None,
    status: str | Iterable[str] | None = None,
    since: str | date | timedelta | None = None,
    until: str | date | timedelta | None = None,
    tags: str | Iterable[str] | None = None,
    notebook: str | Iterable[str] | None = None,
    comparison_id: str | Iterable[str] | None = None,
    conversation: str | Iterable[str] | None = None,
    conversation_id: str | Iterable[str] | None = None,
    session_id: str | Iterable[str] | None = None,
    text: str | Iterable[str] | None = None,
    limit: int | None = None,
    raw: bool = False,
    columns: Iterable[str] | str | None = None,
    format: FrameFormat = "pandas",
    **unknown: Any,
) -> Any:
    """Logged responses, one row each, oldest first.

    A filter takes one value or several, any of which may match; all filters must match.

    Parameters
    ----------
    provider, status, notebook : str or iterable of str
        Wanted values of these columns.
    comparison_id, conversation, conversation_id, session_id : str or iterable of str
        The same.
    model : str, provider object, or iterable of those
        Model as requested, with or without its provider: ``"groq/llama-3.1-8b-instant"``.
    since, until : str, datetime, date or timedelta
        Created at or after `since`, before `until`: an age (``"30m"``, ``"1h"``, ``"2d"``,
        ``"1w"``), the start of a day (``"today"``, ``"yesterday"``, ``"monday"``, ``"week"``,
        ``"month"``), a time, also of pandas or numpy, or an ISO 8601 string. A time without a zone is
        local.
    tags : str or iterable of str
        Rows with any of these tags.
    text : str or iterable of str
        Rows whose prompt or content contains this string; A to Z match a to z.
    limit : int
        Only the newest rows, at most this many. By default all rows are returned.
    raw : bool
        Add the columns `raw_request` and `raw_reply`: JSON as it was sent and received.
    columns : iterable of str
        Only these columns, in this order; fewer are faster.
    format : {'pandas', 'arrow', 'polars'}
        Whose table is returned; the other two need pyarrow, and polars.

    Returns
    -------
    pandas.DataFrame, pyarrow.Table or polars.DataFrame
        Columns and dtypes of ``docs/reference/log-schema.md``, also without rows: text ``str``
        (``string`` on pandas 2), times ``datetime64[us, UTC]``, numbers nullable, nested values as
        JSON.

    Raises
    ------
    ConfigurationError
        An unknown filter, column or value.
    LogError
        The log is off or cannot be read. Of a damaged log the rows that can be read are returned, with
        one warning.

    Examples
    --------
    >>> import allos
    >>> df = allos.responses(provider="groq", since="1h")  # doctest: +SKIP
    >>> df.groupby("model")["latency_s"].median()  # doctest: +SKIP
    """
    if positional or unknown:
        known = responses.__kwdefaults__ or {}
        reject_unnamed(positional, known)
        reject_unknown(unknown, known)
    names = check_columns(columns)
    where = build_where(
        {
            "provider": provider,
            "status": status,
            "notebook": notebook,
            "comparison_id": comparison_id,
            "conversation": conversation,
            "conversation_id": conversation_id,
            "session_id": session_id,
        },
        model=model,
        since=since,
        until=until,
        tags=tags,
        text=text,
        now=utc_now(),
    )
    limit = check_limit(limit)
    wanted = check_format(format)
    store, unwritten = open_store()
    frame = read(store, names, where, limit=limit, raw=raw, unwritten=unwritten)
    return convert(frame, wanted)


def rows_by_id(ids: Sequence[str]) -> pd.DataFrame:
    """Frame of the responses with these ids, oldest first, with all columns.

    Raises
    ------
    LogError
        The log is off or cannot be read.
    """
    return select({"id": ids})


def select(wanted: dict[str, Any]) -> pd.DataFrame:
    """Frame of the rows with these values, by any column of the log; see `rows_by_id`."""
    store, unwritten = open_store()
    where = build_where(wanted, now=utc_now())
    return read(store, check_columns(None), where, unwritten=unwritten)


def open_store() -> tuple[Store, LogError | None]:
    """Store of the current session's log, opened if need be; everything logged is committed.

    Also why it is not, where it cannot be.
    """
    log: Log = _process.current_session().log
    store, error = log.readable_store()
    if store is None:
        raise LogError(
            "the log is off (ALLOS_LOG=off): there are no responses to read. "
            "Unset ALLOS_LOG, or call allos.log.open(path)"
        )
    try:
        log.flush()
    except LogError as not_written:
        error = not_written
    return store, error


def read(
    store: Store,
    names: Sequence[str],
    where: Where,
    *,
    limit: int | None = None,
    raw: bool = False,
    unwritten: LogError | None = None,
) -> pd.DataFrame:
    """Frame of the selected rows of one store.

    Of a damaged store it has every row that can be read; one warning says what is missing.

    Parameters
    ----------
    store, names, where, limit, raw
        As in `responses`.
    unwritten : LogError, optional
        Why the newest rows could not be written: the warning says so as well.

    Raises
    ------
    LogError
        The log cannot be read.
    """
    with _garbage_collector_off():
        try:
            with store.snapshot() as snapshot:
                found, damage = _frame(snapshot, names, where, limit, raw), snapshot.damage
        except (DamagedStoreError, *_GARBAGE) as error:
            with store.salvage() as snapshot:
                found, damage = _frame(snapshot, names, where, limit, raw), snapshot.damage
            if damage is None:
                if not isinstance(error, DamagedStoreError):
                    raise  # it is about something else
                damage = "a part of it could not be read, all rows were"
    if damage is not None:
        warnings.warn(_damaged(store.location, damage, unwritten), UserWarning, stacklevel=3)
    elif unwritten is not None and not isinstance(unwritten, UnwritableLogError):
        warnings.warn(f"the newest responses are missing: {unwritten}", UserWarning, stacklevel=3)
    return found


_GARBAGE = (ValueError, TypeError, LookupError, OverflowError, MemoryError)
"""What values of a damaged page may lead to that SQLite took for values."""


def _damaged(location: str, damage: str, unwritten: LogError | None) -> str:
    more = f" Also: {unwritten}." if unwritten is not None else ""
    return (
        f"the log {location!r} is damaged: {damage}. Keep a copy of the file, and set ALLOS_LOG to "
        f"another one for new responses; `sqlite3 FILE .recover` may save more.{more}"
    )


@contextmanager
def _garbage_collector_off() -> Iterator[None]:
    """Do not collect cycles while a block runs.

    A million new objects make the collector traverse all of them again and again, and rows hold no
    cycles.
    """
    import gc

    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _frame(
    snapshot: Snapshot, names: Sequence[str], where: Where, limit: int | None, raw: bool
) -> pd.DataFrame:
    from allos.log import frame

    stored = [name for name in names if name not in _JOINED]
    keys = ["created_at", "id"]  # to sort by, and to join ratings and raw JSON on
    blocks = list(snapshot.scan(where, list(dict.fromkeys([*keys, *stored])), limit))
    order = frame.time_order(blocks)

    def column(name: str) -> ExtensionArray:
        values = frame.column(blocks, name)
        return values if order is None else values.take(order)

    data = {name: column(name) for name in stored}
    if raw or len(stored) < len(names):
        ids = column("id")
        data.update(_ratings(snapshot, ids))
        if raw:
            data.update(_raw_columns(snapshot, ids))
            names = (*names, *_RAW)
    count = sum(block.row_count for block in blocks)
    return frame.responses_frame({name: data[name] for name in names}, count)


def _ratings(snapshot: Snapshot, ids: ExtensionArray) -> dict[str, ExtensionArray]:
    """What was said of each response last."""
    from allos.log.blocks import Block, block_from_rows
    from allos.log.frame import column
    from allos.log.rating_state import NOTHING, current_ratings

    newest = current_ratings(snapshot.ratings())
    if newest:
        rows = [newest.get(each, NOTHING) for each in ids.to_numpy(dtype=object)]
        blocks = [block_from_rows(_JOINED, rows)]
    else:
        blocks = [Block(len(ids), {})]
    return {name: column(blocks, name) for name in _JOINED}


def _raw_columns(snapshot: Snapshot, ids: ExtensionArray) -> dict[str, ExtensionArray]:
    """Request and reply of each response as JSON."""
    import pandas as pd

    from allos.log.blocks import as_objects
    from allos.log.rows import unpack

    wanted = list(ids.to_numpy(dtype=object))
    found = {
        response_id: (unpack(request), unpack(reply))
        for response_id, request, reply in snapshot.raw(wanted)
    }
    pairs = [found.get(response_id, (None, None)) for response_id in wanted]
    return {
        name: pd.array(as_objects([pair[position] for pair in pairs]), dtype=text_dtype())
        for position, name in enumerate(_RAW)
    }
