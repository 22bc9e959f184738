"""What holds for every API's decoder, whatever arrives."""

from __future__ import annotations

import copy
import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos import wire
from allos.errors import ProviderError
from allos.events import Event, Finished, ResponseFacts, TextDelta
from allos.profiles import Api, ServiceProfile
from allos.wire.headers import header_events
from allos.wire.json_fields import count, json_object, parse_json
from allos.wire.sse import SseDecoder
from tests.support import fake_server as fake
from tests.support.decoding import APIS, accumulate, request, sse, visible
from tests.support.fake_server.ask import Ask
from tests.support.fake_server.plan import APIS as FAKES

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


def read(api: Api, stream: bytes, profile: ServiceProfile | None = None) -> list[Event]:
    """Events up to the first fault, which must be one of ours; then all that was held back."""
    sent = request(api, profile=profile or ServiceProfile())
    decoder, splitter = wire.get(api).decoder(sent), SseDecoder()
    found: list[Event] = []
    with suppress(ProviderError):
        for name, data in [*splitter.feed(stream), *splitter.end()]:
            events = decoder.decode_event(name, data)
            found.extend(events if decoder.joiner is None else decoder.joiner.join(events))
    return found + decoder.end()


def check(events: list[Event]) -> None:
    """Whatever was understood folds into texts, calls, counts and facts of the right types."""
    accumulated = accumulate(events)
    for kind in ("text", "reasoning", "refusal"):
        assert isinstance(accumulated.text(kind), str)
    for call in accumulated.tool_calls():
        assert isinstance(call.id, str)
        assert isinstance(call.name, str)
        assert isinstance(call.arguments, dict)
    if accumulated.usage is not None:
        for name in ("input_tokens", "output_tokens", "total_tokens", "reasoning_tokens"):
            count = getattr(accumulated.usage, name)
            assert count is None or (isinstance(count, int) and count >= 0)
    assert all(isinstance(value, str | float) for value in accumulated.facts.values())


@pytest.mark.parametrize("api", APIS)
@settings(deadline=None)
@given(stream=st.binary(max_size=200))
def test_any_bytes(api: Api, stream: bytes) -> None:
    """Arbitrary bytes never give anything but events or one of our errors."""
    check(read(api, stream))
    check(read(api, b"data: " + stream + b"\n\n"))


