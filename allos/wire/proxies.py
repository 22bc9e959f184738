"""The proxy of a connection: which variable names it, whether it can be used, what went wrong with it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from allos.errors import ConfigurationError, ProviderConnectionError, ProviderError
from allos.wire.causes import class_names

_AUTHENTICATION_REQUIRED = 407

_HTTP = ("http", "https")
_PORTS = {"http": 80, "https": 443}
_SOCKS5 = ("socks5", "socks5h", "socks")  # desktops write the last one for a SOCKS 5 proxy
_SOCKS4 = ("socks4", "socks4a")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy as the environment names it."""

    source: str
    """The variable, or where else the computer keeps it."""
    url: str = field(repr=False)
    """May contain a password."""

    @property
    def shown(self) -> str:
        """URL without user name and password; only a word where it cannot be read."""
        try:
            parts = urlsplit(self.url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return "a URL that is not valid"
        host = parts.hostname or ""
        return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS, not HTTP."""
        return self.url.startswith("socks")

    def check(self) -> None:
        """Raise where requests cannot go through it.

        Raises
        ------
        ConfigurationError
            The message names the variable and what to do.
        """
        try:
            parts = urlsplit(self.url)
            usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            usable = False
        scheme = self.url.partition("://")[0]
        if not usable or scheme not in (*_HTTP, *_SOCKS5, *_SOCKS4):
            raise ConfigurationError(
                f"{self.source} does not name a proxy that can be used ({self.shown}): set it to "
                "http://HOST:PORT or socks5://HOST:PORT, or unset it. Nothing was sent."
            )
        if scheme in _SOCKS4:
            raise ConfigurationError(
                f"{self.source} names a SOCKS 4 proxy ({self.shown}), which is not supported: set it to "
                "socks5://HOST:PORT or http://HOST:PORT, or unset it. Nothing was sent."
            )
        if scheme in _SOCKS5 and find_spec("socksio") is None:
            raise ConfigurationError(
                f"{self.source} names a SOCKS proxy ({self.shown}): run pip install "
                "'allos-jupyter[socks]' and restart, or set it to http://HOST:PORT, or list the host "
                "in NO_PROXY. Nothing was sent."
            )

    @property
    def transport_url(self) -> str:
        """URL in the words of the HTTP client."""
        return self.url.replace("socks://", "socks5h://", 1)

    def error(self, exc: BaseException) -> ProviderError | None:
        """Our error for an exception that says that the proxy failed; None for any other one."""
        names = class_names(exc)
        if "SSLError" in names:
            return None
        if "ConnectError" in names:
            return ProviderConnectionError(
                f"the proxy {self.shown} ({self.source}) could not be reached; correct or unset "
                f"{self.source}, or list the host in NO_PROXY"
            )
        if "ProxyError" in names:
            status = re.match(r"[45]\d\d\b", str(exc))
            return self.refusal(int(status[0]) if status else None)
        return None

    def refusal(self, status: int | None = _AUTHENTICATION_REQUIRED) -> ProviderError:
        """Our error for a proxy that answers in place of the service."""
        what = f"refused the connection{f' ({status})' if status else ''}"
        if status == _AUTHENTICATION_REQUIRED:
            what = (
                f"asks for a user name and password ({status}): set {self.source} to "
                "http://USER:PASSWORD@HOST:PORT"
            )
        return ProviderConnectionError(
            f"the proxy {self.shown} ({self.source}) {what}",
            status_code=status,
            retryable=status is not None and status >= 500,
        )


def find(url: str) -> Proxy | None:
    """Return the proxy that the environment, or else the system, names for a URL; None: go directly.

    Examples
    --------
    >>> import os
    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, {"ALL_PROXY": "socks5://me:pw@127.0.0.1:1080", "NO_PROXY": ".lan"}):
    ...     find("https://api.example/v1"), find("https://models.lan/v1")
    (Proxy(source='ALL_PROXY'), None)
    """
    from urllib.request import getproxies, getproxies_environment, proxy_bypass

    known = getproxies()
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS.get(parts.scheme)
    if _is_excepted(host, port, known.get("no", "")):
        return None
    if not getproxies_environment() and known and proxy_bypass(host):  # of macOS and Windows
        return None
    for kind in (parts.scheme, "all"):
        value = known.get(kind, "").strip(" '\"")
        if value:
            scheme, separator, rest = value.partition("://")
            value = f"{scheme.lower()}://{rest}" if separator else f"http://{value}"
            return Proxy(_variable(kind), value)
    return None


def _variable(kind: str) -> str:
    names = (f"{kind}_proxy", f"{kind.upper()}_PROXY")
    return next((name for name in names if os.environ.get(name)), "the system's proxy setting")


def _is_excepted(host: str, port: int | None, no_proxy: str) -> bool:
    """Whether `NO_PROXY` names a host: itself, a domain above it, its network, or `*`."""
    return any(map(partial(_covers, host=host, port=port), no_proxy.split(",")))


def _covers(entry: str, *, host: str, port: int | None) -> bool:
    entry = entry.strip().lower().partition("://")[2] or entry.strip().lower()
    if entry == "*":
        return True
    with suppress(ValueError):
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    name, colon, only = entry.rpartition(":")
    if colon and only.isdecimal():
        if port is None or int(only) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").lstrip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))
