"""Parameters of a call: what is sent, what is refused, what an unknown server does not take."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import allos
from allos import errors
from allos.engine import learned_profiles
from allos.profiles import Api
from allos.providers import Provider, ProviderRegistry
from tests.contract.conftest import KEY, Ask, Make
from tests.support.fake_server import FakeServer, Fault, Reply, Seen

UNKNOWN: dict[Api, str] = {"chat": "logprobs", "responses": "seed", "messages": "seed"}
"""A parameter that the API, or the service of `not_taking`, does not have."""


def not_taking(server: FakeServer, api: Api, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A provider that does not take the parameter of `UNKNOWN`."""
    if api == "chat":  # the API has them all, this service does not
        monkeypatch.setenv("GROQ_BASE_URL", server.base_url)
        return ProviderRegistry.get_provider("groq", model="m", api_key=KEY)
    return ProviderRegistry.get_provider(
        "chat_completions", model="m", base_url=server.base_url, api=api, api_key=KEY
    )


# ---- what is not accepted


def test_left_out_with_one_warning(
    server: FakeServer, api: Api, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not accepted is not sent, warned of once per provider, and listed in the response."""
    provider, name = not_taking(server, api, monkeypatch), UNKNOWN[api]
    with pytest.warns(UserWarning, match=f"/m does not support '{name}' on this API") as warned:
        response = ask(provider, **{name: True if name == "logprobs" else 7})
    with warnings.catch_warnings(record=True) as again:
        warnings.simplefilter("always")
        ask(provider, **{name: True if name == "logprobs" else 7})

    assert len(warned) == 1
    assert again == []
    assert name not in server.requests[0].body
    assert response.metadata["params"]["dropped"] == [name]
    assert name not in response.metadata


@pytest.mark.parametrize("where", ["provider", "call"])
def test_strict(
    server: FakeServer, api: Api, ask: Ask, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """With `strict` the same is an error that names parameter and model, and nothing is sent."""
    provider, name = not_taking(server, api, monkeypatch), UNKNOWN[api]
    more: dict[str, Any] = {name: True if name == "logprobs" else 7}
    if where == "provider":
        monkeypatch.setattr(provider, "_strict", True)
    else:
        more["strict"] = True
    with pytest.raises(
        errors.ConfigurationError, match=f"/m does not support '{name}'.*strict=True"
    ):
        ask(provider, **more)

    assert server.count == 0
    assert ask(provider, temperature=0.5).ok


def test_strict_of_the_provider_may_be_lifted(server: FakeServer) -> None:
    """`strict` is a keyword of `get_provider`; a single call may say otherwise."""
    provider = ProviderRegistry.get_provider(
        "chat_completions", model="m", base_url=server.base_url, api="responses", strict=True
    )
    with pytest.raises(errors.ConfigurationError, match="'seed' and 'stop'"):
        provider.chat("Hi", seed=1, stop="x")
    with pytest.warns(UserWarning, match="seed"):
        assert provider.chat("Hi", seed=1, strict=False).ok


def test_strict_in_ask_and_compare(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ask` and `compare` take `strict`; in a comparison it fails that model alone."""
    monkeypatch.setenv("ALLOS_LOG", "off")
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("GROQ_BASE_URL", server.base_url)
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    with pytest.raises(errors.ConfigurationError, match="openai/gpt-x does not support 'seed'"):
        allos.ask("Hi", model="openai/gpt-x", seed=1, strict=True)
    both = allos.compare("Hi", models=["openai/gpt-x", "groq/m"], seed=1, strict=True).responses

    assert [response.status for response in both] == ["error", "ok"]
    assert isinstance(both[0].error, errors.ConfigurationError)
    assert [request.api for request in server.requests] == ["chat"]
    with pytest.raises(errors.ConfigurationError, match="strict must be True or False"):
        allos.ask("Hi", model="openai/gpt-x", strict="yes")


# ---- what cannot be meant


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"temperature": "hot"}, "temperature must be a number >= 0, not 'hot'"),
        ({"max_tokens": 0}, "max_tokens must be an integer >= 1, not 0"),
        ({"top_p": 3}, "top_p must be a number from 0 to 1, not 3"),
        ({"effort": "lots"}, "effort must be one of 'none'"),
        ({"temperature": float("nan")}, "temperature must be a number >= 0, not nan"),
        ({"extra": {"a": {1}}}, "extra must hold plain JSON values"),
        ({"extra": "a"}, "extra must map names"),
    ],
)
@pytest.mark.parametrize("where", ["provider", "call"])
def test_wrong_value(
    server: FakeServer, make: Make, ask: Ask, where: str, params: dict[str, Any], words: str
) -> None:
    """A wrong value is one line that names the model and the parameter, before any request."""
    with pytest.raises(errors.ConfigurationError) as caught:
        ask(make(**params)) if where == "provider" else ask(make(), **params)
    text = str(caught.value)

    assert text.startswith(f"chat_completions/m: {words}")
    assert "\n" not in text
    assert server.count == 0


