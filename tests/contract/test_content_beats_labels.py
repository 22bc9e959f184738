"""A body is read by what it holds, whatever its content type and its content encoding claim."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from allos import errors
from allos.profiles import Api
from allos.providers import Provider
from allos.response import ProviderResponse
from tests.contract.conftest import Ask, Make
from tests.contract.test_errors import failing
from tests.support.fake_server import Call, FakeServer, Raw, Reply
from tests.support.fake_server.ask import Ask as Asked
from tests.support.fake_server.plan import APIS as FAKES

ASKED = Asked(model="m", stream=True, include_usage=True, encrypted=False, created=1)
ANSWER = Reply("Hi there", reasoning="hm", tool_calls=[Call("add", {"a": 1})], chunk_size=2)
LABELS = ["application/json", "text/event-stream", "text/html; charset=utf-8", "text/plain", ""]
DONE = b"data: [DONE]\n\n"
BOM = b"\xef\xbb\xbf"


def stream_of(api: Api) -> bytes:
    return Raw.sse([(event.name, event.data) for event in FAKES[api].events(ANSWER, ASKED)]).body


def complete_of(api: Api, **style: Any) -> bytes:
    return json.dumps(FAKES[api].complete(ANSWER, ASKED), **style).encode()


def lines_of(api: Api) -> bytes:
    events = [event.data for event in FAKES[api].events(ANSWER, ASKED)]
    return b"".join(json.dumps(e).encode() + b"\n" for e in events if not isinstance(e, str))


BODIES: dict[str, Callable[[Api], bytes]] = {
    "stream": stream_of,
    "stream, mark": lambda api: BOM + stream_of(api),
    "stream, blanks and comments": lambda api: b"\n\r\n: ping\n\n:\n" + stream_of(api),
    "stream, no end mark": lambda api: stream_of(api).replace(DONE, b""),
    "stream, another end mark": lambda api: stream_of(api).replace(DONE, b"") + DONE.lower(),
    "stream, no blank lines": lambda api: stream_of(api).replace(b"\n\n", b"\n"),
    "stream, CRLF": lambda api: stream_of(api).replace(b"\n", b"\r\n"),
    "stream, signs of life": lambda api: b"data: ping\n\ndata: []\n\n" + stream_of(api),
    "JSON": complete_of,
    "JSON, mark": lambda api: BOM + complete_of(api),
    "JSON, blanks": lambda api: b"\n \r\n" + complete_of(api) + b"\n",
    "JSON, comments": lambda api: b": ping\n\n" + complete_of(api),
    "JSON, end mark": lambda api: complete_of(api, indent=1) + b"\n\n" + DONE,
    "JSON in one event": lambda api: b"data: " + complete_of(api) + b"\n\n",
    "JSON in one event, end mark": lambda api: b"data: " + complete_of(api) + b"\n\n" + DONE,
    "JSON lines": lines_of,
    "JSON list": lambda api: b"[" + b",".join(lines_of(api).splitlines()) + b"]",
}


def check(response: ProviderResponse) -> None:
    assert (response.content, response.reasoning) == ("Hi there", "hm")
    assert [call.arguments for call in response.tool_calls] == [{"a": 1}]
    assert (response.status, response.finish_reason) == ("ok", "tool_calls")
    assert response.metadata["output_tokens"] == 7


@pytest.mark.parametrize("body", BODIES)
def test_bodies(server: FakeServer, provider: Provider, ask: Ask, api: Api, body: str) -> None:
    """Event streams and complete JSON are read under any content type, whichever was asked for."""
    for label in LABELS:
        server.reply(Raw(BODIES[body](api), label, split=7))
        check(ask(provider))


@pytest.mark.parametrize("body", ["stream", "JSON"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "br", "gzip, br"])
def test_encoding_that_is_none(
    server: FakeServer, provider: Provider, ask: Ask, api: Api, body: str, encoding: str
) -> None:
    """A body that is not compressed, although its header says so, is read as it is."""
    headers = {"content-encoding": encoding}
    server.reply(Raw(BODIES[body](api), LABELS[0], headers=headers, split=9))
    check(ask(provider))


@pytest.mark.parametrize("body", ["stream", "JSON"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", ""])
def test_encoding_that_is_one(
    server: FakeServer, provider: Provider, ask: Ask, api: Api, body: str, encoding: str
) -> None:
    """A compressed body is read with its header, and gzip without it."""
    compress = zlib.compress if encoding == "deflate" else gzip.compress
    headers = {"content-encoding": encoding} if encoding else {}
    server.reply(Raw(compress(BODIES[body](api)), LABELS[0], headers=headers, split=9))
    check(ask(provider))


@pytest.mark.parametrize("body", ["stream", "JSON"])
def test_async(server: FakeServer, provider: Provider, api: Api, body: str) -> None:
    """The async calls read the same."""
    server.reply(Raw(BODIES[body](api), "text/html", headers={"content-encoding": "gzip"}))

    async def streamed() -> ProviderResponse | None:
        async with provider.astream("Hi") as stream:
            async for _ in stream:
                pass
        return stream.response

    check(asyncio.run(provider.achat("Hi")))
    response = asyncio.run(streamed())
    assert response is not None
    check(response)


def test_pieces_come_as_they_arrive(server: FakeServer, provider: Provider, api: Api) -> None:
    """A stream under a wrong content type is still shown piece by piece."""
    server.reply(Raw(stream_of(api), "application/json", split=40))
    with provider.stream("Hi") as stream:
        pieces = list(stream)

    assert len(pieces) > 1
    assert "".join(pieces) == "Hi there"


# ---- errors

ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Sorry, too busy"}}
ERRORS = {
    "JSON": json.dumps(ERROR).encode(),
    "mark": BOM + json.dumps(ERROR).encode(),
    "list": json.dumps([ERROR]).encode(),
    "event": b"event: error\ndata: " + json.dumps(ERROR).encode() + b"\n\n",
    "unnamed event": b"data: " + json.dumps(ERROR).encode() + b"\n\n" + DONE,
    "gzip": gzip.compress(json.dumps(ERROR).encode()),
}


@pytest.mark.parametrize("body", ERRORS)
@pytest.mark.parametrize("status", [200, 503])
def test_errors(server: FakeServer, make: Make, ask: Ask, body: str, status: int) -> None:
    """An error is found in a body of any form, beside success and beside failure."""
    for label in LABELS:
        server.reply(Raw(ERRORS[body], label, status=status))
        error = failing(ask, make(max_attempts=1), errors.ServerError)

        assert "Sorry, too busy" in str(error)


def test_cut_stream_is_no_answer(server: FakeServer, make: Make, ask: Ask, api: Api) -> None:
    """A stream that breaks off is an error with its part, under any content type."""
    body = stream_of(api)
    for label in LABELS:
        server.reply(Raw(body[: body.index(b'" t"')], label))
        error = failing(ask, make(max_attempts=1), errors.IncompleteStreamError)

        assert error.response is not None
        assert error.response.reasoning == "hm"
