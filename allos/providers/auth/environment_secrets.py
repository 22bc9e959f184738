"""Credentials in the environment, whoever they are for: kept only so that they can be masked.

A service that is called through a gateway may repeat what another one was sent, and the password of a
proxy stands in its error pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
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
    names = _key_variables()
    for name in env:
        if name in names or name.endswith(_ENDINGS):
            yield env[name].strip()
        elif name.endswith(_PROXIES):
            yield from _credentials_of_url(env[name])


def _credentials_of_url(url: str) -> Iterator[str]:
    """Return the password of a URL, and user and password as a proxy is sent them, in base64."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError:
        return
    if parts.password:
        password = unquote(parts.password)
        yield from (password, parts.password, f"{unquote(parts.username or '')}:{password}")


@cache
def _key_variables() -> frozenset[str]:
    return frozenset(name for service in services.load().values() for name in service.key_env)
