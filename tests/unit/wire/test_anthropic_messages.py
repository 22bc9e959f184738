from __future__ import annotations

from typing import Any

import pytest

from allos.errors import IncompleteStreamError, InvalidResponseError, ProviderError, ServerError
from allos.messages import Message, ToolCall
from allos.wire.anthropic_messages import DEFAULT_MAX_TOKENS
from tests.support.decoding import accumulate, body, complete, sse, streamed, visible

THINKING = {"type": "thinking", "thinking": "hm hm", "signature": "c2ln"}
REDACTED = {"type": "redacted_thinking", "data": "AAAA"}
USAGE = {
    "input_tokens": 5,
    "cache_read_input_tokens": 3,
    "cache_creation_input_tokens": 2,
    "output_tokens": 7,
    "output_tokens_details": {"thinking_tokens": 4},
}


def start(**usage: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"id": "msg_1", "model": "m-1", "content": [], "stop_reason": None}
    if usage:
        message["usage"] = usage
    return {"type": "message_start", "message": message}


def block(index: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": fields}


def delta(index: Any, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stop(index: Any) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def end(reason: str = "end_turn", usage: Any = None, **fields: Any) -> list[dict[str, Any]]:
    closing: dict[str, Any] = {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None, **fields},
    }
    if usage is not None:
        closing["usage"] = usage
    return [closing, {"type": "message_stop"}]


def reply(*content: Any, reason: str | None = "end_turn", **fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "model": "m-1",
        "content": [*content],
        "stop_reason": reason,
        **fields,
    }


# ---- bodies


def test_message_mapping() -> None:
    """Turns alternate, tool results come first, later system texts are kept and marked."""
    made = body(
        "messages",
        Message("system", "One."),
        Message("system", "Two."),
        Message("user", "Hi"),
        Message(
            "assistant", "Wait", tool_calls=(ToolCall("t1", "add", {"a": 1}), ToolCall("t2", "g"))
        ),
        Message("system", "Three."),
        Message("tool", "2", tool_call_id="t1"),
        Message("tool", None, tool_call_id="t2"),
        Message("user", "And?"),
        Message("assistant", "Done"),
        Message("system", None),
        Message("user", "Bye"),
    )

    assert made.body == {
        "model": "m",
        "max_tokens": DEFAULT_MAX_TOKENS,
        "system": "One.\n\nTwo.",
        "messages": [
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Wait"},
                    {"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 1}},
                    {"type": "tool_use", "id": "t2", "name": "g", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "2"},
                    {"type": "tool_result", "tool_use_id": "t2"},
                    {"type": "text", "text": "<system>\nThree.\n</system>"},
                    {"type": "text", "text": "And?"},
                ],
            },
            {"role": "assistant", "content": "Done"},
            {"role": "user", "content": "Bye"},
        ],
    }


def test_own_thinking_goes_back_first() -> None:
    """Signed thinking is replayed unchanged before the text; parts of other APIs stay out."""
    turn = Message(
        "assistant",
        "Hi",
        raw=(THINKING, REDACTED, {"type": "reasoning", "id": "rs"}, {"reasoning_content": "x"}),
    )

    assert body("messages", turn).body["messages"] == [
        {"role": "assistant", "content": [THINKING, REDACTED, {"type": "text", "text": "Hi"}]}
    ]


def test_stop_sequences_are_a_list() -> None:
    """One stop text or several, the API gets a list."""
    one = body("messages", params={"stop": "END"}).body
    many = body("messages", params={"stop": ("A", "B")}).body

    assert one["stop_sequences"] == ["END"]
    assert many["stop_sequences"] == ["A", "B"]


# ---- complete and streamed

