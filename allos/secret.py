"""A value that never shows itself: API keys live in a `Secret` from the moment they are read."""

from __future__ import annotations

import hmac
from typing import NoReturn

MASK = "***"


class Secret:
    """A string that prints as ``***`` and leaves the object only through `reveal`.

    Parameters
    ----------
    value : str
        The secret text.

    Examples
    --------
    >>> key = Secret("sk-very-secret")
    >>> key
    Secret(***)
    >>> key.redact("Incorrect API key provided: sk-very-secret")
    'Incorrect API key provided: ***'
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret text itself; call it only where a client is built."""
        return self._value

    def redact(self, text: str) -> str:
        """Return `text` with every occurrence of the secret masked.

        Secrets of fewer than four characters are left alone: masking ``"a"`` would only destroy
        the text around it.
        """
        if len(self._value) < 4:
            return text
        return text.replace(self._value, MASK)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled: pass the key to the other process yourself")
