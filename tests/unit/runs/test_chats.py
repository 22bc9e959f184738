from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import allos
from allos import context
from allos.errors import ConfigurationError, ProviderError
from allos.runs import chats
from tests.support.fake_server import Call, FakeServer, Fault, Reply


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    with FakeServer(Reply("Hello")) as started:
        monkeypatch.setenv("GROQ_BASE_URL", started.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", started.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-of-the-test")
        yield started


def sent(server: FakeServer, at: int = -1) -> list[tuple[str, str]]:
    return [(m["role"], m["content"]) for m in server.requests[at].body["messages"]]


def test_what_was_said_goes_along(server: FakeServer) -> None:
    """Each question carries the turns before it and the instructions; any model may join."""
    trip = allos.chat("trip")
    first = trip.ask("One", model="groq/m", system="Be terse")
    second = trip.ask("Two", model="groq/other")
    trip.ask("Three", model="anthropic/claude-haiku-4-5")

    assert sent(server, 1) == [
        ("system", "Be terse"),
        ("user", "One"),
        ("assistant", "Hello"),
        ("user", "Two"),
    ]
    assert server.requests[2].body["system"] == "Be terse"
    assert len(server.requests[2].body["messages"]) == 5
    assert first.context.conversation_id == second.context.conversation_id == trip.id
    assert second.context.parent_id == first.id
    assert allos.chat("trip") is trip


def test_questions_without_a_chat_know_of_none(server: FakeServer) -> None:
    """Conversations are off unless they are asked for."""
    allos.chat("trip").ask("One", model="groq/m")
    allos.ask("Alone", model="groq/m")

    assert sent(server) == [("user", "Alone")]


def test_a_failed_turn_changes_nothing(server: FakeServer) -> None:
    """After an error the conversation is what it was, and can go on."""
    trip = allos.chat("trip")
    trip.ask("One", model="groq/m")
    server.script(Fault.status(400))
    with pytest.raises(ProviderError):
        trip.ask("Two", model="groq/m")
    trip.ask("Three", model="groq/m")

    assert sent(server) == [("user", "One"), ("assistant", "Hello"), ("user", "Three")]


def test_tools_belong_to_the_turn(server: FakeServer) -> None:
    """Calls of tools and their results go along with the next question."""

    def add(a: int, b: int) -> int:
        """Sum."""
        return a + b

    trip = allos.chat("trip")
    server.script(Reply(tool_calls=[Call("add", {"a": 1, "b": 2})]), Reply("Three"))
    trip.ask("1 + 2?", model="groq/m", tools=[add], approve="always")
    trip.ask("Sure?", model="groq/m")
    roles = [m["role"] for m in server.requests[-1].body["messages"]]

    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert len(trip.turns) == 1 + 1


def test_a_cell_that_runs_again_goes_back(server: FakeServer) -> None:
    """A cell's second run starts where its first did; what came after is forgotten."""
    trip = allos.chat("trip")
    for execution_count, (cell_id, prompt) in enumerate(
        [("a", "One"), ("b", "Two"), ("c", "Three"), ("b", "Two again")]
    ):
        with context.using(cell_id=cell_id, execution_count=execution_count):
            trip.ask(prompt, model="groq/m")

    assert [text for role, text in sent(server) if role == "user"] == ["One", "Two again"]
    assert len(trip.turns) == 2


def test_a_failed_rerun_changes_nothing(server: FakeServer) -> None:
    """A cell that fails when it runs again leaves all turns as they were."""
    trip = allos.chat("trip")
    for execution_count, (cell_id, prompt) in enumerate([("a", "One"), ("b", "Two")]):
        with context.using(cell_id=cell_id, execution_count=execution_count):
            trip.ask(prompt, model="groq/m")
    server.script(Fault.status(400))
    with context.using(cell_id="a", execution_count=7), pytest.raises(ProviderError):
        trip.ask("One", model="groq/m")

    assert sent(server) == [("user", "One")]
    assert len(trip.turns) == 2


def test_a_loop_inside_one_cell_goes_on(server: FakeServer) -> None:
    """Several questions of one run of a cell are several turns."""
    trip = allos.chat("trip")
    with context.using(cell_id="a", execution_count=1):
        for prompt in ("One", "Two"):
            trip.ask(prompt, model="groq/m")

    assert len(trip.turns) == 2


def test_branch_and_reset(server: FakeServer) -> None:
    """A branch starts with what was said and goes its own way; a reset forgets."""
    trip = allos.chat("trip")
    trip.ask("One", model="groq/m")
    other = trip.branch("other")
    other.ask("Two", model="groq/m")
    before = trip.id
    trip.reset()

    assert len(other.turns) == 2
    assert other.id != before
    assert trip.turns == []
    assert trip.id != before
    with pytest.raises(ConfigurationError, match="already"):
        other.branch("trip")
    with pytest.raises(ConfigurationError, match="Did you mean 'other'"):
        chats.find("othr")


def test_note_and_frames(server: FakeServer) -> None:
    """What goes along is told in turns and tokens; conversations and turns are frames."""
    trip = allos.chat("trip")
    empty = allos.chats()
    nothing = trip.note()
    asyncio.run(trip.aask("One", model="groq/m"))
    one = trip.note()
    server.script(Reply("Hello", usage=None))
    trip.ask("Two", model="groq/m")

    assert nothing == ""
    assert one == "trip: +1 earlier turn, 19 tokens"
    assert trip.note() == "trip: +2 earlier turns, about 4 tokens"
    assert allos.chats().loc["trip", ["turns", "models"]].to_list() == [2, "groq/m"]
    assert (allos.chats().dtypes == empty.dtypes).all()
    assert trip.frame["content"].to_list() == ["Hello", "Hello"]
    assert str(trip).startswith("user: One\n\nassistant: Hello")


@pytest.mark.parametrize("name", ["", " ", 5, None])
def test_a_conversation_needs_a_name(name: Any) -> None:
    """A name is a non-empty string."""
    with pytest.raises(
        ConfigurationError, match="name of a conversation must be a non-empty string"
    ):
        allos.chat(name)
