"""What services do in the wild, on every API, complete and streamed: nothing that came is lost."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from allos import errors
from allos.profiles import Api
from allos.providers import Provider
from allos.response import ProviderResponse
from tests.contract.conftest import Ask, Make
from tests.contract.test_errors import failing
from tests.support.fake_server import FakeServer, Raw, Reply, Seen
from tests.support.fake_server.ask import Ask as Asked
from tests.support.fake_server.plan import APIS as FAKES

ASKED = Asked(model="m", stream=True, include_usage=True, encrypted=False, created=1)


def raw(api: Api, reply: Reply, *, old: bytes = b"", new: bytes = b"") -> Any:
    """An answer in the API's own bytes, with one place changed."""

    def answer(seen: Seen) -> Raw:
        if seen.stream:
            events = FAKES[api].events(reply, ASKED)
            made = Raw.sse([(event.name, event.data) for event in events])
            return Raw(made.body.replace(old, new), "text/event-stream", split=100)
        return Raw(json.dumps(FAKES[api].complete(reply, ASKED)).encode().replace(old, new))

    return answer


# ---- a failure beside a part of the answer

PART = "Half of the ans"


def failed(api: Api) -> Any:
    """An answer that ends in the service's own failure, after some of it."""
    error = {"code": "server_error", "message": "The model crashed"}

    def answer(seen: Seen) -> Raw:
        if api == "chat":
            choice = {"index": 0, "finish_reason": "error", "error": {**error, "code": 502}}
            if seen.stream:
                part = {"choices": [{"index": 0, "delta": {"content": PART}}]}
                return Raw.sse([part, {"choices": [{**choice, "delta": {}}]}])
            return Raw.json({"choices": [{**choice, "message": {"content": PART}}]})
        item = {"type": "message", "content": [{"type": "output_text", "text": PART}]}
        response = {"status": "failed", "error": error, "output": [item]}
        if seen.stream:
            return Raw.sse([{"type": "response.failed", "response": response}])
        return Raw.json(response)

    return answer


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_failed_answer_keeps_its_part(
    server: FakeServer, provider: Provider, ask: Ask, api: Api
) -> None:
    """A 200 that says it failed is a typed error with the service's words, and its text is kept."""
    server.reply(failed(api))
    error = failing(ask, provider, errors.ServerError)
    assert error.response is not None

    assert "The model crashed" in str(error)
    assert error.response.content == PART
    assert server.count == 1


# ---- letters, tags and numbers


@pytest.mark.parametrize("half", [b"\xf0\x9f\x98", rb"\ud83d", b"\xff"])
def test_half_a_letter(
    server: FakeServer, provider: Provider, ask: Ask, api: Api, half: bytes
) -> None:
    """Text that a server cuts within a letter costs that letter alone."""
    server.reply(raw(api, Reply("Hi there"), old=b"Hi there", new=b"Hi " + half + b" there"))
    response = ask(provider)

    assert response.ok
    assert response.content.replace("\ufffd", "") == "Hi  there"
    assert response.content.encode()


@pytest.mark.parametrize("size", [1, 3, 100])
def test_reasoning_in_tags(server: FakeServer, provider: Provider, ask: Ask, size: int) -> None:
    """Reasoning in tags is kept apart from the content, cut anywhere; prose stays prose."""
    server.reply(Reply("<think>hm, <b></think>\nThe tag <think> is text.", chunk_size=size))
    response = ask(provider)

    assert response.reasoning == "hm, <b>"
    assert response.content == "The tag <think> is text."


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "reasoning_details"])
def test_fields_of_reasoning(server: FakeServer, make: Make, ask: Ask, key: str) -> None:
    """Whatever a vendor calls the field, reasoning is reasoning."""
    details = [{"type": "reasoning.text", "text": "hm"}, {"type": "reasoning.encrypted"}]
    message = {"content": "Hi", key: details if key == "reasoning_details" else "hm"}

    def answer(seen: Seen) -> Raw:
        if seen.stream:
            end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            return Raw.sse([{"choices": [{"index": 0, "delta": message}]}, end])
        return Raw.json({"choices": [{"message": message, "finish_reason": "stop"}]})

    server.reply(answer)
    response = ask(make(api="chat"))

    assert (response.content, response.reasoning) == ("Hi", "hm")


def test_absurd_usage_is_unknown(
    server: FakeServer, provider: Provider, ask: Ask, api: Api
) -> None:
    """A count that no one can have counted is unknown; the rest of the answer is kept."""
    huge = str(10**300).encode()
    server.reply(raw(api, Reply("Hi", usage={"input_tokens": 777}), old=b"777", new=huge))
    response = ask(provider)

    assert response.content == "Hi"
    assert "input_tokens" not in response.metadata


# ---- streams


def test_stream_for_a_whole_answer(server: FakeServer, provider: Provider, api: Api) -> None:
    """A server that streams although stream was not requested is supported."""
    events = FAKES[api].events(Reply("Hi there", reasoning="hm"), ASKED)
    stream = Raw.sse([(event.name, event.data) for event in events])
    server.reply(stream)
    response = provider.chat("Hi")

    assert (response.content, response.reasoning) == ("Hi there", "hm")
    assert response.finish_reason == "stop"
    assert response.metadata["output_tokens"] == 7
    server.reply(Raw(stream.body[: len(stream.body) // 2], "text/event-stream"))
    with pytest.raises(errors.IncompleteStreamError) as caught:
        provider.chat("Hi")
    assert caught.value.response is not None
    assert caught.value.response.status == "error"


@pytest.mark.parametrize("split", [None, 65536])
def test_megabytes_in_one_event(
    server: FakeServer, provider: Provider, ask: Ask, split: int | None
) -> None:
    """Eight megabytes in one event arrive whole, in a time that grows with the size alone."""
    size = 8 << 20
    text = "word " * (size // 5)
    from tests.support.fake_server import Sse

    server.reply(Reply(text, chunk_size=size, sse=Sse(split=split)))
    started = time.perf_counter()
    response: ProviderResponse = ask(provider)

    assert response.content == text
    assert time.perf_counter() - started < 8
