"""Answers of a source: no wire, no client, no limit; else like any other answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from allos import context, engine, seams
from allos.engine import runtime
from allos.engine.response_accumulator import ResponseAccumulator
from allos.engine.source import events_of
from allos.errors import ConfigurationError, ReplayError, ReplayMissError, SchemaError
from allos.events import Event, Finished, ReasoningDelta, RefusalDelta, TextDelta, UsageReport
from allos.messages import ToolCall
from allos.request import Request
from allos.response import ProviderResponse
from allos.tools.schemas import as_schema
from tests.decoding import request

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


@pytest.fixture
def sources() -> Iterator[list[Any]]:
    yield seams.sources
    seams.sources.clear()


@pytest.fixture
def observed() -> Iterator[list[ProviderResponse]]:
    seen: list[ProviderResponse] = []
    seams.observers.append(seen.append)
    yield seen
    seams.observers.remove(seen.append)


def _given(asked: Request, **options: Any) -> ProviderResponse:
    call = engine.from_source(asked, **options)
    assert call is not None
    assert call.served
    return call.wait(5)


def test_nobody_to_ask(sources: list[Any]) -> None:
    """Without a source, or when none has the answer, there is no call."""
    assert engine.from_source(request("chat")) is None
    sources.append(lambda asked: None)
    assert engine.from_source(request("chat")) is None


def test_first_answer_is_completed_and_observed(
    sources: list[Any], observed: list[ProviderResponse]
) -> None:
    """The recorded words and facts, with the request, provenance, id and time of now."""
    sources += [lambda asked: None, lambda asked: RECORDED, lambda asked: 1 / 0]
    asked = request("chat", params={"temperature": 0.5, "stop": "x", "seed": 1}, stream=True)
    with context.using(cell_id="c7"):
        given = _given(asked, dropped=("seed",))

    assert (given.content, given.reasoning, given.refusal) == ("Hello", "Hm", "No")
    assert given.tool_calls == RECORDED.tool_calls
    assert given.raw == RECORDED.raw
    assert given.metadata == {
        "provider": asked.provider,
        "api": "chat",
        "model": asked.model,
        "temperature": 0.5,
        "stream": False,
        "params": {"stop": "x", "dropped": ["seed"]},
        "finish_reason": "stop",
        "finish_reason_raw": "end",
        "latency_s": 2.5,
    }
    assert given.replayed
    assert given.request is asked
    assert given.context.cell_id == "c7"
    assert given.id is not None
    assert given.created_at is not None
    assert given.completed_at is not None
    assert given.created_at <= given.completed_at
    assert observed == [given]


def test_events_add_up_to_the_answer(sources: list[Any]) -> None:
    """A stream is given the same answer, in the order in which a model gives it."""
    sources.append(lambda asked: RECORDED)
    batches: list[list[Event]] = []
    given = _given(request("chat", stream=True), emit=lambda batch: batches.append(list(batch)))
    fold = ResponseAccumulator()
    fold.add(batches[0], 0.0)

    assert len(batches) == 1
    assert [type(event) for event in batches[0]][:3] == [ReasoningDelta, TextDelta, RefusalDelta]
    assert isinstance(batches[0][-1], Finished)
    assert (fold.text("text"), fold.text("reasoning"), fold.text("refusal")) == (
        "Hello",
        "Hm",
        "No",
    )
    assert [(c.id, c.name, c.arguments) for c in fold.tool_calls()] == [
        (c.id, c.name, c.arguments) for c in given.tool_calls
    ]
    assert tuple(fold.raw) == given.raw
    assert (fold.finish_reason, fold.finish_reason_raw) == ("stop", "end")


def test_empty_texts_are_no_events() -> None:
    """Nobody is told of a text that is not there."""
    assert [type(event) for event in events_of(ProviderResponse(""))] == [UsageReport, Finished]


@dataclass
class City:
    name: str


def test_parsed_is_rebuilt(sources: list[Any], observed: list[ProviderResponse]) -> None:
    """The value of a schema is read from the recorded text; one that does not fit says so."""
    asked = replace(request("chat"), schema=as_schema(City))
    sources.append(lambda asked: ProviderResponse('{"name": "Rome"}'))
    fits = _given(asked)
    sources[0] = lambda asked: ProviderResponse("Rome")
    odd = _given(asked)

    assert fits.parsed == City("Rome")
    assert isinstance(odd.error, SchemaError)
    assert odd.error.response is odd
    assert observed == [fits, odd]


def test_refusal_of_a_source_ends_the_call(sources: list[Any]) -> None:
    """An error of ours goes to the caller as it is; any other is named. No later source is asked."""
    asked: list[str] = []

    def strict(request: Request) -> ProviderResponse | None:
        raise ReplayMissError("not recorded")

    def broken(request: Request) -> ProviderResponse | None:
        raise ValueError("odd")

    sources += [strict, lambda request: asked.append("later")]
    with pytest.raises(ReplayMissError, match="not recorded"):
        engine.from_source(request("chat"))
    sources[0] = broken
    with pytest.raises(ReplayError, match="ValueError: odd"):
        engine.from_source(request("chat"))

    assert asked == []


def test_fault_in_a_listener_reaches_the_waiter(sources: list[Any]) -> None:
    """Whoever takes the events may fail; nobody waits for ever."""

    def broken(batch: Any) -> None:
        raise ValueError("odd")

    sources.append(lambda asked: RECORDED)
    call = engine.from_source(request("chat"), emit=broken)
    assert call is not None

    with pytest.raises(ValueError, match="odd"):
        call.wait(5)


def test_not_on_the_loop_thread(sources: list[Any]) -> None:
    """A source is not asked on the loop thread: the call would deadlock."""
    sources.append(lambda asked: RECORDED)

    async def inside() -> None:
        await asyncio.sleep(0)
        engine.from_source(request("chat"))

    with pytest.raises(ConfigurationError, match="loop thread"):
        runtime.get().submit(inside()).result(5)
