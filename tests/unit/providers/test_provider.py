from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from allos import context
from allos.errors import ConfigurationError, ProviderError
from allos.providers import Message, Provider, ProviderRegistry
from allos.request import Request
from allos.response import ProviderResponse
from allos.session import current_session
from tests.support.layers import answering


def build(name: str = "chat_completions", **changes: Any) -> Provider:
    options = {"model": "m", "api_key": "sk-hidden-key", **changes}
    if name == "chat_completions":
        options.setdefault("base_url", "http://127.0.0.1:9/v1")
    return ProviderRegistry.get_provider(name, **options)


@pytest.fixture
def requests() -> Iterator[list[Request]]:
    """Every request that a provider makes; each is answered without a service."""
    seen: list[Request] = []

    def source(request: Request) -> ProviderResponse:
        seen.append(request)
        return ProviderResponse("ok")

    layer = answering(source)
    current_session().add_interceptor(layer)
    yield seen
    current_session().remove_interceptor(layer)


def test_construction_sends_nothing() -> None:
    """A provider for a host that does not respond can be built."""
    provider = build(timeout_s=3, temperature=0.5)

    assert provider.api == "chat"
    assert provider.base_url == "http://127.0.0.1:9/v1"


def test_request(requests: list[Request]) -> None:
    """A call's request holds the provider's settings, merged with the call's."""
    provider = build(timeout_s=3, deadline_s=9, max_attempts=2, temperature=0.5, seed=1)
    provider.chat("Hi", temperature=0.25, seed=None, extra={"x": 1})
    (made,) = requests

    assert made.messages == (Message("user", "Hi"),)
    assert made.params == {"temperature": 0.25, "seed": 1}
    assert made.extra == {"x": 1}
    assert (made.timeout_s, made.deadline_s, made.max_attempts) == (3, 9, 2)
    assert made.endpoint == "http://127.0.0.1:9/v1"
    assert made.request_hash
    assert made.prompt == "Hi"


def test_hash_tells_requests_apart(requests: list[Request]) -> None:
    """Equal requests have one hash, streamed or not; a repeat and other words have their own."""
    provider = build()
    provider.chat("Hi")
    list(provider.stream("Hi"))
    provider.chat("Ho")
    with context.using(sample_index=1):
        provider.chat("Hi")
    first, streamed, other, repeat = (request.request_hash for request in requests)

    assert first == streamed
    assert len({first, other, repeat}) == 3


def test_endpoint_of_a_named_service(requests: list[Request]) -> None:
    """A named service is recorded by its name, wherever it is."""
    build("groq").chat("Hi")
    build("groq", base_url="http://127.0.0.1:9/v1").chat("Hi")

    assert [request.endpoint for request in requests] == ["groq", "groq"]
    assert requests[0].request_hash == requests[1].request_hash


@pytest.mark.parametrize("messages", [[], (), iter(())])
def test_no_messages(messages: Any, requests: list[Request]) -> None:
    """No message at all is refused before anything is sent."""
    with pytest.raises(ValueError, match="messages is empty"):
        build().chat(messages)

    assert requests == []


def test_wrong_messages() -> None:
    """The error names the invalid type."""
    with pytest.raises(TypeError, match="got dict"):
        build().chat([{"role": "user", "content": "Hi"}])  # type: ignore[list-item]


def test_unknown_parameter() -> None:
    """An unknown parameter of a call offers the closest one."""
    with pytest.raises(ConfigurationError, match="Did you mean 'temperature'"):
        build().chat("Hi", temperatur=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout_s": 0},
        {"timeout_s": -1},
        {"timeout_s": "5"},
        {"deadline_s": float("nan")},
        {"max_attempts": 0},
        {"max_attempts": True},
        {"max_attempts": None},
        {"max_attempts": float("inf")},
        {"context_window": "many"},
        {"context_window": -1},
    ],
)
def test_numbers_are_checked(wrong: dict[str, Any]) -> None:
    """Limits are positive numbers."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        build(**wrong)


def test_context_window() -> None:
    """What the caller knows counts, then the tables, then nothing: never a guess."""
    assert build(context_window=1234).get_context_window() == 1234
    assert build("openai", model="gpt-4o").get_context_window() == 128000
    assert build("openai", model="never-heard-of").get_context_window() is None
    assert build().get_context_window() is None
    foreign = build("openai", model="gpt-4o", base_url="http://127.0.0.1:9/v1")
    assert foreign.get_context_window() is None


def test_service_without_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that has no list of models says so without a request."""
    monkeypatch.setenv("DATABRICKS_HOST", "127.0.0.1:9")
    with pytest.raises(ProviderError, match="this service has no models endpoint"):
        build("databricks").list_models()


def test_warnings_once(requests: list[Request]) -> None:
    """One warning per left-out parameter and provider."""
    provider = build("anthropic", model="claude-sonnet-5")
    with pytest.warns(
        UserWarning, match="anthropic/claude-sonnet-5 does not support 'temperature'"
    ):
        provider.chat("Hi", temperature=1)
    provider.chat("Hi", temperature=1)
    with pytest.warns(UserWarning, match="'seed'"):
        provider.chat("Hi", seed=1)

    assert len(requests) == 3


def test_close_without_a_call() -> None:
    """A provider that was never used is closed without a sound."""
    with build() as provider:
        pass
    provider.close()
