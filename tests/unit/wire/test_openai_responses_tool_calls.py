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


class Numbering:
    """How a server numbers and names the events of calls."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.indexes = draw(st.sampled_from(["right", "missing", "equal", "text"]))
        self.ids = draw(st.sampled_from(["right", "new each", "missing", "call ids alone"]))
        self._made = 0

    def _new(self) -> str:
        self._made += 1
        return f"odd_{self._made}"

    def event(self, kind: str, at: int, **fields: Any) -> dict[str, Any]:
        event = {"type": kind, **fields}
        if self.indexes != "missing":
            event["output_index"] = {"right": at, "text": str(at), "equal": 0}[self.indexes]
        if self.ids in ("right", "new each") and "item" not in fields:
            event["item_id"] = f"fc_{at}" if self.ids == "right" else self._new()
        return event

    def item(self, call: Wanted, at: int, arguments: Any) -> dict[str, Any]:
        item = {"type": "function_call", "name": call.name, "arguments": arguments}
        if self.ids in ("right", "call ids alone"):
            item["call_id"] = f"call_{at}"
        if self.ids in ("right", "new each"):
            item["id"] = f"fc_{at}" if self.ids == "right" else self._new()
        return item


@st.composite
def call_events(draw: st.DrawFn, calls: list[Wanted]) -> tuple[list[Any], list[Any]]:
    """Events of calls, one after the other, and the output of the last event."""
    made = Numbering(draw)
    opens, sends_pieces, ends, repeats = (draw(st.booleans()) for _ in range(4))
    opens = opens or (sends_pieces and not ends)  # something has to tell the name
    ends = ends or not (sends_pieces or repeats)
    events: list[Any] = []
    output: list[Any] = []
    for at, call in enumerate(calls):
        text = json.dumps(call.arguments, ensure_ascii=False)
        whole = st.sampled_from([text, call.arguments])
        if opens:
            opening = made.item(call, at, draw(st.sampled_from(["", {}, None])))
            events.append(made.event("response.output_item.added", at, item=opening))
        if sends_pieces:
            events += [
                made.event(f"{ARGUMENTS}.delta", at, delta=piece) for piece in draw(cut(text))
            ]
            if draw(st.booleans()):
                events.append(made.event(f"{ARGUMENTS}.done", at, arguments=text))
        if ends:
            item = made.item(call, at, draw(whole))
            events.append(made.event("response.output_item.done", at, item=item))
        if repeats:
            output.append(made.item(call, at, draw(whole)))
    return events, output


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
