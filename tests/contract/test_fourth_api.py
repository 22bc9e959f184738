"""A fourth wire API, from this file alone: registered, asked, streamed, previewed and counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

import allos
from allos import wire
from allos.errors import ConfigurationError, ProviderError, RateLimitError
from allos.events import (
    Event,
    Finished,
    FinishReason,
    ResponseFacts,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from allos.profiles import SchemaSupport
from allos.providers import Provider, ProviderRegistry, Service, register, unregister
from allos.request import Request
from allos.tools.tool import tool
from allos.usage import Usage
from allos.wire.base import Body, Wire
from allos.wire.connection import Connection
from allos.wire.decoder import Decoder
from allos.wire.json_fields import count, json_dict, parse_json, text
from allos.wire.parameters import apply
from allos.wire.tool_fields import with_schema_instructions
from tests.support.fake_server import Call, FakeServer, Fault, Raw, Reply, paths, plan
from tests.support.fake_server.ask import Ask
from tests.support.fake_server.sse import Event as ServerEvent

KEY = "quill-key-0123456789"

# ---- the API: its SDK, its requests, its responses, its token counter


class QuillSDK:
    """No package at all: a plain HTTP client, and the key in a header of its own."""

    name = "quill"

    def http_client(self, **options: Any) -> Any:
        import httpx2

        return httpx2.AsyncClient(**options)

    def headers(self, connection: Connection) -> list[tuple[bytes, bytes]]:
        headers = {
            "content-type": "application/json",
            "quill-version": "7",
            "quill-key": connection.api_key.reveal(),
            **dict(connection.headers),
        }
        return [(name.encode(), value.encode()) for name, value in headers.items()]


class QuillDecoder(Decoder):
    """``{"words": ..., "call": ..., "ended": ..., "tokens": {...}}``, complete or in pieces."""

    def decode_event(self, name: str, data: bytes) -> list[Event]:
        return self._events(json_dict(parse_json(data)))

    def decode_response(self, response: dict[str, Any]) -> list[Event]:
        return self._events(response)

    def _events(self, body: Mapping[str, Any]) -> list[Event]:
        events: list[Event] = []
        if model := text(body.get("writer")):
            events.append(ResponseFacts(response_model=model))
        if words := text(body.get("words")):
            events.append(TextDelta(words))
        if call := body.get("call"):
            events.append(ToolCallDelta(0, "call_0", call["name"], json.dumps(call["with"])))
        if tokens := body.get("tokens"):
            read, written = count(tokens.get("read")), count(tokens.get("written"))
            usage = Usage(
                input_tokens=read, output_tokens=written, source="provider", raw=dict(tokens)
            )
            events.append(UsageReport(usage))
        if ended := text(body.get("ended")):
            reasons: dict[str, FinishReason] = {"full stop": "stop", "paper out": "length"}
            events.append(Finished(reasons.get(ended, "other"), ended))
            self.done = self.closed = True
        return events


class QuillWire(Wire):
    """Speaks the API of an invented service."""

    api = "quill"
    sdk = QuillSDK()
    path = "/write"
    models_path = "/writers"
    token_counters = frozenset({"tally"})
    public_headers = frozenset({"quill-version"})
    requires_max_tokens = True

    def base_url(self, url: str) -> str:
        return url.rstrip("/").removesuffix("/v1") + "/quill"

    def schema_support(self, request: Request) -> SchemaSupport:
        return "prompt"

    def body(self, request: Request) -> Body:
        fields, dropped = apply(request, {"temperature": "heat", "max_tokens": "paper"})
        messages = with_schema_instructions(request, self.schema_support(request))
        body: dict[str, Any] = {
            "model": request.model,
            "lines": [f"{message.role.value}: {message.text}" for message in messages],
            "paper": request.model_max_output_tokens or 100,
            **fields,
        }
        if request.tools:
            body["tools"] = [each.name for each in request.tools]
        if request.stream:
            body["stream"] = True
        return Body(body, dropped)

    def decoder(self, request: Request) -> Decoder:
        return QuillDecoder()

    async def count_tokens(self, client: Any, request: Request, body: Body) -> int | None:
        tally = await self.fetch(client, f"{request.base_url}/tally", {"lines": body.body["lines"]})
        return count(tally.get("tally"))


# ---- its loopback script


def _pieces(reply: Reply, ask: Ask) -> list[dict[str, Any]]:
    pieces: list[dict[str, Any]] = [{"writer": f"{ask.model}-1"}]
    pieces += [{"words": piece} for piece in reply.pieces(reply.text or "")]
    pieces += [{"call": {"name": call.name, "with": call.arguments}} for call in reply.tool_calls]
    return [*pieces, {"ended": "full stop", "tokens": {"read": 12, "written": 7}}]


def _events(reply: Reply, ask: Ask) -> list[ServerEvent]:
    return [ServerEvent(None, piece, "words" in piece) for piece in _pieces(reply, ask)]


def _complete(reply: Reply, ask: Ask) -> dict[str, Any]:
    complete: dict[str, Any] = {}
    for piece in _pieces(reply, ask):
        complete |= piece
    return {**complete, "words": reply.text}


def _error(status: int, message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "code": code}}


RENDERER = SimpleNamespace(complete=_complete, events=_events, error=_error)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setitem(plan.APIS, "quill", RENDERER)
    for path, api in (("/write", "quill"), ("/writers", "models"), ("/tally", "tally")):
        monkeypatch.setitem(paths.PATHS, path, api)
    with FakeServer("Once upon a time.", apis=("quill",)) as started:
        started.reply(Raw.json({"tally": 5}), on="tally")
        yield started


@pytest.fixture
def provider(server: FakeServer) -> Iterator[Provider]:
    wire.register(QuillWire)
    register(
        Service(name="quill", base_url=server.base_url, api="quill", counts="tally", local=True)
    )
    yield ProviderRegistry.get_provider("quill", model="goose", api_key=KEY)
    unregister("quill")
    wire.unregister("quill")


# ---- what a user does with it


def test_ask(server: FakeServer, provider: Provider) -> None:
    """A complete response: its text, its usage, its facts, and what the API does not accept."""
    with pytest.warns(UserWarning, match="seed"):
        response = provider.chat("Hi", temperature=0.5, seed=1)
    (seen,) = server.requests

    assert seen.path == "/quill/write"
    assert seen.body == {"model": "goose", "lines": ["user: Hi"], "paper": 100, "heat": 0.5}
    assert seen.headers["quill-key"] == KEY
    assert "authorization" not in seen.headers
    assert (response.content, response.finish_reason) == ("Once upon a time.", "stop")
    assert response.metadata["api"] == "quill"
    assert response.metadata["response_model"] == "goose-1"
    assert (response.metadata["input_tokens"], response.metadata["output_tokens"]) == (12, 7)
    assert response.metadata["finish_reason_raw"] == "full stop"


def test_stream(server: FakeServer, provider: Provider) -> None:
    """A stream: text in pieces, tagged events, and the same response at the end."""
    with provider.stream("Hi") as stream:
        events = list(stream.events)
    texts = [event.text for event in events if isinstance(event, TextDelta)]

    assert len(texts) > 1
    assert "".join(texts) == "Once upon a time."
    assert isinstance(events[-1], Finished)
    assert stream.response is not None
    assert stream.response.content == "Once upon a time."
    assert stream.response.metadata["output_tokens"] == 7


def test_retries_and_errors(server: FakeServer, provider: Provider) -> None:
    """Attempts, errors and the masked key are the engine's, whatever the API."""
    server.script(Fault.status(503, message="busy"), "Yes.")
    again = provider.chat("Hi")
    server.script(*[Fault.status(429, message=f"slow down {KEY}")] * 2)
    with pytest.raises(RateLimitError, match="slow down") as caught:
        ProviderRegistry.get_provider("quill", model="goose", api_key=KEY, max_attempts=2).chat("x")

    assert (again.content, again.metadata["attempts"]) == ("Yes.", 2)
    assert KEY not in str(caught.value)


