"""Models to choose from: usable ones first, and why the others cannot be used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from allos.errors import ConfigurationError
from allos.providers import model_choices as choices
from allos.providers.catalog import model_cache
from allos.providers.catalog.model_list import ModelInfo, ModelList
from tests.support.hostile import HOSTILE


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The embedded model is installed, no service has a key."""
    for name in ("OPENAI_API_KEY", "GROQ_API_KEY", "MISTRAL_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(choices, "is_embedded_installed", lambda: True)
    monkeypatch.setattr(choices.local, "known_models", lambda: ("smollm2",))
    choices._obstacles.clear()
    yield
    choices._obstacles.clear()
    model_cache.forget()


def test_the_embedded_model_is_first_and_keys_come_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then services that only lack a key, each as one line that says how to add it."""
    monkeypatch.setenv("GROQ_API_KEY", "gsk-test-key")
    found = choices.model_choices()
    obstacles = [bool(each.obstacle) for each in found]

    assert found[0].name == "local/smollm2"
    assert found[0].price == "free"
    assert found[1].name.startswith("groq/")
    assert obstacles == sorted(obstacles)
    openai = next(each for each in found if each.name == "openai/")
    assert (openai.obstacle, openai.usable) == ("no key: add one", False)
    assert "%allos key openai" in openai.advice


def test_price_and_context_window_stand_beside_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a million tokens, from the price tables; unknown ones are empty."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-key")
    found = choices.describe_model("openai/gpt-4o")
    unknown = choices.describe_model("openai/gpt-of-next-year")

    assert (found.price, found.context_window) == ("$2.50 in, $10.00 out", 128_000)
    assert found.usable
    assert (unknown.price, unknown.context_window, unknown.usable) == ("", None, True)


def test_words_may_be_parts_in_any_order() -> None:
    """Every word has to stand in the name; a full name that nobody listed is offered as it is."""
    assert all("gpt" in each.name for each in choices.model_choices("gpt openai"))
    assert choices.model_choices("mistral/mistral-new")[0].name == "mistral/mistral-new"
    assert choices.model_choices("nothing-like-it") == []
    assert choices.model_choices("nobody/x") == []


@pytest.mark.parametrize(
    ("name", "words"),
    [("openai/gpt-4", "retired"), ("local/smollm2", "not installed"), ("azure/x", "no base URL")],
)
def test_every_obstacle_has_words(name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retired model, an embedded one that is not installed, an address that is missing."""
    monkeypatch.setattr(choices, "is_embedded_installed", lambda: False)
    found = choices.describe_model(name)

    assert found.obstacle == words
    assert not found.usable


def test_an_own_server_may_be_asked_for_its_models() -> None:
    """Without a list it is one line, which can be listed; with one its models are offered."""
    (server,) = choices.model_choices("ollama/")[:1]
    assert server.name == "ollama/"
    assert server.listable
    model_cache.remember(
        "ollama", None, ModelList([ModelInfo(id="m", provider="ollama")]), on_disk=False
    )
    assert [each.name for each in choices.model_choices("ollama/")][:1] == ["ollama/m"]


def test_names_from_a_server_are_only_names() -> None:
    """Whatever a server calls its models is listed as text; endless names are not."""
    names = [*[text for _, text in HOSTILE if text.strip()][:80], "x" * 5000]
    model_cache.remember(
        "ollama",
        None,
        ModelList([ModelInfo(id=name, provider="ollama") for name in names]),
        on_disk=False,
    )
    found = choices.model_choices("ollama/", most=1_000)

    assert all(len(each.name) <= 200 for each in found)
    assert sum(each.name.removeprefix("ollama/") in names for each in found) > 20


def test_models_that_do_not_chat_are_not_offered() -> None:
    """Neither shipped ones nor those that a service lists; whoever types the name gets it."""
    listed = ModelList(
        ModelInfo(id=name, provider="ollama", chats=told)
        for name, told in (("llama3", None), ("nomic-embed-text", None), ("odd", False))
    )
    model_cache.remember("ollama", None, listed, on_disk=False)

    assert [each.name for each in choices.model_choices("ollama/")] == ["ollama/llama3"]
    assert not choices.model_choices("groq whisper")
    assert choices.model_choices("groq/whisper-large-v3")[0].name == "groq/whisper-large-v3"


def test_a_name_that_is_none_says_what_is_meant() -> None:
    """The nearest service is named."""
    with pytest.raises(ConfigurationError, match="Did you mean 'groq'"):
        choices.describe_model("grok/x")
    with pytest.raises(ConfigurationError, match="write groq/MODEL"):
        choices.describe_model("groq")
