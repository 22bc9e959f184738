"""The whole engine over a wire that answers from memory: no socket, no server."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import AsyncIterator
from typing import Any

from allos import engine, wire
from allos.engine.limits import LimiterRegistry
from allos.hashing import request_hash
from allos.profiles import Api
from allos.providers.pricing.prices import Prices
from allos.response import ProviderResponse
from allos.secret import Secret
from allos.testing.scripted_wire import NoSDK
from allos.wire.base import Wire
from allos.wire.connection import Connection
from tests.support.decoding import request
from tests.support.fake_server.ask import PLACEHOLDER, Ask
from tests.support.fake_server.plan import APIS as RENDERERS
from tests.support.fake_server.script import Reply
from tests.support.fake_server.sse import PLAIN, dumps, encode


def answered(
    api: Api,
    reply: Reply,
    *,
    stream: bool,
    headers: dict[str, str] | None = None,
    price_id: str | None = None,
    **changes: Any,
) -> ProviderResponse:
    """What becomes of an answer, from the bytes that a service sends to the response."""
    spoken = _answering(api)(reply, headers or {})
    prepared = request(api, stream=stream, max_attempts=1, **changes)
    prepared = dataclasses.replace(prepared, request_hash=request_hash(prepared))
    connection = Connection(sdk=NoSDK(), base_url=prepared.base_url, api_key=Secret("sk-nobody"))
    call = engine.PreparedCall(
        request=prepared,
        body=spoken.body(prepared),
        wire=spoken,
        connect=lambda: connection,
        limiters=LimiterRegistry(),
        billing=engine.BilledService(
            provider=prepared.provider,
            model=prepared.model,
            base_url=prepared.base_url,
            price_id=price_id,
        ),
    )
    return engine.start(call, [Prices()]).wait(30)


def _answering(api: Api) -> Any:
    home: type[Wire] = type(wire.get(api))

    class Answering(home):  # type: ignore[misc, valid-type]
        """The wire, with the one SDK call answered by the tests' own renderers."""

        def __init__(self, reply: Reply, headers: dict[str, str]) -> None:
            self.reply, self.headers = reply, headers

        async def post(self, client: Any, request: Any, body: Any) -> Any:
            httpx2 = importlib.import_module("httpx2")
            stream = request.stream
            ask = Ask(request.model, stream, include_usage=True, encrypted=True, created=0)
            headers = {"x-request-id": f"req_{PLACEHOLDER}", **self.headers}
            if not stream:
                return httpx2.Response(
                    200,
                    headers={**headers, "content-type": "application/json"},
                    content=dumps(RENDERERS[api].complete(self.reply, ask)),
                )
            events = RENDERERS[api].events(self.reply, ask)

            async def chunks() -> AsyncIterator[bytes]:
                for event in events:
                    yield encode(event, PLAIN)

            return httpx2.Response(
                200, headers={**headers, "content-type": "text/event-stream"}, content=chunks()
            )

    return Answering
