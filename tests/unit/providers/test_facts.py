from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from allos.providers import ProviderRegistry, facts
from allos.types import ProviderResponse
from tests.fake_server import FakeServer, Reply

KNOWN = {"model": "gpt-4o", "input_tokens": 1_000_000, "output_tokens": 100_000}


@pytest.fixture
def server() -> Iterator[FakeServer]:
    usage = {"input_tokens": 1000, "output_tokens": 100}
    with FakeServer(Reply("x", usage=usage)) as started:
        yield started


def test_cost_of_a_known_model() -> None:
    """Input, output and total in US dollars, with the version of the prices."""
    found = facts.cost(KNOWN, "openai")

    assert found["input_cost_usd"] == 2.5
    assert found["output_cost_usd"] == 1.0
    assert found["cost_usd"] == 3.5
    assert found["price_version"].startswith("genai-prices ")


def test_cached_input_is_cheaper() -> None:
    """Cached tokens are part of the input, at their own price."""
    cached = facts.cost({**KNOWN, "cache_read_tokens": 1_000_000}, "openai")

    assert cached["input_cost_usd"] == 1.25


def test_served_model_counts() -> None:
    """The model that answered is priced; the one that was asked for stands in for an unknown one."""
    served = facts.cost({**KNOWN, "response_model": "gpt-4o-mini"}, "openai")
    alias = facts.cost({**KNOWN, "response_model": "unheard-of"}, "openai")

    assert served["input_cost_usd"] == 0.15
    assert alias["input_cost_usd"] == 2.5


def test_prefixes_are_taken_off() -> None:
    """A model is found behind the path that some services put before it."""
    assert facts.cost({**KNOWN, "model": "models/gpt-4o"}, "openai")["cost_usd"] == 3.5


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
def test_unknown_is_no_cost(changes: dict[str, Any], price_id: str) -> None:
    """Without a price, a count or sense there is no cost; one that was reported stays."""
    assert facts.cost({**KNOWN, **changes}, price_id) == {}


def test_finisher() -> None:
    """The last step adds the cost; where no prices are known there is no such step."""
    step = facts.finisher("openai")
    assert step is not None

    async def finished() -> ProviderResponse:
        return await step(ProviderResponse("x", metadata=dict(KNOWN)))

    assert asyncio.run(finished()).cost_usd == 3.5
    assert facts.finisher(None) is None


def test_own_host_is_priced(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call to the service itself has a cost."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    response = ProviderRegistry.get_provider("openai", model="gpt-4o", api_key="k").chat("Hi")

    assert response.cost_usd == pytest.approx(0.0035)
    assert response.metadata["price_version"]


def test_foreign_host_is_not_priced(server: FakeServer) -> None:
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


@pytest.mark.parametrize(
    ("record", "window"),
    [
        ({"context_window": 8}, 8),
        ({"context_length": 8}, 8),
        ({"max_model_len": 8}, 8),
        ({"max_input_tokens": 8}, 8),
        ({"context_window": None, "max_context_length": 8}, 8),
        ({"context_window": "8"}, None),
        ({"context_window": True}, None),
        ({"context_window": 0}, None),
        ({}, None),
    ],
)
def test_window_in_a_record(record: dict[str, Any], window: int | None) -> None:
    """A service's own word for the window is found under any of its names."""
    assert facts.window_in(record) == window


def test_context_window() -> None:
    """The tables know some models, and nothing of others."""
    assert facts.context_window("openai", "gpt-4o-2024-08-06") == 128000
    assert facts.context_window("openai", "never-heard-of") is None
    assert facts.context_window("no-such-service", "gpt-4o") is None
