from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from allos.hashing import digests, request_hash
from allos.messages import Message, MessageRole, ToolCall
from allos.parts import File, Image
from allos.profiles import ServiceProfile
from allos.request import Request
from tests.support.pictures import JPEG, PDF, PNG

BASE = Request(
    provider="p",
    endpoint="p",
    api="chat",
    base_url="http://127.0.0.1:1/v1",
    model="m",
    messages=(Message("user", "Grüße"),),  # type: ignore[arg-type]
    params={"temperature": 0, "max_tokens": 5},
    extra={"x": {"b": 1, "a": 2}},
)


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "http://127.0.0.1:2/v1"},
        {"stream": True},
        {"timeout_s": 1.0},
        {"deadline_s": 1.0},
        {"max_attempts": 1},
        {"profile": ServiceProfile(store=False)},
        {"request_hash": "x"},
        {"refresh": True},
        {"params": {"temperature": 0.0, "max_tokens": 5.0}},
        {"params": {"max_tokens": 5, "temperature": 0}},
        {"extra": {"x": {"a": 2, "b": 1}}},
    ],
)
def test_what_does_not_count(changes: dict[str, Any]) -> None:
    """Ports, limits, streaming and the order of fields do not change the hash."""
    assert request_hash(replace(BASE, **changes)) == request_hash(BASE)


CALL = ToolCall("1", "f", {"a": 1})


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "q"},
        {"api": "responses"},
        {"model": "n"},
        {"params": {"temperature": 0}},
        {"params": {"temperature": 0.5, "max_tokens": 5}},
        {"extra": {}},
        {"messages": (Message("user", "grüße"),)},  # type: ignore[arg-type]
        {"messages": (Message("system", "Grüße"),)},  # type: ignore[arg-type]
        {"messages": (*BASE.messages, Message("assistant", tool_calls=[CALL]))},  # type: ignore[arg-type]
        {"messages": (Message("tool", "Grüße", tool_call_id="1"),)},  # type: ignore[arg-type]
    ],
)
def test_what_counts(changes: dict[str, Any]) -> None:
    """Endpoint, API, model, parameters, messages and extras decide."""
    assert request_hash(replace(BASE, **changes)) != request_hash(BASE)


def test_samples() -> None:
    """Each repeat has its own hash."""
    assert len({request_hash(BASE, sample) for sample in range(5)}) == 5
    assert request_hash(BASE) == request_hash(BASE, 0)


@pytest.mark.process
def test_same_everywhere() -> None:
    """The hash is the same in another process, whatever its hash seed: recorded answers count on it."""
    code = (
        "from allos.hashing import request_hash\n"
        "from allos.messages import Message\nfrom allos.request import Request\n"
        "print(request_hash(Request(provider='p', endpoint='p', api='chat', "
        "base_url='http://127.0.0.1:1/v1', model='m', messages=(Message('user', 'Gr\\u00fc\\u00dfe'),),"
        "params={'temperature': 0, 'max_tokens': 5}, extra={'x': {'b': 1, 'a': 2}})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.strip() == request_hash(BASE)
    assert request_hash(BASE) == GOLDEN


GOLDEN = "417c3baeba736950e1957e609b0f46a6ea05b5ee2bb5b8ab1c5da69b173f7089"
"""Changes only together with `allos.hashing.VERSION`: recorded answers are found by it."""


def _asked(*content: Any) -> str:
    return request_hash(replace(BASE, messages=(Message("user", content),)))  # type: ignore[arg-type]


def test_parts_count_by_their_content(tmp_path: Path) -> None:
    """Equal images hash equally, whatever their path; different ones differently."""
    path = tmp_path / "a.png"
    path.write_bytes(PNG)

    assert _asked("Grüße") == request_hash(BASE), "a list of one text is that text"
    assert _asked("See", Image(data=PNG)) == _asked("See", Image(path=path))
    contents: list[tuple[Any, ...]] = [
        ("See",),
        ("See", Image(data=PNG)),
        (Image(data=PNG), "See"),
        ("See", Image(data=JPEG)),
        ("See", Image(data=PNG, detail="low")),
        ("See", Image(url="https://x.org/a.png")),
        ("See", File(data=PDF)),
        ("See", File(data=PDF, name="other.pdf")),
    ]
    assert len({_asked(*content) for content in contents}) == len(contents)


def test_digests_name_the_part_that_differs() -> None:
    """Each part has a hash of its own; what a request does not have is not there."""
    two = (*BASE.messages, Message("assistant", "Ja"))  # type: ignore[arg-type]
    parts = digests(replace(BASE, messages=two, tool_choice="auto"))

    assert [role for role, _ in parts["messages"]] == ["user", "assistant"]
    assert parts["messages"][0] == digests(BASE)["messages"][0]
    assert parts["tool_choice"] == "auto"
    assert (
        parts["extra"] == digests(BASE)["extra"] != digests(replace(BASE, extra={"x": 1}))["extra"]
    )
    assert {"tools", "schema"}.isdisjoint(parts)


@pytest.mark.parametrize("line_break", ["\r\n", "\r"])
def test_line_breaks_do_not_count(line_break: str) -> None:
    """A prompt from another system's editor is the same request, in text and in parts."""

    def hashes(text: str) -> tuple[str, Any]:
        turns = (
            Message(MessageRole.SYSTEM, text),
            Message(MessageRole.USER, (text, Image(data=PNG), text)),
        )
        request = replace(BASE, messages=turns)
        return request_hash(request), digests(request)

    assert hashes("one\ntwo\n".replace("\n", line_break)) == hashes("one\ntwo\n")


def test_hash_of_before() -> None:
    """Answers that were recorded with an earlier version are found."""
    assert request_hash(BASE).startswith("417c3baeba736950")
