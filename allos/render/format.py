"""Numbers for people to read. Unknown is a dash, never a guess."""

from __future__ import annotations

import math
from typing import TypeGuard

from allos.money import UNKNOWN, money

__all__ = [
    "UNKNOWN",
    "ending",
    "first_token",
    "money",
    "rate",
    "seconds",
    "speed",
    "token_counts",
    "tokens",
]

_MIN_GENERATION_S = 0.05
"""From the first token to the end; throughput over a shorter time is noise."""


# The usual reason needs no word, nor do those that the answer itself already shows.
_ENDINGS = {
    **dict.fromkeys(("stop", "tool_calls", "refusal", "error"), ""),
    "cancelled": "stopped",
    "length": "cut at max_tokens",
    "content_filter": "cut by the content filter",
    "context_exceeded": "cut at the end of the context window",
    "pause": "paused by the service",
}


def _is_known(value: float | None) -> TypeGuard[float]:
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
    if not _is_known(value_s):
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
    return f"{count:,.0f}" if _is_known(count) else UNKNOWN


def token_counts(
    input_tokens: float | None, output_tokens: float | None, *, about: bool = False
) -> str:
    """Tokens sent and received; what is unknown is left out.

    Parameters
    ----------
    input_tokens, output_tokens : float or None
        Counts; None or NaN when unknown.
    about : bool
        Whether the counts are estimates; then they are prefixed with ``about``.

    Examples
    --------
    >>> token_counts(36, 1_022), token_counts(None, 22, about=True), token_counts(None, None)
    ('36 in, 1,022 out', 'about 22 out', '')
    """
    pairs = ((input_tokens, "in"), (output_tokens, "out"))
    known = ", ".join(f"{tokens(count)} {word}" for count, word in pairs if _is_known(count))
    return f"about {known}" if about and known else known


def first_token(first_s: float) -> str:
    """Time to the first token, with its name.

    Examples
    --------
    >>> first_token(0.311)
    'first token 0.31 s'
    """
    return f"first token {seconds(first_s)}"


def ending(finish_reason: str | None) -> str:
    """How an answer ended, where that is unusual and the answer itself does not show it; else empty.

    Parameters
    ----------
    finish_reason : str or None
        One of the log's column `finish_reason`.

    Examples
    --------
    >>> ending("length"), ending("stop")
    ('cut at max_tokens', '')
    """
    return (
        ""
        if finish_reason is None
        else _ENDINGS.get(finish_reason, f"finish reason: {finish_reason}")
    )


def rate(tokens_per_second: float | None) -> str:
    """Tokens per second.

    Examples
    --------
    >>> rate(209.7), rate(4.26)
    ('210 tok/s', '4.3 tok/s')
    """
    if not _is_known(tokens_per_second):
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
