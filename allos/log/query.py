"""`allos.responses`: the log as a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos import log
from allos.dtypes import text_dtype
from allos.errors import LogError
from allos.log.columns import COLUMNS
from allos.log.filters import Where, check_limit, chosen_columns, reject_unknown, utc_now, where

if TYPE_CHECKING:
    import sqlite3

    import pandas as pd
    from pandas._libs.missing import NAType
    from pandas.api.extensions import ExtensionArray

    from allos.log.frame import Block

_JOINED = tuple(column.name for column in COLUMNS if column.joined)
_RAW = ("raw_request", "raw_reply")

# From so many wanted rows on, taking whole segments and dropping rows beats reading rows.
_SEGMENTS_FROM_ROWS = 2000
_SEGMENTS_FROM_SHARE = 0.1

_IDS_AT_ONCE = 500  # SQLite older than 3.32 takes 999 values in a statement


def responses(
    *,
    provider: str | Iterable[str] | None = None,
    model: str | Iterable[str] | None = None,
    status: str | Iterable[str] | None = None,
    since: str | datetime | timedelta | None = None,
    until: str | datetime | timedelta | None = None,
    tags: str | Iterable[str] | None = None,
    notebook: str | Iterable[str] | None = None,
    comparison_id: str | Iterable[str] | None = None,
    conversation_id: str | Iterable[str] | None = None,
    session_id: str | Iterable[str] | None = None,
    text: str | Iterable[str] | None = None,
    limit: int | None = None,
    raw: bool = False,
    columns: Iterable[str] | str | None = None,
    **unknown: Any,
) -> pd.DataFrame:
    """Logged responses, one row each, oldest first.

    A filter takes one value or several, of which any may match; all filters must match.

    Parameters
    ----------
    provider, status, notebook, comparison_id, conversation_id, session_id : str or iterable of str
        Wanted values of these columns.
    model : str or iterable of str
        Model as requested, with or without its provider: ``"groq/llama-3.1-8b-instant"``.
    since, until : str, datetime or timedelta
        Made at or after `since`, before `until`: an age (``"30m"``, ``"1h"``, ``"2d"``, ``"1w"``),
        a time, or an ISO text. A time without a zone is local.
    tags : str or iterable of str
        Rows with any of these tags.
    text : str or iterable of str
        Prompt or content holds the text; upper and lower case are alike for a to z.
    limit : int
        Only the newest rows, at most this many. Without it every row comes.
    raw : bool
        Also the columns `raw_request` and `raw_reply`: JSON texts as sent and received.
    columns : iterable of str
        Only these columns, in this order; fewer are faster.

    Returns
    -------
    pandas.DataFrame
        Columns and dtypes of ``docs/reference/log-schema.md``, also without rows: text ``str`` (``string`` on pandas 2),
        times ``datetime64[us, UTC]``, numbers nullable, nested values JSON text.

    Raises
    ------
    ConfigurationError
        An unknown filter, column or value.
    LogError
        The log is off or cannot be read.

    Examples
    --------
    >>> import allos
    >>> df = allos.responses(provider="groq", since="1h")  # doctest: +SKIP
    >>> df.groupby("model")["latency_s"].median()  # doctest: +SKIP
    """
    if unknown:
        reject_unknown(unknown, responses.__kwdefaults__ or {})
    names = chosen_columns(columns)
    condition = where(
        {
            "provider": provider,
            "model": model,
            "status": status,
            "notebook": notebook,
            "comparison_id": comparison_id,
            "conversation_id": conversation_id,
            "session_id": session_id,
        },
        since=since,
        until=until,
        tags=tags,
        text=text,
        now=utc_now(),
    )
    check_limit(limit)
    path = _open_path()
    log.flush()
    return read(path, names, condition, limit=limit, raw=raw)


def _open_path() -> Path:
    found = log.path()
    if found is None:
        found = log.open().path
    if found is None:
        raise LogError(
            "the log is off (ALLOS_LOG=off): there are no responses to read. "
            "Unset ALLOS_LOG, or call allos.log.open(path)"
        )
    return found


def read(
    path: Path,
    names: Sequence[str],
    condition: Where,
    *,
    limit: int | None = None,
    raw: bool = False,
) -> pd.DataFrame:
    """Frame of the rows of one log file that meet a condition.

    Raises
    ------
    LogError
        The file cannot be read.
    """
    import gc
    import sqlite3

    from allos.log.store.sqlite import connect

    # A million new objects make the collector walk all of them again and again, for nothing:
    # a row holds no cycles.
    collecting = gc.isenabled()
    gc.disable()
    try:
        db = connect(path)
        try:
            db.execute("PRAGMA query_only = 1")
            db.execute("BEGIN")  # one snapshot for all SELECTs
            return _frame(db, names, condition, limit, raw)
        finally:
            db.close()
    except sqlite3.Error as error:
        raise LogError(f"cannot read the log {str(path)!r}: {error}") from error
    finally:
        if collecting:
            gc.enable()


def _frame(
    db: sqlite3.Connection,
    names: Sequence[str],
    condition: Where,
    limit: int | None,
    raw: bool,
) -> pd.DataFrame:
    import pandas as pd

    from allos.log import frame

    stored = [name for name in names if name not in _JOINED]
    helpers = ["seq", "created_at", "id"]  # to order by, and to join ratings and raw texts on
    blocks = list(_blocks(db, list(dict.fromkeys([*helpers, *stored])), condition, limit))
    order = frame.time_order(blocks)

    def column(name: str) -> ExtensionArray:
        values = frame.column(blocks, name)
        return values if order is None else values.take(order)

    data = {name: column(name) for name in stored}
    if raw or len(stored) < len(names):
        ids = column("id")
        data.update(_ratings(db, ids))
        if raw:
            data.update(_raws(db, ids))
            names = (*names, *_RAW)
    count = sum(block.row_count for block in blocks)
    return pd.DataFrame(
        {name: data[name] for name in names}, index=pd.RangeIndex(count), copy=False
    )


def _blocks(
    db: sqlite3.Connection, names: Sequence[str], condition: Where, limit: int | None
) -> Iterator[Block]:
    from allos.log.frame import kept_rows, row_block

    quoted = ", ".join(f'"{name}"' for name in names)
    select = f"SELECT {quoted} FROM responses"
    matching = f" WHERE {condition.sql}" if condition.sql else ""
    if limit is not None:
        rows = db.execute(
            f"{select}{matching} ORDER BY created_at DESC, seq DESC LIMIT ?",
            (*condition.values, limit),
        ).fetchall()
        yield row_block(names, rows[::-1])
    elif not condition.sql:
        yield from _all_blocks(db, names, select)
    else:
        found = db.execute(
            f"SELECT seq FROM responses{matching} ORDER BY seq", condition.values
        ).fetchall()
        share = _SEGMENTS_FROM_SHARE * _row_count(db)
        if len(found) >= _SEGMENTS_FROM_ROWS and len(found) >= share:
            wanted = [seq for (seq,) in found]
            for block in _all_blocks(db, names, select):
                yield kept_rows(block, wanted)
        else:
            rows = db.execute(f"{select}{matching} ORDER BY seq", condition.values).fetchall()
            yield row_block(names, rows)


def _all_blocks(db: sqlite3.Connection, names: Sequence[str], select: str) -> Iterator[Block]:
    """Every row by `seq`: segments where there are some, rows between and after them."""
    from allos.log.frame import row_block, segment_blocks

    done = 0
    for first, last, block in segment_blocks(db, names):
        if first > done + 1:
            between = db.execute(
                f"{select} WHERE seq > ? AND seq < ? ORDER BY seq", (done, first)
            ).fetchall()
            yield row_block(names, between)
        yield block
        done = last
    newest = db.execute(f"{select} WHERE seq > ? ORDER BY seq", (done,)).fetchall()
    yield row_block(names, newest)


def _row_count(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM responses").fetchone()[0])


def _ratings(db: sqlite3.Connection, ids: ExtensionArray) -> dict[str, ExtensionArray]:
    """Newest rating and newest note of each response; an entry with neither withdraws both."""
    import pandas as pd

    from allos.log.frame import Block, column
    from allos.log.segments import as_objects

    newest: dict[str, tuple[int | None, str | None]] = {}
    for response_id, rating, note in db.execute(
        "SELECT response_id, rating, note FROM ratings ORDER BY seq"
    ):
        if rating is None and note is None:
            newest.pop(response_id, None)
            continue
        old_rating, old_note = newest.get(response_id, (None, None))
        newest[response_id] = (
            old_rating if rating is None else rating,
            old_note if note is None else note,
        )
    if not newest:
        nothing = [Block(len(ids), {})]
        return {name: column(nothing, name) for name in _JOINED}
    found = [newest.get(response_id, (None, None)) for response_id in ids.to_numpy(dtype=object)]
    ratings: list[int | NAType] = [pd.NA if rating is None else rating for rating, _ in found]
    return {
        "rating": pd.array(ratings, dtype="Int64"),
        "note": pd.array(as_objects([note for _, note in found]), dtype=text_dtype()),
    }


def _raws(db: sqlite3.Connection, ids: ExtensionArray) -> dict[str, ExtensionArray]:
    """Request and reply of each response as JSON texts."""
    import pandas as pd

    from allos.log.rows import unpack
    from allos.log.segments import as_objects

    wanted = list(ids.to_numpy(dtype=object))
    found: dict[str, tuple[str | None, str | None]] = {}
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        some = wanted[start : start + _IDS_AT_ONCE]
        for response_id, request, reply in db.execute(
            f"SELECT id, request, reply FROM raw WHERE id IN ({', '.join('?' * len(some))})", some
        ):
            found[response_id] = (unpack(request), unpack(reply))
    pairs = [found.get(response_id, (None, None)) for response_id in wanted]
    return {
        name: pd.array(as_objects([pair[position] for pair in pairs]), dtype=text_dtype())
        for position, name in enumerate(_RAW)
    }
