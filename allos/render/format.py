"""Numbers for people to read. Unknown is a dash, never a guess."""

from __future__ import annotations

import math

from allos.money import UNKNOWN, money

__all__ = ["UNKNOWN", "money", "rate", "seconds", "speed", "tokens"]

_MIN_GENERATION_S = 0.05
"""From the first token to the end; throughput over a shorter time is noise."""


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def seconds(value_s: float | None) -> str:
    """Duration, rounded for reading.

    Parameters
    ----------
    value_s : float or None
        Seconds; None or NaN when unknown.

    Examples
    --------
    >>> [seconds(s) for s in (0.0184, 0.92, 2.14, 125, 3720, None)]
    ['18 ms', '0.92 s', '2.1 s', '2 min 5 s', '1 h 2 min', '–']
    """
    if value_s is None or not _known(value_s):
        return UNKNOWN
    if value_s < 0.0995:
        return f"{value_s * 1000:.0f} ms"
    if value_s < 0.995:
        return f"{value_s:.2f} s"
    if value_s < 59.95:
        return f"{value_s:.1f} s"
    minutes, rest_s = divmod(round(value_s), 60)
    if minutes < 60:
        return f"{minutes} min {rest_s} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"


def tokens(count: float | None) -> str:
    """Count with thousands separated.

    Examples
    --------
    >>> tokens(48210), tokens(None)
    ('48,210', '–')
    """
    return f"{count:,.0f}" if count is not None and _known(count) else UNKNOWN


def rate(tokens_per_second: float | None) -> str:
    """Tokens per second.

    Examples
    --------
    >>> rate(209.7), rate(4.26)
    ('210 tok/s', '4.3 tok/s')
    """
    if tokens_per_second is None or not _known(tokens_per_second):
        return UNKNOWN
    digits = 0 if tokens_per_second >= 9.95 else 1
    return f"{tokens_per_second:,.{digits}f} tok/s"


def speed(tokens_per_second: float | None, latency_s: float | None, first_s: float | None) -> str:
    """Throughput of an answer; empty where it is unknown or means nothing.

    An answer that arrived in one chunk took a millisecond to "generate": that is the network's speed.

    Examples
    --------
    >>> speed(209.7, 0.92, 0.18), speed(18_800, 0.0703, 0.07)
    ('210 tok/s', '')
    """
    if tokens_per_second is None:
        return ""
    too_short = (
        latency_s is not None and first_s is not None and latency_s - first_s < _MIN_GENERATION_S
    )
    return "" if too_short else rate(tokens_per_second)
