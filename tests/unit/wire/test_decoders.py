"""What holds for every API's decoder, whatever arrives."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos import wire
from allos.errors import ProviderError
from allos.types import Api, Event, Quirks
from allos.wire.sse import SseDecoder
from tests.decoding import APIS, fold, request, sse

# Words of all three APIs, so that random values get past the first look.
KEYS = st.sampled_from(
    [
        "type",
        "error",
        "choices",
        "delta",
        "message",
        "index",
        "content",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "id",
        "usage",
        "finish_reason",
        "prompt_tokens",
        "completion_tokens",
        "completion_tokens_details",
        "reasoning_content",
        "refusal",
        "model",
        "response",
        "output",
        "item",
        "item_id",
        "output_index",
        "call_id",
        "status",
        "incomplete_details",
        "reason",
        "summary",
        "text",
        "input_tokens",
        "output_tokens",
        "input_tokens_details",
        "content_block",
        "thinking",
        "signature",
        "partial_json",
        "stop_reason",
        "stop_details",
        "explanation",
        "cache_read_input_tokens",
        "output_tokens_details",
        "cost",
        "cost_in_usd_ticks",
        "x_groq",
        "base_resp",
        "code",
        "service_tier",
        "input",
    ]
)
WORDS = st.sampled_from(
    [
        "function_call",
        "message",
        "reasoning",
        "refusal",
        "output_text",
        "text_delta",
        "input_json_delta",
        "tool_use",
        "thinking",
        "thinking_delta",
        "signature_delta",
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "response.completed",
        "response.incomplete",
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.delta",
        "response.output_text.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "completed",
        "incomplete",
        "stop",
        "refusal",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | WORDS
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=6)


def read(api: Api, stream: bytes) -> list[Event]:
    """Events up to the first fault, which must be one of ours; then all that was held back."""
    decoder, splitter = wire.get(api).decoder(request(api)), SseDecoder()
    found: list[Event] = []
    with suppress(ProviderError):
        for name, data in [*splitter.feed(stream), *splitter.end()]:
            found += decoder.event(name, data)
    return found + decoder.finish()


def check(events: list[Event]) -> None:
    """Whatever was understood folds into texts, calls, counts and facts of the right types."""
    folded = fold(events)
    for kind in ("text", "reasoning", "refusal"):
        assert isinstance(folded.text(kind), str)
    for call in folded.tool_calls():
        assert isinstance(call.id, str)
        assert isinstance(call.name, str)
        assert isinstance(call.arguments, dict)
    if folded.usage is not None:
        for name in ("input_tokens", "output_tokens", "total_tokens", "reasoning_tokens"):
            count = getattr(folded.usage, name)
            assert count is None or (isinstance(count, int) and count >= 0)
    assert all(isinstance(value, str | float) for value in folded.facts.values())


@pytest.mark.parametrize("api", APIS)
@settings(deadline=None)
@given(stream=st.binary(max_size=200))
def test_any_bytes(api: Api, stream: bytes) -> None:
    """Arbitrary bytes never give anything but events or one of our errors."""
    check(read(api, stream))
    check(read(api, b"data: " + stream + b"\n\n"))


@pytest.mark.parametrize("api", APIS)
@settings(max_examples=40, deadline=None)
@given(values=st.lists(OBJECTS, max_size=4))
def test_any_events(api: Api, values: list[Any]) -> None:
    """Events of any shape, with the APIs' own words in any place, never break the decoder."""
    check(read(api, sse(values)))


@pytest.mark.parametrize("api", APIS)
@settings(max_examples=40, deadline=None)
@given(value=OBJECTS)
def test_any_whole_reply(api: Api, value: dict[str, Any]) -> None:
    """A whole reply of any shape gives events or one of our errors."""
    decoder = wire.get(api).decoder(request(api, quirks=Quirks(think_tags=True)))
    try:
        events = list(decoder.whole(value))
    except ProviderError:
        return
    check(events + decoder.finish())


@pytest.mark.parametrize("api", APIS)
def test_silence_is_no_end(api: Api) -> None:
    """A stream that just ends has given no end signal."""
    decoder = wire.get(api).decoder(request(api))

    assert [event for event in decoder.finish() if event.kind == "finish"] == []
    assert not decoder.done