def test_broken_stream(server: FakeServer, provider: Provider) -> None:
    """A stream without the API's end signal is an error that keeps what came."""
    server.reply(Fault.truncate(after_deltas=1))
    with pytest.raises(ProviderError) as caught, provider.stream("Hi") as stream:
        list(stream)

    assert caught.value.response is not None
    assert caught.value.response.content == "Hello"


def test_preview(server: FakeServer, provider: Provider) -> None:
    """What would be sent, with the key masked and the API's own header shown."""
    preview = provider.preview("Hi", max_tokens=50)
    (planned,) = preview.requests

    assert planned.url == f"{server.url}/quill/write"
    assert planned.body == {"model": "goose", "lines": ["user: Hi"], "paper": 50}
    assert planned.headers["quill-version"] == "7"
    assert planned.headers["quill-key"] == "***"
    assert KEY not in str(preview)
    assert server.count == 0


def test_token_count(server: FakeServer, provider: Provider) -> None:
    """`exact=True` asks the API's own counter."""
    preview = provider.preview("Hi", exact=True)
    (seen,) = server.requests

    assert seen.path == "/quill/tally"
    assert preview.requests[0].estimate.input_tokens == 5
    assert "5 tokens, counted by the service" in str(preview)


def test_models_tools_and_schema(server: FakeServer, provider: Provider) -> None:
    """The list of models has its own path; tools and schemas go the way of every API."""
    server.reply(Raw.json({"data": [{"id": "goose"}, {"id": "swan"}]}), on="models")
    models = provider.list_models()

    @tool
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    server.script(Reply(tool_calls=[Call("add", {"a": 1, "b": 2})]), Reply("It is 3."))
    answer = allos.ask("1 + 2?", model=provider, tools=[add])
    server.script('{"name": "Rome"}')
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    city = provider.chat("Which city?", schema=schema)

    assert models.ids == ["goose", "swan"]
    assert answer.content == "It is 3."
    assert city.parsed == {"name": "Rome"}
    assert server.requests[-1].body["lines"][0].startswith("system: Answer with one JSON object")


