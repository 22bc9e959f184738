"""What the usage objects of one response add up to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def with_later(known: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return running totals after one more report.

    A count replaces the one before it. Nothing, or a zero after more than zero, is a placeholder:
    totals never fall to nothing.

    Examples
    --------
    >>> with_later({"prompt_tokens": 9}, {"prompt_tokens": 0, "completion_tokens": 2})
    {'prompt_tokens': 9, 'completion_tokens': 2}
    """
    if not known:
        return dict(later)
    total = dict(known)
    for name, value in later.items():
        before = total.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            total[name] = with_later(before, value)
        elif value or value is False or not before:
            total[name] = value
    return total


def counts_nothing(usage: Mapping[str, Any]) -> bool:
    """Whether every count is zero: no call has none, so that is a placeholder."""
    numbers = [value for value in usage.values() if isinstance(value, (int, float))]
    if any(numbers):
        return False
    inner = [value for value in usage.values() if isinstance(value, dict)]
    return bool(numbers) and all(not any(part.values()) for part in inner)
