"""The provider contract on a real model, on the three APIs: tools, schemas, errors, cancelling."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import allos
from allos.errors import AuthenticationError, ContextLengthError
from allos.local import find_model, serve
from allos.messages import Message, ToolCall
from allos.profiles import Api
from allos.providers import Provider, ProviderRegistry, ProviderResponse
from tests.support.tool_server import FREE, ToolServer

pytestmark = pytest.mark.model

FORCED: dict[str, Any] = {"parallel_tool_calls": False}


@pytest.fixture(params=["chat", "responses", "messages"])
def api(request: pytest.FixtureRequest) -> Api:
    found: Api = request.param
    return found


@pytest.fixture(params=["whole", "streamed"])
def ask(request: pytest.FixtureRequest) -> Any:
    def whole(provider: Provider, prompt: Any, **params: Any) -> ProviderResponse:
        return provider.chat(prompt, **params)

    def streamed(provider: Provider, prompt: Any, **params: Any) -> ProviderResponse:
        with provider.stream(prompt, **params) as stream:
            text = "".join(stream)
        assert stream.response is not None
        assert text == stream.response.content
        return stream.response

    return whole if request.param == "whole" else streamed


@pytest.fixture(scope="module")
def tool_server() -> Iterator[ToolServer]:
    with ToolServer(find_model("smollm2")) as started:
        yield started


def at(server: ToolServer, api: Api, **options: Any) -> Provider:
    return ProviderRegistry.get_provider(
        "chat_completions",
        model="smollm2",
        base_url=server.base_url,
        api=api,
        **{"api_key": server.key, "max_tokens": 80, "temperature": 0, **options},
    )


def weather(city: str, days: int) -> str:
    """Forecast for a city.

    Parameters
    ----------
    city : str
        Name of the city.
    days : int
        How many days.
    """
    return f"sunny in {city} for {days} days"


def test_forced_tool_call(tool_server: ToolServer, api: Api, ask: Any) -> None:
    """A forced call comes back as one, with arguments that fit the tool, on every API."""
    response = ask(
        at(tool_server, api),
        "What is the weather in Paris for 3 days?",
        tools=[weather],
        tool_choice="required",
        extra=FORCED,
    )
    (call,) = response.tool_calls

    assert response.finish_reason == "tool_calls"
    assert (call.name, call.error) == ("weather", None)
    assert isinstance(call.arguments["city"], str)
    assert isinstance(call.arguments["days"], int)
    assert call.id
    assert response.metadata["output_tokens"] > 0


def seen_before() -> list[Message]:
    """A conversation in which a tool was called, so that a small model knows how it is done."""
    call = ToolCall("call_1", "weather", {"city": "Rome", "days": 1})
    return [
        Message("user", "What is the weather in Rome?"),
        Message("assistant", tool_calls=[call]),
        Message("tool", "sunny in Rome", tool_call_id="call_1"),
        Message("assistant", "It is sunny in Rome."),
        Message("user", "What is the weather in Paris?"),
    ]


@pytest.fixture(scope="module")
def free_server() -> Iterator[ToolServer]:
    with ToolServer(find_model("smollm2"), FREE) as started:
        yield started


def test_whole_tool_loop(
    free_server: ToolServer, api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The model calls a tool of its own accord, `ask` runs it, and the model answers with its result."""
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    asked: list[str] = []

    def weather(city: str, days: int) -> str:
        """Forecast for a city."""
        asked.append(city)
        return f"sunny in {city}"

    try:
        answer = allos.ask(seen_before(), model=at(free_server, api), tools=[weather])
        rows = allos.responses()
    finally:
        allos.log.close()
    first, last = answer.steps

    assert asked == ["Paris"]
    assert [call.name for call in first.tool_calls] == ["weather"]
    assert first.finish_reason == "tool_calls"
    assert last.tool_calls == []
    assert "sunny" in answer.content
    assert rows["status"].tolist() == ["ok", "ok"]
    assert rows["parent_id"].tolist()[1] == first.id


class City(BaseModel):
    name: str
    people: int
    capital: bool


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_schema(api: Api, ask: Any) -> None:
    """An answer that is held to a schema is a value of its type."""
    provider = ProviderRegistry.get_provider("local", model="smollm2", api=api, temperature=0)
    response = ask(provider, "Describe Paris as JSON.", schema=City, max_tokens=120)

    assert isinstance(response.parsed, City)
    assert json.loads(response.content) == response.parsed.model_dump()


def test_context_overflow(api: Api, ask: Any) -> None:
    """A prompt that does not fit is a `ContextLengthError` on every API."""
    provider = ProviderRegistry.get_provider("local", model="smollm2", api=api, max_tokens=4)
    with pytest.raises(ContextLengthError, match="Shorten the prompt") as caught:
        ask(provider, "word " * 9000)

    assert caught.value.status_code == 400
    assert caught.value.response is not None


def test_wrong_key(api: Api, ask: Any) -> None:
    """A wrong key is an `AuthenticationError` on every API, and is never shown."""
    provider = ProviderRegistry.get_provider(
        "chat_completions",
        model="smollm2",
        base_url=serve("smollm2").base_url,
        api=api,
        api_key="sk-wrong-0123456789",
    )
    with pytest.raises(AuthenticationError) as caught:
        ask(provider, "Hi")

    assert caught.value.status_code == 401
    assert "sk-wrong" not in f"{caught.value} {vars(caught.value)}"


def test_cancel_frees_the_slot(tool_server: ToolServer, api: Api) -> None:
    """Calls cancelled while the model writes leave both slots to the next one at once."""
    provider = at(tool_server, api, max_tokens=1500, temperature=1)
    for stream in (True, False):
        calls = [
            provider.start("Tell a story.", {}, (lambda events: None) if stream else None)
            for _ in range(4)
        ]
        time.sleep(0.3)  # the model has begun to write; nothing tells so for a whole answer
        for call in calls:
            call.cancel()
        assert [call.wait(5).status for call in calls] == ["cancelled"] * 4
        started = time.monotonic()
        answer = provider.chat("Hi", max_tokens=1)

        assert answer.ok
        # Four stories of 1,500 tokens on two slots would take a minute.
        assert time.monotonic() - started < 15
