"""What a call would send, without sending it: the client itself over a transport that only looks.

And how many tokens a prompt has, where a service can count them: that is a request of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allos.request import Request
from allos.secret import MASK
from allos.wire import clients
from allos.wire.base import Body, Connection, Wire

if TYPE_CHECKING:
    import httpx2

    from allos.wire.clients import Client

_SHOWN = frozenset(
    {"accept", "accept-encoding", "anthropic-beta", "anthropic-version", "connection"}
    | {"content-length", "content-type", "host", "user-agent"}
)
"""Headers that are shown as they are. Any other one may hold a secret of somebody's gateway."""
_COUNTED = ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config")


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
        self._seen: list[httpx2.Request] = []
        self._http = httpx2.AsyncClient(
            transport=httpx2.MockTransport(self._look), trust_env=False, follow_redirects=False
        )
        self._client = clients.make(connection, self._http)

    def _look(self, request: httpx2.Request) -> httpx2.Response:
        import httpx2

        self._seen.append(request)
        return httpx2.Response(200, json={})

    async def rehearse(self, wire: Wire, request: Request, body: Body) -> DryRunRequest:
        """Go through a call up to the point where it would be sent. Loop thread."""
        response = await wire._post(self._client, request, body, stream=request.stream)
        await response.aclose()
        await self._client.close()
        seen = self._seen[-1]
        return DryRunRequest(
            method=seen.method,
            url=str(seen.url.copy_with(username=None, password=None, query=None)),
            headers={name: self._shown(name, value) for name, value in seen.headers.items()},
        )

    def _shown(self, name: str, value: str) -> str:
        value = self._connection.api_key.redact(value)
        if name == "authorization":
            scheme, _, rest = value.partition(" ")
            return f"{scheme} {MASK}" if rest else MASK
        return value if name in _SHOWN or name.startswith("x-stainless-") else MASK


async def count_tokens(
    how: str, wire: Wire, client: Client, request: Request, body: Body
) -> int | None:
    """Tokens of a prompt as its service counts them; None when it does not say. Loop thread.

    Parameters
    ----------
    how : str
        ``"messages"`` (Anthropic's count_tokens) or ``"llamacpp"`` (its template and tokenizer).
    """
    if how == "messages":
        url = f"{request.base_url}/v1/messages/count_tokens"
        asked = {name: body.body[name] for name in _COUNTED if name in body.body}
        return _number((await wire.fetch(client, url, asked)).get("input_tokens"))
    root = request.base_url.removesuffix("/v1")
    asked = {name: body.body[name] for name in ("messages", "tools") if name in body.body}
    prompt = (await wire.fetch(client, f"{root}/apply-template", asked)).get("prompt")
    if not isinstance(prompt, str):
        return None
    asked = {"content": prompt, "add_special": True, "parse_special": True}
    tokens = (await wire.fetch(client, f"{root}/tokenize", asked)).get("tokens")
    return len(tokens) if isinstance(tokens, list) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