TOOL = {"type": "tool_use", "id": "t1", "name": "f"}
REPLIES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "text": (
        reply({"type": "text", "text": "Grüße 🙂"}, usage=USAGE),
        [
            block(0, type="text", text=""),
            {"type": "ping"},
            delta(0, "text_delta", text="Grü"),
            delta(0, "text_delta", text="ße 🙂"),
            stop(0),
            *end(usage=USAGE),
        ],
    ),
    "thinking": (
        reply(THINKING, REDACTED, {"type": "text", "text": "haha"}, usage=USAGE),
        [
            block(0, type="thinking", thinking="", signature=""),
            delta(0, "thinking_delta", thinking="hm "),
            delta(0, "thinking_delta", thinking="hm"),
            delta(0, "signature_delta", signature="c2ln"),
            stop(0),
            block(1, **REDACTED),
            stop(1),
            block(2, type="text", text=""),
            delta(2, "text_delta", text="ha"),
            delta(2, "text_delta", text="ha"),
            stop(2),
            *end(usage=USAGE),
        ],
    ),
    "tools": (
        reply(
            {**TOOL, "input": {"x": 1}},
            {**TOOL, "id": "t2", "input": {}},
            reason="tool_use",
            usage=USAGE,
        ),
        [
            block(0, **TOOL, input={}),
            delta(0, "input_json_delta", partial_json=""),
            delta(0, "input_json_delta", partial_json='{"x"'),
            delta(0, "input_json_delta", partial_json=": 1}"),
            stop(0),
            block(1, **{**TOOL, "id": "t2"}, input={}),
            stop(1),
            *end("tool_use", usage=USAGE),
        ],
    ),
    "refusal": (
        reply(
            reason="refusal",
            stop_details={"type": "refusal", "explanation": "I will not"},
            usage=USAGE,
        ),
        end(
            "refusal",
            usage=USAGE,
            stop_details={"type": "refusal", "explanation": "I will not"},
        ),
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_whole_equals_streamed_at_every_cut(name: str) -> None:
    """A complete response and its streamed counterpart are equal, cut at any byte."""
    given, events = REPLIES[name]
    expected = visible(complete("messages", given))
    begun = {k: v for k, v in USAGE.items() if k != "output_tokens_details"}
    stream = sse([start(**{**begun, "output_tokens": 1}), *events])

    assert expected["usage"].input_tokens == 10
    for at in range(len(stream)):
        assert visible(streamed("messages", stream, at=[at])) == expected


def test_refusal_text() -> None:
    """The reason for a refusal is the refusal, not content."""
    found = visible(complete("messages", REPLIES["refusal"][0]))

    assert found["refusal"] == "I will not"
    assert found["content"] == ""
    assert found["finish"] == ("refusal", "refusal")


def test_thinking_is_kept_for_the_next_turn() -> None:
    """Thinking comes back as it was sent, signature included."""
    assert visible(complete("messages", REPLIES["thinking"][0]))["raw"] == [THINKING, REDACTED]


# ---- finish, usage, errors


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "pause"),
        ("refusal", "refusal"),
        ("model_context_window_exceeded", "context_exceeded"),
        ("brand_new", "other"),
    ],
)
def test_finish_reasons(raw: str, reason: str) -> None:
    """Each stop reason has a place in our table, and is kept as it was."""
    given = reply({"type": "text", "text": "x"}, reason=raw)

    assert visible(complete("messages", given))["finish"] == (reason, raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (USAGE, (10, 3, 2, 7, 4, 17)),
        ({"input_tokens": 1, "output_tokens": 2}, (1, None, None, 2, None, 3)),
        ({"input_tokens": 1}, (1, None, None, None, None, None)),
        ({"input_tokens": 1, "cache_read_input_tokens": None}, (1, None, None, None, None, None)),
        ({"input_tokens": "one", "output_tokens": {}}, (None, None, None, None, None, None)),
        (
            {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": -5},
            (None, None, None, 2, None, None),
        ),
        (
            {
                "input_tokens": 1,
                "output_tokens": 2,
                "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
            },
            (8, None, 7, 2, None, 10),
        ),
        (
            {
                "input_tokens": 1,
                "output_tokens": 2,
                "output_tokens_details": {"thinking_tokens": 9},
            },
            (1, None, None, 11, 9, 12),
        ),
    ],
)
def test_usage(raw: dict[str, Any], expected: tuple[int | None, ...]) -> None:
    """All input is counted, cache included, and what is no count is unknown."""
    usage = accumulate(complete("messages", reply({"type": "text", "text": "x"}, usage=raw))).usage

    assert usage is not None
    assert (
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        usage.total_tokens,
    ) == expected


