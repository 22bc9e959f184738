from __future__ import annotations

import json
from typing import Any

import pytest

from allos.errors import (
    AuthenticationError,
    IncompleteStreamError,
    InvalidResponseError,
    ProviderError,
    RateLimitError,
)
from allos.events import Finished
from allos.messages import Message, ToolCall
from allos.profiles import ServiceProfile
from tests.support.decoding import accumulate, body, complete, sse, streamed, visible

CALL = ToolCall("call_1", "add", {"a": 1, "ü": "é"})


def chunk(finish: str | None = None, /, **delta: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "model": "m-1",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def tool(**fields: Any) -> dict[str, Any]:
    function = {k: fields.pop(k) for k in ("name", "arguments") if k in fields}
    return chunk(tool_calls=[{**fields, "function": function}])


def calls(*chunks: Any) -> list[tuple[str, dict[str, Any]]]:
    found = accumulate(streamed("chat", [*chunks, chunk("tool_calls"), "[DONE]"])).tool_calls()
    assert len({call.id for call in found}) == len(found)
    return [(call.name, call.arguments) for call in found]


# ---- bodies


def test_message_mapping() -> None:
    """Leading system texts become one, later ones stay in place, null fields are left out."""
    made = body(
        "chat",
        Message("system", "One."),
        Message("system", "Two."),
        Message("user", "Hi"),
        Message("assistant", None, tool_calls=(CALL,)),
        Message("tool", "2", tool_call_id="call_1"),
        Message("system", "Three."),
        Message("assistant", "Done"),
        Message("user"),
        Message("tool", None, tool_call_id="call_2"),
    )

    assert made.body["messages"] == [
        {"role": "system", "content": "One.\n\nTwo."},
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "add", "arguments": '{"a": 1, "ü": "é"}'},
                }
            ],
        },
        {"role": "tool", "content": "2", "tool_call_id": "call_1"},
        {"role": "system", "content": "Three."},
        {"role": "assistant", "content": "Done"},
        {"role": "user", "content": ""},
        {"role": "tool", "content": "", "tool_call_id": "call_2"},
    ]


def test_unparsable_arguments_go_back_as_written() -> None:
    """What the model wrote is what it sees again."""
    broken = ToolCall("c", "f", {}, raw_arguments='{"a":', error="cut")
    (turn,) = body("chat", Message("assistant", tool_calls=[broken])).body["messages"]

    assert turn["tool_calls"][0]["function"]["arguments"] == '{"a":'


def test_parts_of_other_apis_stay_out() -> None:
    """A conversation that began on another API sends none of its opaque parts here."""
    turn = Message(
        "assistant",
        "Hi",
        raw=({"type": "thinking", "thinking": "x"}, {"reasoning_content": "own"}),
    )

    assert body("chat", turn).body["messages"] == [
        {"role": "assistant", "content": "Hi", "reasoning_content": "own"}
    ]


# ---- complete and streamed

