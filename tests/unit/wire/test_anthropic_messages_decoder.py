from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.messages import ToolCall
from tests.support.decoding import accumulate, complete, streamed, visible
from tests.support.tool_call_cuts import WANTED, Wanted, cut

START = {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {}}}


def end(reason: str | None = "end_turn") -> list[Any]:
    return [{"type": "message_delta", "delta": {"stop_reason": reason}}, {"type": "message_stop"}]


def called(events: list[Any]) -> list[ToolCall]:
    return accumulate(streamed("messages", [START, *events, *end("tool_use")])).tool_calls()


@st.composite
def block_events(draw: st.DrawFn, calls: list[Wanted]) -> list[Any]:
    """Events of tool calls, one block after the other."""
    numbering = draw(st.sampled_from(["right", "jumps", "missing", "equal", "text", "of pieces"]))
    ids = draw(st.sampled_from(["right", "missing", "equal"]))
    holds = draw(st.sampled_from(["pieces", "start", "both", "object"]))
    events: list[Any] = []

    def index(at: int) -> dict[str, Any]:
        found: dict[str, Any] = {
            "right": at,
            "jumps": at * 3 + 1,
            "text": str(at),
            "equal": 0,
            "of pieces": len(events),
        }
        return {"index": found[numbering]} if numbering in found else {}

    for at, call in enumerate(calls):
        block: dict[str, Any] = {"type": "tool_use", "name": call.name, "input": {}}
        if ids != "missing":
            block["id"] = f"toolu_{at}" if ids == "right" else "toolu"
        if holds in ("start", "both"):
            block["input"] = draw(st.sampled_from([call.arguments, json.dumps(call.arguments)]))
        events.append({"type": "content_block_start", **index(at), "content_block": block})
        if holds in ("pieces", "both"):
            for piece in draw(cut(json.dumps(call.arguments))):
                delta = {"type": "input_json_delta", "partial_json": piece}
                events.append({"type": "content_block_delta", **index(at), "delta": delta})
        if holds == "object":
            delta = {"type": "input_json_delta", "partial_json": call.arguments}
            events.append({"type": "content_block_delta", **index(at), "delta": delta})
        if draw(st.booleans()):
            events.append({"type": "content_block_stop", **index(at)})
    return events


@settings(max_examples=settings.default.max_examples * 4)
@given(data=st.data(), calls=WANTED)
def test_any_cut(data: st.DataObject, calls: list[Wanted]) -> None:
    """However a server numbers the blocks of calls and cuts their input, the calls come back."""
    found = called(data.draw(block_events(calls)))

    assert [(c.name, c.arguments, c.error) for c in found] == [
        (call.name, call.arguments, None) for call in calls
    ]
    assert len({call.id for call in found}) == len(calls)


def test_an_unreadable_call_leaves_the_others() -> None:
    """A call whose input is cut keeps it as text; the others are whole."""
    events: list[Any] = []
    for n, text in enumerate(['{"a": 1}', '{"a": ', "{}"]):
        block = {"type": "tool_use", "id": str(n), "name": "add"}
        delta = {"type": "input_json_delta", "partial_json": text}
        events.append({"type": "content_block_start", "index": n, "content_block": block})
        events.append({"type": "content_block_delta", "index": n, "delta": delta})
    first, broken, last = called(events)

    assert (first.arguments, first.error, last.error) == ({"a": 1}, None, None)
    assert (broken.raw_arguments, bool(broken.error)) == ('{"a": ', True)


@pytest.mark.parametrize("indexes", [(0, 0, 0), (None, None, None), (0, 4, 9)])
def test_thinking_finds_its_pieces(indexes: tuple[Any, ...]) -> None:
    """A signature is kept with its thinking, whatever the events are numbered, and without their end."""
    deltas = [
        {"type": "thinking_delta", "thinking": "hm"},
        {"type": "signature_delta", "signature": "s"},
    ]
    events: list[Any] = [{"content_block": {"type": "thinking", "thinking": ""}}]
    events += [{"delta": delta} for delta in deltas]
    kinds = ["content_block_start", "content_block_delta", "content_block_delta"]
    rows = [
        {"type": kind, "index": index, **event}
        for kind, index, event in zip(kinds, indexes, events, strict=True)
    ]
    found = visible(streamed("messages", [START, *rows, *end()]))

    assert found["raw"] == [{"type": "thinking", "thinking": "hm", "signature": "s"}]
    assert found["reasoning"] == "hm"


def test_index_that_only_the_openings_have() -> None:
    """Where deltas and ends say 0 each time, they belong to the block that is open."""
    events: list[Any] = []
    for n in range(3):
        block = {"type": "tool_use", "id": str(n), "name": "add", "input": {}}
        delta = {"type": "input_json_delta", "partial_json": f'{{"a": {n}}}'}
        events.append({"type": "content_block_start", "index": n, "content_block": block})
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
        events.append({"type": "content_block_stop", "index": 0})

    assert [call.arguments for call in called(events)] == [{"a": 0}, {"a": 1}, {"a": 2}]


def test_content_that_is_a_text() -> None:
    """Some gateways send the text in the place of the blocks."""
    found = accumulate(complete("messages", {"content": "Hi", "stop_reason": "end_turn"}))

    assert found.text("text") == "Hi"


@pytest.mark.parametrize(
    ("usage", "output", "cost"),
    [
        ({"input_tokens": 10, "output_tokens": 5, "total_tokens": 115}, 105, None),
        ({"input_tokens": 10, "output_tokens": 5, "cost": 0.5}, 5, 0.5),
    ],
)
def test_what_gateways_add_to_usage(usage: dict[str, Any], output: int, cost: float | None) -> None:
    """A total says what no other count does, and a cost is the call's."""
    text = [{"type": "text", "text": "Hi"}]
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 10}}}
    opening = {"type": "content_block_start", "index": 0, "content_block": text[0]}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}

    for events in (
        complete("messages", {"content": text, "stop_reason": "end_turn", "usage": usage}),
        streamed("messages", [start, opening, end, {"type": "message_stop"}]),
    ):
        found = accumulate(events)
        assert found.usage is not None
        assert (found.usage.output_tokens, found.facts.get("cost_usd")) == (output, cost)
