"""Strings that are never printed: API keys are wrapped in a `Secret` as soon as they are read."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, MutableMapping
from typing import Any, NoReturn

MASK = "***"


class Secret:
    """A string that prints as ``***`` and is only returned by `reveal`.

    Parameters
    ----------
    value : str
        The secret string.

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
        """Return the secret string; only call it where a client is created."""
        return self._value

    def redact(self, text: str) -> str:
        """Return `text` with every occurrence of the secret masked.

        Secrets of fewer than four characters are not masked: masking ``"a"`` would make the text
        unreadable.
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


def seal_secrets(keywords: MutableMapping[str, Any]) -> None:
    """Wrap the API key in a call's keywords, in place: a traceback may show a frame's variables.

    Parameters
    ----------
    keywords : dict
        `api_key` becomes a `Secret`, `headers` a mapping that does not print its values.

    Examples
    --------
    >>> keywords = {"api_key": "sk-very-secret", "headers": {"x-api-key": "sk-two"}}
    >>> seal_secrets(keywords)
    >>> keywords
    {'api_key': Secret(***), 'headers': Headers(x-api-key)}
    """
    key, headers = keywords.get("api_key"), keywords.get("headers")
    if isinstance(key, str):
        keywords["api_key"] = Secret(key)
    if isinstance(headers, Mapping) and not isinstance(headers, Headers):
        keywords["headers"] = Headers(headers)


class Headers(dict[str, str]):
    """Headers of the user; only their names are printed, since a value may be a key."""

    def __repr__(self) -> str:
        return f"Headers({', '.join(map(str, self))})"
