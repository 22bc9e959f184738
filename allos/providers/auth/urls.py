"""Base URLs as text: what a valid one is, whose host it names, and how it is shown.

Pure: nothing is read from the environment, and nothing is sent.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from allos import wire
from allos.errors import ConfigurationError
from allos.secret import Secret, reveal

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses to listen on, and those that a client connects to instead."""


class Host(NamedTuple):
    """Scheme, host name and port: URLs with equal ones have the same origin."""

    scheme: str
    name: str
    port: int


def origin(url: str) -> str:
    """Scheme, host and port of a URL, normalized for comparison.

    Raises
    ------
    ConfigurationError
        It is not a valid http or https URL.

    Examples
    --------
    >>> origin("http://127.0.0.1:8000/v1"), origin("https://API.example/v1")
    ('http://localhost:8000', 'https://api.example')
    """
    return origin_of(host_of(checked_url(url, "the URL")))


def is_loopback(name: str) -> bool:
    """Whether a host name means this machine: localhost, 127.0.0.0/8, ::1, 0.0.0.0.

    Compares the name only; makes no DNS query.

    Examples
    --------
    >>> is_loopback("127.0.0.2"), is_loopback("localhost.example.com")
    (True, False)
    """
    if name in _LOOPBACK_NAMES or name in ANY_ADDRESS:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def display_url(url: str) -> str:
    """URL for logs and messages: no user name, no password, no query.

    Examples
    --------
    >>> display_url("https://me:pw@example.com/v1?token=x")
    'https://example.com/v1'
    """
    scheme, rest = split_scheme(url.strip())
    end = next((at for at, sign in enumerate(rest) if sign in "/?#"), len(rest))
    authority, tail = rest[:end], rest[end:]
    if "@" in tail:
        # A password may contain / ? or #, so what follows may be a part of it.
        return f"{scheme}(hidden)"
    return scheme + authority.rpartition("@")[2] + re.split(r"[?#]", tail, maxsplit=1)[0]


def split_scheme(url: str) -> tuple[str, str]:
    """Scheme with ``://``, empty when there is none, and the rest of a URL."""
    scheme, separator, rest = url.partition("://")
    return (scheme + separator, rest) if separator else ("", url)


def checked_url(value: str | Secret, source: str) -> str:
    """Return a user's base URL, normalized; `source` says where it comes from.

    Raises
    ------
    ConfigurationError
        It is not a valid http or https URL, or has a part that would be lost or would leak.
    """
    if not isinstance(value, str | Secret):
        raise ConfigurationError(f"{source} must be a string, got {type(value).__name__}.")
    try:
        return _checked(reveal(value), source)
    except ConfigurationError as exc:
        fault = str(exc)
        value = Secret(
            reveal(value)
        )  # a password may be a part of it, and a traceback shows frames
    raise ConfigurationError(fault)


# A pure cache: called with the same few URLs before every call. URLs that are refused, for example since
# they contain a password, are not cached.
@lru_cache(maxsize=256)
def _checked(value: str, source: str) -> str:
    value = value.strip(" \t\r\n'\"")
    label = f"{source} {display_url(value)!r}"  # never the value: it may contain a password
    if re.search(r"[\x00-\x20\x7f\\]", value):
        raise ConfigurationError(
            f"{label} contains whitespace, a backslash or a control character."
        )
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"{label} is not a valid URL.") from None
    if "@" in parts.netloc or (parts.scheme not in _DEFAULT_PORTS and "@" in value):
        raise ConfigurationError(
            f"{label} contains a user name or password, which would end up in logs: "
            "pass api_key= or headers= instead."
        )
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ConfigurationError(f"{label} must start with http:// or https:// and contain a host.")
    if "?" in value or "#" in value:
        raise ConfigurationError(f"{label} must not have a query or fragment: remove it.")
    path = parts.path.rstrip("/")
    if operation := _operation_at_end(path):
        raise ConfigurationError(
            f"{label} must not end with {operation!r}, which is added to each request: remove it."
        )
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def _operation_at_end(path: str) -> str | None:
    """Path of an API's endpoint that a base URL ends with, where the URL of a request was copied."""
    if not path or re.search(r"/v\d\w*$", path):  # nearly every base URL; it needs no import
        return None
    operations = [wire.get(api).path.removeprefix("/v1") for api in wire.names()]
    return next((each for each in (*operations, "/completions") if path.endswith(each)), None)


# A pure cache, as `_checked`.
@lru_cache(maxsize=256)
def host_of(url: str) -> Host:
    """Return the host of a valid URL; the usual names of this machine are one."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    port = _DEFAULT_PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    # The usual names of this machine are one host; other loopback addresses stay distinct.
    return Host(parts.scheme, "localhost" if name in _LOOPBACK_NAMES else name, port)


def origin_of(host: Host) -> str:
    """Return a host as a URL without a path; without the port where it is the scheme's own."""
    name = f"[{host.name}]" if ":" in host.name else host.name
    port = "" if host.port == _DEFAULT_PORTS[host.scheme] else f":{host.port}"
    return f"{host.scheme}://{name}{port}"
