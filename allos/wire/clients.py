"""HTTP clients: made on the caller's thread, one for each `Connection`, used on the loop thread.

Importing an SDK takes 0.5 to 1.1 s and would freeze every stream if the loop thread did it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from allos import _process

if TYPE_CHECKING:
    import ssl

    import httpx2

    from allos.wire.connection import Connection
    from allos.wire.proxies import Proxy

_KEEPALIVE_S = 300.0
"""A person thinks between two cells; the SDKs' 5 s would cost a TLS handshake each time."""
_MAX_CONNECTIONS = 1000
_PROXY_AUTHENTICATION_REQUIRED = 407

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

    __slots__ = ("_headers_of_host", "_http", "_proxy", "_query", "base_url", "headers")

    def __init__(
        self,
        http: Any,
        base_url: str,
        headers: list[tuple[bytes, bytes]],
        *,
        query: str = "",
        proxy: Proxy | None = None,
    ) -> None:
        self._http = http
        self._query = f"?{query}" if query else ""
        self._proxy = proxy
        self._headers_of_host: dict[bytes, httpx2.Headers] = {}
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

        Raises
        ------
        ProviderConnectionError
            The proxy failed. What else the HTTP client raises is raised as it is.
        """
        import httpx2

        proxy = self._proxy
        extensions: dict[str, Any] = {"timeout": timeout}
        if proxy is not None and proxy.is_socks:
            extensions["trace"] = _RefusedConnection().trace
        parsed = _parsed_url(url + self._query)
        complete = self._complete(parsed.netloc, headers)
        # Of parts that are complete: what httpx2 does for `content` costs a tenth of a short call's CPU.
        request = httpx2.Request(
            method,
            parsed,
            headers=complete,
            stream=httpx2.ByteStream(body or b""),
            extensions=extensions,
        )
        request.headers.encoding = complete.encoding  # else guessed anew
        if body is not None:
            request.headers["Content-Length"] = str(len(body))
        request.read()
        if proxy is None:
            response: httpx2.Response = await self._http.send(request, stream=stream)
            return response
        try:
            response = await self._http.send(request, stream=stream)
        except Exception as exc:
            error = proxy.error(exc)
            if error is None:
                raise
        else:
            if response.status_code != _PROXY_AUTHENTICATION_REQUIRED:
                return response
            await response.aclose()
            error = proxy.refusal()
        raise error  # here, so that no cause of it has the proxy's password

    def _complete(self, host: bytes, replaced: Mapping[str, str] | None) -> httpx2.Headers:
        """Headers of a request to a host, `replaced` in place of those of the client."""
        import httpx2

        if not replaced and (known := self._headers_of_host.get(host)) is not None:
            return known
        own = [(name.lower().encode(), value.encode()) for name, value in (replaced or {}).items()]
        names = {name for name, _ in own}
        pairs = [pair for pair in self.headers if pair[0].lower() not in names] + own
        if not any(name.lower() == b"host" for name, _ in pairs):
            pairs.insert(0, (b"Host", host))
        headers = httpx2.Headers(pairs)
        if not replaced:
            self._headers_of_host[host] = headers
        return headers

    async def close(self) -> None:
        """Close every connection. Loop thread."""
        await self._http.aclose()


class _RefusedConnection:
    """Closes the connection that a SOCKS proxy refused, or that was given up while it was asked.

    httpcore leaves such a connection to the garbage collector: a file descriptor each, and a loop that
    cannot be closed. Its trace extension tells of both ends of the negotiation.
    """

    __slots__ = ("_stream",)

    def __init__(self) -> None:
        self._stream: Any = None

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "socks.connect_tcp.complete":
            self._stream = info["return_value"]
        elif event == "socks.setup_socks5_connection.failed" and self._stream is not None:
            await self._stream.aclose()


@lru_cache(maxsize=256)
def _parsed_url(url: str) -> httpx2.URL:
    """Parse a URL once: checking its characters is a tenth of a short call's CPU."""
    import httpx2

    return httpx2.URL(url)


def make(connection: Connection, http: Any = None) -> Client:
    """Make the client of a connection. Any thread but the loop's.

    `http` sends its requests in place of the SDK's own HTTP client.

    Raises
    ------
    ConfigurationError
        The environment names a proxy that cannot be used.
    """
    proxy = None
    if http is None:
        proxy = _proxy_of(connection)
        http = _http_client(connection, proxy)
    headers = connection.sdk.headers(connection)
    return Client(http, connection.base_url, headers, query=connection.query, proxy=proxy)


def _proxy_of(connection: Connection) -> Proxy | None:
    if connection.direct:
        return None
    from allos.wire import proxies

    proxy = proxies.find(connection.base_url)
    if proxy is not None:
        proxy.check()
    return proxy


def _http_client(connection: Connection, proxy: Proxy | None) -> Any:
    import httpx2

    make_http: Callable[..., Any] = connection.sdk.http_client
    transport_proxy = None
    if proxy is not None:
        # The SDKs' own client knows neither SOCKS nor, without a warning, a proxy's password.
        make_http = httpx2.AsyncClient
        tls = _shared_tls_context() if proxy.url.startswith("https") else None
        transport_proxy = httpx2.Proxy(proxy.transport_url, ssl_context=tls)
    return make_http(
        verify=_tls_context_of(connection),
        limits=httpx2.Limits(
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_S,
        ),
        follow_redirects=False,
        trust_env=False,
        proxy=transport_proxy,
    )


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
