from __future__ import annotations

from typing import Any

import pytest

from allos.errors import IncompleteStreamError, InvalidResponseError, ProviderError, ServerError
from allos.messages import Message, ToolCall
from tests.support.decoding import accumulate, body, complete, sse, streamed, visible

USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 15,
}
REASONING = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "hm hm"}],
    "encrypted_content": "gAAA",
}


def ev(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", **fields}


def text(*pieces: str, **where: Any) -> list[dict[str, Any]]:
    return [ev("output_text.delta", delta=piece, **where) for piece in pieces]


def message(words: str) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "content": [{"type": "output_text", "text": words}]}


def call(number: int, arguments: Any, **changes: Any) -> dict[str, Any]:
    head = {"id": f"fc_{number}", "type": "function_call", "call_id": f"call_{number}", "name": "f"}
    return {**head, "arguments": arguments, **changes}


def final(*output: Any, kind: str = "completed", **fields: Any) -> dict[str, Any]:
    return {"id": "resp_1", "model": "m-1", "status": kind, "output": [*output], **fields}


def end(*output: Any, kind: str = "completed", **fields: Any) -> dict[str, Any]:
    return ev(kind, response=final(*output, kind=kind, **fields))


# ---- bodies


def test_message_mapping() -> None:
    """Leading system texts are the instructions; every other turn is an item in place."""
    made = body(
        "responses",
        Message("system", "One."),
        Message("system", "Two."),
        Message("user", "Hi"),
        Message("assistant", "Wait", tool_calls=(ToolCall("call_1", "add", {"a": 1}),)),
        Message("tool", "2", tool_call_id="call_1"),
        Message("system", "Three."),
        Message("assistant"),
        Message("user"),
    )

    assert made.body["instructions"] == "One.\n\nTwo."
    assert made.body["input"] == [
        {"role": "user", "content": "Hi"},
        {"type": "message", "role": "assistant", "content": "Wait"},
        {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a": 1}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "2"},
        {"role": "system", "content": "Three."},
        {"role": "user", "content": ""},
    ]


def test_own_reasoning_goes_back_before_its_calls() -> None:
    """Reasoning items are replayed unchanged; parts of other APIs stay out."""
    turn = Message(
        "assistant",
        tool_calls=[ToolCall("c", "f")],
        raw=(REASONING, {"type": "thinking", "thinking": "x"}, {"reasoning_content": "x"}),
    )

    assert body("responses", turn).body["input"] == [
        REASONING,
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]


def test_stream_flag() -> None:
    """A stream is asked for, without options of another API."""
    made = body("responses", stream=True).body

    assert made["stream"] is True
    assert "stream_options" not in made


# ---- complete and streamed


REPLIES: dict[str, tuple[list[Any], list[Any]]] = {
    "text": ([message("Grüße 🙂")], text("Grü", "ße 🙂", item_id="msg_1", output_index=0)),
    "equal pieces": ([message("haha")], text("ha", "ha")),
    "reasoning": (
        [REASONING, message("x")],
        [
            ev("output_item.added", output_index=0, item={"id": "rs_1", "type": "reasoning"}),
            ev("reasoning_summary_text.delta", delta="hm "),
            ev("reasoning_summary_text.delta", delta="hm"),
            ev("output_item.done", output_index=0, item=REASONING),
            *text("x"),
        ],
    ),
    "refusal": (
        [{"type": "message", "content": [{"type": "refusal", "refusal": "I will not"}]}],
        [ev("refusal.delta", delta="I will"), ev("refusal.delta", delta=" not")],
    ),
    "tools": (
        [call(1, '{"x":1}'), call(2, "{bad"), call(3, "")],
        [
            ev("output_item.added", output_index=0, item=call(1, "")),
            ev("function_call_arguments.delta", output_index=0, item_id="fc_1", delta='{"x"'),
            ev("function_call_arguments.delta", output_index=0, item_id="fc_1", delta=":1}"),
            ev("function_call_arguments.done", output_index=0, item_id="fc_1", arguments='{"x":1}'),
            ev("output_item.done", output_index=0, item=call(1, '{"x":1}')),
            ev("output_item.added", output_index=1, item=call(2, "")),
            ev("function_call_arguments.delta", output_index=1, item_id="fc_2", delta="{bad"),
            ev("output_item.done", output_index=2, item=call(3, "")),
        ],
    ),
}


@pytest.mark.parametrize("repeats", [True, False], ids=["repeated", "not repeated"])
@pytest.mark.parametrize("name", REPLIES)
def test_whole_equals_streamed_at_every_cut(name: str, repeats: bool) -> None:
    """A complete response and its streamed counterpart are equal, whether the last event repeats it."""
    output, events = REPLIES[name]
    expected = visible(complete("responses", final(*output, usage=USAGE)))
    stream = sse(
        [ev("created", response=final()), *events, end(*(output if repeats else []), usage=USAGE)]
    )

    assert expected["usage"].total_tokens == 15
    assert expected["facts"] == {"response_id": "resp_1", "response_model": "m-1"}
    for at in range(len(stream)):
        assert visible(streamed("responses", stream, at=[at])) == expected


def test_only_the_end_events_hold_the_text() -> None:
    """Servers that send no deltas are read from the `done` events or from the last one."""
    done = [
        ev("output_text.done", item_id="m", content_index=0, text="one "),
        ev("output_text.done", item_id="m", content_index=1, text="two"),
        ev("function_call_arguments.done", item_id="fc_1", arguments='{"x":1}'),
        ev("output_item.done", item=call(1, '{"x":1}')),
    ]
    accumulated = accumulate(streamed("responses", [*done, end()]))

    assert accumulated.text("text") == "one two"
    assert [c.arguments for c in accumulated.tool_calls()] == [{"x": 1}]
    assert accumulate(streamed("responses", [end(message("late"))])).text("text") == "late"


def test_last_event_adds_what_was_missing() -> None:
    """What the last event holds beyond the deltas is added; what differs is not doubled."""
    assert (
        accumulate(streamed("responses", [*text("on"), end(message("one"))])).text("text") == "one"
    )
    assert (
        accumulate(streamed("responses", [*text("one"), end(message("on"))])).text("text") == "one"
    )
    assert (
        accumulate(streamed("responses", [*text("one"), end(message("two"))])).text("text") == "one"
    )


# ---- tool calls


def arguments(*events: Any) -> list[dict[str, Any]]:
    return [c.arguments for c in accumulate(streamed("responses", [*events, end()])).tool_calls()]


def test_calls_without_output_index() -> None:
    """The item's id tells calls apart where the index is missing."""
    assert arguments(
        ev("output_item.added", item=call(1, "")),
        ev("output_item.added", item=call(2, "")),
        ev("function_call_arguments.delta", item_id="fc_2", delta='{"x":2}'),
        ev("function_call_arguments.delta", item_id="fc_1", delta='{"x":1}'),
    ) == [{"x": 1}, {"x": 2}]


def test_calls_of_one_output_index() -> None:
    """Calls that share an index are distinguished by their ids, also for pieces with the index alone."""
    assert arguments(
        ev("output_item.added", output_index=0, item=call(1, "")),
        ev("function_call_arguments.delta", output_index=0, delta='{"x":1}'),
        ev("output_item.added", output_index=0, item=call(2, "")),
        ev("function_call_arguments.delta", output_index=0, delta='{"x":2}'),
    ) == [{"x": 1}, {"x": 2}]


def test_calls_of_one_item_id() -> None:
    """Calls that share an item id are distinguished by the call's id."""
    assert arguments(
        ev("output_item.done", item=call(1, '{"x":1}', id="same")),
        ev("output_item.done", item=call(2, '{"x":2}', id="same")),
    ) == [{"x": 1}, {"x": 2}]


def test_pieces_that_name_nothing_follow_the_last_call() -> None:
    """A piece without index and id continues the last call."""
    bare = {"type": "function_call", "name": "f", "call_id": "c"}

    assert arguments(
        ev("output_item.added", item=bare),
        ev("function_call_arguments.delta", delta='{"x"'),
        ev("function_call_arguments.delta", delta=":1}"),
    ) == [{"x": 1}]


def test_call_id_answers_a_call() -> None:
    """The id of a call is its `call_id`; the item's own id is not."""
    (made,) = accumulate(complete("responses", final(call(1, {"x": 1})))).tool_calls()

    assert (made.id, made.name, made.arguments) == ("call_1", "f", {"x": 1})


# ---- finish, usage, errors


@pytest.mark.parametrize(
    ("reply", "reason", "raw"),
    [
        (final(message("x")), "stop", "completed"),
        (final(call(1, "{}")), "tool_calls", "completed"),
        (
            final(message("x"), kind="incomplete", incomplete_details={"reason": "max_messages"}),
            "length",
            "max_messages",
        ),
        (
            final(kind="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            "length",
            "max_output_tokens",
        ),
        (
            final(kind="incomplete", incomplete_details={"reason": "content_filter"}),
            "content_filter",
            "content_filter",
        ),
        (final(kind="incomplete", incomplete_details={"reason": "steered"}), "pause", "steered"),
        (final(kind="incomplete", incomplete_details={"reason": "new"}), "other", "new"),
        (final(kind="incomplete", incomplete_details={"reason": None}), "other", "incomplete"),
        (final(kind="incomplete"), "other", "incomplete"),
        (final(kind="queued"), "pause", "queued"),
        (final(kind="in_progress"), "pause", "in_progress"),
        (final(message("x"), kind="cancelled"), "error", "cancelled"),
        (final(message("x"), kind="new"), "other", "new"),
        (
            final({"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}),
            "refusal",
            "completed",
        ),
    ],
)
def test_finish_reasons(reply: dict[str, Any], reason: str, raw: str) -> None:
    """Status, details and output together give the reason; the raw word is kept."""
    accumulated = accumulate(complete("responses", reply))

    assert (accumulated.finish_reason, accumulated.finish_reason_raw) == (reason, raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (USAGE, (10, 4, 1, 5, 2, 15)),
        ({"input_tokens": 1, "output_tokens": 2}, (1, None, None, 2, None, 3)),
        ({"input_tokens": 1}, (1, None, None, None, None, None)),
        (
            {"input_tokens": "one", "output_tokens": [2], "input_tokens_details": 3},
            (None, None, None, None, None, None),
        ),
    ],
)
def test_usage(raw: dict[str, Any], expected: tuple[int | None, ...]) -> None:
    """Counts follow one definition, and what is no count is unknown."""
    usage = accumulate(complete("responses", final(message("x"), usage=raw))).usage

    assert usage is not None
    assert (
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        usage.total_tokens,
    ) == expected


@pytest.mark.parametrize(
    ("event", "kind", "words"),
    [
        (
            {"type": "error", "code": "server_error", "message": "sorry", "param": None},
            ServerError,
            "sorry",
        ),
        ({"type": "error", "error": {"message": "sorry"}}, InvalidResponseError, "sorry"),
        ({"error": {"code": 503, "message": "sorry"}}, ServerError, "sorry"),
        (
            end(kind="failed", error={"code": "server_error", "message": "sorry"}),
            ServerError,
            "sorry",
        ),
        (end(kind="failed", error=None), ServerError, "without a message"),
        ("{broken", IncompleteStreamError, "unreadable"),
    ],
)
def test_errors_in_the_stream(event: Any, kind: type[ProviderError], words: str) -> None:
    """An error event, a failed response and what is no JSON are errors of ours."""
    with pytest.raises(kind, match=words):
        streamed("responses", [*text("x"), event])


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (final(kind="failed", error={"code": "server_error", "message": "sorry"}), "sorry"),
        ({"error": {"message": "sorry"}}, "sorry"),
        ({"detail": "sorry"}, "sorry"),
        ({}, "no output"),
        (final(), "no output"),
    ],
)
def test_success_without_an_answer(reply: dict[str, Any], words: str) -> None:
    """A complete response without output is an error with the server's own message."""
    with pytest.raises(ProviderError, match=words):
        complete("responses", reply)


def test_noise_is_accepted() -> None:
    """Unknown events, items and parts do no harm."""
    odd = [
        {"type": "response.audio.delta", "delta": "AAAA"},
        {"type": "brand.new"},
        {"type": ["odd"]},
        {"type": "response.output_item.added", "item": {"type": "web_search_call", "id": "ws"}},
        {"type": "response.output_item.added", "item": None},
        {"type": "response.output_text.delta", "delta": {"odd": 1}},
        {"type": "response.created", "response": "odd"},
        "null",
        "",
    ]
    output = [{"type": "web_search_call"}, "odd", message("x"), {"type": "message", "content": "x"}]
    accumulated = accumulate(
        streamed("responses", [*odd, *text("x"), end(*output), *text("never read")])
    )

    assert accumulated.text("text").startswith("x")
    assert accumulated.finish_reason == "stop"


def test_tools_of_the_service_go_back() -> None:
    """Reasoning goes back with the calls of the service that followed it; other parts do not."""
    raw = (
        {"type": "reasoning", "id": "rs", "encrypted_content": "x"},
        {"type": "web_search_call", "id": "ws"},
        {"type": "output_image", "image_url": "data:image/png;base64,iVBORw0KGgo="},
        {"type": "computer_call", "id": "cc"},
    )
    made = body("responses", Message("user", "Hi"), Message("assistant", "Hello", raw=raw))

    assert [item.get("type") for item in made.body["input"]] == [
        None,
        "reasoning",
        "web_search_call",
        "message",
    ]


def test_an_item_that_comes_twice_is_one_part() -> None:
    """An item that ends the stream with another status is the one that had come."""
    item = {"type": "image_generation_call", "id": "ig", "status": "generating", "result": "AAAA"}
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    end = {"status": "completed", "output": [{**item, "status": "completed"}]}
    events = streamed("responses", [done, {"type": "response.completed", "response": end}])

    assert accumulate(events).raw == [item]


@pytest.mark.parametrize(
    "fields",
    [
        {"output": [{"type": "message", "content": "Hi"}]},
        {"output": [{"role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}]},
        {"output": "Hi"},
        {"output_text": "Hi"},
        {"output": [], "output_text": "Hi"},
    ],
)
def test_text_in_another_form(fields: dict[str, Any]) -> None:
    """Text that stands in the place of a part, of an item or beside them is the answer."""
    reply = {"id": "r", "status": "completed", **fields}

    for events in (
        complete("responses", reply),
        streamed("responses", [{"type": "response.completed", "response": reply}]),
    ):
        found = accumulate(events)
        assert (found.text("text"), found.finish_reason) == ("Hi", "stop")
