"""HTTP clients: made on the caller's thread, one for each `Connection`, used on the loop thread.

Importing an SDK takes 0.5 to 1.1 s and would freeze every stream if the loop thread did it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from allos import _process

if TYPE_CHECKING:
    import ssl

    import httpx2

    from allos.wire.connection import Connection

_KEEPALIVE_S = 300.0
"""A person thinks between two cells; the SDKs' 5 s would cost a TLS handshake each time."""
_MAX_CONNECTIONS = 1000

# Process resource: every client of the process shares it, since making one takes 25 ms of CPU.
_tls_context: ssl.SSLContext | None = None
_tls_lock = threading.Lock()  # guards _tls_context: made once, whichever thread comes first


def _renew_lock() -> None:
    # Another thread may have held it when the process was forked.
    global _tls_lock
    _tls_lock = threading.Lock()


_process.on_fork(after_in_child=_renew_lock)


class Client:
    """The connections to one place, and the headers of every request there."""

    __slots__ = ("_http", "base_url", "headers")

    def __init__(self, http: Any, base_url: str, headers: list[tuple[bytes, bytes]]) -> None:
        self._http = http
        self.base_url = base_url
        self.headers = headers
        """Not shown: they hold the key."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        timeout: Mapping[str, float | None],
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> httpx2.Response:
        """Send one request and return its response, whatever its status. Loop thread.

        Parameters
        ----------
        method, url : str
            As in HTTP; the full URL.
        timeout : mapping
            Seconds for `connect`, `read`, `write` and `pool`.
        body : bytes or None
            JSON.
        headers : mapping or None
            They replace those of the client.
        stream : bool
            Return as soon as the headers are there; the caller closes the response.
        """
        import httpx2

        merged = self.headers
        if headers:
            own = {name.lower().encode(): value.encode() for name, value in headers.items()}
            merged = [pair for pair in merged if pair[0].lower() not in own] + [*own.items()]
        request = httpx2.Request(
            method, _parsed_url(url), headers=merged, content=body, extensions={"timeout": timeout}
        )
        response: httpx2.Response = await self._http.send(request, stream=stream)
        return response

    async def close(self) -> None:
        """Close every connection. Loop thread."""
        await self._http.aclose()


@lru_cache(maxsize=256)
def _parsed_url(url: str) -> httpx2.URL:
    """Parse a URL once: checking its characters is a tenth of a short call's CPU."""
    import httpx2

    return httpx2.URL(url)


def make(connection: Connection, http: Any = None) -> Client:
    """Make the client of a connection. Any thread but the loop's.

    `http` sends its requests in place of the SDK's own HTTP client.
    """
    import httpx2

    sdk = connection.sdk
    http = http or sdk.http_client(
        verify=_tls_context_of(connection),
        limits=httpx2.Limits(
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_S,
        ),
        follow_redirects=False,
        trust_env=not connection.direct,
    )
    return Client(http, connection.base_url, sdk.headers(connection))


def _tls_context_of(connection: Connection) -> ssl.SSLContext:
    """Return the shared TLS context; one that trusts nobody where none can be needed.

    The certificates, and the modules that find them, are half of what a first call to a server on this
    machine costs.
    """
    if connection.direct and connection.base_url.startswith("http://"):
        import ssl

        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _shared_tls_context()


def _shared_tls_context() -> ssl.SSLContext:
    global _tls_context
    with _tls_lock:
        if _tls_context is None:
            import httpx2

            _tls_context = httpx2.create_ssl_context()
        return _tls_context
