"""For tests of the wires: requests, and responses fed to a decoder in pieces of any size."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from allos import wire
from allos.engine.response_accumulator import ResponseAccumulator
from allos.events import Event
from allos.messages import Message
from allos.profiles import Api, ServiceProfile
from allos.request import Request
from allos.wire.base import Body
from allos.wire.sse import SseDecoder

APIS: tuple[Api, ...] = ("chat", "responses", "messages")


def request(api: Api, *messages: Message, **changes: Any) -> Request:
    """A request to a made-up service."""
    turns = messages or (Message("user", "Hi"),)
    profile = changes.pop("profile", ServiceProfile())
    return Request(
        provider="service",
        api=api,
        base_url="http://127.0.0.1/v1",
        model=changes.pop("model", "m"),
        messages=turns,
        profile=profile,
        **changes,
    )


def body(api: Api, *messages: Message, **changes: Any) -> Body:
    """The body that the API's wire makes of a request."""
    return wire.get(api).body(request(api, *messages, **changes))


def sse(events: Iterable[Any]) -> bytes:
    """A stream of these values; a dict with a type is named by it, a string is sent as it is."""
    parts = []
    for event in events:
        name = event.get("type") if isinstance(event, dict) else None
        data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
        parts.append((f"event: {name}\n" if name else "") + f"data: {data}\n\n")
    return "".join(parts).encode()


def streamed(
    api: Api, stream: bytes | Sequence[Any], *, at: Sequence[int] = (), **changes: Any
) -> list[Event]:
    """Events of a stream that arrives cut at these positions."""
    data = stream if isinstance(stream, bytes) else sse(stream)
    decoder, splitter = wire.get(api).decoder(request(api, **changes)), SseDecoder()
    cuts = [0, *sorted(at), len(data)]
    found: list[Event] = []
    for start, end in itertools.pairwise(cuts):
        for name, piece in splitter.feed(data[start:end]):
            found += decoder.decode_event(name, piece)
    for name, piece in splitter.end():
        found += decoder.decode_event(name, piece)
    if decoder.error is not None:
        raise decoder.error
    return [*found, *decoder.flush()]


def complete(api: Api, reply: dict[str, Any], **changes: Any) -> list[Event]:
    """Events of a complete response."""
    decoder = wire.get(api).decoder(request(api, **changes))
    events = [*decoder.decode_response(reply), *decoder.flush()]
    if decoder.error is not None:
        raise decoder.error
    return events


def accumulate(events: list[Event]) -> ResponseAccumulator:
    """What events add up to."""
    accumulated = ResponseAccumulator()
    accumulated.add(events, 0.0)
    return accumulated


def visible(events: list[Event]) -> dict[str, Any]:
    """Everything a user would see of events, for comparisons."""
    accumulated = accumulate(events)
    return {
        "content": accumulated.text("text"),
        "reasoning": accumulated.text("reasoning"),
        "refusal": accumulated.text("refusal"),
        "tool_calls": accumulated.tool_calls(),
        "finish": (accumulated.finish_reason, accumulated.finish_reason_raw),
        "usage": accumulated.usage,
        "facts": accumulated.facts,
        "raw": accumulated.raw,
    }
