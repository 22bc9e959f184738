"""The guide's page runs as it is printed, against a server on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allos.engine import retry
from tests.support.fake_server import FakeServer, Reply, Seen

PAGE = Path(__file__).with_name("seed-page.md").read_text(encoding="utf-8")
PUBLISHED = "8feb6a6d6998e4b1893bf3b7d842012a40fb8653f2b2573c57089482b05f1d31"
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
LOCAL = re.compile(r"http://localhost:(?:8000|8080)/v1")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with retry.using(base_s=0), FakeServer() as started:
        started.reply(lambda seen: Reply(f"A joke by {seen.model}"))
        yield started


def run(snippets: list[str]) -> tuple[dict[str, Any], str]:
    """Run snippets one after the other in one namespace; what they leave and what they print."""
    namespace: dict[str, Any] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for snippet in snippets:
            exec(compile(snippet, "<page>", "exec"), namespace)
    return namespace, printed.getvalue()


def facts(seen: Seen) -> tuple[str, str | None, str | None]:
    return seen.path, seen.model, seen.key


def test_page_is_verbatim() -> None:
    """The copy is the published page, byte for byte (no formatter has touched it), snippets found."""
    assert hashlib.sha256(PAGE.encode()).hexdigest() == PUBLISHED
    assert len(SNIPPETS) == 6


def test_page_runs(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Top to bottom, in one namespace, with every key set and only addresses redirected."""
    for name in ("OPENAI", "ANTHROPIC", "GROQ", "TOGETHER"):
        monkeypatch.setenv(f"{name}_API_KEY", f"key-{name.lower()}")
        monkeypatch.setenv(f"{name}_BASE_URL", server.base_url)
    namespace, printed = run(SNIPPETS)
    prompts = {seen.prompt for seen in server.requests}

    assert [facts(seen) for seen in server.requests] == [
        ("/v1/responses", "gpt-4o", "key-openai"),
        ("/v1/messages", "claude-3-5-sonnet-20240620", "key-anthropic"),
        ("/v1/responses", "gpt-4o", "key-openai"),
    ]
    assert prompts == {"Tell me a joke about programming."}
    lines = printed.splitlines()
    assert lines[0] == "OpenAI says: A joke by gpt-4o"
    assert lines[1] == "Anthropic says: A joke by claude-3-5-sonnet-20240620"
    assert lines[2].startswith("{'provider': 'openai'")
    assert namespace["response"].tool_calls == []
    assert isinstance(namespace["response"].metadata, dict)


def test_every_provider_of_the_page_answers(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that the page only builds can be asked as well, each at its address with its key."""
    for name in ("OPENAI", "ANTHROPIC", "GROQ", "TOGETHER"):
        monkeypatch.setenv(f"{name}_API_KEY", f"key-{name.lower()}")
        monkeypatch.setenv(f"{name}_BASE_URL", server.base_url)
    namespace, _ = run(SNIPPETS[:2])
    for name in ("groq_provider", "together_provider"):
        namespace[name].chat("Hi")

    assert [facts(seen) for seen in server.requests] == [
        ("/v1/chat/completions", "llama-3.1-8b-instant", "key-groq"),
        ("/v1/chat/completions", "meta-llama/Llama-3-70b-chat-hf", "key-together"),
    ]


def test_snippets_without_keys(server: FakeServer) -> None:
    """With an empty environment the two local providers are built, and need no key to be asked."""
    keyless = [snippet for snippet in SNIPPETS if "localhost" in snippet]
    imports = "from allos.providers import ProviderRegistry"
    verbatim, _ = run([imports, *keyless])
    answers = [
        run([imports, LOCAL.sub(server.base_url, snippet)])[0]["custom_provider"].chat("Hi").content
        for snippet in keyless
    ]

    assert len(keyless) == 2
    assert verbatim["custom_provider"].base_url == "http://localhost:8080/v1"
    assert answers == ["A joke by my-local-model", "A joke by local-model"]
    assert [facts(seen) for seen in server.requests] == [
        ("/v1/chat/completions", "my-local-model", "sk-internal-key"),
        ("/v1/chat/completions", "local-model", "not-needed"),
    ]
