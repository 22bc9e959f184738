"""Models of a service and their windows, as it tells, on every API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from allos.errors import AuthenticationError, ModelNotFoundError, ProviderError
from allos.profiles import Api
from allos.providers import (
    ModelInfo,
    ModelList,
    Provider,
    ProviderRegistry,
    cached_models,
    known_models,
)
from allos.providers.catalog import model_cache
from tests.contract.conftest import KEY, Ask, Make
from tests.support.fake_server import FakeServer, Fault, Raw


@pytest.fixture(autouse=True)
def nothing_known(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test starts with an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    model_cache.forget()
    yield
    model_cache.forget()


def own(server: FakeServer, monkeypatch: pytest.MonkeyPatch, name: str, model: str) -> Provider:
    """A named service at the server, as if that were its own address."""
    monkeypatch.setenv(f"{name.upper()}_BASE_URL", server.base_url)
    return ProviderRegistry.get_provider(name, model=model, api_key=KEY)


def test_list_models(server: FakeServer, provider: Provider, api: Api) -> None:
    """The service's own list, on every API, with what it tells of each model."""
    server.models = ["one", {"id": "two", "context_length": 8192, "owned_by": "me"}]
    models = provider.list_models()

    assert isinstance(models, ModelList)
    assert models.ids == ["one", "two"]
    assert models[1] == ModelInfo(
        id="two",
        provider="chat_completions",
        context_window=8192,
        owned_by="me",
        raw=server.models[1],
    )
    assert models[0].created_at is not None
    assert models[0].created_at.isoformat() == "2026-01-01T00:00:00+00:00"
    assert models[0].lifecycle == ("active" if api == "messages" else None)
    assert models[0].max_output_tokens == (64000 if api == "messages" else None)
    assert server.requests[0].key == KEY
    assert models.frame["model"].tolist() == ["one", "two"]


def test_awaited(server: FakeServer, provider: Provider) -> None:
    """The async counterpart returns and raises the same."""
    assert asyncio.run(provider.alist_models()) == provider.list_models()
    server.reply(Fault.bad_key(), on="models")
    with pytest.raises(AuthenticationError, match="could not list models") as caught:
        asyncio.run(provider.alist_models())

    assert KEY not in str(caught.value)


def test_awaited_in_time(server: FakeServer, make: Make) -> None:
    """The async counterpart times out as well."""
    server.reply(Fault.stall(), on="models")
    with pytest.raises(ProviderError, match=r"no answer within 0\.1 s"):
        asyncio.run(make(timeout_s=0.1).alist_models())


def test_all_pages(server: FakeServer, make: Make, api: Api) -> None:
    """However many models there are, all of them come."""
    server.models = [f"model-{number:04d}" for number in range(2345)]
    models = make().list_models()

    assert models.ids == server.models
    assert len(server.requests) == (3 if api == "messages" else 1)
    if api == "messages":
        assert server.requests[1].path.endswith("/v1/models?limit=1000&after_id=model-0999")