REPLIES: dict[str, tuple[dict[str, Any], list[Any], ServiceProfile]] = {
    "text": (
        {"content": "Grüße 🙂 all"},
        [chunk(role="assistant", content=""), chunk(content="Grü"), chunk(content="ße 🙂 all")],
        ServiceProfile(),
    ),
    "equal pieces": (
        {"content": "haha"},
        [chunk(content="ha"), chunk(content="ha")],
        ServiceProfile(),
    ),
    "reasoning_content": (
        {"content": "x", "reasoning_content": "hm hm"},
        [
            chunk(reasoning_content="hm "),
            chunk(reasoning_content="hm", content=None),
            chunk(content="x"),
        ],
        ServiceProfile(),
    ),
    "reasoning": (
        {"content": "x", "reasoning": "hm"},
        [chunk(reasoning="h"), chunk(reasoning="m"), chunk(content="x")],
        ServiceProfile(),
    ),
    "tags": (
        {"content": "<think>hm</think>\n\nx"},
        [chunk(content="<thi"), chunk(content="nk>hm</"), chunk(content="think>\n\nx")],
        ServiceProfile(think_tags=True),
    ),
    "list": (
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                {"type": "text", "text": "x"},
            ]
        },
        [
            chunk(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]),
            chunk(content=[{"type": "text", "text": "x"}]),
        ],
        ServiceProfile(),
    ),
    "refusal": (
        {"content": None, "refusal": "I will not"},
        [chunk(refusal="I will"), chunk(refusal=" not")],
        ServiceProfile(),
    ),
    "tools": (
        {
            "content": None,
            "reasoning_content": "hm",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{bad"}},
                {"id": "c", "type": "function", "function": {"name": "h", "arguments": ""}},
            ],
        },
        [
            chunk(reasoning_content="hm"),
            tool(index=0, id="a", name="f", arguments=""),
            tool(index=0, arguments='{"x"'),
            tool(index=0, arguments=": 1}"),
            tool(index=1, id="b", name="g", arguments="{bad"),
            tool(index=2, id="c", name="h"),
        ],
        ServiceProfile(),
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_whole_equals_streamed_at_every_cut(name: str) -> None:
    """A complete response and its streamed counterpart are equal, cut at any byte."""
    message, chunks, profile = REPLIES[name]
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    reply = {
        "id": "chatcmpl-1",
        "model": "m-1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage,
    }
    tail = {"id": "chatcmpl-1", "choices": [], "usage": usage}
    stream = sse([*chunks, chunk("stop"), tail, "[DONE]"])
    expected = visible(complete("chat", reply, profile=profile))

    assert expected["usage"].total_tokens == 7
    assert expected["facts"] == {"response_id": "chatcmpl-1", "response_model": "m-1"}
    for at in range(len(stream)):
        assert visible(streamed("chat", stream, at=[at], profile=profile)) == expected
    assert visible(streamed("chat", stream, at=range(len(stream)), profile=profile)) == expected


def test_reasoning_goes_back_with_tool_calls_only() -> None:
    """Services that want `reasoning_content` again want it beside tool calls, and refuse it else."""
    with_calls = accumulate(complete("chat", {"choices": [{"message": REPLIES["tools"][0]}]}))
    without = accumulate(
        complete("chat", {"choices": [{"message": REPLIES["reasoning_content"][0]}]})
    )

    assert with_calls.raw == [{"reasoning_content": "hm"}]
    assert without.raw == []


@pytest.mark.parametrize("name", ["text", "tags"])
def test_prose_about_tags_stays_prose(name: str) -> None:
    """Without the profile a tag is text; with it, only a tag that opens the answer counts."""
    reply = {"choices": [{"message": {"content": "Say <think>x</think>"}}]}

    assert (
        visible(complete("chat", reply, profile=REPLIES[name][2]))["content"]
        == "Say <think>x</think>"
    )


# ---- tool calls


def test_parallel_calls_of_one_index() -> None:
    """Calls that share an index are distinguished by their ids."""
    assert calls(
        tool(index=0, id="a", name="f", arguments='{"x":'),
        tool(index=0, arguments="1}"),
        tool(index=0, id="b", name="f", arguments='{"x":'),
        tool(index=0, arguments="2}"),
    ) == [("f", {"x": 1}), ("f", {"x": 2})]


def test_parallel_calls_without_ids() -> None:
    """Without ids, names tell; the same name again is a new call once the last is complete."""
    assert calls(
        tool(index=0, name="f", arguments='{"x":1}'),
        tool(index=0, name="g", arguments='{"x":2}'),
        tool(index=0, name="g", arguments='{"x":3}'),
    ) == [("f", {"x": 1}), ("g", {"x": 2}), ("g", {"x": 3})]


@pytest.mark.parametrize("index", [{}, {"index": 0}, {"index": None}])
def test_whole_calls_in_one_chunk(index: dict[str, Any]) -> None:
    """Several calls in one chunk are several calls, whatever their index and even without ids."""
    pieces = [{**index, "function": {"name": "f", "arguments": f'{{"x":{n}}}'}} for n in (1, 2)]

    assert calls(chunk(tool_calls=pieces)) == [("f", {"x": 1}), ("f", {"x": 2})]


def test_pieces_without_index_follow_the_last_call() -> None:
    """A piece that names nothing continues the last call."""
    assert calls(
        tool(id="a", name="f", arguments='{"x"'),
        tool(arguments=":1}"),
        tool(id="b", name="g", arguments='{"x"'),
        tool(id="b", arguments=":2}"),
    ) == [("f", {"x": 1}), ("g", {"x": 2})]


@pytest.mark.parametrize("id_", [{}, {"id": "a"}])
def test_name_and_id_in_every_piece(id_: dict[str, str]) -> None:
    """A server that repeats id or name with every piece makes one call, not many."""
    assert calls(
        tool(index=0, **id_, name="f", arguments='{"x"'),
        tool(index=0, **id_, name="f", arguments=":1"),
        tool(index=0, **id_, name="f", arguments="}"),
    ) == [("f", {"x": 1})]


def test_interleaved_calls() -> None:
    """Pieces find their call by index when calls are written in turns."""
    assert calls(
        tool(index=0, id="a", name="f", arguments='{"x"'),
        tool(index=1, id="b", name="g", arguments='{"x"'),
        tool(index=0, arguments=":1}"),
        tool(index=1, arguments=":2}"),
    ) == [("f", {"x": 1}), ("g", {"x": 2})]


def test_odd_indexes() -> None:
    """An index that is no number still tells calls apart."""
    assert calls(
        tool(index=[1], id="a", name="f", arguments="{}"),
        tool(index={"n": 2}, id="b", name="g", arguments='{"x":'),
        tool(index={"n": 2}, arguments="2}"),
    ) == [("f", {}), ("g", {"x": 2})]


@pytest.mark.parametrize(
    ("arguments", "parsed"),
    [({"x": 1}, {"x": 1}), (None, {}), ("null", {}), ("", {}), ("  ", {}), ({}, {})],
)
def test_forms_of_arguments(arguments: Any, parsed: dict[str, Any]) -> None:
    """Arguments may be text, a value, null or nothing."""
    assert calls(tool(index=0, id="a", name="f", arguments=arguments)) == [("f", parsed)]


@pytest.mark.parametrize("arguments", ['{"x": 1', "[1, 2]", "nope", [1, 2], 7, '"text"'])
def test_arguments_that_are_no_object(arguments: Any) -> None:
    """The call is kept, with its arguments as written and the reason."""
    (call,) = accumulate(
        streamed("chat", [tool(index=0, id="a", name="f", arguments=arguments), "[DONE]"])
    ).tool_calls()

    assert call.arguments == {}
    assert call.raw_arguments == (
        arguments if isinstance(arguments, str) else json.dumps(arguments)
    )
    assert call.error


def test_missing_ids_are_made_up() -> None:
    """Every call has an id that a tool message can answer."""
    found = accumulate(
        streamed(
            "chat",
            [tool(name="f", arguments="{}"), tool(name="g", arguments="{}"), "[DONE]"],
        )
    ).tool_calls()

    assert [call.id for call in found] == ["call_0", "call_1"]


# ---- finish, usage, noise


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("eos_token", "stop"),
        ("STOP", "stop"),
        ("COMPLETE", "stop"),
        ("length", "length"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("TOOL_CALL", "tool_calls"),
        ("content_filter", "content_filter"),
        ("SAFETY", "content_filter"),
        ("sensitive", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("model_context_window_exceeded", "context_exceeded"),
        ("error", "error"),
        ("network_error", "error"),
        ("insufficient_system_resource", "error"),
        ("brand_new", "other"),
    ],
)
def test_finish_reasons(raw: str, reason: str) -> None:
    """Each vendor's word has a place in our table, and is kept as it was."""
    accumulated = accumulate(streamed("chat", [chunk(content="x"), chunk(raw)]))

    assert (accumulated.finish_reason, accumulated.finish_reason_raw) == (reason, raw)


@pytest.mark.parametrize("raw", ["", "stop"])
def test_finish_with_calls_pending(raw: str) -> None:
    """A reason that says nothing, or stop, with calls present means tool calls."""
    accumulated = accumulate(
        streamed("chat", [tool(index=0, id="a", name="f", arguments="{}"), chunk(raw), "[DONE]"])
    )

    assert accumulated.finish_reason == "tool_calls"


USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


@pytest.mark.parametrize(
    "tail",
    [
        [{"choices": [], "usage": USAGE}],
        [{"choices": None, "usage": USAGE}],
        [{"choices": [{"delta": {}, "usage": USAGE}]}],
        [{"choices": [], "x_groq": {"id": "r", "usage": USAGE}}],
        [{"choices": [], "usage": {**USAGE, "completion_tokens": 1}}, {"usage": USAGE}],
        [{"choices": [], "usage": USAGE}, {"choices": [], "usage": None}],
    ],
    ids=["own chunk", "no choices", "in the choice", "x_groq", "running total", "null after"],
)
def test_places_of_usage(tail: list[Any]) -> None:
    """Usage is found wherever it stands; a later total replaces an earlier one."""
    usage = accumulate(streamed("chat", [chunk("stop", content="x"), *tail, "[DONE]"])).usage

    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (10, 5, 15)
    assert usage.source == "provider"
    assert usage.raw == USAGE


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"prompt_tokens": 1, "completion_tokens": 2}, {"total_tokens": 3}),
        ({"prompt_tokens": 1}, {"output_tokens": None, "total_tokens": None}),
        (
            {**USAGE, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2}},
            {"cache_read_tokens": 4, "cache_write_tokens": 2},
        ),
        ({**USAGE, "prompt_cache_hit_tokens": 6}, {"cache_read_tokens": 6}),
        (
            {**USAGE, "completion_tokens_details": {"reasoning_tokens": 3}},
            {"reasoning_tokens": 3, "output_tokens": 5},
        ),
        (
            {
                **USAGE,
                "total_tokens": 18,
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            {"reasoning_tokens": 3, "output_tokens": 8, "total_tokens": 18},
        ),
        (
            {"prompt_tokens": "ten", "completion_tokens": True, "prompt_tokens_details": []},
            {"input_tokens": None, "output_tokens": None},
        ),
    ],
)
def test_usage(raw: dict[str, Any], expected: dict[str, Any]) -> None:
    """Counts follow one definition, and what is no count is unknown."""
    usage = accumulate(
        complete("chat", {"choices": [{"message": {"content": "x"}}], "usage": raw})
    ).usage

    assert usage is not None
    assert {name: getattr(usage, name) for name in expected} == expected


