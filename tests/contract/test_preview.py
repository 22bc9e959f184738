"""A dry run shows what a call then sends, to the letter, and sends nothing itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import allos
from allos.errors import ConfigurationError
from allos.profiles import Api
from allos.providers import ProviderRegistry
from tests.support.fake_server import FakeServer, Fault
from tests.support.layers import Layer
from tests.support.pictures import PNG

KEY = "sk-preview-0123456789"
# What the connection adds below the SDK, or differs between two requests by its nature.
_OF_THE_CONNECTION = {"host", "connection", "accept-encoding", "content-length"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    with FakeServer() as started:
        monkeypatch.setenv("OPENAI_BASE_URL", started.base_url)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", started.url)
        for name in ("OPENAI", "ANTHROPIC"):
            monkeypatch.setenv(f"{name}_API_KEY", KEY)
        yield started


def _provider(api: Api, **options: Any) -> Any:
    if api == "messages":
        return ProviderRegistry.get_provider("anthropic", model="claude-haiku-4-5", **options)
    return ProviderRegistry.get_provider("openai", model="gpt-4o", api=api, **options)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_preview_is_what_is_sent(server: FakeServer, api: Api, stream: bool) -> None:
    """Method, address, body and headers of the preview are those of the request that follows."""

    def look_up(city: str) -> str:
        """Tell the weather.

        Parameters
        ----------
        city : str
            Where.
        """
        return city

    provider = _provider(api, headers={"X-Team": "blue-secret"})
    prompt = ["What is it?", allos.Image(data=PNG)]
    given: dict[str, Any] = {"max_tokens": 50, "tools": [look_up], "tool_choice": "auto"}
    planned = provider.preview(prompt, stream=stream, **given).requests[0]
    assert server.count == 0, "nothing was sent"

    if stream:
        with provider.stream(prompt, **given) as pieces:
            list(pieces)
    else:
        provider.chat(prompt, **given)
    seen = server.requests[0]
    shown = {k: v for k, v in planned.headers.items() if k not in _OF_THE_CONNECTION}
    really = {k: v for k, v in seen.headers.items() if k not in _OF_THE_CONNECTION}

    assert planned.method == seen.method
    assert planned.url == server.url + seen.path
    assert planned.body == seen.body
    assert shown.keys() == really.keys()
    assert {k: v for k, v in shown.items() if "***" not in v} == {
        k: v for k, v in really.items() if k not in ("authorization", "x-team", "idempotency-key")
    }
    assert shown["authorization"] == "Bearer ***"
    assert shown["x-team"] == "***"


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_preview_shows_no_key(server: FakeServer, api: Api) -> None:
    """Neither its text nor its parts hold the key, or what a header of the user holds."""
    plan = _provider(api, headers={"X-Gateway": "gateway-secret"}).preview("Hi")
    text = f"{plan} {plan!r} {plan.requests!r}"

    assert KEY not in text
    assert "gateway-secret" not in text


def test_estimate_says_how_sure_it_is(server: FakeServer) -> None:
    """Guessed tokens say by what; the worst case is the limit's and the bound's."""
    plan = _provider("chat").preview("word " * 300, max_tokens=100)
    estimate = plan.requests[0].estimate

    assert estimate.input_tokens == pytest.approx(1500 / 4, rel=0.05)
    assert estimate.bound_tokens >= 1500
    assert estimate.max_output_tokens == 100
    assert str(estimate).startswith(
        "about 381 tokens, at 4 characters per token; at most 100 output tokens"
    )
    assert estimate.worst_cost_usd is not None
    assert estimate.input_cost_usd is not None
    assert estimate.worst_cost_usd > estimate.input_cost_usd + 100 * 10e-6
    assert plan.summary() == "1 call, at most $0.0050. Nothing was sent."


def test_unknown_stays_unknown(server: FakeServer) -> None:
    """Without a price or a limit the preview says so and gives no number."""
    no_limit = ProviderRegistry.get_provider("openai", model="gpt-4-0314", api="chat").preview("Hi")
    no_price = ProviderRegistry.get_provider(
        "chat_completions", model="m", base_url=server.base_url
    ).preview("Hi", max_tokens=5)

    assert "no limit on the answer (max_tokens is not set)" in str(no_limit)
    assert no_limit.worst_cost_usd is None
    assert "price unknown" in str(no_price)
    assert no_price.worst_cost_usd is None
    assert no_price.summary() == "1 call, cost unknown. Nothing was sent."


def test_exact_count_is_the_service_s(server: FakeServer) -> None:
    """With exact=True Anthropic counts: one request to count_tokens, with the prompt and no answer."""
    plan = _provider("messages").preview("Hi", exact=True, max_tokens=100, stream=True)
    (seen,) = server.requests

    assert seen.path == "/v1/messages/count_tokens"
    assert set(seen.body) == {"model", "messages"}
    assert plan.requests[0].estimate.input_tokens == plan.requests[0].estimate.bound_tokens == 12
    assert "12 tokens, counted by the service" in str(plan)
    assert plan.summary().endswith("Only the prompt was sent, to count its tokens.")


def test_failed_count_leaves_the_estimate(server: FakeServer) -> None:
    """A service that does not count, or fails at it, leaves the guess, and the preview says so."""
    server.reply(Fault.status(500), on="count_tokens")
    failed = _provider("messages").preview("Hi", exact=True)
    cannot = _provider("chat").preview("Hi", exact=True)

    assert "did not count the tokens; they are estimated" in str(failed)
    assert "did not count the tokens; they are estimated" in str(cannot)
    assert cannot.summary().endswith("Nothing was sent.")


def test_dropped_parameters_are_listed(server: FakeServer) -> None:
    """What this API does not take is named, and is not in the body."""
    plan = _provider("responses").preview("Hi", seed=1)

    assert plan.requests[0].dropped == ("seed",)
    assert "Left out (not supported here): seed." in str(plan)


def test_long_texts_are_cut_in_print_only(server: FakeServer) -> None:
    """The printed body says how much of an image is left out; the body itself is whole."""
    plan = _provider("chat").preview(allos.Image(data=PNG + bytes(9000)))
    printed, whole = plan.requests[0].body_text(), json.dumps(plan.requests[0].body)

    assert "more characters)" in printed
    assert len(printed) < 4000 < 9000 < len(whole)


def test_preview_of_a_comparison(server: FakeServer) -> None:
    """Each column is one planned request with its repeats; one that would fail is only listed."""
    plan = allos.preview(
        "Hi",
        models=["openai/gpt-4o", "azure/m", "anthropic/claude-haiku-4-5"],
        params=[{"temperature": 0}, {"temperature": 1}],
        n=3,
        max_tokens=100,
    )

    assert [each.name for each in plan.requests] == [
        *["openai/gpt-4o"] * 2,
        *["anthropic/claude-haiku-4-5"] * 2,
    ]
    assert plan.calls == 12
    assert plan.requests[0].body["stream"] is True
    assert "AZURE_OPENAI_ENDPOINT" in plan.failures["azure/m"]
    assert "12 calls, at most $" in plan.summary()
    assert "; 1 would fail. Nothing was sent." in plan.summary()
    assert server.count == 0


KEYLESS = {
    "chat": ("groq/m", "GROQ_API_KEY"),
    "responses": ("openai/gpt-4o", "OPENAI_API_KEY"),
    "messages": ("anthropic/claude-haiku-4-5", "ANTHROPIC_API_KEY"),
}


@pytest.mark.parametrize("replayed", [False, True])
@pytest.mark.parametrize("api", KEYLESS)
def test_preview_needs_no_key(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, api: str, replayed: bool
) -> None:
    """On every API the request is shown without a key, which is said to be needed; replayed or not."""
    model, variable = KEYLESS[api]
    monkeypatch.delenv(variable, raising=False)
    layer = Layer(can_answer_offline=replayed)
    allos.current_session().add_interceptor(layer)
    try:
        plan = allos.preview("Hi", model=model, max_tokens=5)
    finally:
        allos.current_session().remove_interceptor(layer)
    (planned,) = plan.requests

    assert planned.headers["authorization"] == "Bearer ***"
    assert planned.missing_key is not None
    assert f"set {variable} in the environment" in planned.missing_key
    assert planned.missing_key in str(plan)
    assert "not-needed" not in str(plan)
    assert plan.summary().endswith("; 1 would need a key first. Nothing was sent.")


def test_preview_of_a_comparison_needs_no_key(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each column is shown with its key or without; what cannot be sent yet is counted."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    plan = allos.preview("Hi", models=["openai/gpt-4o", "anthropic/claude-haiku-4-5"], n=2)

    assert [each.missing_key is None for each in plan.requests] == [True, False]
    assert str(plan).count("Would be sent twice.") == 2
    assert "; 2 would need a key first" in plan.summary()
    assert server.count == 0


def test_counting_needs_the_key(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With exact=True the service is asked, so that a missing key is an error."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(ConfigurationError, match="No key for 'anthropic'"):
        allos.preview("Hi", model="anthropic/claude-haiku-4-5", exact=True)


def test_preview_of_a_question(server: FakeServer) -> None:
    """`allos.preview` shows what `ask` would send; a wrong parameter is the same error."""
    body = (
        allos.preview("Hi", model="openai/gpt-4o", api="chat", system="Be terse").requests[0].body
    )

    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert "stream" not in body
    with pytest.raises(ConfigurationError, match="'temperature'"):
        allos.preview("Hi", model="openai/gpt-4o", temprature=1)


def test_preview_under_replay_misses_the_key() -> None:
    """Where recorded answers need no key, a preview still does: it never makes an address up."""
    layer = Layer(can_answer_offline=True)
    allos.current_session().add_interceptor(layer)
    try:
        provider = ProviderRegistry.get_provider("groq", model="m")
    finally:
        allos.current_session().remove_interceptor(layer)
    with pytest.raises(ConfigurationError, match="No key for 'groq'"):
        provider.preview("Hi")


@pytest.mark.model
def test_preview_needs_no_running_model() -> None:
    """The embedded model is not started for a preview, which says what it cannot know yet."""
    from allos.local import server as local_server

    before = dict(local_server._servers)
    plan = allos.preview("Hi", model="local/smollm2", max_tokens=5)

    assert local_server._servers == before
    assert plan.worst_cost_usd == 0
    assert plan.summary() == "1 call, free. Nothing was sent."
    assert str(plan.requests[0].estimate).endswith("output tokens; free")
    assert plan.requests[0].url.startswith("http://127.0.0.1:")
    assert "chooses its port when it starts" in str(plan)
