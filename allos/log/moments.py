"""Points in time as people write them: ages, days, dates, Python's, numpy's and pandas' times."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from allos.errors import ConfigurationError, nearest
from allos.log import days
from allos.log.rows import to_micros

_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


def micros_of(name: str, moment: Any, now: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of a point in time; without a zone it is local.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    moment : str, datetime, date, timedelta, or numpy's datetime64 or timedelta64
        Durations count back from `now`. pandas' Timestamp and Timedelta are a datetime and a timedelta.
    now : datetime

    Raises
    ------
    ConfigurationError
        It is none of these, or outside the calendar.
    """
    try:
        found = _plain(moment, now)
        if found is not None:
            return to_micros(found)
    except (ValueError, TypeError, OverflowError, OSError):
        pass  # not a time (pandas' and numpy's NaT), or one outside the calendar
    got = " ".join(f"{moment!r:.200}".split())
    raise ConfigurationError(
        f'{name}= must be an age such as "30m", "1h" or "2d", "today", "yesterday" or a weekday, a date, '
        f"a datetime or an ISO 8601 string, got {got}{_suggestion(moment)}"
    )


def _suggestion(moment: Any) -> str:
    """End of the message for a mistyped day."""
    close = nearest(moment.strip().lower(), days.WORDS) if isinstance(moment, str) else None
    return "" if close is None else f". Did you mean {close!r}?"


def _plain(moment: Any, now: datetime) -> datetime | None:
    if isinstance(moment, str):
        age = _AGE.fullmatch(moment.strip())
        if age:
            return now - timedelta(seconds=float(age[1]) * _UNIT_S[age[2]])
        return days.start_of(moment, now) or datetime.fromisoformat(moment.strip())
    moment = _without_numpy(moment)
    # Of their fields: subclasses (pandas', pendulum's) compute in another way than their bases.
    if isinstance(moment, datetime):
        clock = time(
            moment.hour, moment.minute, moment.second, moment.microsecond, fold=moment.fold
        )
        return datetime.combine(_day(moment), clock, moment.tzinfo)
    if isinstance(moment, date):
        return datetime.combine(_day(moment), time())
    if isinstance(moment, timedelta):
        return now - timedelta(moment.days, moment.seconds, moment.microseconds)
    return None


def _day(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)


def _without_numpy(moment: Any) -> Any:
    """Python's own time for one of numpy; None for numpy's NaT."""
    import numpy as np

    for kind, unit in ((np.datetime64, "datetime64[us]"), (np.timedelta64, "timedelta64[us]")):
        if isinstance(moment, kind):
            return moment.astype(unit).item()
    return moment
