"""Amounts of money for people to read. Unknown is a dash, never a guess."""

from __future__ import annotations

import math

UNKNOWN = "–"

EMBEDDED = "local"
"""Provider of the embedded model, which costs nothing; the log leaves its costs null."""


def money(amount_usd: float | None, *, about: bool = False) -> str:
    """US dollars: cents from one dollar up, two significant digits below.

    Parameters
    ----------
    amount_usd : float or None
        US dollars; None or NaN when unknown.
    about : bool
        Whether the amount is an estimate; then it is prefixed with ``about``.

    Examples
    --------
    >>> [money(usd) for usd in (0.00003, 0.0123, 1234.5, 0, None)]
    ['$0.00003', '$0.012', '$1,234.50', '$0', '–']
    >>> money(0.0004, about=True)
    'about $0.0004'
    """
    if amount_usd is None or not math.isfinite(amount_usd):
        return UNKNOWN
    return f"about {_dollars(amount_usd)}" if about else _dollars(amount_usd)


def _dollars(amount_usd: float) -> str:
    if amount_usd == 0:
        return "$0"
    sign, size = ("-" if amount_usd < 0 else ""), abs(amount_usd)
    if size >= 0.995:
        return f"{sign}${size:,.2f}"
    if size < 1e-9:
        return f"{sign}<$0.000000001"
    decimals = 1 - math.floor(math.log10(size))
    return f"{sign}${f'{size:.{decimals}f}'.rstrip('0')}"
