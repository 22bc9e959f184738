"""One server and one provider for each of the three APIs; no wait takes real time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from allos.engine import retry
from allos.profiles import Api
from allos.providers import Provider, ProviderRegistry
from allos.response import ProviderResponse
from tests.support.fake_server import FakeServer
from tests.support.observing import observing

KEY = "sk-contract-0123456789"
Make = Callable[..., Provider]


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    """Own waits between attempts are nothing; the hints of the server stay."""
    with retry.using(base_s=0):
        yield


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as started:
        yield started


@pytest.fixture(params=["chat", "responses", "messages"])
def api(request: pytest.FixtureRequest) -> Api:
    found: Api = request.param
    return found


@pytest.fixture
def make(server: FakeServer, api: Api) -> Make:
    """Build a provider that speaks the API with the server."""

    def build(**changes: Any) -> Provider:
        options = {"model": "m", "base_url": server.base_url, "api": api, "api_key": KEY, **changes}
        return ProviderRegistry.get_provider("chat_completions", **options)

    return build


@pytest.fixture
def provider(make: Make) -> Provider:
    return make()


Ask = Callable[..., ProviderResponse]


@pytest.fixture(params=["whole", "streamed"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Ask a provider for a response, whole or streamed; errors are raised alike."""

    def whole(provider: Provider, prompt: Any = "Hi", **params: Any) -> ProviderResponse:
        return provider.chat(prompt, **params)

    def streamed(provider: Provider, prompt: Any = "Hi", **params: Any) -> ProviderResponse:
        with provider.stream(prompt, **params) as stream:
            text = "".join(stream)
        assert stream.response is not None
        assert text == stream.response.content
        return stream.response

    return whole if request.param == "whole" else streamed


@pytest.fixture
def observed() -> Iterator[list[ProviderResponse]]:
    """Every response that an observer saw."""
    with observing() as seen:
        yield seen
