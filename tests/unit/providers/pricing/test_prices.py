from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from inspect import isawaitable
from typing import Any

import pytest
from genai_prices.data_snapshot import DataSnapshot, get_snapshot, set_custom_snapshot

from allos import wire
from allos.engine import BilledService
from allos.profiles import Api
from allos.providers import ProviderRegistry
from allos.providers.catalog import services
from allos.providers.pricing import prices
from allos.response import ProviderResponse
from tests.support.decoding import request
from tests.support.fake_server import FakeServer, Reply
from tests.support.in_memory import answered
from tests.support.layers import prepared

KNOWN = {"model": "gpt-4o", "input_tokens": 1_000_000, "output_tokens": 100_000}


@pytest.fixture
def server() -> Iterator[FakeServer]:
    usage = {"input_tokens": 1000, "output_tokens": 100}
    with FakeServer(Reply("x", usage=usage)) as started:
        yield started


def test_cost_of_a_known_model() -> None:
    """Input, output and total in US dollars, with the version of the prices."""
    found = prices.cost(KNOWN, "openai")

    assert found["input_cost_usd"] == 2.5
    assert found["output_cost_usd"] == 1.0
    assert found["cost_usd"] == 3.5
    assert found["price_version"].startswith("genai-prices ")


def test_cached_input_is_cheaper() -> None:
    """Cached tokens are part of the input, at their own price."""
    cached = prices.cost({**KNOWN, "cache_read_tokens": 1_000_000}, "openai")

    assert cached["input_cost_usd"] == 1.25


def test_served_model_counts() -> None:
    """The model that answered is priced; the one that was asked for stands in for an unknown one."""
    served = prices.cost({**KNOWN, "response_model": "gpt-4o-mini"}, "openai")
    alias = prices.cost({**KNOWN, "response_model": "unheard-of"}, "openai")

    assert served["input_cost_usd"] == 0.15
    assert alias["input_cost_usd"] == 2.5


def test_prefixes_are_removed() -> None:
    """A model is found behind the path that some services put before it."""
    assert prices.cost({**KNOWN, "model": "models/gpt-4o"}, "openai")["cost_usd"] == 3.5


@pytest.mark.parametrize(
    ("changes", "price_id"),
    [
        ({"model": "never-heard-of"}, "openai"),
        ({"model": None}, "openai"),
        ({}, "no-such-service"),
        ({"input_tokens": None}, "openai"),
        ({"output_tokens": None}, "openai"),
        ({"cache_read_tokens": 2_000_000}, "openai"),
        ({"cost_usd": 0.5}, "openai"),
    ],
)
def test_unknown_cost_is_none(changes: dict[str, Any], price_id: str) -> None:
    """Without a price, a count or sense there is no cost; one that was reported stays."""
    assert prices.cost({**KNOWN, **changes}, price_id) == {}


def test_cost_is_added_where_prices_are_known() -> None:
    """The layer completes a response without changing it; where no prices are known it does nothing."""
    layer, response = prices.Prices(), ProviderResponse("x", metadata=dict(KNOWN))
    a_request = request("chat")
    billing = BilledService(provider="p", model="gpt-4o", base_url="", price_id="openai")
    after = layer.before(prepared(a_request, wire.get("chat"), billing=billing))
    assert callable(after)

    async def completed() -> ProviderResponse:
        found = after(response)
        return await found if isawaitable(found) else found

    assert asyncio.run(completed()).cost_usd == 3.5
    assert response.cost_usd is None
    assert layer.before(prepared(a_request, wire.get("chat"))) is None


