from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from allos.errors import BadRequestError, ModelNotFoundError
from allos.providers.catalog import model_cache, services
from allos.providers.catalog.deprecations import _told, advise
from allos.providers.catalog.model_list import ModelInfo, ModelList
from allos.providers.catalog.service import Deprecation

END = "provider.list_models(), or %allos models {}, lists what there is."


@pytest.fixture(autouse=True)
def nothing_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model_cache.forget()
    yield
    model_cache.forget()


def say(service: str, model: str, base_url: str | None = None) -> str | None:
    return advise(ModelNotFoundError("no"), service, model, base_url)


def test_other_errors_get_the_general_advice() -> None:
    """Only a model that is not there is spoken of."""
    assert advise(BadRequestError("no"), "groq", "m", None) is None


@pytest.mark.parametrize(
    ("service", "model", "begins"),
    [
        (
            "groq",
            "llama-3.1-8b-instant",
            "llama-3.1-8b-instant is gone since 2026-08-16 (on free and developer plans); "
            "use openai/gpt-oss-20b.",
        ),
        ("openai", "gpt-4", "gpt-4 is gone since 2026-10-23. Did you mean 'gpt-"),
        (
            "anthropic",
            "claude-3-5-sonnet-20240620",
            "claude-3-5-sonnet-20240620 is gone (in October 2025). Did you mean 'claude-",
        ),
        (
            "anthropic",
            "claude-sonnet-4-0",
            "claude-sonnet-4-0 is gone since 2026-06-15; use claude-",
        ),
        (
            "together",
            "meta-llama/Llama-3-70b-chat-hf",
            "meta-llama/Llama-3-70b-chat-hf is gone (long ago).",
        ),
        ("groq", "gpt-oss-20b", "Did you mean 'openai/gpt-oss-20b'"),
        ("groq", "zzzzzz", END.format("groq")),
        ("vllm", "m", END.format("vllm")),
    ],
)
def test_advice(service: str, model: str, begins: str) -> None:
    """What became of the model, what is close to it, and how to see what there is."""
    said = say(service, model)

    assert said is not None
    assert said.startswith(begins)
    assert said.endswith(END.format(service))
    assert "\n" not in said


def test_what_the_service_told_goes_first() -> None:
    """Near matches are those of the service's own list, where it was asked."""
    told = ModelList([ModelInfo(id="openai/gpt-oss-20c", provider="groq")])
    model_cache.remember("groq", None, told, on_disk=False)

    assert say("groq", "gpt-oss-20b") == f"Did you mean 'openai/gpt-oss-20c'? {END.format('groq')}"


def test_gone_models_are_not_offered() -> None:
    """What is gone itself is no near match."""
    gone = services.retired_models("openai")
    told = ModelList(ModelInfo(id=name, provider="openai") for name in gone)
    model_cache.remember("openai", None, told, on_disk=False)

    assert say("openai", "gpt-4oo") == END.format("openai")


def test_elsewhere() -> None:
    """At another address only its own list counts."""
    model_cache.remember(
        "groq", "http://x/v1", ModelList([ModelInfo(id="abc-1", provider="groq")]), on_disk=False
    )

    assert say("groq", "abc-2", "http://x/v1") == (
        "Did you mean 'abc-1'? list_models() of this provider lists what there is."
    )
    assert say("groq", "llama-3.1-8b-instant", "http://y/v1") == (
        "list_models() of this provider lists what there is."
    )


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        (Deprecation(on=date(2026, 1, 2)), "m is gone since 2026-01-02."),
        (Deprecation(on=date(2026, 1, 4)), "m goes away on 2026-01-04."),
        (Deprecation(on=date(2026, 1, 3), replacement="n"), "m is gone since 2026-01-03; use n."),
        (Deprecation(note="long ago"), "m is gone (long ago)."),
        (Deprecation(), "m is gone."),
    ],
)
def test_fates(fate: Deprecation, said: str) -> None:
    """A day that is still to come is announced; a day that is past is told."""
    assert _told("m", fate, date(2026, 1, 3)) == said


def test_retired_models_are_those_of_services() -> None:
    """Every model is listed once, under a service that exists."""
    table = services._table()["retired_models"]
    named = [
        (service, model)
        for service, rows in table.items()
        for row in rows
        for model in row["models"]
    ]

    assert set(table) <= set(services.load())
    assert len(set(named)) == len(named)
    for service in table:
        for model, fate in services.retired_models(service).items():
            assert fate.replacement != model
            assert fate.replacement not in services.retired_models(service)
            assert fate.on is None or fate.on > date(2024, 1, 1)
