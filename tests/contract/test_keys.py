"""Which key and headers reach which host, end to end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from allos.errors import MissingKeyError
from allos.providers import ProviderRegistry
from allos.types import Api
from tests.fake_server import FakeServer, Seen

SECRETS = {
    "OPENAI_API_KEY": "sk-openai-secret",
    "OPENAI_ADMIN_KEY": "sk-admin-secret",
    "OPENAI_ORG_ID": "org-secret",
    "OPENAI_PROJECT_ID": "proj-secret",
    "OPENAI_CUSTOM_HEADERS": "X-Corp: corp-secret\nauthorization: Bearer custom-secret",
    "ANTHROPIC_API_KEY": "sk-anthropic-secret",
    "ANTHROPIC_AUTH_TOKEN": "token-secret",
    "ANTHROPIC_CUSTOM_HEADERS": "X-Corp: corp-secret\nAuthorization: Bearer custom-secret",
    "GROQ_API_KEY": "sk-groq-secret",
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """All keys and headers of the world are set."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def sent(server: FakeServer, name: str, **options: Any) -> Seen:
    ProviderRegistry.get_provider(name, model="m", **options).chat("Hi")
    return server.requests[-1]


def all_of(seen: Seen) -> str:
    return f"{seen.path} {seen.headers} {seen.raw!r}"


def test_openai_at_a_local_address_needs_no_key(server: FakeServer) -> None:
    """The guide's last provider: `openai` with a local address and no key sends a placeholder."""
    seen = sent(server, "openai", base_url=server.base_url)

    assert seen.path == "/v1/chat/completions"
    assert seen.key == "not-needed"


@pytest.mark.parametrize(
    ("name", "api"),
    [
        ("openai", "chat"),
        ("openai", "responses"),
        ("anthropic", "messages"),
        ("groq", "chat"),
        ("chat_completions", "chat"),
        ("chat_completions", "messages"),
        ("chat_completions", "responses"),
        ("ollama", "chat"),
    ],
)
@pytest.mark.parametrize("key", [None, "sk-passed-key"])
@pytest.mark.usefixtures("world")
def test_nothing_of_a_vendor_reaches_a_foreign_host(
    server: FakeServer, name: str, api: Api, key: str | None
) -> None:
    """Another host gets the key that was passed for it, or none, and no header of a vendor."""
    seen = sent(server, name, base_url=server.base_url, api=api, api_key=key)

    assert "secret" not in all_of(seen)
    assert seen.key == (key or "not-needed")
    assert "openai-organization" not in seen.headers
    assert "openai-project" not in seen.headers
    assert "x-corp" not in seen.headers


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("openai", ("anthropic", "groq", "admin")),
        ("anthropic", ("openai", "groq", "admin", "org-", "token-")),
        ("groq", ("openai", "anthropic", "admin", "org-", "corp-", "custom-")),
    ],
)
def test_own_host_gets_own_key(
    server: FakeServer, world: pytest.MonkeyPatch, name: str, others: tuple[str, ...]
) -> None:
    """The host of `<NAME>_BASE_URL` is the service's own: its key goes there, no other does."""
    for variable in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        world.setenv(variable, "X-Corp: corp-secret")
    world.setenv(f"{name.upper()}_BASE_URL", server.base_url)
    seen = sent(server, name)

    assert seen.key == f"sk-{name}-secret"
    assert not [other for other in others if f"{other}secret" in all_of(seen)]
    assert not [other for other in others if f"sk-{other}-secret" in all_of(seen)]
    if name == "openai":
        assert seen.headers["openai-organization"] == "org-secret"
        assert seen.headers["openai-project"] == "proj-secret"
    assert ("x-corp" in seen.headers) is (name != "groq")


@pytest.mark.usefixtures("world")
def test_own_headers_win(server: FakeServer) -> None:
    """Headers of the caller go along, and may replace how the key is sent."""
    seen = sent(
        server,
        "anthropic",
        base_url=server.base_url,
        headers={"x-api-key": "mine", "authorization": "Custom mine", "x-team": "red"},
    )

    assert seen.headers["x-api-key"] == "mine"
    assert seen.headers["authorization"] == "Custom mine"
    assert seen.headers["x-team"] == "red"


def test_missing_key_is_told_at_construction(world: pytest.MonkeyPatch) -> None:
    """Without its own key a service is not built, whatever other keys there are."""
    world.delenv("GROQ_API_KEY")
    with pytest.raises(MissingKeyError, match="GROQ_API_KEY"):
        ProviderRegistry.get_provider("groq", model="m")


@pytest.mark.parametrize("face", ["repr", "str", "vars"])
def test_key_does_not_show(server: FakeServer, face: str) -> None:
    """A provider shows its name and model, never its key."""
    provider = ProviderRegistry.get_provider(
        "chat_completions", model="m", base_url=server.base_url, api_key="sk-hidden-key"
    )
    shown = {"repr": repr(provider), "str": str(provider), "vars": repr(vars(provider))}[face]

    assert "sk-hidden-key" not in shown
