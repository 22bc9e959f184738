from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from allos.providers.catalog.model_list import (
    ModelInfo,
    ModelList,
    close_names,
    context_window_in,
    find,
    loaded_context_window,
    parse_models,
)
from tests.support.dtypes import TEXT

ANTHROPIC = {
    "type": "model",
    "id": "claude-x",
    "display_name": "Claude X",
    "created_at": "2026-02-03T00:00:00Z",
    "lifecycle": "deprecated",
    "deprecated_at": "2026-10-01T12:00:00Z",
    "retires_at": "2027-01-22T00:00:00Z",
    "max_input_tokens": 200000,
    "max_tokens": 64000,
}
RECORDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "anthropic": (
        ANTHROPIC,
        {
            "id": "claude-x",
            "name": "Claude X",
            "context_window": 200000,
            "max_output_tokens": 64000,
            "created_at": datetime(2026, 2, 3, tzinfo=UTC),
            "lifecycle": "deprecated",
            "deprecated_at": datetime(2026, 10, 1, 12, tzinfo=UTC),
            "shutdown_at": datetime(2027, 1, 22, tzinfo=UTC),
        },
    ),
    "anthropic, unknown release": (
        {"id": "claude-x", "created_at": "1970-01-01T00:00:00Z", "lifecycle": "active"},
        {"id": "claude-x", "created_at": None, "lifecycle": "active"},
    ),
    "openai": (
        {
            "id": "gpt-x",
            "object": "model",
            "created": 1767225600,
            "owned_by": "openai",
            "shutdown_date": "2026-10-23",
        },
        {
            "id": "gpt-x",
            "created_at": datetime(2026, 1, 1, tzinfo=UTC),
            "owned_by": "openai",
            "shutdown_at": datetime(2026, 10, 23, tzinfo=UTC),
        },
    ),
    "groq": (
        {
            "id": "openai/gpt-oss-20b",
            "created": 1754407957,
            "owned_by": "OpenAI",
            "active": True,
            "context_window": 131072,
            "max_completion_tokens": 65536,
        },
        {"context_window": 131072, "max_output_tokens": 65536, "lifecycle": "active"},
    ),
    "groq, switched off": ({"id": "m", "active": False}, {"lifecycle": "retired"}),
    "mistral": (
        {
            "id": "mistral-x",
            "created": 1767225600,
            "name": "mistral-x",
            "max_context_length": 131072,
            "deprecation": "2026-11-30T12:00:00Z",
            "deprecation_replacement_model": "mistral-y",
        },
        {
            "name": None,
            "context_window": 131072,
            "lifecycle": "deprecated",
            "deprecated_at": datetime(2026, 11, 30, 12, tzinfo=UTC),
            "replacement": "mistral-y",
        },
    ),
    "together": (
        {
            "id": "meta/llama",
            "object": "model",
            "created": 0,
            "display_name": "Llama",
            "organization": "Meta",
            "context_length": 8192,
        },
        {"name": "Llama", "created_at": None, "owned_by": "Meta", "context_window": 8192},
    ),
    "openrouter": (
        {
            "id": "a/b",
            "name": "A: B",
            "created": 1767225600,
            "top_provider": {"context_length": 4096, "max_completion_tokens": 1024},
            "expiration_date": "2026-12-31",
        },
        {
            "name": "A: B",
            "context_window": 4096,
            "max_output_tokens": 1024,
            "shutdown_at": datetime(2026, 12, 31, tzinfo=UTC),
        },
    ),
    "vllm": ({"id": "m", "max_model_len": 32768, "owned_by": "vllm"}, {"context_window": 32768}),
    "milliseconds": (
        {"id": "m", "created": 1767225600000},
        {"created_at": datetime(2026, 1, 1, tzinfo=UTC)},
    ),
    "nonsense": (
        {"id": "m", "created": "soon", "created_at": True, "context_window": "8", "lifecycle": 3},
        {"created_at": None, "context_window": None, "lifecycle": None},
    ),
    "beyond any time": ({"id": "m", "created": 1e300}, {"created_at": None}),
}


@pytest.mark.parametrize("name", RECORDS)
def test_records(name: str) -> None:
    """Each service's own record gives the same fields; what it does not tell is None."""
    record, expected = RECORDS[name]
    (model,) = parse_models([record], "service")

    assert {field: getattr(model, field) for field in expected} == expected
    assert model.provider == "service"
    assert model.raw is record


@pytest.mark.parametrize("rows", [None, 3, "x", {}, [], [None, 1, [], {}, {"id": 7}, {"id": " "}]])
def test_no_records(rows: Any) -> None:
    """Elements that are not records of a model are skipped."""
    assert parse_models(rows, "service") == []


