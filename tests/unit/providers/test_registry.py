from __future__ import annotations

import re
from typing import Any

import pytest

from allos.errors import ConfigurationError, MissingKeyError
from allos.providers import Provider, ProviderRegistry


@pytest.mark.parametrize(
    ("name", "model", "variable"),
    [
        ("openai", "gpt-4o", "OPENAI_API_KEY"),
        ("anthropic", "claude-3-5-sonnet-20240620", "ANTHROPIC_API_KEY"),
        ("groq", "llama-3.1-8b-instant", "GROQ_API_KEY"),
        ("together", "meta-llama/Llama-3-70b-chat-hf", "TOGETHER_API_KEY"),
        ("mistral", "mistral-small", "MISTRAL_API_KEY"),
        ("deepseek", "deepseek-chat", "DEEPSEEK_API_KEY"),
        ("openrouter", "a/b", "OPENROUTER_API_KEY"),
        ("cohere", "command-r", "COHERE_API_KEY"),
        ("portkey", "m", "PORTKEY_API_KEY"),
    ],
)
def test_names_of_the_guide(
    name: str, model: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every name that guides use builds a provider from its own key; without it, it says which."""
    with pytest.raises(MissingKeyError, match=variable):
        ProviderRegistry.get_provider(name, model=model)
    monkeypatch.setenv(variable, "k")
    provider = ProviderRegistry.get_provider(name, model=model)

    assert isinstance(provider, Provider)
    assert provider.model == model
    assert repr(provider) == f"Provider({provider.name!r}, model={model!r})"
    assert ProviderRegistry.get_env_var_name(name) == variable


@pytest.mark.parametrize("name", ["ollama", "ollama_compat", "vllm", "lmstudio", "local"])
def test_names_without_a_key(name: str) -> None:
    """Servers of one's own are named without a key."""
    assert name in ProviderRegistry.list_providers()


def test_list_is_sorted() -> None:
    """All names and aliases, sorted, each once."""
    names = ProviderRegistry.list_providers()

    assert names == sorted(set(names))
    assert {"openai", "anthropic", "chat_completions", "ollama_compat", "local"} <= set(names)


def test_name_may_be_a_keyword() -> None:
    """`name=` works as well as the first argument."""
    assert ProviderRegistry.get_provider(name="groq", model="m", api_key="k").name == "groq"


@pytest.mark.parametrize("model", [{}, {"model": None}, {"model": ""}])
def test_missing_model(model: dict[str, object]) -> None:
    """A missing model is named, with the call to write."""
    with pytest.raises(ConfigurationError, match=re.escape("get_provider('groq', model=...)")):
        ProviderRegistry.get_provider("groq", **model)


@pytest.mark.parametrize("model", [5, ["m"], " ", Provider])
def test_model_is_a_name(model: object) -> None:
    """An invalid model is refused, with or without a key."""
    with pytest.raises(ConfigurationError, match="model must be a non-empty string"):
        ProviderRegistry.get_provider("groq", model=model, api_key="k")


@pytest.mark.parametrize("name", [["groq"], None, 5, b"groq"])
def test_name_must_be_a_string(name: Any) -> None:
    """The name must be a string."""
    with pytest.raises(ConfigurationError, match="name of a provider must be a string"):
        ProviderRegistry.get_provider(name, model="m", api_key="k")


def test_unknown_provider() -> None:
    """An unknown name offers the closest one."""
    with pytest.raises(ConfigurationError, match=r"Did you mean 'anthropic'\?"):
        ProviderRegistry.get_provider("antropic", model="m")
    with pytest.raises(ConfigurationError, match="Unknown provider 'zzzzzz'"):
        ProviderRegistry.get_provider("zzzzzz", model="m")


def test_retired_provider() -> None:
    """A retired service has its own error message."""
    with pytest.raises(ConfigurationError, match="2026"):
        ProviderRegistry.get_provider("github", model="m")


@pytest.mark.parametrize(
    ("keyword", "near"),
    [("temprature", "temperature"), ("baseurl", "base_url"), ("timeout", "timeout_s")],
)
def test_unknown_keyword(keyword: str, near: str) -> None:
    """An unknown keyword offers the closest one."""
    with pytest.raises(ConfigurationError, match=f"{keyword!r}.*Did you mean {near!r}"):
        ProviderRegistry.get_provider("groq", model="m", api_key="k", **{keyword: 1})


def test_no_env_var() -> None:
    """A service that takes no key names no variable."""
    assert ProviderRegistry.get_env_var_name("local") is None
