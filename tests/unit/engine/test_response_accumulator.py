from __future__ import annotations

from typing import Any

import pytest

from allos.engine.response_accumulator import ResponseAccumulator
from allos.events import Event
from allos.messages import ToolCall
from allos.usage import Usage


def folded(*events: Event) -> ResponseAccumulator:
    fold = ResponseAccumulator()
    for at, event in enumerate(events):
        fold.add([event], float(at))
    return fold


def test_texts_are_kept_apart() -> None:
    """Text, reasoning and refusal add up on their own; equal pieces all count."""
    fold = folded(
        Event("reasoning", "h"),
        Event("text", "ha"),
        Event("reasoning", "m"),
        Event("text", "ha"),
        Event("refusal", "no"),
    )

    assert (fold.text("text"), fold.text("reasoning"), fold.text("refusal")) == ("haha", "hm", "no")
    assert not fold.empty


def test_times_of_deltas() -> None:
    """First and last count for what is seen of an answer, not for its facts."""
    fold = folded(
        Event("meta", data={"response_id": "r"}),
        Event("reasoning", "h"),
        Event("text", "x"),
        Event("finish"),
    )

    assert (fold.first_at, fold.last_at) == (1.0, 2.0)


@pytest.mark.parametrize(
    "event", [Event("meta", data={}), Event("usage", usage=Usage()), Event("finish", "stop")]
)
def test_facts_alone_are_no_answer(event: Event) -> None:
    """Without text and calls nothing of an answer has arrived, though the service replied."""
    assert not ResponseAccumulator().answered
    assert folded(event).empty
    assert folded(event).answered


def test_facts_and_usage_replace() -> None:
    """A later fact or total replaces an earlier one; an unknown one does not."""
    fold = folded(
        Event("meta", data={"a": 1, "b": 2}),
        Event("meta", data={"a": 3, "b": None}),
        Event("usage", usage=Usage(output_tokens=1)),
        Event("usage", usage=Usage(output_tokens=5)),
    )

    assert fold.facts == {"a": 3, "b": 2}
    assert fold.usage == Usage(output_tokens=5)


def test_finish() -> None:
    """The reason is ours, the raw word the service's, empty counts as none."""
    fold = folded(Event("finish", "", data={"finish_reason": "tool_calls"}))

    assert (fold.finish_reason, fold.finish_reason_raw) == ("tool_calls", None)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([{"id": "a", "name": "f", "arguments": '{"x"'}, {"arguments": ":1}"}], ({"x": 1}, None)),
        ([{"name": "f", "parsed": {"x": 1}}], ({"x": 1}, None)),
        ([{"name": "f", "parsed": {}}, {"arguments": '{"x":1}'}], ({"x": 1}, None)),
        ([{"name": "f"}], ({}, None)),
        ([{"name": "f", "arguments": "null"}], ({}, None)),
        ([{"name": "f", "arguments": '{"x":'}], ({}, '{"x":')),
        ([{"name": "f", "arguments": "[1]"}], ({}, "[1]")),
        ([{"name": "f", "parsed": [1, "ü"]}], ({}, '[1, "ü"]')),
        ([{"name": "f", "parsed": "{bad"}], ({}, "{bad")),
        ([{"name": "f", "arguments": '"\ud800'}], ({}, '"\ud800')),
    ],
)
def test_tool_calls(pieces: list[dict[str, Any]], expected: tuple[Any, str | None]) -> None:
    """Arguments come from pieces or as a value; what is no object stays as text, with a reason."""
    (call,) = folded(*(Event("tool", slot=0, data=piece) for piece in pieces)).tool_calls()

    assert (call.arguments, call.raw_arguments) == expected
    assert (call.error is None) is (call.raw_arguments is None)


def test_tool_ids() -> None:
    """Order is that of arrival, a missing id is made up, an empty slot is no call."""
    fold = folded(
        Event("tool", slot="b", data={"name": "f"}),
        Event("tool", slot="a", data={"id": "x", "name": "g"}),
        Event("tool", slot="c", data={}),
    )

    assert fold.tool_calls() == [ToolCall("call_0", "f"), ToolCall("x", "g")]


def test_parts_for_the_next_turn() -> None:
    """Raw parts are kept in order."""
    fold = folded(Event("raw", data={"n": 1}), Event("raw", data={"n": 2}), Event("raw"))

    assert fold.raw == [{"n": 1}, {"n": 2}]


def test_ids_are_unique() -> None:
    """Each call has an id of its own, made up or made longer where the service's own is not one."""
    folded = ResponseAccumulator()
    ids = ["call_1", "", "same", "same", ""]
    folded.add([Event("tool", slot=n, data={"id": i, "name": "f"}) for n, i in enumerate(ids)], 0.0)

    assert [call.id for call in folded.tool_calls()] == [
        "call_1",
        "call_1_2",
        "same",
        "same_2",
        "call_4",
    ]