@pytest.mark.parametrize("usage", [None, {}, [], "x", 0])
def test_no_usage(usage: Any) -> None:
    """No usage is unknown."""
    reply = {"choices": [{"message": {"content": "x"}}], "usage": usage}

    assert accumulate(complete("chat", reply)).usage is None


@pytest.mark.parametrize(
    ("raw", "cost"),
    [({"cost": 0.25}, 0.25), ({"cost_in_usd_ticks": 10**9}, 0.1), ({"cost": {"total": 1}}, None)],
)
def test_cost_reported_by_the_service(raw: dict[str, Any], cost: float | None) -> None:
    """A cost in the usage is kept, with its source."""
    facts = accumulate(
        complete("chat", {"choices": [{"message": {"content": "x"}}], "usage": {**USAGE, **raw}})
    ).facts

    assert facts.get("cost_usd") == cost
    assert ("price_version" in facts) is (cost is not None)


def test_noise_is_accepted() -> None:
    """Unknown fields, empty chunks, other choices and an own idea of a last chunk do no harm."""
    accumulated = accumulate(
        streamed(
            "chat",
            [
                {"choices": [], "prompt_filter_results": [{}]},
                {"choices": "odd"},
                "",
                "[1]",
                "null",
                chunk(content="a", annotations=[{}], audio=None),
                {"choices": [{"index": 1, "delta": {"content": "no"}}]},
                {"choices": [None, {"delta": None}, {}]},
                {"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "a"}}]},
                "[DONE]",
                chunk(content="never read"),
            ],
        )
    )

    assert accumulated.text("text").startswith("a")
    assert "no" not in accumulated.text("text").replace("never read", "")
    assert accumulated.finish_reason == "stop"


def test_message_repeated_in_the_last_chunk_counts_once() -> None:
    """A last chunk that holds the whole message again adds nothing to what was streamed."""
    again = {"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "ab"}}]}

    assert (
        accumulate(streamed("chat", [chunk(content="a"), chunk(content="b"), again])).text("text")
        == "ab"
    )
    assert accumulate(streamed("chat", [again])).text("text") == "ab"


def test_done_alone_ends_the_answer() -> None:
    """The closing mark is an end signal of its own, without a reason."""
    accumulated = accumulate(streamed("chat", [chunk(content="x"), "[DONE]"]))

    assert accumulated.finish_reason is None
    assert not isinstance(streamed("chat", [chunk(content="x")])[-1], Finished)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"error": {"message": "x", "code": 429}}, RateLimitError),
        ({"error": {"message": "x", "type": "authentication_error"}}, AuthenticationError),
        ({"error": "x", "choices": []}, InvalidResponseError),
        ({"base_resp": {"status_code": 1004, "status_msg": "x"}}, InvalidResponseError),
        ("{broken", IncompleteStreamError),
    ],
)
def test_errors_in_the_stream(event: Any, kind: type[ProviderError]) -> None:
    """An error event is our error, with the server's words; so is what is no JSON."""
    with pytest.raises(kind) as caught:
        streamed("chat", [chunk(content="a"), event])

    assert "x" in caught.value.message or kind is IncompleteStreamError


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ({"choices": []}, "no choices"),
        ({"choices": None}, "no choices"),
        ({"choices": "odd"}, "no choices"),
        ({}, "no choices"),
        ({"message": "Sorry"}, "Sorry"),
        ({"error": {"message": "Sorry"}}, "Sorry"),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "login fail"),
    ],
)
def test_success_without_an_answer(reply: dict[str, Any], words: str) -> None:
    """A complete response without a choice is an error with the server's own message."""
    with pytest.raises(ProviderError, match=words):
        complete("chat", reply)


