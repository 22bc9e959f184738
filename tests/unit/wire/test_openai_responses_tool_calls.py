from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.messages import ToolCall
from tests.support.decoding import accumulate, streamed
from tests.support.tool_call_cuts import WANTED, Wanted, cut

ARGUMENTS = "response.function_call_arguments"


def called(events: list[dict[str, Any]], output: list[Any]) -> list[ToolCall]:
    last = {"type": "response.completed", "response": {"status": "completed", "output": output}}
    return accumulate(streamed("responses", [*events, last])).tool_calls()


@st.composite
def call_events(draw: st.DrawFn, calls: list[Wanted]) -> tuple[list[Any], list[Any]]:
    """Events of calls, one after the other, and the output of the last event."""
    numbering = draw(st.sampled_from(["right", "missing", "equal", "text"]))
    ids = draw(st.sampled_from(["right", "new each", "missing", "call ids alone"]))
    opens, sends_pieces = draw(st.booleans()), draw(st.booleans())
    ends, repeats = draw(st.booleans()), draw(st.booleans())
    opens = opens or (sends_pieces and not ends)
    ends = ends or (sends_pieces and not opens) or not (sends_pieces or repeats)
    events: list[Any] = []
    output: list[Any] = []
    for at, call in enumerate(calls):
        text = json.dumps(call.arguments, ensure_ascii=False)
        index = {"right": {"output_index": at}, "text": {"output_index": str(at)}}.get(
            numbering, {"output_index": 0} if numbering == "equal" else {}
        )

        def item(arguments: Any, at: int = at, call: Wanted = call) -> dict[str, Any]:
            made = {"type": "function_call", "name": call.name, "arguments": arguments}
            if ids in ("right", "call ids alone"):
                made["call_id"] = f"call_{at}"
            if ids in ("right", "new each"):
                made["id"] = f"fc_{at}" if ids == "right" else f"fc_{len(events)}_{len(output)}"
            return made

        def event(kind: str, at: int = at, index: Any = index, **fields: Any) -> dict[str, Any]:
            item_id = {"right": f"fc_{at}", "new each": f"odd_{len(events)}"}.get(ids)
            return {"type": kind, **index, **({"item_id": item_id} if item_id else {}), **fields}

        if opens:
            opening = draw(st.sampled_from(["", {}, None]))
            events.append({"type": "response.output_item.added", **index, "item": item(opening)})
        if sends_pieces:
            for piece in draw(cut(text)):
                events += [event(f"{ARGUMENTS}.delta", delta=piece)]
            if draw(st.booleans()):
                events.append(event(f"{ARGUMENTS}.done", arguments=text))
        if ends:
            done = draw(st.sampled_from([text, call.arguments]))
            events.append({"type": "response.output_item.done", **index, "item": item(done)})
        output.append(item(draw(st.sampled_from([text, call.arguments]))))
    return events, output if repeats else []


@settings(max_examples=settings.default.max_examples * 4)
@given(data=st.data(), calls=WANTED)
def test_any_cut(data: st.DataObject, calls: list[Wanted]) -> None:
    """However a server numbers, cuts and repeats the events of calls, the calls come back."""
    found = called(*data.draw(call_events(calls)))

    assert [(c.name, c.arguments, c.error) for c in found] == [
        (call.name, call.arguments, None) for call in calls
    ]
    assert len({call.id for call in found}) == len(calls)


@pytest.mark.parametrize("index", [{"output_index": 0}, {}])
def test_another_item_id_in_each_event(index: dict[str, Any]) -> None:
    """A gateway that makes up an id for each event has sent one call."""
    item = {"type": "function_call", "call_id": "c", "name": "add"}
    found = called(
        [
            {"type": "response.output_item.added", **index, "item": {**item, "id": "1"}},
            {"type": f"{ARGUMENTS}.delta", **index, "item_id": "2", "delta": '{"a"'},
            {"type": f"{ARGUMENTS}.delta", **index, "item_id": "3", "delta": ": 1}"},
            {"type": f"{ARGUMENTS}.done", **index, "item_id": "4", "arguments": '{"a": 1}'},
            {
                "type": "response.output_item.done",
                **index,
                "item": {**item, "id": "5", "arguments": '{"a": 1}'},
            },
        ],
        [{**item, "id": "6", "arguments": '{"a": 1}'}],
    )

    assert [(c.id, c.name, c.arguments) for c in found] == [("c", "add", {"a": 1})]


def test_complete_arguments_mend_lost_pieces() -> None:
    """Where a piece was lost, the arguments that come whole at the end count."""
    item = {"type": "function_call", "id": "fc", "call_id": "c", "name": "add"}
    (found,) = called(
        [
            {"type": "response.output_item.added", "item": item},
            {"type": f"{ARGUMENTS}.delta", "item_id": "fc", "delta": '{"a"'},
            {"type": "response.output_item.done", "item": {**item, "arguments": '{"b": 1}'}},
        ],
        [],
    )

    assert (found.arguments, found.error) == ({"b": 1}, None)


def test_an_unreadable_call_leaves_the_others() -> None:
    """A call whose arguments are cut keeps them as text; the others are whole."""
    items = [
        {"type": "function_call", "call_id": str(n), "name": "add", "arguments": text}
        for n, text in enumerate(['{"a": 1}', '{"a": ', "{}"])
    ]
    first, broken, last = called([], items)

    assert (first.arguments, first.error, last.error) == ({"a": 1}, None, None)
    assert (broken.raw_arguments, bool(broken.error)) == ('{"a": ', True)
