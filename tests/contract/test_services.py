"""Every row of `services.toml`, used unchanged with a server of its API."""

from __future__ import annotations

import warnings

import pytest

from allos.providers import Provider, ProviderRegistry
from allos.providers.catalog import services
from tests.support.fake_server import Call, FakeServer, Reply

CASES = [
    (row.name, api)
    for row in services.load().values()
    if not row.embedded
    for api in row.supported_apis
]
PARTS = {
    "AZURE_OPENAI_ENDPOINT": "https://a.example",
    "CLOUDFLARE_ACCOUNT_ID": "a",
    "DATABRICKS_HOST": "a",
}


@pytest.fixture(params=CASES, ids="-".join)
def provider(
    request: pytest.FixtureRequest, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> Provider:
    """A provider of the row on one of its APIs, with its own key, at the server."""
    name, api = request.param
    for variable, value in PARTS.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv(f"{name.upper()}_BASE_URL", server.base_url)
    if variable := ProviderRegistry.get_env_var_name(name):
        monkeypatch.setenv(variable, f"key-of-{name}")
    return ProviderRegistry.get_provider(name, model="some-model", api=api)


def paris(city: str) -> str:
    """Weather of a city."""
    return city


# A plain question holds the least there is: strict services refuse what they do not know.
LEAST: dict[str, set[str]] = {
    "chat": {"model", "messages"},
    "responses": {"model", "input", "store"},
    "messages": {"model", "messages", "max_tokens"},
}


def test_row_works(server: FakeServer, provider: Provider) -> None:
    """Whole and streamed answers, tools, a schema and the list of models, with the row's own key."""
    row = services.find(provider.name)
    server.script(
        Reply("zero"),
        Reply("one", usage={"input_tokens": 3, "output_tokens": 1}),
        Reply("two words", reasoning="hm"),
        Reply(tool_calls=[Call("paris", {"city": "Paris"})]),
        Reply('{"value": 7}'),
    )
    plain = provider.chat("Hi")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # left-out parameters have their own tests
        whole = provider.chat("Hi", max_tokens=9, temperature=0.5, effort="high")
    with provider.stream("Hi") as stream:
        text = "".join(stream)
    called = provider.chat("Hi", tools=[paris])
    parsed = provider.chat("Hi", schema=int)

    assert plain.content == "zero"
    assert set(server.requests[0].body) <= LEAST[provider.api]
    assert (whole.content, whole.usage.total_tokens) == ("one", 4)
    assert text == "two words"
    assert stream.response is not None
    assert stream.response.reasoning == "hm"
    assert called.tool_calls[0].arguments == {"city": "Paris"}
    assert parsed.parsed == 7
    if row.list_models:
        assert provider.list_models().ids == ["fake-model"]
    assert {seen.key for seen in server.requests} == {
        f"key-of-{row.name}" if row.key_env else "not-needed"
    }
    assert server.unused == 0