def test_request_id_in_the_body() -> None:
    """Groq tells its request id in the body as well, streamed in the first chunk."""
    first = {"x_groq": {"id": "req_01"}, "choices": [{"index": 0, "delta": {"content": "x"}}]}
    last = {
        "x_groq": {"id": "req_01"},
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    }
    reply = {
        "x_groq": {"id": "req_01"},
        "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}],
    }

    assert visible(streamed("chat", [first, last]))["facts"]["request_id"] == "req_01"
    assert visible(complete("chat", reply))["facts"]["request_id"] == "req_01"


# ---- what goes back


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


@pytest.mark.parametrize("takes_back", [True, False])
def test_images_of_an_answer(takes_back: bool) -> None:
    """They go back where the service takes them; a turn without text is never a turn without content."""
    turn = Message("assistant", None, raw=(IMAGE, {"type": "thinking", "thinking": "hm"}))
    profile = ServiceProfile(takes_images_back=takes_back)
    made = body("chat", Message("user", "Draw"), turn, Message("user", "Bluer"), profile=profile)
    expected: dict[str, Any] = {"role": "assistant", "content": ""}

    assert made.body["messages"][1] == expected | ({"images": [IMAGE]} if takes_back else {})


def test_reasoning_details_go_back_with_tool_calls() -> None:
    """Signed reasoning is a field of the next turn where tools are called, and else only kept."""
    details = [{"type": "reasoning.encrypted", "index": 0, "data": "ab"}]
    pieces = [chunk(reasoning_details=[{**details[0], "data": piece}]) for piece in "ab"]
    called = tool(index=0, id="call_1", name="add", arguments="{}")
    with_tool = accumulate(streamed("chat", [*pieces, called, chunk("tool_calls"), "[DONE]"]))
    without = accumulate(streamed("chat", [*pieces, chunk("stop", content="Hi"), "[DONE]"]))

    assert with_tool.raw == [{"reasoning_details": details}]
    assert without.raw == [{"type": "chat.reasoning_details", "reasoning_details": details}]


