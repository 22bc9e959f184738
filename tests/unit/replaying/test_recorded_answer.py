"""A line of the replay file from a response, and the answer back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from allos.messages import Message, ToolCall
from allos.parts import File, Image
from allos.replaying.recorded_answer import answer_of, line_of, summary
from allos.request import Request, ToolSpec
from allos.response import ProviderResponse
from tests.support.pictures import PDF, PNG

REQUEST = Request(
    provider="groq",
    endpoint="groq",
    api="chat",
    base_url="https://gateway.of-my-company.example/v1",
    model="m",
    messages=(Message("system", "Be terse"), Message("user", "Hi")),  # type: ignore[arg-type]
    params={"temperature": 0.5},
    extra={"api_key": "sk-in-the-body"},
    request_hash="ab" * 32,
)
RESPONSE = ProviderResponse(
    "Grüße \u2028 \ud83d",
    tool_calls=[ToolCall("1", "f", {"a": 1}), ToolCall("2", "g", {}, "{oops", "no JSON")],
    metadata={
        "provider": "groq",
        "base_url": "https://gateway.of-my-company.example/v1",
        "api": "chat",
        "model": "m",
        "response_model": "m-2",
        "temperature": 0.5,
        "params": {"extra": {"api_key": "sk-in-the-body"}},
        "stream": True,
        "status": "ok",
        "latency_s": 0.1 + 0.2,
        "usage": {"total": 3},
    },
    reasoning="Hm",
    raw=({"type": "reasoning", "encrypted_content": "xyz"},),
    request=REQUEST,
)


def test_round_trip() -> None:
    """Words, tool calls, parts for the next turn and the facts of the call come back unchanged."""
    text = line_of(RESPONSE, 2)
    values = json.loads(text)
    answer = answer_of(values)

    assert "\n" not in text
    assert (values["v"], values["hash"], values["n"]) == (1, "ab" * 32, 2)
    assert (answer.content, answer.reasoning, answer.refusal) == (RESPONSE.content, "Hm", None)
    assert answer.tool_calls == RESPONSE.tool_calls
    assert answer.raw == RESPONSE.raw
    assert answer.replayed
    assert answer.metadata == {
        "response_model": "m-2",
        "stream": True,
        "status": "ok",
        "latency_s": 0.1 + 0.2,
        "usage": {"total": 3},
    }


def test_nothing_of_this_computer() -> None:
    """No address, no extra body field, no folder of a model file."""
    path = "/home/me/models/Qwen3.gguf"
    response = replace(
        RESPONSE,
        request=replace(REQUEST, model=path),
        metadata={**RESPONSE.metadata, "model": path, "response_model": path},
    )
    text = line_of(response, 0)

    assert "of-my-company" not in text
    assert "sk-in-the-body" not in text
    assert "/home/me" not in text
    assert json.loads(text)["request"]["model"] == "Qwen3.gguf"
    assert json.loads(text)["facts"]["response_model"] == "Qwen3.gguf"


@pytest.mark.parametrize("name", ["meta-llama/Llama-3-70b", "@cf/x/y", "a:b", "gpt-5-mini"])
def test_names_of_services_stay(name: str) -> None:
    """A slash does not make a model's name a path."""
    assert summary(replace(REQUEST, model=name))["model"] == name


def test_pictures_and_files_stand_by_their_hash() -> None:
    """Bytes are never recorded, whatever the prompt holds; the text of the prompt is."""
    content: Any = ["See", Image(data=PNG), File(data=PDF, name="paper.pdf")]
    request = replace(REQUEST, messages=(Message("user", content),))  # type: ignore[arg-type]
    shown = summary(request)

    assert shown["prompt"] == "See"
    assert len(json.dumps(shown)) < 300


def test_long_prompts_are_cut() -> None:
    """A line tells how a prompt begins; the whole conversation is not repeated in it."""
    turns = [Message("user", "word " * 1000), Message("assistant", "yes " * 1000)] * 20  # type: ignore[arg-type]
    shown = summary(replace(REQUEST, messages=tuple(turns)))

    assert shown["prompt"] == ("word " * 40) + "…"
    assert len(shown["messages"]) == 40
    assert len(json.dumps(shown)) < 3000


def test_tools_and_schema_have_hashes_of_their_own() -> None:
    """What may differ between two requests has its own hash."""
    with_tools = replace(REQUEST, tools=(ToolSpec(name="f"),), tool_choice="auto")

    assert {"tools", "tool_choice"} <= set(summary(with_tools))
    assert "tools" not in summary(REQUEST)
