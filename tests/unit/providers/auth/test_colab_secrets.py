"""Colab's secrets: who asks for them, when, and how often."""

from __future__ import annotations

import importlib.machinery
import sys
import threading
import types
from typing import Any

import pytest

import allos
from allos.errors import ConfigurationError, MissingKeyError
from allos.providers import ProviderRegistry
from allos.providers.auth import colab_secrets, key_store
from allos.providers.catalog.services import find
from allos.session import current_session

KEY = "gsk-of-this-test-0815"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key was set, and nobody was asked yet."""
    monkeypatch.setattr(current_session(), "keys", {})
    monkeypatch.setattr(key_store, "_keyring_cache", {})
    monkeypatch.setattr(colab_secrets, "_requested", {})


def colab(monkeypatch: pytest.MonkeyPatch, secrets: dict[str, Any]) -> list[str]:
    """A Colab that holds these secrets; returns the requested names."""
    requested: list[str] = []

    def get(name: str) -> str:
        requested.append(name)
        if name not in secrets:
            raise LookupError(name)
        if isinstance(secrets[name], Exception):
            raise secrets[name]
        return str(secrets[name])

    userdata = types.ModuleType("google.colab.userdata")
    userdata.get = get  # type: ignore[attr-defined]
    colab = types.ModuleType("google.colab")
    colab.userdata = userdata  # type: ignore[attr-defined]
    colab.__spec__ = importlib.machinery.ModuleSpec("google.colab", None)
    google = types.ModuleType("google")
    google.__path__ = []  # type: ignore[attr-defined]
    google.colab = colab  # type: ignore[attr-defined]
    for name, module in (
        ("google", google),
        ("google.colab", colab),
        ("google.colab.userdata", userdata),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    return requested


def source(name: str = "groq", **options: Any) -> str:
    return ProviderRegistry.get_provider(name, model="m", **options)._route.endpoint.key_source


def test_secret_is_read_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """The notebook's secret of the variable's name is the key, at the service's own host."""
    requested = colab(monkeypatch, {"TOGETHER_AI_API_KEY": KEY})

    assert source("together") == "colab"
    assert requested == ["TOGETHER_API_KEY", "TOGETHER_AI_API_KEY"]
    with pytest.raises(MissingKeyError):
        source("together", base_url="https://elsewhere.example/v1")
    assert len(requested) == 2, "the secret was not even asked for"


def test_refusal_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook without access to its secrets misses the key in the usual words."""
    colab(monkeypatch, {"GROQ_API_KEY": PermissionError("no access")})

    with pytest.raises(MissingKeyError, match="%allos key groq"):
        source()


@pytest.mark.parametrize("secrets", [{"GROQ_API_KEY": KEY}, {}])
def test_each_name_is_requested_once(
    secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found or not, the page is not asked again, until the key is forgotten."""
    requested = colab(monkeypatch, secrets)
    for _ in range(3):
        if secrets:
            assert source() == "colab"
        else:
            with pytest.raises(MissingKeyError):
                source()

    assert requested == ["GROQ_API_KEY"]
    secrets["GROQ_API_KEY"] = KEY
    allos.forget_key("groq")
    assert source() == "colab"
    assert len(requested) == 2


def test_lists_and_the_doctor_request_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services are listed and the doctor looks around without a question to the page."""
    from allos.notebook.commands import dispatch, key_command

    requested = colab(monkeypatch, {"GROQ_API_KEY": KEY, "OPENAI_API_KEY": KEY})
    providers = dispatch.run("providers", ())
    keys = key_command.table()
    report = str(allos.doctor())

    assert requested == []
    assert providers["key_set"].isna()["groq"], "nobody knows yet"
    assert len(keys) == 0
    assert "Colab's secrets are read when a service is called" in report
    source()
    assert requested == ["GROQ_API_KEY"]
    assert dispatch.run("providers", ())["key_set"].dropna().to_dict() == {"groq": True}
    assert key_command.table()["found_in"].to_dict() == {"groq": "colab"}
    assert "groq: found in Colab's secrets" in str(allos.doctor())


def test_only_the_main_thread_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread, which would read the kernel's input, knows what was read before."""
    requested = colab(monkeypatch, {"GROQ_API_KEY": KEY})
    found: list[object] = []

    def on_a_thread() -> None:
        found.append(key_store.find_key(find("groq"), "groq"))

    for _ in range(2):
        thread = threading.Thread(target=on_a_thread)
        thread.start()
        thread.join(10)
        source()

    assert requested == ["GROQ_API_KEY"]
    assert found[0] is None
    assert found[1] == key_store.find_key(find("groq"), "groq")


def test_secret_that_is_not_a_valid_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that cannot stand in a header is an error that names it and does not show it."""
    colab(monkeypatch, {"GROQ_API_KEY": "two\nlines"})

    with pytest.raises(ConfigurationError, match="Colab's secret GROQ_API_KEY") as caught:
        source()
    assert "lines" not in str(caught.value)