def test_audio_that_is_no_base64_is_kept_as_it_came() -> None:
    """Pieces that cannot be decoded are joined as text."""
    pieces = [chunk(audio={"data": "a="}), chunk(audio={"data": "b"}), chunk("stop")]

    assert accumulate(streamed("chat", [*pieces, "[DONE]"])).raw == [
        {"type": "audio", "data": "a=b"}
    ]


@pytest.mark.parametrize(
    "form",
    [
        lambda text: {"text": text},
        lambda text: {"message": {"role": "assistant", "content": text}},
        lambda text: {"delta": text},
        lambda text: {"delta": {}, "message": {"content": text}},
    ],
    ids=["text", "message", "delta is a text", "message beside an empty delta"],
)
def test_pieces_in_another_form(form: Any) -> None:
    """Pieces that are not deltas are pieces all the same."""
    choices = [{"index": 0, **form(text)} for text in ("Hi", " you")]
    choices[-1]["finish_reason"] = "stop"
    found = accumulate(streamed("chat", [{"choices": [choice]} for choice in choices]))

    assert (found.text("text"), found.finish_reason) == ("Hi you", "stop")


def test_calls_in_the_last_message_alone() -> None:
    """Calls that only the repeated message holds are found, and once only."""
    call = {"id": "a", "function": {"name": "f", "arguments": '{"a": 1}'}}
    last = {"delta": {}, "message": {"content": "Hi", "tool_calls": [call]}}
    for first in ({"content": "Hi"}, {"content": "Hi", "tool_calls": [call]}):
        pieces = [{"delta": first}, {**last, "finish_reason": "tool_calls"}]
        found = accumulate(streamed("chat", [{"choices": [each]} for each in pieces]))

        assert found.text("text") == "Hi"
        assert found.tool_calls() == [ToolCall("a", "f", {"a": 1})]


def test_error_beside_the_last_piece() -> None:
    """Groq reports an error in the middle of a stream in its own object."""
    piece = {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}

    with pytest.raises(ProviderError, match="over capacity"):
        streamed("chat", [piece, {"choices": [], "x_groq": {"error": "over capacity"}}, "[DONE]"])
