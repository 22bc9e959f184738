"""Answers of a source: no wire, no client, no limit; else like any other answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest

from allos import context, engine
from allos.engine import Interceptor, runtime
from allos.engine.response_accumulator import ResponseAccumulator
from allos.engine.settled import events_of
from allos.errors import ConfigurationError, ReplayMissError, SchemaError
from allos.events import Event, Finished, ReasoningDelta, RefusalDelta, TextDelta, UsageReport
from allos.messages import ToolCall
from allos.request import Request
from allos.response import ProviderResponse
from allos.tools.schemas import as_schema
from allos.wire.base import Body, Wire
from allos.wire.decoder import Decoder
from tests.support.decoding import request
from tests.support.layers import Layer, answering, prepared

RECORDED = ProviderResponse(
    "Hello",
    tool_calls=[ToolCall("1", "f", {"a": "ü"}), ToolCall("2", "g", {}, "{oops", "no JSON")],
    metadata={
        "finish_reason": "stop",
        "finish_reason_raw": "end",
        "latency_s": 2.5,
        "stream": False,
    },
    reasoning="Hm",
    refusal="No",
    raw=({"type": "thinking", "signature": "s"},),
)


class NoWire(Wire):
    """A wire that must not be reached."""

    api = "chat"

    def body(self, request: Request) -> Body:
        raise AssertionError

    def decoder(self, request: Request) -> Decoder:
        raise AssertionError


def start(
    a_request: Request, layer: Interceptor, seen: list[ProviderResponse], **options: Any
) -> engine.Call:
    def keep(response: ProviderResponse) -> ProviderResponse:
        seen.append(response)
        return response

    on_events = options.pop("on_events", None)
    body = Body({}, options.pop("dropped", ()))
    return engine.start(
        prepared(a_request, NoWire(), body=body), [Layer(after=keep), layer], on_events
    )


def given(
    a_request: Request, answer: ProviderResponse, seen: list[ProviderResponse], **options: Any
) -> ProviderResponse:
    call = start(a_request, answering(lambda _: answer), seen, **options)
    assert call.from_replay
    return call.wait(5)


def test_answer_is_completed_and_observed() -> None:
    """The recorded words and facts, with the request, provenance, id and time of now."""
    observed: list[ProviderResponse] = []
    a_request = request("chat", params={"temperature": 0.5, "stop": "x", "seed": 1}, stream=True)
    with context.using(cell_id="c7"):
        answer = given(a_request, RECORDED, observed, dropped=("seed",))

    assert (answer.content, answer.reasoning, answer.refusal) == ("Hello", "Hm", "No")
    assert answer.tool_calls == RECORDED.tool_calls
    assert answer.raw == RECORDED.raw
    assert answer.metadata == {
        "provider": a_request.provider,
        "api": "chat",
        "model": a_request.model,
        "temperature": 0.5,
        "stream": False,
        "params": {"stop": "x", "dropped": ["seed"]},
        "finish_reason": "stop",
        "finish_reason_raw": "end",
        "latency_s": 2.5,
    }
    assert answer.replayed
    assert answer.request is a_request
    assert answer.context.cell_id == "c7"
    assert answer.id is not None
    assert answer.created_at is not None
    assert answer.completed_at is not None
    assert answer.created_at <= answer.completed_at
    assert observed == [answer]


def test_events_add_up_to_the_answer() -> None:
    """A stream is given the same answer, in the order in which a model gives it."""
    batches: list[list[Event]] = []
    answer = given(
        request("chat", stream=True),
        RECORDED,
        [],
        on_events=lambda batch: batches.append(list(batch)),
    )
    received = ResponseAccumulator()
    received.add(batches[0], 0.0)

    assert len(batches) == 1
    assert [type(event) for event in batches[0]][:3] == [ReasoningDelta, TextDelta, RefusalDelta]
    assert isinstance(batches[0][-1], Finished)
    assert (received.text("text"), received.text("reasoning"), received.text("refusal")) == (
        "Hello",
        "Hm",
        "No",
    )
    assert [(c.id, c.name, c.arguments) for c in received.tool_calls()] == [
        (c.id, c.name, c.arguments) for c in answer.tool_calls
    ]
    assert tuple(received.raw) == answer.raw
    assert (received.finish_reason, received.finish_reason_raw) == ("stop", "end")


def test_empty_texts_are_no_events() -> None:
    """Nobody is told of a text that is not there."""
    assert [type(event) for event in events_of(ProviderResponse(""))] == [UsageReport, Finished]


@dataclass
class City:
    name: str


def test_parsed_is_rebuilt() -> None:
    """The value of a schema is read from the recorded text; one that does not fit says so."""
    observed: list[ProviderResponse] = []
    a_request = replace(request("chat"), schema=as_schema(City))
    fits = given(a_request, ProviderResponse('{"name": "Rome"}'), observed)
    odd = given(a_request, ProviderResponse("Rome"), observed)

    assert fits.parsed == City("Rome")
    assert isinstance(odd.error, SchemaError)
    assert odd.error.response is odd
    assert observed == [fits, odd]


@pytest.mark.parametrize(
    ("raised", "message"),
    [(ReplayMissError("not recorded"), "not recorded"), (ValueError("odd"), "ValueError: odd")],
)
def test_refusal_ends_the_call(raised: Exception, message: str) -> None:
    """What a layer raises is the error of the response, which the layers outside see as well."""
    observed: list[ProviderResponse] = []

    def refuse(call: engine.PreparedCall) -> None:
        raise raised

    call = start(request("chat"), Layer(before=refuse), observed)
    response = call.wait(5)

    assert not call.from_replay
    assert (response.status, response.metadata["attempts"]) == ("error", 0)
    assert message in str(response.error)
    assert response.error is not None
    assert response.error.response is response
    assert observed == [response]


def test_fault_in_a_listener_reaches_the_waiter() -> None:
    """Whoever takes the events may fail; nobody waits for ever."""

    def broken(batch: Any) -> None:
        raise ValueError("odd")

    call = start(request("chat"), answering(lambda _: RECORDED), [], on_events=broken)

    with pytest.raises(ValueError, match="odd"):
        call.wait(5)


def test_not_on_the_loop_thread() -> None:
    """No layer is asked on the loop thread: the call would deadlock."""
    a_request: list[str] = []

    async def inside() -> None:
        await asyncio.sleep(0)
        start(request("chat"), Layer(before=lambda call: a_request.append("a_request")), [])

    with pytest.raises(ConfigurationError, match="loop thread"):
        runtime.get().submit(inside()).result(5)
    assert a_request == []
