"""What is sent where a pasted URL names more than a resource."""

from __future__ import annotations

import pytest

from allos.providers import ProviderRegistry
from tests.contract.conftest import KEY, Ask
from tests.support.fake_server import FakeServer

TARGET = "/openai/deployments/prod/chat/completions?api-version=2025-01-01-preview"


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_deployment_of_a_pasted_url(
    server: FakeServer, ask: Ask, monkeypatch: pytest.MonkeyPatch, api: str
) -> None:
    """The deployment that the URL names is called at the resource's v1 API, and a warning says so."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"'{server.url}{TARGET}'")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    with pytest.warns(UserWarning, match=r"names the model 'prod': it is called, and not 'gpt-4o'"):
        provider = ProviderRegistry.get_provider("azure", model="gpt-4o", api=api)
    response = ask(provider)
    (seen,) = server.requests

    assert seen.path.startswith("/openai/v1/")
    assert seen.body["model"] == "prod"
    assert (provider.model, response.model) == ("prod", "prod")


def test_deployment_that_was_asked_for(server: FakeServer) -> None:
    """The deployment of the URL itself is called without a warning."""
    provider = ProviderRegistry.get_provider(
        "azure", model="prod", base_url=server.url + TARGET, api_key=KEY, api="chat"
    )

    assert provider.chat("Hi").content == "Hello"


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_version_of_a_pasted_url(server: FakeServer, ask: Ask, api: str) -> None:
    """A version that the v1 API has is sent with every request, the list of models too."""
    provider = ProviderRegistry.get_provider(
        "azure",
        model="m",
        base_url=f"{server.url}/openai/v1?api-version=preview",
        api_key=KEY,
        api=api,
    )
    ask(provider)
    provider.list_models()

    assert [seen.path.partition("?")[2] for seen in server.requests] == ["api-version=preview"] * 2
