"""Days as people name them: ``today``, ``yesterday``, ``monday``, ``week``, ``month``."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

WORDS = ("today", "yesterday", "week", "month", *_WEEKDAYS)
"""Words that name a day."""


def start_of(word: str, now: datetime) -> datetime | None:
    """Local midnight at which a day, a week or a month began; None for any other word.

    Parameters
    ----------
    word : str
        One of `WORDS`; upper and lower case are the same. A weekday is its newest one, today included;
        a week begins on Monday.
    now : datetime
        With a time zone.

    Examples
    --------
    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 26, 12, tzinfo=UTC)  # a Thursday
    >>> start_of("today", now).day, start_of("monday", now).day, start_of("someday", now)
    (26, 23, None)
    """
    name = word.strip().lower()
    if name not in WORDS:
        return None
    today = now.astimezone().date()
    match name:
        case "today":
            days = 0
        case "yesterday":
            days = 1
        case "week":
            days = today.weekday()
        case "month":
            days = today.day - 1
        case _:
            days = (today.weekday() - _WEEKDAYS.index(name)) % 7
    return _midnight(today - timedelta(days=days))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time()).astimezone()
