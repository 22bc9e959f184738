from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from allos.providers.catalog import model_limits, services

ROOT = Path(__file__).parents[4]
FILE = ROOT / "allos" / "providers" / "catalog" / "model_facts.json"


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize(
    ("service", "model", "window", "output"),
    [
        ("anthropic", "claude-haiku-4-5", 200_000, 64_000),
        ("anthropic", "claude-haiku-4-5-20251001", 200_000, 64_000),
        ("anthropic", "claude-3-opus-20240229", 200_000, 4096),
        ("openai", "gpt-4o-2024-08-06", 128_000, 16_384),
        ("groq", "openai/gpt-oss-20b", 131_072, 65_536),
        ("gemini", "models/gemini-2.5-flash", 1_048_576, 65_536),
        ("openrouter", "openai/gpt-4o:online", 128_000, 16_384),
        ("openai", "never-heard-of", None, None),
        ("never-heard-of", "gpt-4o", None, None),
    ],
)
def test_shipped(service: str, model: str, window: int | None, output: int | None) -> None:
    """A model is found with its path, tag or date; what is not there is unknown."""
    found = model_limits.shipped(service, model)

    assert (found.context_window, found.max_output_tokens) == (window, output)


def test_names() -> None:
    """The models of a service, sorted; none of a service that the facts do not know."""
    assert model_limits.names("anthropic") == sorted(model_limits.names("anthropic"))
    assert "claude-haiku-4-5" in model_limits.names("anthropic")
    assert model_limits.names("never-heard-of") == []


def test_file_is_small_dated_and_sorted(table: dict[str, Any]) -> None:
    """The file says where it is from and of when, and its lines are in an order that can be read."""
    known = set(services.load())
    lines = FILE.read_text(encoding="utf-8").splitlines()

    assert FILE.stat().st_size < 100_000
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", model_limits.as_of())
    assert "models.dev" in table["source"]
    assert "MIT" in table["license"]
    assert set(table["services"]) <= known
    assert list(table["services"]) == sorted(table["services"])
    assert max(map(len, lines)) < 120
    for models in table["services"].values():
        assert list(models) == sorted(models)


def test_every_number_makes_sense(table: dict[str, Any]) -> None:
    """Windows and limits are whole numbers above 0, or null; never both null."""
    for models in table["services"].values():
        for window, output in models.values():
            assert window is not None or output is not None
            assert all(
                value is None or (isinstance(value, int) and value > 0)
                for value in (window, output)
            )


def test_license_travels_along() -> None:
    """The notice that the data's licence requires is next to it."""
    text = FILE.with_name("model_facts.license.txt").read_text(encoding="utf-8")

    assert "Permission is hereby granted, free of charge" in text
    assert "Copyright (c) 2025 spin.dev" in text


def test_builder() -> None:
    """The script keeps models that write text, and one line for each."""
    script = runpy.run_path(str(ROOT / "docs" / "model_facts.py"))
    text_out = {"modalities": {"output": ["text"]}, "last_updated": "2026-02-03"}
    empty: dict[str, Any] = {
        id_: {"models": {}} for ids in script["SERVICES"].values() for id_ in ids
    }
    found = {
        "b": {**text_out, "limit": {"context": 10, "output": 5}},
        "a": {**text_out, "limit": {"context": 10, "output": 0}},
        "picture": {"modalities": {"output": ["image"]}, "limit": {"context": 10}},
        "blank": {**text_out, "limit": {"context": 0}},
    }
    made, newest = script["table"]({**empty, "groq": {"models": found}})
    text = script["text"]({"groq": made["groq"]}, newest, "1.0")

    assert made["groq"] == {"a": [10, None], "b": [10, 5]}
    assert newest == "2026-02-03"
    assert json.loads(text)["services"] == {"groq": made["groq"]}
    assert '\n   "a": [10, null],\n   "b": [10, 5]\n' in text