@pytest.mark.parametrize(
    "option",
    [
        {"timeout_s": float("nan")},
        {"deadline_s": -1},
        {"max_attempts": 2.5},
        {"max_in_flight": 0},
        {"strict": 1},
        {"headers": "x"},
        {"headers": {"x-team": 7}},
        {"headers": {"x-team": "red\nx-evil: 1"}},
        {"headers": {"x team": "red"}},
        {"headers": {"x-team": "rött"}},
    ],
)
def test_wrong_option(make: Make, option: dict[str, Any]) -> None:
    """Options of the provider are checked alike; what a header holds is not shown."""
    (name,) = option
    with pytest.raises(errors.ConfigurationError, match=name) as caught:
        make(**option)

    assert "evil" not in str(caught.value)


def test_no_time_limit(make: Make, ask: Ask) -> None:
    """Infinity means no limit, for both times."""
    assert ask(make(timeout_s=float("inf"), deadline_s=float("inf"))).ok
    assert ask(make(timeout_s=1e300, deadline_s=1e300)).ok


def test_extra_passes_through(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """`extra` reaches the body untouched, the names of our own vocabulary included."""
    extra = {"top_k": 40, "seed": "as it is", "nested": {"a": [1, None, "ü"]}}
    ask(provider, extra=extra)

    assert {name: server.requests[0].body[name] for name in extra} == extra


# ---- what an unknown server does not take


def refusing(*fields: str, status: int = 400, shape: str = "openai") -> Any:
    """A server that refuses bodies with these fields, in one of the shapes of the wild."""

    def answer(seen: Seen) -> Reply | Fault:
        for field in fields:
            if field in seen.body:
                message = f"Unrecognized request argument supplied: {field}"
                body: Any = {"error": {"message": message, "type": "invalid_request_error"}}
                if shape == "pydantic":
                    body = {
                        "detail": [
                            {
                                "type": "extra_forbidden",
                                "loc": ["body", field],
                                "msg": "Extra inputs are not permitted",
                            }
                        ]
                    }
                return Fault.status(status, body=body)
        return Reply("fine")

    return answer


def streamed(provider: Provider, **params: Any) -> Any:
    with provider.stream("Hi", **params) as stream:
        "".join(stream)
    return stream.response


@pytest.mark.parametrize(("status", "shape"), [(400, "openai"), (422, "pydantic")])
def test_stream_options_refused(server: FakeServer, make: Make, status: int, shape: str) -> None:
    """A server without `stream_options` gets one more request without it, and never again one with it.

    What was learned applies to one base URL and model, in all providers.
    """
    server.reply(refusing("stream_options", status=status, shape=shape))
    provider = make(api="chat", max_attempts=1)
    first, second = streamed(provider), streamed(provider)

    assert (first.content, second.content) == ("fine", "fine")
    assert ["stream_options" in seen.body for seen in server.requests] == [True, False, False]
    assert first.metadata["attempts"] == 2
    assert first.metadata["retry_log"][0]["error_type"] == "BadRequestError"
    assert second.metadata["attempts"] == 1
    assert "stream_options" not in streamed_body(make(api="chat"), server)
    assert "stream_options" in streamed_body(make(api="chat", model="other"), server)


def streamed_body(provider: Provider, server: FakeServer) -> Any:
    """The first body that a provider sends."""
    before = server.count
    streamed(provider)
    return server.requests[before].body


def test_other_refusals_are_final(server: FakeServer, make: Make) -> None:
    """A refusal of something else, or the same one twice, is an error after one attempt more at most."""
    server.reply(refusing("messages"))
    with pytest.raises(errors.BadRequestError):
        streamed(make(api="chat"))
    assert server.count == 1
    server.reply(Fault.status(400, message="stream_options: no"))
    with pytest.raises(errors.BadRequestError):
        streamed(make(api="chat"))

    assert server.count == 3


@pytest.mark.parametrize("refused", ["max_tokens", "max_completion_tokens"])
def test_name_of_the_token_limit(server: FakeServer, make: Make, ask: Ask, refused: str) -> None:
    """A server that wants the other name of the token limit gets it, from then on at once."""
    other = {"max_tokens": "max_completion_tokens"}.get(refused, "max_tokens")
    server.reply(refusing(refused))
    provider = make(api="chat")
    if refused == "max_completion_tokens":
        asked = provider.prepare("Hi", {}).request
        learned_profiles.remember(asked, {"max_tokens_name": refused})
    first, second = ask(provider, max_tokens=9), ask(provider, max_tokens=9)

    assert (first.metadata["attempts"], second.metadata["attempts"]) == (2, 1)
    assert server.requests[-1].body[other] == 9
    assert refused not in server.requests[-1].body


def test_too_large_a_limit_is_not_a_wrong_name(server: FakeServer, make: Make, ask: Ask) -> None:
    """An error about the limit's size is reported as it is."""
    server.reply(Fault.status(400, message="max_tokens is too large: at most 4096"))
    with pytest.raises(errors.BadRequestError, match="too large"):
        ask(make(api="chat"), max_tokens=10**6)

    assert server.count == 1


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("o3", "max_completion_tokens"),
        ("o4-mini", "max_completion_tokens"),
        ("gpt-5-mini", "max_completion_tokens"),
        ("gpt-5.2", "max_completion_tokens"),
        ("ft:gpt-5-mini:me::1", "max_completion_tokens"),
        ("gpt-4o", "max_tokens"),
        ("gpt-4.1-mini", "max_tokens"),
    ],
)
def test_token_limit_at_openai(
    server: FakeServer, ask: Ask, monkeypatch: pytest.MonkeyPatch, model: str, name: str
) -> None:
    """OpenAI's reasoning models get the new name of the limit, its older ones the old one."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    provider = ProviderRegistry.get_provider("openai", model=model, api="chat", api_key=KEY)
    ask(provider, max_tokens=9)

    assert {k: v for k, v in server.requests[0].body.items() if "tokens" in k} == {name: 9}


# ---- effort, in the words of a vendor


@pytest.mark.parametrize(
    ("service", "effort", "fields"),
    [
        ("deepseek", "none", {"thinking": {"type": "disabled"}}),
        ("deepseek", "high", {"thinking": {"type": "enabled"}}),
        ("openrouter", "low", {"reasoning": {"effort": "low"}}),
        ("mistral", "high", {"reasoning_effort": "high"}),
        ("zai", "none", {"thinking": {"type": "disabled"}}),
        ("groq", "low", {"reasoning_effort": "low"}),
    ],
)
def test_effort(
    server: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    effort: str,
    fields: dict[str, Any],
) -> None:
    """One word for all; each service gets it in its own field."""
    monkeypatch.setenv(f"{service.upper()}_BASE_URL", server.base_url)
    ProviderRegistry.get_provider(service, model="m", api_key=KEY, effort=effort).chat("Hi")
    sent = {k: v for k, v in server.requests[0].body.items() if k not in ("model", "messages")}

    assert sent == fields


def test_effort_without_a_value_for_the_service(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that the service lacks is warned of, or refused, like a parameter that it lacks."""
    monkeypatch.setenv("MISTRAL_BASE_URL", server.base_url)
    provider = ProviderRegistry.get_provider("mistral", model="m", api_key=KEY)
    with pytest.warns(UserWarning, match="mistral/m does not support 'effort=low'"):
        provider.chat("Hi", effort="low")
    with pytest.raises(errors.ConfigurationError, match="effort=low"):
        provider.chat("Hi", effort="low", strict=True)

    assert set(server.requests[0].body) == {"model", "messages"}