def test_pages_that_never_end(server: FakeServer, make: Make) -> None:
    """A server that gives the same page again and again is left."""
    page = {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
    server.reply(Raw.json(page), on="models")

    assert set(make().list_models().ids) == {"a"}
    assert len(server.requests) <= 2


@pytest.mark.parametrize(
    "body", [[{"id": "a"}], {"data": [{"id": "a"}]}, {"models": [{"name": "a"}]}]
)
def test_shapes_of_the_list(server: FakeServer, provider: Provider, body: Any) -> None:
    """A bare list and other names of its parts are understood."""
    server.reply(Raw.json(body), on="models")

    assert provider.list_models().ids == ["a"]


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": [None, 1, {}, {"id": ""}]}, []])
def test_list_without_models(server: FakeServer, provider: Provider, body: Any) -> None:
    """Records that are none are left out; an empty list has the same columns."""
    server.reply(Raw.json(body), on="models")
    models = provider.list_models()

    assert models == []
    assert list(models.frame.columns[:3]) == ["provider", "model", "name"]


def test_names_are_kept(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of a service is cached, in this process and for the next."""
    assert cached_models("groq") is None
    server.models = ["one", "two"]
    own(server, monkeypatch, "groq", "one").list_models()

    assert cached_models("groq") == known_models("groq") == ["one", "two"]
    model_cache.forget()  # as a fresh kernel would
    assert cached_models("groq") == ["one", "two"]
    assert len(server.requests) == 1


def test_file_holds_no_key_and_no_address(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of names has names and a date, and only the user may read the folder."""
    own(server, monkeypatch, "groq", "one").list_models()
    path = model_cache.cache_file()
    text = path.read_text()

    assert KEY not in text
    assert "127.0.0.1" not in text
    assert set(json.loads(text)["groq"]) == {"at", "models", "chat"}
    assert path.parent.stat().st_mode & 0o077 == 0


def test_other_addresses_are_known_apart(server: FakeServer, make: Make) -> None:
    """A list of another address says nothing of the service, and is not written to disk."""
    provider = make()
    provider.list_models()
    foreign = ProviderRegistry.get_provider(
        "groq", model="m", base_url=server.base_url, api_key=KEY
    )
    foreign.list_models()

    assert cached_models("chat_completions", provider.base_url) == ["fake-model"]
    assert cached_models("groq", server.base_url) == ["fake-model"]
    assert cached_models("chat_completions") is None
    assert cached_models("groq") is None
    assert not model_cache.cache_file().exists()


# ---- context windows -----------------------------------------------------------------------------


def test_window_is_learnt_when_asked(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped data is used until the service reports a value."""
    server.models = [{"id": "openai/gpt-oss-20b", "context_window": 4711}]
    provider = own(server, monkeypatch, "groq", "openai/gpt-oss-20b")

    assert provider.get_context_window() == 131072
    assert server.requests == []
    assert provider.get_context_window(refresh=True) == 4711
    assert provider.get_context_window() == 4711
    assert len(server.requests) == 1


def test_own_argument_goes_first(server: FakeServer, make: Make) -> None:
    """A value given by the caller is not requested."""
    assert make(context_window=99).get_context_window(refresh=True) == 99
    assert server.requests == []


@pytest.mark.parametrize(
    "field",
    [
        *("context_window", "max_context_length", "context_length", "max_model_len"),
        "max_input_tokens",
    ],
)
def test_window_under_any_name(server: FakeServer, make: Make, field: str) -> None:
    """Each service's word for the window is found in its record of the model."""
    server.models = ["other", {"id": "m", field: 32768}]

    assert make().get_context_window() is None
    assert make().get_context_window(refresh=True) == 32768


def test_window_of_one_model_on_messages(server: FakeServer, make: Make, api: Api) -> None:
    """Messages tells of one model alone; the others are looked up in the list."""
    server.models = [{"id": "a model/with a slash", "max_input_tokens": 5}, "other"]
    provider = make(model="a model/with a slash")
    path = "/v1/models/a%20model%2Fwith%20a%20slash" if api == "messages" else "/v1/models"

    assert provider.get_context_window(refresh=True) == 5
    assert [seen.path for seen in server.requests if seen.api == "models"] == [path]


def test_window_that_llama_cpp_has_loaded(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """llama.cpp tells the window it runs with, whatever the model was trained for."""
    props = {"default_generation_settings": {"n_ctx": 2048}}
    server.reply(Raw.json(props), on="props")
    server.models = [{"id": "m", "context_length": 131072}]
    provider = own(server, monkeypatch, "llamacpp", "m")

    assert provider.get_context_window(refresh=True) == 2048
    assert [seen.path for seen in server.requests] == ["/props"]


@pytest.mark.parametrize(
    ("shown", "window"),
    [
        ({"model_info": {"llama.context_length": 131072}}, 131072),
        ({"model_info": {"llama.context_length": 131072}, "parameters": "num_ctx 8192\nx 1"}, 8192),
        ({"model_info": {}}, None),
    ],
)
def test_window_that_ollama_tells(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, shown: dict[str, Any], window: int | None
) -> None:
    """Ollama tells the model's window, or the smaller one it was set to."""
    server.reply(Raw.json(shown), on="show")
    provider = own(server, monkeypatch, "ollama", "llama3.2")

    assert provider.get_context_window(refresh=True) == window
    assert server.requests[0].path == "/api/show"
    assert server.requests[0].body == {"model": "llama3.2"}


def test_window_of_a_server_without_props(server: FakeServer, make: Make) -> None:
    """A server of another kind, which answers 404 there, falls back to its list of models."""
    server.models = [{"id": "m", "max_model_len": 7}]

    assert make().get_context_window(refresh=True) == 7


def test_window_cannot_be_asked(server: FakeServer, make: Make) -> None:
    """A refresh that fails is an error, without the key; the window of before stays."""
    server.reply(Fault.bad_key(), on="models")
    with pytest.raises(AuthenticationError, match="could not get the context window") as caught:
        make().get_context_window(refresh=True)

    assert KEY not in str(caught.value)
    assert make().get_context_window() is None


def test_window_of_an_unknown_model(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for the window of a retired model has its deprecation."""
    provider = own(server, monkeypatch, "anthropic", "claude-sonnet-4-0")
    with pytest.raises(
        ModelNotFoundError, match=r"was retired on 2026-06-15; use claude-sonnet-4-6\."
    ):
        provider.get_context_window(refresh=True)


# ---- limits that an API demands ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-haiku-4-5", 64_000),
        ("claude-3-opus-20240229", 4096),
        ("claude-opus-4-1-20250805", 32_000),
        ("claude-of-next-year", 4096),
    ],
)
def test_limit_that_messages_demands(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, model: str, limit: int
) -> None:
    """Without a limit that of the model is sent; unknown models get a modest one."""
    provider = own(server, monkeypatch, "anthropic", model)
    provider.chat("Hi")
    provider.chat("Hi", max_tokens=7)

    assert [seen.body["max_tokens"] for seen in server.requests] == [limit, 7]


# ---- a model that is not there -------------------------------------------------------------------


def test_model_not_found(server: FakeServer, monkeypatch: pytest.MonkeyPatch, ask: Ask) -> None:
    """The error names service and model, what became of it, and how to see what there is."""
    server.reply(Fault.model_not_found())
    with pytest.raises(ModelNotFoundError) as caught:
        ask(own(server, monkeypatch, "groq", "llama-3.1-8b-instant"))
    text = str(caught.value)

    assert text.startswith("groq/llama-3.1-8b-instant: the service has no such model (404): ")
    assert (
        "was retired on 2026-08-16 (on free and developer plans); use openai/gpt-oss-20b." in text
    )
    assert text.endswith(
        "provider.list_models(), or %allos models groq, lists the available models."
    )
    assert "\n" not in text


def test_model_not_found_offers_what_was_listed(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    """Names listed by the service take precedence over shipped ones."""
    server.models = ["vendor/brand-new-9b", "vendor/other"]
    provider = own(server, monkeypatch, "groq", "brand-new-9b")
    provider.list_models()
    server.reply(Fault.model_not_found())
    with pytest.raises(ModelNotFoundError, match="Did you mean 'vendor/brand-new-9b'\\?"):
        ask(provider)


def test_model_not_found_at_a_custom_base_url(server: FakeServer, make: Make, ask: Ask) -> None:
    """For a custom base URL the deprecations of the service are not used."""
    server.reply(Fault.model_not_found())
    provider = make(model="llama-3.1-8b-instant")
    with pytest.raises(ModelNotFoundError) as caught:
        ask(provider)

    assert "retired" not in str(caught.value)
    assert str(caught.value).endswith("list_models() of this provider lists the available models.")
