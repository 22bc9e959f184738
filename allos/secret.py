"""Strings that are never printed: API keys are wrapped in a `Secret` as soon as they are read."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, NoReturn, Self
from weakref import WeakValueDictionary

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

    __slots__ = ("__weakref__", "_value")

    def __new__(cls, value: str) -> Self:
        """Return the one secret with this value."""
        secret = _live.get(value)
        if type(secret) is not cls:
            secret = _live[value] = super().__new__(cls)
        return secret

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


_live: WeakValueDictionary[str, Any] = WeakValueDictionary()
"""Process-wide cache: the secrets that something still holds, so that they can be masked."""


def live_secrets() -> tuple[str, ...]:
    """Return the value of every secret that this process holds; only for masking them.

    Examples
    --------
    >>> key = Secret("sk-very-secret")
    >>> "sk-very-secret" in live_secrets()
    True
    """
    secrets = [secret for each in _live.valuerefs() if (secret := each()) is not None]
    return tuple(secret.reveal() for secret in secrets if secret)


_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie|password|signature|credential", re.I)
_SECRET_VALUE = re.compile(
    r"(?:bearer|basic|token)\s|[a-z]{2,5}[-_]\w{12,}$|(?=\S*\d)(?=\S*[a-z])[\w.~+/=:-]{20,}$", re.I
)
_IDENTIFIER = re.compile(r"(?:id|trace|traceparent|tracestate)$", re.I)
"""Headers whose values are as long as keys, and belong into a log."""


def seal_header(name: str, value: str) -> str | Secret:
    """Return a header's value, as a `Secret` where its name or itself looks like a credential.

    Examples
    --------
    >>> seal_header("X-Api-Key", "mine"), seal_header("X-Title", "My notebook")
    (Secret(***), 'My notebook')
    """
    is_secret = _SECRET_HEADER.search(name) or (
        _SECRET_VALUE.match(value) and not _IDENTIFIER.search(name)
    )
    return Secret(value) if is_secret else value


def reveal(value: str | Secret) -> str:
    """Return the string of a value that may be a `Secret`; only call it where a client is created."""
    return value.reveal() if isinstance(value, Secret) else value


_KEY_NAME = re.compile(r"api[_-]?key", re.I)
"""`api_key`, and what people write for it: the error for that shows the keywords as well."""
_URL_WITH_SECRET = re.compile(
    r"//[^/@]*@|//[^/@:]+:(?!\d*(?:/|\Z))[^@]*@"
    r"|[?&#][^=&]*(?:auth|key|token|sig|secret|password|credential)[^=&]*=",
    re.I,
)
"""A base URL with user and password, or with a credential in its query; it is refused."""


def seal_secrets(keywords: MutableMapping[str, Any]) -> None:
    """Wrap the secrets in a call's keywords, in place: a traceback may show a frame's variables.

    Parameters
    ----------
    keywords : dict
        `api_key` becomes a `Secret`, and so do the values of `headers` that look like credentials,
        of which the others are not printed either, and a `base_url` with credentials in it.

    Examples
    --------
    >>> keywords = {"api_key": "sk-very-secret", "headers": {"x-api-key": "sk-two"}}
    >>> seal_secrets(keywords)
    >>> keywords
    {'api_key': Secret(***), 'headers': Headers(x-api-key)}
    """
    for name, value in keywords.items():
        if name == "headers":
            keywords[name] = _sealed_headers(value)
        elif isinstance(value, str) and (
            _KEY_NAME.fullmatch(name) or (name == "base_url" and _URL_WITH_SECRET.search(value))
        ):
            keywords[name] = Secret(value)


def _sealed_headers(headers: Any) -> Any:
    if isinstance(headers, Mapping):
        return headers if isinstance(headers, Headers) else Headers(headers)
    return Secret(repr(headers)) if headers else headers  # refused later, since it is no mapping


class Headers(dict[str, "str | Secret"]):
    """Headers of the user: what looks like a credential is a `Secret`; only names are printed."""

    def __init__(self, headers: Mapping[str, Any]) -> None:
        super().__init__(
            (name, seal_header(str(name), value) if isinstance(value, str) else value)
            for name, value in headers.items()
        )

    def __repr__(self) -> str:
        return f"Headers({', '.join(map(str, self))})"
