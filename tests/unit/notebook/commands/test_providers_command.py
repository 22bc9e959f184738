"""`%allos providers` and `%allos models`, in a plain IPython shell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from allos.errors import ConfigurationError
from allos.providers import model_choices
from tests.support.fake_server import FakeServer


def shown(shell: Any, value: Any) -> dict[str, str]:
    return dict(shell.display_formatter.format(value)[0])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    with FakeServer() as started:
        monkeypatch.setenv("GROQ_BASE_URL", started.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        yield started


def test_what_is_ready_stands_on_top(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services with a key come first, those of the user's own machine last."""
    monkeypatch.setenv("MISTRAL_API_KEY", "key-of-the-test")
    frame = shell.run_line_magic("allos", "providers")
    ready = frame["ready"].tolist()

    assert ready == sorted(ready, reverse=True)
    assert frame.loc["mistral", "ready"]
    assert not frame.loc["groq", "ready"]
    assert list(frame.index).index("groq") < list(frame.index).index("ollama")


def test_providers_is_a_made_table(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, where they are made, no NaN; never a key."""
    monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
    frame = shell.run_line_magic("allos", "providers")
    data = shown(shell, frame)

    assert type(frame) is pd.DataFrame
    assert "✓ GROQ_API_KEY" in data["text/plain"]
    assert 'href="https://console.groq.com/keys"' in data["text/html"]
    assert "gsk-of-the-test" not in str(data)
    assert not any(word in data["text/html"] for word in ("NaN", "None", "&lt;NA&gt;"))
    assert 'style="text-align:right' not in data["text/html"]


def test_an_unknown_provider_is_told_how_many_there_are(shell: Any) -> None:
    """As many as the table has lines: aliases are no services."""
    frame = shell.run_line_magic("allos", "providers")
    with pytest.raises(ConfigurationError, match=f"lists all {len(frame)}[.]"):
        shell.run_cell_magic("allos", "grqo llama", "Hi")


def test_the_embedded_model_says_what_it_needs(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On top in any case, since it needs no key: ready, or with the command that installs it."""
    for installed in (True, False):
        monkeypatch.setattr(model_choices, "is_embedded_installed", lambda found=installed: found)
        monkeypatch.setenv("MISTRAL_API_KEY", "key-of-the-test")
        frame = shell.run_line_magic("allos", "providers")
        text = shown(shell, frame)["text/plain"]
        line = next(line for line in text.splitlines() if line.startswith("local"))

        assert sorted(frame.index[:2]) == ["local", "mistral"]
        assert frame.loc["local", "ready"] == installed
        assert ("no key needed" in line) == installed
        assert ("local is not installed: %allos local install." in text) != installed


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("groq", ["groq"]),
        ("GROQ_API", ["groq"]),
        ("Grok", ["xai"]),
        ("api.x.ai", ["xai"]),
        ("ollama_compat", ["ollama"]),
    ],
)
def test_providers_can_be_searched(shell: Any, word: str, found: list[str]) -> None:
    """A word is looked for in names, aliases, variables, URLs and models."""
    assert list(shell.run_line_magic("allos", f"providers {word}").index) == found


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("providers grqo", r"No service has 'grqo'.*Did you mean 'groq'"),
        ("providers a b", r"takes one word"),
        ("models", r"needs one provider"),
        ("models groq a b", r"needs one provider"),
    ],
)
def test_a_wrong_word_is_one_line(shell: Any, line: str, message: str) -> None:
    """It says what would be right."""
    with pytest.raises(ConfigurationError, match=message):
        shell.run_line_magic("allos", line)


def test_models_can_be_searched(shell: Any, server: FakeServer) -> None:
    """A second word is looked for in the names; where it is in none, one line says so."""
    server.models = [{"id": "llama-1", "context_window": 131072}, {"id": "gpt-oss"}]
    frame = shell.run_line_magic("allos", "models groq llama")

    assert frame["model"].tolist() == ["llama-1"]
    assert shown(shell, frame)["text/plain"].startswith("groq: 1 model\n")
    assert "131,072" in shown(shell, frame)["text/html"]
    with pytest.raises(ConfigurationError, match="lists no model with 'qwen'"):
        shell.run_line_magic("allos", "models groq qwen")


def test_no_models_are_one_line(shell: Any, server: FakeServer) -> None:
    """A service without models says so."""
    server.models = []

    assert shown(shell, shell.run_line_magic("allos", "models groq"))["text/plain"] == (
        "groq: no model"
    )
