"""What `allos.responses` was asked for, as SQL; every word is checked first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args

from allos.errors import ConfigurationError, did_you_mean
from allos.log.columns import NAMES
from allos.log.rows import to_json_text, to_micros
from allos.response import Status

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


@dataclass(frozen=True, slots=True)
class Where:
    """Condition of a SELECT on the table `responses`."""

    sql: str
    """Empty without a condition."""
    values: tuple[Any, ...] = ()


def where(
    filters: dict[str, Any], *, since: Any, until: Any, tags: Any, text: Any, now: datetime
) -> Where:
    """Condition of all filters together.

    Parameters
    ----------
    filters : dict
        Wanted value or values by column; None is no filter.
    since, until : str, datetime, timedelta or None
        Bounds on `created_at`: from `since` on, before `until`.
    tags : str, iterable of str or None
        Rows with any of these tags.
    text : str, iterable of str or None
        Rows whose prompt or content holds any of these texts.
    now : datetime
        From where ages like ``"1h"`` count back.

    Raises
    ------
    ConfigurationError
        A value that cannot be meant.
    """
    parts: list[Where] = []
    for name, wanted in filters.items():
        if wanted is None:
            continue
        values = _values(name, wanted)
        if name == "status":
            _check_statuses(values)
        parts.append(_model(values) if name == "model" else _among(f'"{name}"', values))
    if since is not None:
        parts.append(Where("created_at >= ?", (_micros("since", since, now),)))
    if until is not None:
        parts.append(Where("created_at < ?", (_micros("until", until, now),)))
    if tags is not None:
        # A tag stands in the JSON array between quotes, which JSON escapes inside of a tag.
        parts.append(_any("instr(tags, ?)", [(to_json_text(t),) for t in _values("tags", tags)]))
    if text is not None:
        likes = [_like(piece) for piece in _values("text", text)]
        parts.append(
            _any(
                "(prompt LIKE ? ESCAPE '\\' OR content LIKE ? ESCAPE '\\')",
                [(like, like) for like in likes],
            )
        )
    return Where(
        " AND ".join(part.sql for part in parts),
        tuple(value for part in parts for value in part.values),
    )


def chosen_columns(columns: Iterable[str] | str | None) -> tuple[str, ...]:
    """Columns of the frame: all, or those named, in the order named.

    Raises
    ------
    ConfigurationError
        A column that the log does not have.
    """
    if columns is None:
        return NAMES
    names = (columns,) if isinstance(columns, str) else tuple(columns)
    for name in names:
        if name not in NAMES:
            raise ConfigurationError(
                f"the log has no column {name!r}.{did_you_mean(str(name), NAMES)} "
                "All columns: allos.log.columns.NAMES"
            )
    return tuple(dict.fromkeys(names))


def reject_unknown(unknown: Iterable[str], known: Collection[str]) -> None:
    """Complain about the first filter that does not exist, with the near match."""
    for name in unknown:
        raise ConfigurationError(
            f"responses() has no filter {name!r}.{did_you_mean(name, known)} "
            f"The filters are: {', '.join(known)}"
        )


def check_limit(limit: Any) -> None:
    """Complain about a `limit` that is no number of rows."""
    if limit is not None and (
        not isinstance(limit, int) or isinstance(limit, bool) or not 0 <= limit < 2**63
    ):
        raise ConfigurationError(f"limit= is a number of rows, 0 or more, not {limit!r}")


def _values(name: str, wanted: Any) -> list[str]:
    values = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(values, Iterable) or isinstance(values, bytes):
        raise ConfigurationError(f"{name}= takes a text or a list of texts, not {wanted!r}")
    values = list(values)
    for value in values:
        if not isinstance(value, str):
            raise ConfigurationError(f"{name}= takes a text or a list of texts, not {value!r}")
    return values


def _check_statuses(values: list[str]) -> None:
    known = get_args(Status)
    for value in values:
        if value not in known:
            raise ConfigurationError(
                f"status= is one of {', '.join(known)}, not {value!r}.{did_you_mean(value, known)}"
            )


def _among(expression: str, values: list[str]) -> Where:
    return Where(f"{expression} IN ({', '.join('?' * len(values))})", tuple(values))


def _model(values: list[str]) -> Where:
    """A model by its name alone, or as it is called: ``provider/model``."""
    alone, called = _among("model", values), _among("provider || '/' || model", values)
    return Where(f"({alone.sql} OR {called.sql})", alone.values + called.values)


def _any(condition: str, values: list[tuple[str, ...]]) -> Where:
    if not values:
        return Where("0")
    joined = " OR ".join([condition] * len(values))
    return Where(f"({joined})", tuple(value for each in values for value in each))


def _like(piece: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", piece) + "%"


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
                return to_micros(now - timedelta(seconds=float(age[1]) * _UNITS[age[2]]))
            return to_micros(datetime.fromisoformat(moment.strip()))
    except (ValueError, OverflowError):
        pass  # no such time, or one outside of the calendar
    raise ConfigurationError(
        f'{name}= takes an age such as "30m", "1h", "2d", a date, a datetime or an ISO time, not {moment!r}'
    )


def utc_now() -> datetime:
    """Time of day, UTC."""
    return datetime.now(UTC)
