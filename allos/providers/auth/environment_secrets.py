"""Credentials in the environment, whoever they are for: kept only so that they can be masked.

A service that is called through a gateway may repeat what another one was sent, and the password of a
proxy stands in its error pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Literal
from urllib.parse import unquote, urlsplit

from allos.providers.catalog import services
from allos.secret import Secret

_ENDINGS = ("_API_KEY", "_ADMIN_KEY", "_TOKEN", "_CUSTOM_HEADERS")
_PROXIES = ("_PROXY", "_proxy")

_held: list[Secret] = []
"""Process-wide cache: the secrets found by the last `refresh`."""


def refresh(env: Mapping[str, str]) -> None:
    """Hold the credentials that the environment contains now; see `allos.redaction`.

    Called whenever a provider is made, since reading all variables costs more than masking an answer.
    """
    global _held
    _held = [Secret(value) for value in _values(env) if value]


def _values(env: Mapping[str, str]) -> Iterator[str]:
    for name in env:
        kind = _kind(name)
        if kind == "key":
            yield env[name].strip()
        elif kind == "proxy":
            yield from _credentials_of_url(env[name])


@lru_cache(maxsize=1024)
def _kind(name: str) -> Literal["key", "proxy"] | None:
    """What a variable of this name holds, if it is of interest."""
    if name in _key_variables() or name.endswith(_ENDINGS):
        return "key"
    return "proxy" if name.endswith(_PROXIES) else None


@lru_cache(maxsize=8)
def _credentials_of_url(url: str) -> tuple[str, ...]:
    """Return the password of a URL, and user and password as a proxy is sent them, in base64."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError:
        return ()
    if not parts.password:
        return ()
    password = unquote(parts.password)
    return password, parts.password, f"{unquote(parts.username or '')}:{password}"


@cache
def _key_variables() -> frozenset[str]:
    return frozenset(name for service in services.load().values() for name in service.key_env)