def test_replay(server: FakeServer, provider: Provider, tmp_path: Any) -> None:
    """What was recorded over the API is replayed without it."""
    file = str(tmp_path / "replay.jsonl")
    allos.replay(file, "record")
    try:
        first = provider.chat("Hi")
        allos.replay(file, "strict")
        again = provider.chat("Hi")
    finally:
        allos.replay(mode="off")

    assert server.count == 1
    assert (again.content, again.replayed) == (first.content, True)


# ---- the registry


def test_names(provider: Provider) -> None:
    """A registered API is known by name, and an unknown one is named beside those that there are."""
    assert wire.names()[:3] == ("responses", "chat", "messages")
    assert wire.names().count("quill") == 1
    with pytest.raises(ConfigurationError, match=r"'messages',.* 'quill'.*Did you mean 'quill'"):
        ProviderRegistry.get_provider(
            "chat_completions", model="m", base_url="http://x", api="qill"
        )


def test_an_api_that_is_gone(provider: Provider) -> None:
    """Once it is unregistered, no provider can speak it; those of the package stay."""
    wire.unregister("quill")
    wire.unregister("chat")

    assert wire.get("chat").api == "chat"
    with pytest.raises(ConfigurationError, match="Unknown api 'quill'"):
        wire.get("quill")
    with pytest.raises(ConfigurationError, match="unknown api 'quill'"):
        register(Service(name="goose", base_url="https://x.example", api="quill"))


@pytest.mark.parametrize("name", ["Quill", "", "a/b", None])
def test_names_that_are_not_valid(name: Any) -> None:
    """An API's name is one lower-case word."""
    with pytest.raises(ConfigurationError, match="not a valid name"):
        wire.register(type("Odd", (QuillWire,), {"api": name}))


def test_names_of_others() -> None:
    """No other module may take the name of an API."""
    with pytest.raises(ConfigurationError, match=r"'chat' is already registered by allos\.wire"):
        wire.register(type("Mine", (QuillWire,), {"api": "chat"}))
    assert wire.get("chat").path == "/chat/completions"
