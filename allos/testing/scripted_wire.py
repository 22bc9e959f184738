"""A wire API without a network: the events of a reply come from a script."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from allos import wire
from allos.errors import IncompleteStreamError
from allos.events import (
    Event,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    ResponseFacts,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from allos.messages import Message
from allos.request import Request
from allos.testing.answer import Answer, Hold
from allos.testing.script import Script
from allos.wire.base import Body, Reply, Wire
from allos.wire.clients import Client
from allos.wire.connection import Connection
from allos.wire.decoder import Decoder


class NoSDK:
    """Placeholder for an SDK: sends nothing and has no key."""

    name = "scripted"

    def http_client(self, **options: Any) -> _NoTransport:
        """Return a client that can only be closed."""
        return _NoTransport()

    def headers(self, connection: Connection) -> list[tuple[bytes, bytes]]:
        """Return no headers."""
        return []


class _NoTransport:
    async def aclose(self) -> None:
        pass


@wire.register
class ScriptedWire(Wire):
    """Answers from a `Script`.

    Parameters
    ----------
    script : Script or None
        Returns the answers and keeps the requests; None has no answer.
    """

    api = "scripted"
    sdk = NoSDK()
    path = ""
    is_real_time = False

    def __init__(self, script: Script | None = None) -> None:
        self._script = script or Script([])

    def body(self, request: Request) -> Body:
        """Translate a request to a body with the field names of most services; nothing is left out."""
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [_as_json(message) for message in request.messages],
            **request.params,
        }
        if request.tools:
            body["tools"] = [tool.name for tool in request.tools]
        if request.stream:
            body["stream"] = True
        return Body({**body, **request.extra}, ())

    async def send(self, client: Client, request: Request, body: Body) -> Reply:
        """Return the whole answer at once."""
        reply = Reply()
        try:
            async for events in self.stream(client, request, body):
                reply.events += events
        except Exception as exc:  # noqa: BLE001 - the events before it are kept
            reply.error = exc
        return reply

    async def stream(
        self, client: Client, request: Request, body: Body
    ) -> AsyncIterator[list[Event]]:
        """Yield the events of the answer, piece by piece."""
        answer = await self._script.answer(request)
        yield [_facts(answer, is_streamed=request.stream)]
        if answer.reasoning:
            yield [ReasoningDelta(answer.reasoning)]
        for piece in answer.pieces:
            if isinstance(piece, Hold):
                await piece.pass_through()
            else:
                yield [TextDelta(piece)]
        if answer.error is not None:
            raise copy.copy(answer.error)
        if answer.cut:
            raise IncompleteStreamError(
                "the stream ended before the answer was complete", retryable=True
            )
        yield _ending(answer)

    def decoder(self, request: Request) -> Decoder:
        """Refuse: a script has no bytes to decode."""
        raise AssertionError("a script has no bytes to decode")

    async def models(self, client: Client) -> list[Any]:
        """Return no models: any name is one."""
        return []


def _as_json(message: Message) -> dict[str, Any]:
    return {"role": message.role.value, "content": message.text}


def _ending(answer: Answer) -> list[Event]:
    events: list[Event] = []
    if answer.refusal:
        events.append(RefusalDelta(answer.refusal))
    for index, call in enumerate(answer.tool_calls):
        arguments = call.raw_arguments
        if arguments is None:
            arguments = json.dumps(call.arguments, ensure_ascii=False)
        events.append(ToolCallDelta(index, call.id, call.name, arguments))
    if answer.usage is not None:
        events.append(UsageReport(answer.usage))
    reason = answer.finish_reason or ("tool_calls" if answer.tool_calls else "stop")
    events.append(Finished(reason, reason))
    return events


def _facts(answer: Answer, *, is_streamed: bool) -> ResponseFacts:
    """Facts of an answer, with times that include its delays."""
    if not answer.first_delay_s and not answer.delay_s:
        return answer.facts
    gaps = sum(isinstance(piece, str) for piece in answer.pieces) - 1
    spoken_s = answer.delay_s * max(gaps, 0)
    facts = replace(answer.facts, latency_s=answer.first_delay_s + spoken_s)
    if not is_streamed:
        return facts
    written = answer.usage.output_tokens if answer.usage else None
    is_measured = written and written > 1 and spoken_s > 0
    return replace(
        facts,
        time_to_first_token_s=answer.first_delay_s,
        tokens_per_second=(written - 1) / spoken_s if written and is_measured else None,
    )
