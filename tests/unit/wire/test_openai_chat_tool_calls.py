from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.messages import ToolCall
from allos.request import ToolSpec
from tests.support.decoding import accumulate, complete, streamed
from tests.support.tool_call_cuts import ARGUMENTS, NAMES, STYLES, WANTED, chat_pieces, cut

TOOLS = tuple(ToolSpec(name=name) for name in NAMES)


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def called(chunks: list[Any]) -> list[ToolCall]:
    made = streamed("chat", [*chunks, chunk("tool_calls"), "[DONE]"], tools=TOOLS)
    return accumulate(made).tool_calls()


@settings(max_examples=settings.default.max_examples * 6)
@given(data=st.data(), calls=WANTED, style=STYLES)
def test_any_cut(data: st.DataObject, calls: list[Any], style: Any) -> None:
    """However a server cuts, numbers and repeats the pieces of calls, the calls come back."""
    pieces = data.draw(chat_pieces(calls, style))
    found = called([chunk(tool_calls=[piece]) for piece in pieces])

    assert [(c.name, c.arguments, c.error) for c in found] == [
        (call.name, call.arguments, None) for call in calls
    ]
    assert len({call.id for call in found}) == len(calls)


@given(data=st.data(), arguments=ARGUMENTS, name=st.sampled_from(["first", "every", "alone"]))
def test_legacy_function_call(data: st.DataObject, arguments: dict[str, Any], name: str) -> None:
    """The form before `tool_calls` is a call, complete and in pieces."""
    text = json.dumps(arguments)
    pieces: list[dict[str, Any]] = [{"arguments": piece} for piece in data.draw(cut(text))]
    if name == "every":
        pieces = [{"name": "add", **piece} for piece in pieces]
    elif name == "first":
        pieces[0]["name"] = "add"
    else:
        pieces.insert(0, {"name": "add", "arguments": ""})
    whole = {"function_call": {"name": "add", "arguments": text}}
    reply = {"choices": [{"message": whole, "finish_reason": "function_call"}]}
    (streamed_call,) = called([chunk(function_call=piece) for piece in pieces])
    (complete_call,) = accumulate(complete("chat", reply)).tool_calls()

    assert streamed_call == complete_call
    assert (streamed_call.name, streamed_call.arguments) == ("add", arguments)


@pytest.mark.parametrize(
    "placeholder",
    [
        {"tool_calls": []},
        {"tool_calls": [{}]},
        {"tool_calls": [None]},
        {"tool_calls": {}},
        {"tool_calls": [{"index": 0, "id": "", "function": {"name": "", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "id": None, "function": {"name": None, "arguments": None}}]},
        {"function_call": {"name": "", "arguments": ""}},
        {"function_call": {"name": None}},
    ],
)
def test_placeholders_are_no_calls(placeholder: dict[str, Any]) -> None:
    """Fields that every piece of a text carries, empty, are no call and no reason to end."""
    made = streamed("chat", [chunk(content="a", **placeholder), chunk("stop", **placeholder)])
    accumulated = accumulate(made)

    assert accumulated.tool_calls() == []
    assert accumulated.finish_reason == "stop"


def test_both_forms_are_one_call() -> None:
    """A server that repeats a call in the older form has made it once."""
    function = {"name": "add", "arguments": '{"a": 1}'}
    message = {"tool_calls": [{"id": "x", "function": function}], "function_call": function}

    assert [c.id for c in called([chunk(**message)])] == ["x"]


@pytest.mark.parametrize(
    "call",
    [
        {"id": "x", "name": "add", "arguments": {"a": 1}},
        {"id": "x", "function": "add", "arguments": '{"a": 1}'},
        {"id": "x", "function": {"name": "add", "arguments": '"{\\"a\\": 1}"'}},
    ],
    ids=["flat", "name as function", "JSON in JSON"],
)
def test_shapes_of_a_call(call: dict[str, Any]) -> None:
    """A call is read in the shapes that servers give it, in a list or alone."""
    for tool_calls in ([call], call):
        (found,) = called([chunk(tool_calls=tool_calls)])

        assert (found.id, found.name, found.arguments, found.error) == ("x", "add", {"a": 1}, None)


def test_an_unreadable_call_leaves_the_others() -> None:
    """A call whose arguments are cut keeps them as text; the calls around it are whole."""
    entries = [
        {"index": 0, "id": "a", "function": {"name": "add", "arguments": '{"a": 1}'}},
        {"index": 1, "id": "b", "function": {"name": "get", "arguments": '{"a": '}},
        {"index": 2, "id": "c", "function": {"name": "haha", "arguments": "{}"}},
    ]
    first, broken, last = called([chunk(tool_calls=[entry]) for entry in entries])

    assert (first.arguments, first.error, last.error) == ({"a": 1}, None, None)
    assert broken.raw_arguments == '{"a": '
    assert broken.error is not None
    assert broken.error.startswith("arguments are not valid JSON")


def test_pieces_of_one_chunk() -> None:
    """A gateway that puts two pieces of a call into one chunk has not made two calls."""
    one = {"index": 0, "id": "a", "function": {"name": "add", "arguments": '{"a"'}}
    two = {"index": 0, "function": {"arguments": ": 1}"}}

    assert [c.arguments for c in called([chunk(tool_calls=[one, two])])] == [{"a": 1}]


@pytest.mark.parametrize("name", ["arguments", "parameters", "input", "args"])
@pytest.mark.parametrize("value", [{"a": 1}, '{"a": 1}'])
def test_names_of_the_arguments(name: str, value: Any) -> None:
    """A call is never run without arguments that came under another name."""
    entry = {"index": 0, "id": "a", "function": {"name": "add", name: value}}
    whole = {"choices": [{"message": {"tool_calls": [entry]}, "finish_reason": "tool_calls"}]}

    assert called([chunk(tool_calls=[entry])]) == [ToolCall("a", "add", {"a": 1})]
    assert accumulate(complete("chat", whole)).tool_calls() == [ToolCall("a", "add", {"a": 1})]


def test_call_of_a_custom_tool() -> None:
    """A call whose input is free text is a call with an error, and keeps its text."""
    entry = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "add", "input": "1 + 1"}}
    (found,) = called([chunk(tool_calls=[entry])])

    assert (found.name, found.raw_arguments, bool(found.error)) == ("add", "1 + 1", True)
