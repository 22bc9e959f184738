from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allos.providers.catalog import model_cache, model_limits
from allos.providers.catalog.model_list import ModelInfo, ModelList

TOLD = ModelList(ModelInfo(id=name, provider="groq", context_window=8) for name in ("one", "two"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model_cache.forget()
    yield tmp_path
    model_cache.forget()


def put(value: Any) -> None:
    path = model_cache.cache_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def test_nothing_is_known_at_first() -> None:
    """None for a service that was never listed, not an empty list; shipped names are the fallback."""
    assert model_cache.cached_models("groq") is None
    assert set(model_cache.known_models("groq")) < set(model_limits.names("groq"))
    assert model_cache.known_models("vllm") == []


def test_aliases_are_one_service() -> None:
    """A list is found under each of the service's names; an unknown service has none."""
    model_cache.remember("ollama", None, TOLD, on_disk=False)

    assert model_cache.cached_models("ollama_compat") == ["one", "two"]
    assert model_cache.cached_models("no-such-service") is None
    assert model_cache.known_models("no-such-service") == []


def test_models_that_do_not_chat_are_left_out() -> None:
    """By the service's word, else by their names; also in the next kernel, and of the shipped data."""
    told = ModelList(
        ModelInfo(id=name, provider="groq", chats=told)
        for name, told in (("m", None), ("tts-1", None), ("odd", False), ("flash-image", True))
    )
    model_cache.remember("groq", None, told, on_disk=True)
    for _ in range(2):
        assert model_cache.known_models("groq") == ["m", "flash-image"]
        assert model_cache.cached_models("groq") == ["m", "tts-1", "odd", "flash-image"]
        model_cache.forget()

    assert "text-embedding-3-small" not in model_cache.known_models("openai")


def test_a_file_without_what_services_say() -> None:
    """An older file has names alone."""
    put({"groq": {"at": time.time(), "models": ["m", "whisper-large-v3"]}})

    assert model_cache.known_models("groq") == ["m"]


def test_services_share_the_file() -> None:
    """Each service's names replace its own alone."""
    model_cache.remember("groq", None, TOLD, on_disk=True)
    model_cache.remember("openai", None, ModelList(TOLD[:1]), on_disk=True)
    model_cache.remember("groq", None, ModelList(TOLD[1:]), on_disk=True)
    model_cache.forget()

    assert model_cache.cached_models("groq") == ["two"]
    assert model_cache.cached_models("openai") == ["one"]


@pytest.mark.parametrize(
    "content",
    ["", "no json", "[]", '{"groq": 3}', '{"groq": {"at": "x", "models": ["a"]}}', '{"groq": {}}'],
)
def test_broken_file(content: str) -> None:
    """A file that cannot be understood is as good as none, and is written anew."""
    put(content)

    assert model_cache.cached_models("groq") is None
    model_cache.remember("groq", None, TOLD, on_disk=True)
    model_cache.forget()
    assert model_cache.cached_models("groq") == ["one", "two"]


@pytest.mark.parametrize(("days", "known"), [(0, True), (89, True), (91, False)])
def test_old_names_are_not_offered(days: int, known: bool) -> None:
    """Names older than a quarter say little."""
    put({"groq": {"at": time.time() - days * 86400, "models": ["a"]}})

    assert (model_cache.cached_models("groq") == ["a"]) is known


def test_folder_that_cannot_be_written(folder: Path) -> None:
    """Where nothing can be written, the names are known in this process all the same."""
    (folder / "allos").write_text("a file where the folder belongs")
    model_cache.remember("groq", None, TOLD, on_disk=True)

    assert model_cache.cached_models("groq") == ["one", "two"]


def test_windows() -> None:
    """A window requested by model takes precedence over the one in the list."""
    assert model_cache.reported_context_window("groq", None, "one") is None
    model_cache.remember("groq", None, TOLD, on_disk=False)
    assert model_cache.reported_context_window("groq", None, "one") == 8
    assert model_cache.reported_context_window("groq", "http://other/v1", "one") is None
    model_cache.remember_context_window("groq", None, "one", 99)
    assert model_cache.reported_context_window("groq", None, "one") == 99
