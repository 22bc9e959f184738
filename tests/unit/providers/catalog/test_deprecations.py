from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from allos.errors import BadRequestError, ModelNotFoundError
from allos.providers.catalog import model_cache, services
from allos.providers.catalog.deprecations import _deprecation_notice, advise
from allos.providers.catalog.model_list import ModelInfo, ModelList
from allos.providers.catalog.service import Deprecation

END = "provider.list_models(), or %allos models {}, lists the available models."


@pytest.fixture(autouse=True)
def nothing_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model_cache.forget()
    yield
    model_cache.forget()


def advice_for(service: str, model: str, base_url: str | None = None) -> str | None:
    return advise(ModelNotFoundError("no"), service, model, base_url)


def test_other_errors_get_the_general_advice() -> None:
    """Only unknown models get this advice."""
    assert advise(BadRequestError("no"), "groq", "m", None) is None


@pytest.mark.parametrize(
    ("service", "model", "begins"),
    [
        (
            "groq",
            "llama-3.1-8b-instant",
            "llama-3.1-8b-instant was retired on 2026-08-16 (on free and developer plans); "
            "use openai/gpt-oss-20b.",
        ),
        ("openai", "gpt-4", "gpt-4 was retired on 2026-10-23. Did you mean 'gpt-"),
        (
            "anthropic",
            "claude-3-5-sonnet-20240620",
            "claude-3-5-sonnet-20240620 was retired (in October 2025). Did you mean 'claude-",
        ),
        (
            "anthropic",
            "claude-sonnet-4-0",
            "claude-sonnet-4-0 was retired on 2026-06-15; use claude-",
        ),
        (
            "together",
            "meta-llama/Llama-3-70b-chat-hf",
            "meta-llama/Llama-3-70b-chat-hf was retired (long ago).",
        ),
        ("groq", "gpt-oss-20b", "Did you mean 'openai/gpt-oss-20b'"),
        ("groq", "zzzzzz", END.format("groq")),
        ("vllm", "m", END.format("vllm")),
    ],
)
def test_advice(service: str, model: str, begins: str) -> None:
    """The advice has the deprecation, similar names, and how to list the models."""
    advice = advice_for(service, model)

    assert advice is not None
    assert advice.startswith(begins)
    assert advice.endswith(END.format(service))
    assert "\n" not in advice


def test_listed_models_take_precedence() -> None:
    """Suggestions come from the list of the service, if there is one."""
    listed = ModelList([ModelInfo(id="openai/gpt-oss-20c", provider="groq")])
    model_cache.remember("groq", None, listed, on_disk=False)

    assert (
        advice_for("groq", "gpt-oss-20b")
        == f"Did you mean 'openai/gpt-oss-20c'? {END.format('groq')}"
    )


def test_retired_models_are_not_suggested() -> None:
    """A retired model is not a suggestion."""
    retired = services.retired_models("openai")
    listed = ModelList(ModelInfo(id=name, provider="openai") for name in retired)
    model_cache.remember("openai", None, listed, on_disk=False)

    assert advice_for("openai", "gpt-4oo") == END.format("openai")


def test_models_that_do_not_chat_are_not_suggested() -> None:
    """Who asks a model of speech, and mistypes it, gets no other one of them as advice."""
    assert advice_for("groq", "whisper-large-v4") == END.format("groq")


def test_custom_base_url() -> None:
    """For a custom base URL only its own list is used."""
    model_cache.remember(
        "groq", "http://x/v1", ModelList([ModelInfo(id="abc-1", provider="groq")]), on_disk=False
    )

    assert advice_for("groq", "abc-2", "http://x/v1") == (
        "Did you mean 'abc-1'? list_models() of this provider lists the available models."
    )
    assert advice_for("groq", "llama-3.1-8b-instant", "http://y/v1") == (
        "list_models() of this provider lists the available models."
    )


@pytest.mark.parametrize(
    ("deprecation", "notice"),
    [
        (Deprecation(on=date(2026, 1, 2)), "m was retired on 2026-01-02."),
        (Deprecation(on=date(2026, 1, 4)), "m will be retired on 2026-01-04."),
        (Deprecation(on=date(2026, 1, 3), replacement="n"), "m was retired on 2026-01-03; use n."),
        (Deprecation(note="long ago"), "m was retired (long ago)."),
        (Deprecation(), "m was retired."),
    ],
)
def test_notice_of_a_deprecation(deprecation: Deprecation, notice: str) -> None:
    """The notice depends on whether the date is in the future."""
    assert _deprecation_notice("m", deprecation, date(2026, 1, 3)) == notice


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
        for model, deprecation in services.retired_models(service).items():
            assert deprecation.replacement != model
            assert deprecation.replacement not in services.retired_models(service)
            assert deprecation.on is None or deprecation.on > date(2024, 1, 1)
