"""The arguments of `allos.responses`, checked and turned into a `Where`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol, get_args, runtime_checkable

from allos.errors import ConfigurationError, did_you_mean
from allos.log import days
from allos.log.columns import FRAME_NAMES, NAMES
from allos.log.rows import to_micros
from allos.log.store.protocol import Where
from allos.response import Status

_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


@runtime_checkable
class NamedModel(Protocol):
    """A provider object, of which only the names matter."""

    @property
    def name(self) -> str:
        """Name of the service."""

    model: str


def build_where(
    filters: dict[str, Any],
    *,
    now: datetime,
    model: Any = None,
    since: Any = None,
    until: Any = None,
    tags: Any = None,
    text: Any = None,
) -> Where:
    """Condition that all the filters together express.

    Parameters
    ----------
    filters : dict
        Wanted value or values by column; None does not filter.
    now : datetime
        What ages like ``"1h"`` are subtracted from.
    model : str, provider object, iterable of those, or None
        Model as requested, with or without its provider.
    since, until : str, datetime, timedelta or None
        Bounds of `created_at`: `since` is included, `until` is not.
    tags : str, iterable of str or None
        Rows with any of these tags.
    text : str, iterable of str or None
        Rows whose prompt or content contains any of these strings.

    Raises
    ------
    ConfigurationError
        A value is not valid.
    """
    any_of = {
        name: _strings(name, wanted) for name, wanted in filters.items() if wanted is not None
    }
    _check_statuses(any_of.get("status", ()))
    return Where(
        any_of=any_of,
        models=None if model is None else _strings("model", _model_names(model)),
        since=None if since is None else _micros("since", since, now),
        until=None if until is None else _micros("until", until, now),
        tags=None if tags is None else _strings("tags", tags),
        texts=None if text is None else _strings("text", text),
    )


def check_columns(columns: Iterable[str] | str | None) -> tuple[str, ...]:
    """Columns of the frame: all, or the given ones in the given order.

    Raises
    ------
    ConfigurationError
        The log has no such column.
    """
    if columns is None:
        return FRAME_NAMES
    if not isinstance(columns, Iterable):
        raise ConfigurationError(
            f"columns= must be the name of a column or a list of names, got {columns!r}"
        )
    names = (columns,) if isinstance(columns, str) else tuple(columns)
    for name in names:
        if name not in NAMES:
            raise ConfigurationError(
                f"the log has no column {name!r}.{did_you_mean(str(name), NAMES)} "
                "All columns: allos.log.columns.NAMES"
            )
    return tuple(dict.fromkeys(names))


def reject_unnamed(values: Sequence[Any], known: Collection[str]) -> None:
    """Raise for a value that was passed without the name of its filter."""
    if values:
        raise ConfigurationError(
            f"responses() needs the name of each filter, as in provider='groq', got {values[0]!r:.80}. "
            f"Valid filters: {', '.join(known)}"
        )


def reject_unknown(unknown: Iterable[str], known: Collection[str]) -> None:
    """Raise for the first unknown filter, with the closest known one."""
    for name in unknown:
        raise ConfigurationError(
            f"responses() has no filter {name!r}.{did_you_mean(name, known)} "
            f"Valid filters: {', '.join(known)}"
        )


def check_limit(limit: Any) -> None:
    """Raise for a `limit` that is not a number of rows."""
    if limit is not None and (
        not isinstance(limit, int) or isinstance(limit, bool) or not 0 <= limit < 2**63
    ):
        raise ConfigurationError(f"limit= must be an integer >= 0, got {limit!r}")


def _strings(name: str, wanted: Any) -> tuple[str, ...]:
    values = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(values, Iterable) or isinstance(values, bytes):
        raise ConfigurationError(f"{name}= must be a string or a list of strings, got {wanted!r}")
    values = tuple(values)
    for value in values:
        if not isinstance(value, str):
            raise ConfigurationError(
                f"{name}= must be a string or a list of strings, got {value!r}"
            )
    return values


def _model_names(wanted: Any) -> Any:
    """Return the wanted models with provider objects replaced by ``provider/model``."""
    if isinstance(wanted, NamedModel):
        return f"{wanted.name}/{wanted.model}"
    if isinstance(wanted, str | bytes) or not isinstance(wanted, Iterable):
        return wanted
    return [_model_names(each) for each in wanted]


def _check_statuses(values: Iterable[str]) -> None:
    known = get_args(Status)
    for value in values:
        if value not in known:
            raise ConfigurationError(
                f"status= must be one of {', '.join(known)}, got {value!r}."
                f"{did_you_mean(value, known)}"
            )


def _micros(name: str, moment: Any, now: datetime) -> int:
    try:
        if isinstance(moment, datetime):
            return to_micros(moment)
        if isinstance(moment, date):
            return to_micros(datetime.combine(moment, time()))
        if isinstance(moment, timedelta):
            return to_micros(now - moment)
        if isinstance(moment, str):
            age = _AGE.fullmatch(moment.strip())
            if age:
                return to_micros(now - timedelta(seconds=float(age[1]) * _UNIT_S[age[2]]))
            start = days.start_of(moment, now)
            return to_micros(start or datetime.fromisoformat(moment.strip()))
    except (ValueError, OverflowError):
        pass  # not a date, or one outside the calendar
    raise ConfigurationError(
        f'{name}= must be an age such as "30m", "1h" or "2d", "today", "yesterday" or a weekday, a date, '
        f"a datetime or an ISO 8601 string, got {moment!r}"
        f"{'.' + close if (close := did_you_mean(str(moment).lower(), days.WORDS)) else ''}"
    )


def utc_now() -> datetime:
    """Current time, UTC."""
    return datetime.now(UTC)
