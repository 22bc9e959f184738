"""Clients: built on the caller's thread, one for each `Connection`, used on the loop thread.

Importing an SDK takes 0.5 to 1.1 s and would freeze every stream if the loop thread did it. Building
a client costs 25 ms of CPU for its TLS context, so all clients share one.

Who calls, and as what, is the SDK's own word: it writes the headers of one request, into nothing,
and every call of the connection bears them. To let it build each request anew costs as much CPU as
all the rest of a call (`tests/perf/bench_call.py`).
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

    import httpx2

    from allos.wire.base import Connection

_KEEPALIVE_S = 300.0
"""A person thinks between two cells; the SDKs' 5 s would cost a TLS handshake each time."""
_MAX_CONNECTIONS = 1000

_lock = threading.Lock()  # guards _context: built once, whichever thread comes first
_context: ssl.SSLContext | None = None
# Two SDKs that are imported at once wait for each other's modules, and Python resolves that by handing
# out half of one.
_importing = threading.Lock()
_waiting = {name: threading.Lock() for name in ("openai", "anthropic")}
"""By SDK, so that who needs one that is there does not wait for the other."""
_imported: dict[str, Any] = {}


def _forget_after_fork() -> None:
    # Another thread may have held the locks when the process was copied.
    global _lock, _importing
    _lock = threading.Lock()
    _importing = threading.Lock()
    for name in _waiting:
        _waiting[name] = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


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
            As in HTTP; the whole address.
        timeout : mapping
            Seconds for `connect`, `read`, `write` and `pool`.
        body : bytes or None
            JSON.
        headers : mapping or None
            They replace those of the client.
        stream : bool
            Return as soon as the head is there; the caller closes the response.
        """
        import httpx2

        head = self.headers
        if headers:
            own = {name.lower().encode(): value.encode() for name, value in headers.items()}
            head = [pair for pair in head if pair[0].lower() not in own] + [*own.items()]
        request = httpx2.Request(
            method, _parsed(url), headers=head, content=body, extensions={"timeout": timeout}
        )
        response: httpx2.Response = await self._http.send(request, stream=stream)
        return response

    async def close(self) -> None:
        """Close every connection. Loop thread."""
        await self._http.aclose()


@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx2.URL:
    """Address, understood once: a tenth of a short call's CPU is the checking of its letters."""
    import httpx2

    return httpx2.URL(url)


def make(connection: Connection, http: Any = None) -> Client:
    """Build the client of a connection. Any thread but the loop's.

    `http` carries its requests in place of the network.
    """
    import httpx2

    sdk = _sdk(connection.sdk)
    http = http or sdk.DefaultAioHttpClient(
        verify=_tls(),
        limits=httpx2.Limits(
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_MAX_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_S,
        ),
        follow_redirects=False,
        trust_env=not connection.direct,
    )
    return Client(http, connection.base_url, _head(sdk, connection))


def _sdk(name: str) -> Any:
    with _waiting[name]:
        if name not in _imported:
            with _importing:
                _imported[name] = import_module(name)
        return _imported[name]


_OF_ONE_REQUEST = re.compile(
    rb"host|connection|content-length|accept-encoding|x-stainless-(?!lang|package|os|arch|runtime).*"
)


def _head(sdk: Any, connection: Connection) -> list[tuple[bytes, bytes]]:
    """Headers that the SDK sends on a connection."""
    import httpx2

    headers: dict[str, Any] = dict(connection.headers)
    if not connection.sdk_env:
        headers = {**_own(sdk, connection), **headers}
    written: list[tuple[bytes, bytes]] = []

    def take(request: httpx2.Request) -> httpx2.Response:
        written.extend(request.headers.raw)
        raise httpx2.ConnectError("not sent")  # no answer, so that no log tells of one

    build = sdk.Anthropic if connection.sdk == "anthropic" else sdk.OpenAI
    with httpx2.Client(transport=httpx2.MockTransport(take), trust_env=False) as nowhere:
        client = build(
            api_key=connection.api_key.reveal(),
            base_url=connection.base_url,
            max_retries=0,
            default_headers=headers,
            http_client=nowhere,
        )
        try:
            client.post("/", cast_to=httpx2.Response, body={})
        except Exception:
            if not written:
                raise
    return [pair for pair in written if not _OF_ONE_REQUEST.fullmatch(pair[0].lower())]


def _own(sdk: Any, connection: Connection) -> dict[str, Any]:
    """Headers that keep what the SDK's environment holds for its own vendor from other hosts."""
    if connection.sdk == "anthropic":
        taken = _without_custom(sdk, "ANTHROPIC_CUSTOM_HEADERS")
    else:
        taken = {
            **_without_custom(sdk, "OPENAI_CUSTOM_HEADERS"),
            "OpenAI-Organization": sdk.Omit(),
            "OpenAI-Project": sdk.Omit(),
        }
    # Said here as well, since a custom header of that name would replace the SDK's.
    taken["Authorization"] = f"Bearer {connection.api_key.reveal()}"
    named = {name.lower() for name, _ in connection.headers}
    return {name: value for name, value in taken.items() if name.lower() not in named}


def _without_custom(sdk: Any, variable: str) -> dict[str, Any]:
    """Take back each header that the SDK reads from its environment variable."""
    names = [
        line.partition(":")[0].strip()
        for line in os.environ.get(variable, "").split("\n")
        if ":" in line
    ]
    return {name: sdk.Omit() for name in names if name.lower() != "authorization"}


def _tls() -> ssl.SSLContext:
    global _context
    with _lock:
        if _context is None:
            import httpx2

            _context = httpx2.create_ssl_context()
        return _context