def test_own_host_is_priced(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call to the service itself has a cost."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    response = ProviderRegistry.get_provider("openai", model="gpt-4o", api_key="k").chat("Hi")

    assert response.cost_usd == pytest.approx(0.0035)
    assert response.metadata["price_version"]


def test_custom_host_is_not_priced(server: FakeServer) -> None:
    """The same model's name at another address has none."""
    provider = ProviderRegistry.get_provider("openai", model="gpt-4o", base_url=server.base_url)

    assert provider.chat("Hi").cost_usd is None


def test_reported_cost_is_kept(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the service says a call cost goes before the tables."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    server.reply(Reply("x", usage_extra={"cost": 0.125}))
    provider = ProviderRegistry.get_provider("openai", model="gpt-4o", api_key="k", api="chat")
    response = provider.chat("Hi")

    assert response.cost_usd == 0.125
    assert response.metadata["price_version"] == "reported by the service"


def test_context_window() -> None:
    """The price tables know the windows of some models, and nothing of others."""
    assert prices.context_window("openai", "gpt-4o-2024-08-06") == 128000
    assert prices.context_window("openai", "never-heard-of") is None
    assert prices.context_window("no-such-service", "gpt-4o") is None


# claude-haiku-4-5, USD per million tokens: 1 in, 0.10 from the cache, 1.25 into it for five
# minutes, 2 for an hour, 5 out.
CLAUDE = {"model": "claude-haiku-4-5", "input_tokens": 1_000_000, "output_tokens": 0}


@pytest.mark.parametrize(
    ("read", "wrote", "hour", "dollars"),
    [
        (None, None, None, 1.0),
        (400_000, 0, None, 0.6 + 0.04),
        (0, 500_000, None, 0.5 + 0.625),
        (200_000, 500_000, None, 0.3 + 0.02 + 0.625),
        (0, 500_000, 200_000, 0.5 + 0.375 + 0.4),
        (200_000, 500_000, 500_000, 0.3 + 0.02 + 1.0),
    ],
)
def test_cache_of_anthropic(
    read: int | None, wrote: int | None, hour: int | None, dollars: float
) -> None:
    """Input from the cache, into it for five minutes, and into it for an hour have their own rates."""
    used = {"cache_read_tokens": read, "cache_write_tokens": wrote}
    usage = {"cache_creation": {"ephemeral_1h_input_tokens": hour}} if hour is not None else {}
    found = prices.cost({**CLAUDE, **used, "usage": usage}, "anthropic")

    assert found["input_cost_usd"] == pytest.approx(dollars)


@pytest.mark.parametrize("stream", [False, True])
def test_cache_of_anthropic_from_its_own_words(stream: bool) -> None:
    """Anthropic counts cached input apart; the cost is that of all of it."""
    usage = {"input_tokens": 2000, "cache_read_tokens": 1200, "cache_write_tokens": 500}
    reply = Reply(
        "x",
        usage={**usage, "output_tokens": 100},
        usage_extra={"cache_creation": {"ephemeral_1h_input_tokens": 500}},
        model="claude-haiku-4-5-20251001",
    )
    response = answered(
        "messages", reply, stream=stream, model="claude-haiku-4-5", price_id="anthropic"
    )

    assert response.metadata["usage"]["input_tokens"] == 300
    assert response.metadata["input_cost_usd"] == pytest.approx((300 + 120 + 500 * 2) / 1e6)


@pytest.mark.parametrize(
    ("model", "price_id", "circumstances", "dollars"),
    [
        ("gpt-5", "openai", {}, 1.25),
        ("gpt-5", "openai", {"service_tier": "default"}, 1.25),
        ("gpt-5", "openai", {"service_tier": "flex"}, 0.625),
        ("gpt-5", "openai", {"service_tier": "priority"}, 2.5),
        ("gpt-5", "openai", {"service_tier": "batch"}, 0.625),
        ("gpt-5", "openai", {"service_tier": "scale"}, None),
        ("gpt-4o-mini-search-preview", "openai", {"service_tier": "flex"}, None),
        ("claude-haiku-4-5", "anthropic", {"service_tier": "standard"}, 1.0),
        ("claude-haiku-4-5", "anthropic", {"service_tier": "batch"}, 0.5),
        ("claude-haiku-4-5", "anthropic", {"service_tier": "priority"}, None),
        ("claude-haiku-4-5", "anthropic", {"usage": {"speed": "standard"}}, 1.0),
        ("claude-haiku-4-5", "anthropic", {"usage": {"speed": "fast"}}, None),
        ("llama-3.3-70b-versatile", "groq", {"service_tier": "on_demand"}, 0.59),
    ],
)
def test_tiers(
    model: str, price_id: str, circumstances: dict[str, Any], dollars: float | None
) -> None:
    """A tier has its own price; where that is not known there is none, not the list price."""
    used = {"model": model, "input_tokens": 1_000_000, "output_tokens": 0}
    found = prices.cost({**used, **circumstances}, price_id)

    assert found.get("cost_usd") == (dollars and pytest.approx(dollars))


def test_fast_mode_has_its_price() -> None:
    """Where the tables know the fast mode of a model, it is dearer."""
    used = {"model": "claude-opus-4-8", "input_tokens": 1000, "output_tokens": 1000}
    plain = prices.cost(used, "anthropic")["cost_usd"]

    assert prices.cost({**used, "usage": {"speed": "fast"}}, "anthropic")["cost_usd"] > plain


def test_searches_of_the_web() -> None:
    """Searches that the service made are paid for; without their price there is no cost."""
    searched = {"usage": {"server_tool_use": {"web_search_requests": 3}}}
    llama = {"model": "llama-3.3-70b-versatile", "input_tokens": 1000, "output_tokens": 0}

    assert prices.cost({**CLAUDE, **searched}, "anthropic")["cost_usd"] == pytest.approx(1.03)
    assert prices.cost({**llama, **searched}, "groq") == {}


@pytest.mark.parametrize(
    ("model", "price_id", "facts", "usd"),
    [
        # searches that are items of the answer
        ("gpt-5", "openai", {"parts": [{"type": "web_search_call"}]}, 0.02125),
        # tools whose bill no count contains
        ("gpt-5", "openai", {"parts": [{"type": "code_interpreter_call"}]}, None),
        ("gpt-5", "openai", {"parts": [{"type": "image_generation_call"}]}, None),
        # audio and images
        ("gpt-4o-audio-preview", "openai", {}, 0.0125),
        ("gpt-4o-audio-preview", "openai", {"completion_tokens_details.audio_tokens": 500}, None),
        ("gemini-2.5-flash", "google", {"prompt_tokens_details.audio_tokens": 900}, 0.00343),
        ("gemini-2.5-flash", "google", {"prompt_tokens_details.image_tokens": 900}, 0.0028),
        ("gemini-2.5-flash-image", "google", {"output_tokens_details.image_tokens": 900}, 0.02755),
        ("gemini-2.5-flash-image", "google", {"parts": [{"media_type": "image/png"}]}, None),
        ("gemini-2.5-flash", "google", {"parts": [{"media_type": "image/png"}]}, 0.0028),
        # the user's own key at an intermediary
        ("gpt-4o", "openai", {"is_byok": True}, None),
    ],
)
def test_what_text_does_not_cost(
    model: str, price_id: str, facts: dict[str, Any], usd: float | None
) -> None:
    """What is not billed like text has a price of its own, or the cost is unknown, never low."""
    usage: dict[str, Any] = {}
    for name, value in facts.items():
        field, _, inner = name.partition(".")
        if name != "parts":
            usage[field] = {inner: value} if inner else value
    used = {"model": model, "input_tokens": 1000, "output_tokens": 1000, "usage": usage}
    found = prices.cost({**used, "parts": facts.get("parts")}, price_id).get("cost_usd")

    assert found == (None if usd is None else pytest.approx(usd))


def test_price_of_its_day() -> None:
    """A call is priced by the day it was made."""
    used = {"model": "mistral-small-latest", "input_tokens": 1_000_000, "output_tokens": 0}
    then = prices.cost(used, "mistral", at=datetime(2026, 3, 1, tzinfo=UTC))
    later = prices.cost(used, "mistral", at=datetime(2026, 4, 1, tzinfo=UTC))

    assert (then["cost_usd"], later["cost_usd"]) == (0.1, 0.15)


def test_prices_change_on_whole_minutes() -> None:
    """So one is kept for the rest of its minute, of each service, model, tier and number of tokens."""
    prices.load()
    used = {"model": "deepseek-chat", "input_tokens": 1_000_000, "output_tokens": 0}
    times = [datetime(2025, 6, 1, 16, *rest, tzinfo=UTC) for rest in ((29, 59), (30, 0), (30, 1))]
    found = [prices.cost(used, "deepseek", at=at) for at in times]
    found[0]["cost_usd"] = 0.0

    assert prices.cost(used, "deepseek", at=times[0])["cost_usd"] == 0.27
    assert [each["cost_usd"] for each in found[1:]] == [0.135, 0.135]
    for provider in get_snapshot().providers:
        for model in provider.models:
            listed = model.prices if isinstance(model.prices, list) else []
            for limit in (each.constraint for each in listed):
                for end in (getattr(limit, "start_time", None), getattr(limit, "end_time", None)):
                    assert end is None or (end.second, end.microsecond) == (0, 0)


def test_tier_before_its_price_was_known() -> None:
    """A tier's price counts from its own day; before that there is none."""
    used = {**KNOWN, "model": "gpt-5", "service_tier": "flex"}

    assert prices.cost(used, "openai", at=datetime(2026, 10, 11, tzinfo=UTC)) == {}
    assert prices.cost(used, "openai", at=datetime(2026, 10, 13, tzinfo=UTC))["cost_usd"] > 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(
    ("extra_usage", "dollars"),
    [
        ({"cost": 0.125}, 0.125),
        ({"cost": 0}, 0.0),
        ({"cost_in_usd_ticks": 37_756_000}, 0.0037756),
        ({"cost": {"currency": "USD", "input_cost": 0.1, "total_cost": 0.25}}, 0.25),
        ({"cost": {"total_cost": 0.25}}, 0.25),
        ({"cost": {"currency": "EUR", "total_cost": 0.25}}, None),
        ({"cost": "0.125"}, 0.125),
        ({"cost": -1}, None),
    ],
)
def test_reported_cost(
    api: Api, extra_usage: dict[str, Any], dollars: float | None, stream: bool
) -> None:
    """What a service says a call cost, in whichever of the known forms, goes before the tables."""
    reply = Reply("x", usage_extra=extra_usage, model="gpt-4o")
    response = answered(api, reply, stream=stream, price_id="openai")
    reported = response.metadata["price_version"] == "reported by the service"

    assert reported is (dollars is not None)
    if reported:
        assert response.cost_usd == pytest.approx(dollars)
        assert "input_cost_usd" not in response.metadata


@pytest.mark.parametrize(
    ("header", "dollars"),
    [("0.00125", 0.00125), ("0", 0.0), ("None", None), ("nan", None), ("", None)],
)
def test_cost_in_a_header(header: str, dollars: float | None) -> None:
    """A proxy that tells the cost in a header is believed, where the row says which header."""
    profile = services.find("litellm").profile
    extra_usage = {"headers": {"x-litellm-response-cost": header}, "stream": False}
    response = answered("chat", Reply("x"), profile=profile, **extra_usage)
    without_header = answered("chat", Reply("x"), **extra_usage)

    assert response.cost_usd == dollars
    assert response.metadata.get("price_version") == (
        None if dollars is None else "reported by the service"
    )
    assert without_header.cost_usd is None


def test_new_tables_are_asked_anew() -> None:
    """A model that was missing is found as soon as the tables that are in use know it."""
    bare = replace(get_snapshot().find_provider(None, "openai", None), models=[])
    set_custom_snapshot(DataSnapshot(providers=[bare], from_auto_update=False))
    try:
        assert prices.cost(KNOWN, "openai") == prices.cost(KNOWN, "openai") == {}
    finally:
        set_custom_snapshot(None)

    assert prices.cost(KNOWN, "openai")["cost_usd"] == 3.5
