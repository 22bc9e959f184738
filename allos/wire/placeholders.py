"""Values that stand where a service has nothing to say: "", "null", 0, an object of such values."""

from __future__ import annotations

from typing import Any

_NOTHING = frozenset({"", "null", "none", "nil", "undefined"})
_MAX_DEPTH = 4


def word(value: Any) -> str | None:
    """Return a string that names something, or None: many servers write "null" for nothing."""
    if not isinstance(value, str) or value.strip().lower() in _NOTHING:
        return None
    return value


def says_nothing(value: Any, depth: int = 0) -> bool:
    """Whether a value is a placeholder, or holds nothing else.

    Examples
    --------
    >>> says_nothing({"message": "", "code": 0}), says_nothing({"code": "overloaded"})
    (True, False)
    """
    if isinstance(value, dict | list) and depth < _MAX_DEPTH:
        inner = value.values() if isinstance(value, dict) else value
        return all(says_nothing(each, depth + 1) for each in inner)
    return not value or (isinstance(value, str) and word(value) is None)