@pytest.mark.parametrize(
    ("record", "window"),
    [
        ({"context_window": 8}, 8),
        ({"context_length": 8}, 8),
        ({"max_model_len": 8}, 8),
        ({"max_input_tokens": 8}, 8),
        ({"context_window": None, "max_context_length": 8}, 8),
        ({"context_window": "8"}, None),
        ({"context_window": True}, None),
        ({"context_window": 0}, None),
        ({"top_provider": {"context_length": 9}, "context_length": 8}, 8),
        ({"top_provider": None}, None),
        ({}, None),
    ],
)
def test_window_in_a_record(record: dict[str, Any], window: int | None) -> None:
    """A service's own word for the window is found under any of its names."""
    assert context_window_in(record) == window


@pytest.mark.parametrize(
    ("answer", "window"),
    [
        ({"default_generation_settings": {"n_ctx": 4096}}, 4096),
        ({"model_info": {"general.name": "x", "qwen2.context_length": 32768}}, 32768),
        ({"parameters": "stop x\nnum_ctx    8192", "model_info": {"a.context_length": 9}}, 8192),
        ({"parameters": None, "model_info": None}, None),
        ({"default_generation_settings": {"n_ctx": 0}}, None),
        ({"default_generation_settings": 3}, None),
        ({}, None),
    ],
)
def test_loaded_window(answer: dict[str, Any], window: int | None) -> None:
    """The window that a local server has loaded, in llama.cpp's and in Ollama's words."""
    assert loaded_context_window(answer) == window


def test_frame() -> None:
    """One row per model, in the service's order, with dtypes that do not depend on the values."""
    models = parse_models([ANTHROPIC, {"id": "b"}], "anthropic")
    full, empty = models.frame, ModelList().frame

    assert full["model"].tolist() == ["claude-x", "b"]
    assert full["context_window"].tolist()[0] == 200000
    assert full["context_window"].isna().tolist() == [False, True]
    assert str(full["created_at"][0]) == "2026-02-03 00:00:00+00:00"
    assert full.dtypes.astype(str).to_dict() == empty.dtypes.astype(str).to_dict()
    assert full.dtypes.astype(str).to_dict() == {
        **dict.fromkeys(
            ["provider", "model", "name", "lifecycle", "replacement", "owned_by"], TEXT
        ),
        **dict.fromkeys(["context_window", "max_output_tokens"], "Int64"),
        "chats": "boolean",
        **dict.fromkeys(["created_at", "deprecated_at", "shutdown_at"], "datetime64[us, UTC]"),
    }
    assert len(empty) == 0


def test_repr_is_short() -> None:
    """A list of hundreds shows a line, not a page; the raw records never show."""
    models = parse_models([{"id": f"m{n}", "secret": "raw"} for n in range(300)], "s")

    assert repr(models) == "ModelList(300 models: m0, m1, m2, m3, m4, ...)"
    assert repr(ModelList()) == "ModelList([])"
    assert "raw" not in repr(models[0])


def test_find() -> None:
    """A model is found by its name or without its path; the only one there is counts as it."""
    models = parse_models([{"id": "models/a"}, {"id": "b"}], "s")

    assert find(models, "a") == models[0]
    assert find(models, "b") == models[1]
    assert find(models, "c") is None
    assert find(models[:1], "whatever") == models[0]
    assert find([], "a") is None


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("gpt-oss-20b", ["openai/gpt-oss-20b", "openai/gpt-oss-120b"]),
        ("openai/gpt-oss-20B", ["openai/gpt-oss-20b", "openai/gpt-oss-120b"]),
        ("llama-3.3-70b-versatil", ["llama-3.3-70b-versatile"]),
        ("qwen3-32b", ["qwen/qwen3-32b"]),
        ("zzz", []),
        ("", []),
    ],
)
def test_near(wanted: str, expected: list[str]) -> None:
    """The same name behind another path comes first, then similar spellings; never what was typed."""
    names = [
        "openai/gpt-oss-120b",
        "openai/gpt-oss-20b",
        "qwen/qwen3-32b",
        "llama-3.3-70b-versatile",
    ]

    assert close_names(wanted, names) == expected
    assert "qwen/qwen3-32b" not in close_names("qwen/qwen3-32b", names)


def test_model_info_is_a_value() -> None:
    """Two records with the same facts are equal."""
    assert ModelInfo(id="m", provider="p") == ModelInfo(id="m", provider="p")
