"""What a call would send, without sending it: the client itself over a transport that only records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allos.request import Request
from allos.secret import MASK
from allos.wire import clients
from allos.wire.base import Body, Wire
from allos.wire.connection import Connection

if TYPE_CHECKING:
    import httpx2


_PUBLIC_HEADERS = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "host"}
    | {"user-agent"}
)
"""Headers that are shown as they are, beside those of the API. Any other one may hold a secret of
somebody's gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunRequest:
    """One request as it would go out; nothing in it is secret."""

    method: str
    url: str
    headers: Mapping[str, str]


class DryRun:
    """Builds the requests of one connection. Made on any thread but the loop's, used on the loop."""

    def __init__(self, connection: Connection) -> None:
        import httpx2

        self._connection = connection
        self._requests: list[httpx2.Request] = []
        self._http = httpx2.AsyncClient(
            transport=httpx2.MockTransport(self._record), trust_env=False, follow_redirects=False
        )
        self._client = clients.make(connection, self._http)

    def _record(self, request: httpx2.Request) -> httpx2.Response:
        import httpx2

        self._requests.append(request)
        return httpx2.Response(200, json={})

    async def run(self, wire: Wire, request: Request, body: Body) -> DryRunRequest:
        """Go through a call up to the point where it would be sent. Loop thread."""
        response = await wire.post(self._client, request, body)
        await response.aclose()
        await self._client.close()
        sent = self._requests[-1]
        query = self._connection.query.encode() or None  # any other one may hold a secret
        return DryRunRequest(
            method=sent.method,
            url=str(sent.url.copy_with(username=None, password=None, query=query)),
            headers={name: self._shown(wire, name, value) for name, value in sent.headers.items()},
        )

    def _shown(self, wire: Wire, name: str, value: str) -> str:
        value = self._connection.api_key.redact(value)
        if name == "authorization":
            scheme, _, rest = value.partition(" ")
            return f"{scheme} {MASK}" if rest else MASK
        is_public = name in _PUBLIC_HEADERS or name in wire.public_headers
        return value if is_public or name.startswith("x-stainless-") else MASK
