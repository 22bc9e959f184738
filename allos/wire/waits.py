"""How long to wait, as services write it: `2s`, `1m30s`, seconds, a date, a time since 1970, a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

_MAX_CHARS = 60
"""Of a duration or a time; what is longer is neither."""

_UNITS = {
    "ms": 0.001, "millisecond": 0.001, "milliseconds": 0.001,
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0,
    "m": 60.0, "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hrs": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
}  # fmt: skip
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_STEP = rf"\d+(?:\.\d+)?\s?(?:{_UNIT})(?![a-z])"
_SPAN = rf"{_STEP}(?:(?:\s|,|\sand\s){{0,2}}{_STEP})*"
_FIND_STEP = rf"(\d+(?:\.\d+)?)\s?({_UNIT})(?![a-z])"
_IS_NUMBER = re.compile(r"\d+(?:\.\d+)?")

_BETWEEN = (
    r"(?:[\s:~]+(?:again|later|in|after|for|about|around|approximately|at|least|another|your|the"
    r"|this|request|query|call))*[\s:~]*"
)
_WHEN = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s?(?:Z|UTC|[+-]\d\d:?\d\d)?"
_SENTENCE = (
    rf"\b(?:try|retry|retrying|wait|available|resets?|reset)\b{_BETWEEN}(?:({_SPAN})|({_WHEN}))"
)

# No service asks for a wait of 30 years, nor counts milliseconds from a time before 2001.
_EPOCH_S = (1e9, 1e11)
_EPOCH_MS = (1e12, 1e14)

Clock = Callable[[], float]
"""Seconds since 1970, now."""


def parse_wait(text: str, now: Clock) -> float | None:
    """Seconds to wait in the value of a header or a field; None where it is none.

    Parameters
    ----------
    text : str
        A number of seconds, a duration (`6m0s`, `12ms`, `20 seconds`), an HTTP date, an ISO 8601 time,
        or seconds or milliseconds since 1970 where the number can be nothing else.
    now : callable
        Called only for a point in time.

    Examples
    --------
    >>> [parse_wait(text, lambda: 1_790_000_000.0) for text in ("2", "1m30s", "1790000005")]
    [2.0, 90.0, 5.0]
    """
    text = text.strip()
    if _IS_NUMBER.fullmatch(text):
        return parse_seconds(float(text), now)
    if not text or len(text) > _MAX_CHARS:
        return None
    if _pattern(_SPAN).fullmatch(text):
        return _duration_s(text)
    at = _time_s(text)
    return None if at is None else max(0.0, at - now())


def parse_seconds(number: float, now: Clock) -> float:
    """Seconds to wait in a number: a wait, or a point in time where it can be nothing else."""
    for (least, most), scale in ((_EPOCH_S, 1.0), (_EPOCH_MS, 0.001)):
        if least <= number < most:
            return max(0.0, number * scale - now())
    return number


def parse_field(value: Any, now: Clock) -> float | None:
    """Seconds to wait in a JSON value: as `parse_wait`, a number, or Google's seconds and nanos."""
    if isinstance(value, dict):
        parts = [value.get("seconds") or 0, value.get("nanos") or 0]
        try:
            seconds, nanos = (float(part) for part in parts)
        except (TypeError, ValueError):
            return None
        return seconds + nanos / 1e9 if seconds or nanos else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        return parse_wait(value, now)
    try:
        return parse_seconds(float(value), now) if value >= 0 else None
    except OverflowError:
        return None


def find_wait(sentence: str, now: Clock) -> float | None:
    """Seconds that a sentence asks to wait: "Please try again in 2.5s"; None where it does not say."""
    found = _pattern(_SENTENCE).search(sentence)
    if found is None:
        return None
    if found[1]:
        return _duration_s(found[1])
    at = _time_s(found[2].replace("UTC", "Z").replace(" Z", "Z"))
    return None if at is None else max(0.0, at - now())


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern when it is first needed: most calls meet no wait, and no error."""
    return re.compile(text, re.I)


def _duration_s(text: str) -> float:
    steps = _pattern(_FIND_STEP).findall(text)
    return sum(float(number) * _UNITS[unit.lower()] for number, unit in steps)


def _time_s(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 time or an HTTP date; UTC where it names no zone."""
    from email.utils import parsedate_to_datetime

    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            at = parse(text)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        except (TypeError, ValueError, OverflowError):
            continue
    return None
