"""Every fact of an answer is the same, whole and streamed, from a thread and a coroutine, and replayed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import allos
from allos.log.columns import STORED_NAMES
from allos.log.rows import raw_of, row_of, unpack
from allos.providers import Provider, ProviderRegistry
from allos.replaying.recorded_answer import answer_of, line_of
from allos.response import ProviderResponse
from tests.support.fake_server import FakeServer, Raw
from tests.support.pictures import PNG
from tests.support.rich_answers import RICH, Rich

FACTS = ("finish_reason", "parts", "citations", "logprobs", "response_extra", "service_tier")
FACTS += ("system_fingerprint",)
CASES = pytest.mark.parametrize("rich", RICH, ids=lambda rich: f"{rich.api}: {rich.name}")


def provider_of(server: FakeServer, rich: Rich) -> Provider:
    return ProviderRegistry.get_provider(
        "chat_completions", model="m", base_url=server.base_url, api=rich.api, api_key="sk-test"
    )


def whole(provider: Provider) -> ProviderResponse:
    return provider.chat("Hi")


def streamed(provider: Provider) -> ProviderResponse:
    with provider.stream("Hi") as stream:
        for _ in stream.events:
            pass
    assert stream.response is not None
    return stream.response


def awaited(provider: Provider) -> ProviderResponse:
    return asyncio.run(provider.achat("Hi"))


def streamed_in_a_coroutine(provider: Provider) -> ProviderResponse:
    async def read() -> ProviderResponse:
        async with provider.astream("Hi") as stream:
            async for _ in stream:
                pass
        assert stream.response is not None
        return stream.response

    return asyncio.run(read())


def check(rich: Rich, response: ProviderResponse) -> None:
    """Everything expected is there, and none of the facts that is not expected."""
    expected = {"finish_reason": "stop", "refusal": None, "reasoning": None, **rich.expected}
    names = {*FACTS, *expected}
    found = {
        name: getattr(response, name) if hasattr(response, name) else response.metadata.get(name)
        for name in names
    }
    assert response.status == "ok"
    assert found == {name: expected.get(name) for name in names}
    assert list(response.raw) == list(rich.raw)


@CASES
@pytest.mark.parametrize("ask", [whole, streamed, awaited, streamed_in_a_coroutine])
def test_facts(rich: Rich, ask: Any) -> None:
    """An answer has the same facts however it is asked for."""
    is_whole = ask in (whole, awaited)
    with FakeServer(Raw.json(rich.whole) if is_whole else Raw.sse(rich.events)) as server:
        response = ask(provider_of(server, rich))

    check(rich, response)
    has_image = any(
        "image" in str(part.get("media_type")) for part in rich.expected.get("parts", ())
    )
    assert [image.data for image in response.images] == [PNG] * has_image


@CASES
def test_logged_and_replayed(rich: Rich) -> None:
    """The row has the facts as JSON, never an image's bytes; the replayed answer is the same one."""
    with FakeServer(Raw.sse(rich.events)) as server:
        response = streamed(provider_of(server, rich))
    row = dict(zip(STORED_NAMES, row_of(response, {}), strict=True))
    replayed = answer_of(json.loads(line_of(response, 0)))

    for name in ("parts", "citations", "logprobs", "response_extra"):
        found = None if row[name] is None else json.loads(row[name])
        assert found == response.metadata.get(name)
    assert "base64" not in str(row["parts"])
    check(rich, replayed)
    assert replayed.images == response.images


@pytest.mark.parametrize("stream", [False, True])
def test_images_are_in_the_raw_reply(stream: bool) -> None:
    """The bytes of an image that was paid for are in the log's raw JSON, streamed or not."""
    rich = next(rich for rich in RICH if rich.name == "an image alone")
    with FakeServer(Raw.sse(rich.events) if stream else Raw.json(rich.whole)) as server:
        response = (streamed if stream else whole)(provider_of(server, rich))
    raw = raw_of(response)

    assert raw is not None
    assert rich.raw[0]["image_url"]["url"] in str(unpack(raw.reply))


def test_events_of_a_replayed_stream() -> None:
    """A replayed stream hands out the same events of its facts."""
    from allos.engine.settled import events_of

    rich = next(rich for rich in RICH if rich.name == "an image alone")
    with FakeServer(Raw.sse(rich.events)) as server:
        response = streamed(provider_of(server, rich))

    assert [e for e in events_of(response) if isinstance(e, allos.events.RawPart)] == [
        allos.events.RawPart(rich.raw[0], is_content=True)
    ]
