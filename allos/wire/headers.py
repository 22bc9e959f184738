"""What response headers say: request id, rate limits left, and how long to wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from allos.events import Event, RateLimitHint, ResponseFacts

_MAX_DIGITS = 16
_MAX_TIME_CHARS = 40
"""Of a duration or time; what is longer is neither."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


def header_events(headers: Mapping[str, str]) -> list[Event]:
    """Events in response headers: the facts, and a hint to wait where a rate limit is used up."""
    get = _lower_case(headers).get
    facts: dict[str, Any] = {"request_id": get("x-request-id") or get("request-id")}
    resets: list[float] = []
    waits: list[float] = []
    for what in ("requests", "tokens"):
        left = get(f"x-ratelimit-remaining-{what}") or get(f"anthropic-ratelimit-{what}-remaining")
        reset_s = _reset_s(get(f"x-ratelimit-reset-{what}"), None)
        if reset_s is None:
            reset_s = _reset_s(get(f"anthropic-ratelimit-{what}-reset"), get("date"))
        if reset_s is not None:
            resets.append(reset_s)
        if left and left.isdecimal() and len(left) < _MAX_DIGITS:
            facts[f"ratelimit_remaining_{what}"] = int(left)
            if int(left) == 0 and reset_s is not None and reset_s > 0:
                waits.append(reset_s)
    if resets:
        facts["ratelimit_reset_s"] = max(resets)
    events: list[Event] = [ResponseFacts(**facts)]
    if waits:
        events.append(RateLimitHint(max(waits)))
    return events


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the id that the service gave the request."""
    return headers.get("x-request-id") or headers.get("request-id")


def rate_limit_wait_s(headers: Mapping[str, str]) -> float | None:
    """Seconds until a used-up rate limit has room again; None where none is used up."""
    hints = (event.wait_s for event in header_events(headers) if isinstance(event, RateLimitHint))
    return next(hints, None)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the service asks to wait; None where it does not say."""
    text = headers.get("retry-after-ms")
    if text and re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text) / 1000
    text = headers.get("retry-after")
    if not text:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    from email.utils import parsedate_to_datetime

    try:
        when, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("date") or "")
        return max(0.0, (when - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _lower_case(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers as a dict with lower-case names: a look-up in the HTTP library's own costs 4 us a name."""
    raw = getattr(headers, "raw", None)
    if raw is None:
        return {name.lower(): value for name, value in headers.items()}
    return {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in raw}


def _reset_s(text: str | None, date: str | None) -> float | None:
    """Seconds in `12ms`, `6m0s`, `17`; for a time of day, seconds after the response's own date."""
    if not text or len(text) > _MAX_TIME_CHARS:
        return None
    if "T" in text:
        from datetime import datetime
        from email.utils import parsedate_to_datetime

        try:
            return (
                datetime.fromisoformat(text) - parsedate_to_datetime(date or "")
            ).total_seconds()
        except (TypeError, ValueError):
            return None
    if not re.fullmatch(rf"(?:{_DURATION.pattern})+", text):
        return None
    return sum(float(number) * _SECONDS[unit or None] for number, unit in _DURATION.findall(text))