def test_usage_of_a_cut_stream() -> None:
    """The output that a stream announces at its start is a placeholder, so it is not counted."""
    usage = accumulate(streamed("messages", [start(input_tokens=4, output_tokens=1)])).usage

    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (4, None)


def test_running_totals_replace_each_other() -> None:
    """A later total replaces an earlier one; what it does not name stays."""
    usage = accumulate(
        streamed(
            "messages",
            [
                start(input_tokens=4, output_tokens=1),
                {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5}},
                *end(usage={"output_tokens": 9}),
            ],
        )
    ).usage

    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (4, 9, 13)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "sorry"}}, ServerError),
        ({"error": {"message": "sorry"}}, InvalidResponseError),
        ("{broken", IncompleteStreamError),
    ],
)
def test_errors_in_the_stream(event: Any, kind: type[ProviderError]) -> None:
    """An error event and what is no JSON are errors of ours."""
    with pytest.raises(kind):
        streamed("messages", [start(), event])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"type": "error", "error": {"type": "api_error", "message": "sorry"}}, "sorry"),
        ({"error": "sorry"}, "sorry"),
        ({"detail": "sorry"}, "sorry"),
        ({"content": 1}, "no content"),
        ({}, "no content"),
    ],
)
def test_success_without_an_answer(given: dict[str, Any], words: str) -> None:
    """A complete response without content is an error with the server's own message."""
    with pytest.raises(ProviderError, match=words):
        complete("messages", given)


def test_noise_is_accepted() -> None:
    """Unknown events, blocks and deltas do no harm; indexes need not be numbers."""
    accumulated = accumulate(
        streamed(
            "messages",
            [
                start(),
                {"type": "brand_new"},
                {"type": {"odd": 1}},
                "null",
                "",
                block([0], type="server_tool_use", id="x"),
                block({"a": 1}, type="text", text="a"),
                delta({"a": 1}, "text_delta", text="b"),
                delta({"a": 1}, "text_delta", text=["odd"]),
                delta(9, "citations_delta", citation={}),
                delta(9, "signature_delta", signature="x"),
                delta(9, "thinking_delta", thinking="late"),
                {"type": "content_block_delta", "delta": None},
                stop([7]),
                *end(),
            ],
        )
    )

    assert accumulated.text("text") == "ab"
    assert accumulated.finish_reason == "stop"


def test_calls_find_their_pieces() -> None:
    """Pieces of arguments belong to the block of their index, written in turns or not."""
    calls = accumulate(
        streamed(
            "messages",
            [
                start(),
                block(0, **TOOL),
                block(1, **{**TOOL, "id": "t2"}),
                delta(1, "input_json_delta", partial_json='{"x":2}'),
                delta(0, "input_json_delta", partial_json='{"x":1'),
                *end("tool_use"),
            ],
        )
    ).tool_calls()

    assert [c.arguments for c in calls] == [{}, {"x": 2}]
    assert calls[0].raw_arguments == '{"x":1'
    assert calls[0].error


def test_tools_of_the_service_go_back_with_their_results() -> None:
    """A call of the service's own tool goes back with its result, and neither without the other."""
    used = {"type": "server_tool_use", "id": "st", "name": "web_search", "input": {}}
    result = {"type": "web_search_tool_result", "tool_use_id": "st", "content": []}
    cut = {"type": "server_tool_use", "id": "other", "name": "web_search", "input": {}}
    lost = {"type": "web_search_tool_result", "tool_use_id": "lost", "content": []}
    turn = Message("assistant", "Hello", raw=(used, result, cut, lost, {"type": "image"}))
    made = body("messages", Message("user", "Hi"), turn)

    assert made.body["messages"][1]["content"] == [used, result, {"type": "text", "text": "Hello"}]


def test_input_of_a_services_tool_that_is_no_json() -> None:
    """What cannot be parsed is kept as text."""
    start = {"type": "server_tool_use", "id": "st", "name": "web_search", "input": {}}
    events = streamed(
        "messages",
        [
            {"type": "content_block_start", "index": 0, "content_block": start},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": '{"a'},
            },
            {"type": "content_block_stop", "index": 0},
            {"type": "message_stop"},
        ],
    )

    assert accumulate(events).raw == [{**start, "input": '{"a'}]
    assert accumulate(events).tool_calls() == []