@pytest.mark.parametrize("api", APIS)
@settings(max_examples=settings.default.max_examples // 2)
@given(values=st.lists(OBJECTS, max_size=4))
def test_any_events(api: Api, values: list[Any]) -> None:
    """Events of any shape, with the APIs' own words in any place, never break the decoder."""
    check(read(api, sse(values)))


@pytest.mark.parametrize("api", APIS)
@settings(max_examples=settings.default.max_examples // 2)
@given(value=OBJECTS)
def test_any_whole_reply(api: Api, value: dict[str, Any]) -> None:
    """A complete response of any shape gives events or one of our errors."""
    decoder = wire.get(api).decoder(request(api, profile=ServiceProfile(think_tags=True)))
    try:
        events = list(decoder.decode_response(value))
    except ProviderError:
        return
    check(events + decoder.flush())


@pytest.mark.parametrize("api", APIS)
def test_silence_is_no_end(api: Api) -> None:
    """A stream that just ends has given no end signal."""
    decoder = wire.get(api).decoder(request(api))

    assert [event for event in decoder.flush() if isinstance(event, Finished)] == []
    assert not decoder.done


# ---- real answers with one thing wrong

RICH = fake.Reply(
    "Hi there",
    reasoning="hm",
    tool_calls=[fake.Call("add", {"a": 1}), fake.Call("sub", {"b": [2, None]})],
    usage={"input_tokens": 9, "output_tokens": 3, "reasoning_tokens": 1, "cache_read_tokens": 2},
)
ASK = Ask(model="m", stream=True, include_usage=True, encrypted=True, created=1)


def places(value: Any) -> list[tuple[Any, ...]]:
    """Paths to everything inside a JSON value."""
    inside: list[tuple[Any, ...]] = []
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        inside += [(key,), *((key, *path) for path in places(inner))]
    return inside


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The value with another one at a path."""
    copied = copy.copy(value)
    copied[path[0]] = new if len(path) == 1 else changed(value[path[0]], path[1:], new)
    return copied


ODD = VALUES | st.sampled_from([10**400, -1, 2**63, 1e308, "", "9" * 5000, [[]], [None], {"": 0}])


@pytest.mark.parametrize("think_tags", [False, True])
@pytest.mark.parametrize("api", APIS)
@settings(max_examples=settings.default.max_examples * 3 // 2)
@given(data=st.data())
def test_any_value_in_any_field(api: Api, think_tags: bool, data: st.DataObject) -> None:
    """A real answer with any JSON value in any of its fields gives events or one of our errors."""
    profile = ServiceProfile(think_tags=think_tags)
    events = [event.data for event in FAKES[api].events(RICH, ASK)]
    dicts = [at for at, event in enumerate(events) if isinstance(event, dict)]
    at = data.draw(st.sampled_from(dicts))
    events[at] = changed(events[at], data.draw(st.sampled_from(places(events[at]))), data.draw(ODD))
    check(read(api, sse(events), profile))
    reply = FAKES[api].complete(RICH, ASK)
    reply = changed(reply, data.draw(st.sampled_from(places(reply))), data.draw(ODD))
    decoder = wire.get(api).decoder(request(api, profile=profile))
    with suppress(ProviderError):
        check([*decoder.decode_response(reply), *decoder.flush()])


@pytest.mark.parametrize("api", APIS)
@settings(max_examples=settings.default.max_examples * 2 // 3)
@given(data=st.data())
def test_real_answer_cut_anywhere_or_spoilt(api: Api, data: st.DataObject) -> None:
    """A real stream with bytes replaced, dropped or put in anywhere gives events or our errors."""
    stream = sse([event.data for event in FAKES[api].events(RICH, ASK)])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(stream)))
        stream = (
            stream[:at]
            + data.draw(st.binary(max_size=3))
            + stream[at + data.draw(st.integers(0, 3)) :]
        )
    check(read(api, stream))


# ---- what one of our rules is for


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("spoilt", [b"\xe2\x82", rb"\ud83d", rb"\ude00", b"\xff"])
def test_half_a_letter(api: Api, spoilt: bytes) -> None:
    """Text cut within a letter costs that letter, never the answer."""
    for made in (
        sse([event.data for event in FAKES[api].events(RICH, ASK)]),
        json.dumps(FAKES[api].complete(RICH, ASK)).encode(),
    ):
        body = made.replace(b"Hi there", b"Hi " + spoilt + b"re", 1)
        assert body != made
        events = (
            read(api, body)
            if made.startswith((b"data", b"event"))
            else [*wire.get(api).decoder(request(api)).decode_response(json_object(body, {}))]
        )
        text = accumulate(events).text("text")

        assert text.startswith("Hi \ufffd")
        assert text.endswith("re")


HALVES = fake.Reply(
    "Hi 😀!",
    reasoning="hm 😀",
    refusal="no 😀",
    tool_calls=[fake.Call("add", {"a": "x😀"}), fake.Call("sub", {"b": "😀"})],
    chunk_size=1,
)


def cut_in_halves(stream: bytes) -> bytes:
    """The stream as a gateway sends it that cuts text by JavaScript's count of characters."""
    whole = "😀".encode()
    events = []
    for event in stream.split(b"\n\n"):
        # A piece that holds nothing but the character becomes two.
        if event.count(whole) == 1 and not re.search(rb"done|completed|explanation", event):
            events += [event.replace(whole, rb"\ud83d"), event.replace(whole, rb"\ude00")]
        else:
            events.append(event)
    return b"\n\n".join(events)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("think_tags", [False, True])
def test_halves_in_two_pieces(api: Api, think_tags: bool) -> None:
    """A character that is cut into two events is one again: text, reasoning, refusal, arguments."""
    stream = sse([event.data for event in FAKES[api].events(HALVES, ASK)])
    cut = cut_in_halves(stream)
    profile = ServiceProfile(think_tags=think_tags)
    found = read(api, cut, profile)

    assert cut.count(rb"\ud83d") >= 2
    assert visible(found) == visible(read(api, stream, profile))
    assert "😀" in accumulate(found).text("text")
    assert accumulate(found).tool_calls()[0].arguments == {"a": "x😀"}
    for event in found:
        assert "\ud83d" not in repr(event)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("half", [rb"\ud83d", rb"\ude00"])
def test_half_that_stays_alone(api: Api, half: bytes) -> None:
    """Half a character at the end of a text is one U+FFFD, in what is streamed as well."""
    stream = sse([event.data for event in FAKES[api].events(fake.Reply("Hi~", chunk_size=1), ASK)])
    found = read(api, stream.replace(b"~", half))

    assert accumulate(found).text("text") == "Hi\ufffd"
    assert sum(isinstance(event, TextDelta) and "\ufffd" in event.text for event in found) == 1


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", ["", "error"])
def test_half_in_an_error(api: Api, name: str) -> None:
    """The words of an error within a stream can be printed and stored as well."""
    fault = rb'{"type": "error", "error": {"message": "no \ud83d", "code": "c\ude00"}}'
    decoder = wire.get(api).decoder(request(api))
    with pytest.raises(ProviderError) as failed:
        list(decoder.decode_event(name, fault))

    assert failed.value.detail == "no \ufffd"
    assert failed.value.code == "c\ufffd"


@pytest.mark.parametrize("api", APIS)
def test_half_in_the_arguments_of_a_call(api: Api) -> None:
    """A half that the model itself escaped costs a character, not the call."""
    reply = fake.Reply(tool_calls=[fake.Call("add", '{"a": "x\\ud83d"}')])
    [call] = accumulate(
        read(api, sse([event.data for event in FAKES[api].events(reply, ASK)]))
    ).tool_calls()

    assert call.arguments == {"a": "x\ufffd"}


def test_escaped_halves_in_prose() -> None:
    """Both halves of an emoji, and a backslash that is text, stay what they are."""
    data = rb'{"a": "\ud83d\ude00 \\ud83d \ud83d", "b": "\\\ude00"}'

    assert parse_json(data) == {"a": "😀 \\ud83d �", "b": "\\�"}


@pytest.mark.parametrize(
    "value",
    [2**53, 10**400, -1, True, 1.5, float("nan"), float("inf"), "-7", "seven", "", "٣", None],
)
def test_no_count(value: Any) -> None:
    """What no service can have counted is unknown; the log could not hold it either."""
    assert count(value) is None


@pytest.mark.parametrize("value", [7, 7.0, "7", "7.0", "7e0"])
def test_counts_of_lenient_services(value: Any) -> None:
    """A count is a count as text and as a float, too."""
    assert count(value) == 7


def test_numbers_of_headers() -> None:
    """Digits without end in a header are no number, and no error."""
    events = header_events(
        {
            "x-ratelimit-remaining-requests": "9" * 5000,
            "x-ratelimit-reset-requests": "9" * 5000 + "s",
            "x-ratelimit-remaining-tokens": "7",
        }
    )

    assert events == [ResponseFacts(ratelimit_remaining_tokens=7)]


TAGGED = [
    ("<think>a < b</think>\n\nSay <think> aloud", "a < b", "Say <think> aloud"),
    ("a < b\n</think>\n\nSay <think> aloud", "a < b\n", "Say <think> aloud"),
    ("[THINK]a[/THINK]<thinking>b</thinking>Hi", "ab", "Hi"),
    (
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hi",
        "hm",
        "Hi",
    ),
    ("<thought>without an end", "without an end", ""),
]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("answer", "reasoning", "text"), TAGGED)
def test_tags_of_reasoning(api: Api, answer: str, reasoning: str, text: str) -> None:
    """Reasoning in tags is separated on every API, wherever the tags are cut."""
    reply = fake.Reply(answer, chunk_size=1)
    profile = ServiceProfile(think_tags=True)
    events = [event.data for event in FAKES[api].events(reply, ASK)]
    decoder = wire.get(api).decoder(request(api, profile=profile))
    whole = [*decoder.decode_response(FAKES[api].complete(reply, ASK)), *decoder.flush()]
    for found in (read(api, sse(events), profile), whole):
        accumulated = accumulate(found)

        assert accumulated.text("reasoning") == reasoning
        assert accumulated.text("text") == text
        assert accumulated.finish_reason == "stop"
    assert accumulate(read(api, sse(events))).text("text") == answer
