from __future__ import annotations

from typing import Any

import pytest

from allos.engine.response_accumulator import ResponseAccumulator
from allos.events import (
    Event,
    Finished,
    RawPart,
    ReasoningDelta,
    RefusalDelta,
    ResponseFacts,
    TextDelta,
    TextWasReasoning,
    ToolCallDelta,
    UsageReport,
)
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
        ReasoningDelta("h"),
        TextDelta("ha"),
        ReasoningDelta("m"),
        TextDelta("ha"),
        RefusalDelta("no"),
    )

    assert (fold.text("text"), fold.text("reasoning"), fold.text("refusal")) == ("haha", "hm", "no")
    assert not fold.empty


def test_times_of_deltas() -> None:
    """First and last count for what is seen of an answer, not for its facts."""
    fold = folded(
        ResponseFacts(response_id="r"),
        ReasoningDelta("h"),
        TextDelta("x"),
        Finished(None),
    )

    assert (fold.first_at, fold.last_at) == (1.0, 2.0)


@pytest.mark.parametrize("event", [ResponseFacts(), UsageReport(Usage()), Finished(None, "stop")])
def test_facts_alone_are_no_answer(event: Event) -> None:
    """Without text and calls nothing of an answer has arrived, though the service replied."""
    assert not ResponseAccumulator().answered
    assert folded(event).empty
    assert folded(event).answered


def test_text_that_was_reasoning() -> None:
    """Text that turns out to be reasoning is no text any more; what follows is."""
    fold = folded(
        ReasoningDelta("a"),
        TextDelta("h"),
        TextDelta("m</"),
        TextWasReasoning("hm"),
        TextDelta("Hi"),
    )

    assert fold.text("text") == "Hi"
    assert fold.text("reasoning") == "ahm"


def test_facts_and_usage_replace() -> None:
    """A later fact or total replaces an earlier one; an unknown one does not."""
    fold = folded(
        ResponseFacts(request_id="r1", service_tier="flex"),
        ResponseFacts(request_id="r2"),
        UsageReport(Usage(output_tokens=1)),
        UsageReport(Usage(output_tokens=5)),
    )

    assert fold.facts == {"request_id": "r2", "service_tier": "flex"}
    assert fold.usage == Usage(output_tokens=5)


def test_finish() -> None:
    """The reason is ours, the raw word the service's, empty counts as none."""
    fold = folded(Finished("tool_calls"))

    assert (fold.finish_reason, fold.finish_reason_raw) == ("tool_calls", None)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([{"id": "a", "name": "f", "arguments": '{"x"'}, {"arguments": ":1}"}], ({"x": 1}, None)),
        ([{"name": "f", "parsed_arguments": {"x": 1}}], ({"x": 1}, None)),
        ([{"name": "f", "parsed_arguments": {}}, {"arguments": '{"x":1}'}], ({"x": 1}, None)),
        ([{"name": "f"}], ({}, None)),
        ([{"name": "f", "arguments": "null"}], ({}, None)),
        ([{"name": "f", "arguments": '{"x":'}], ({}, '{"x":')),
        ([{"name": "f", "arguments": "[1]"}], ({}, "[1]")),
        ([{"name": "f", "parsed_arguments": [1, "ü"]}], ({}, '[1, "ü"]')),
        ([{"name": "f", "parsed_arguments": "{bad"}], ({}, "{bad")),
        ([{"name": "f", "arguments": '"\ud800'}], ({}, '"\ud800')),
        ([{"name": "f", "arguments": '{"x": "a\n\tb"}'}], ({"x": "a\n\tb"}, None)),
        ([{"name": "f", "arguments": '{"x": "\\ud83d"}'}], ({"x": "\ufffd"}, None)),
    ],
)
def test_tool_calls(pieces: list[dict[str, Any]], expected: tuple[Any, str | None]) -> None:
    """Arguments come from pieces or as a value; anything but an object stays as text, with a reason."""
    (call,) = folded(*(ToolCallDelta(0, **piece) for piece in pieces)).tool_calls()

    assert (call.arguments, call.raw_arguments) == expected
    assert (call.error is None) is (call.raw_arguments is None)


def test_tool_ids() -> None:
    """Order is that of arrival, a missing id is made up, an empty slot is skipped."""
    fold = folded(
        ToolCallDelta("b", name="f"),
        ToolCallDelta("a", "x", "g"),
        ToolCallDelta("c"),
    )

    assert fold.tool_calls() == [ToolCall("call_0", "f"), ToolCall("x", "g")]


def test_parts_for_the_next_turn() -> None:
    """Raw parts are kept in order."""
    fold = folded(RawPart({"n": 1}), RawPart({"n": 2}))

    assert fold.raw == [{"n": 1}, {"n": 2}]


def test_ids_are_unique() -> None:
    """Each call has an id of its own, made up or made longer where the service's own is not one."""
    folded = ResponseAccumulator()
    ids = ["call_1", "", "same", "same", ""]
    folded.add([ToolCallDelta(n, i, "f") for n, i in enumerate(ids)], 0.0)

    assert [call.id for call in folded.tool_calls()] == [
        "call_1",
        "call_1_2",
        "same",
        "same_2",
        "call_4",
    ]
