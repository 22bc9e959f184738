"""What response headers say: request id, rate limits left, and how long to wait."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from math import inf
from typing import Any

from allos.events import Event, RateLimitHint, ResponseFacts
from allos.wire.waits import Clock, parse_wait

_MAX_DIGITS = 16
_RETRY_AFTER = ("retry-after", "x-retry-after", "x-ratelimit-retry-after")
_ERROR_CODES = ("x-amzn-errortype", "x-ms-error-code")
_RESET = re.compile(r"rate-?limit.*reset")


def header_events(headers: Mapping[str, str]) -> list[Event]:
    """Events in response headers: the facts, and a hint to wait where a rate limit is used up."""
    found = _lower_case(headers)
    get = found.get
    facts: dict[str, Any] = {"request_id": get("x-request-id") or get("request-id")}
    resets: list[float] = []
    waits: list[float] = []
    for what in ("requests", "tokens"):
        left = get(f"x-ratelimit-remaining-{what}") or get(f"anthropic-ratelimit-{what}-remaining")
        reset = get(f"x-ratelimit-reset-{what}") or get(f"anthropic-ratelimit-{what}-reset")
        reset_s = parse_wait(reset, clock(found)) if reset else None
        if reset_s is not None and reset_s < inf:
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


def retry_after_s(headers: Mapping[str, str], now: Clock | None = None) -> float | None:
    """Seconds that the service asks to wait; None where it does not say."""
    milliseconds = headers.get("retry-after-ms") or ""
    if re.fullmatch(r"\d+(\.\d+)?", milliseconds):
        return float(milliseconds) / 1000
    reported = (headers.get(name) for name in _RETRY_AFTER)
    return parse_wait(next((each for each in reported if each), ""), now or clock(headers))


def error_codes(headers: Mapping[str, str]) -> list[str]:
    """Return the codes of an error that stand in headers alone."""
    found = (headers.get(name) for name in _ERROR_CODES)
    return [each.partition(":")[0] for each in found if each]


def rate_limit_wait_s(headers: Mapping[str, str], now: Clock | None = None) -> float | None:
    """Seconds until a refused request has room again, by the windows of the service's rate limits.

    The longest one of those that are used up. Where none is, the request alone was larger than what
    is left of some window, and the shortest one says when it is worth another try.
    """
    found = _lower_case(headers)
    now = now or clock(found)
    used_up: list[float] = []
    others: list[float] = []
    for name, value in found.items():
        if _RESET.search(name) and (wait_s := parse_wait(value, now)):
            left = found.get(name.replace("reset", "remaining"), "")
            (used_up if left.strip() in ("0", "0.0") else others).append(wait_s)
    return max(used_up) if used_up else min(others, default=None)


def clock(headers: Mapping[str, str]) -> Clock:
    """Seconds since 1970 as the service's own clock has them, where it says so; else as ours has."""
    date = headers.get("date")

    def now() -> float:
        from email.utils import parsedate_to_datetime

        try:
            return parsedate_to_datetime(date or "").timestamp()
        except (TypeError, ValueError, OverflowError):
            return time.time()

    return now


def _lower_case(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers as a dict with lower-case names: a look-up in the HTTP library's own costs 4 us a name."""
    raw = getattr(headers, "raw", None)
    if raw is None:
        return {str(name).lower(): str(value) for name, value in headers.items()}
    return {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in raw}
