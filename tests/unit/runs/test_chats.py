from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import allos
from allos import context
from allos.errors import BadRequestError, ConfigurationError, ProviderError
from allos.messages import ToolCall
from allos.request import Request
from allos.runs import chats
from allos.testing import Answer, register, unregister
from allos.testing.script import Entry
from allos.usage import Usage

HELLO = Answer("Hello", usage=Usage(input_tokens=9, output_tokens=10, source="provider"))


class Mock:
    """The models ``mock/...``: they say hello, unless something else comes next."""

    def __init__(self) -> None:
        self.next: list[Entry] = []
        self.requests = register("mock", self._reply).requests

    def _reply(self, request: Request) -> Entry:
        return self.next.pop(0) if self.next else HELLO

    def sent(self, at: int = -1) -> list[tuple[str, str | None]]:
        """Role and text of each message of a request."""
        return [(message.role.value, message.text) for message in self.requests[at].messages]


@pytest.fixture
def mock() -> Iterator[Mock]:
    yield Mock()
    unregister("mock")


def test_earlier_turns_are_sent(mock: Mock) -> None:
    """Each question carries the turns before it and the instructions; any model may join."""
    trip = allos.chat("trip")
    first = trip.ask("One", model="mock/m", system="Be terse")
    second = trip.ask("Two", model="mock/other")
    trip.ask("Three", model="mock/third")

    assert mock.sent(1) == [
        ("system", "Be terse"),
        ("user", "One"),
        ("assistant", "Hello"),
        ("user", "Two"),
    ]
    assert mock.requests[2].system == "Be terse"
    assert len(mock.sent(2)) == 6
    assert first.context.conversation_id == second.context.conversation_id == trip.id
    assert second.context.parent_id == first.id
    assert allos.chat("trip") is trip


def test_questions_without_a_chat_know_of_none(mock: Mock) -> None:
    """Calls without a conversation are independent."""
    allos.chat("trip").ask("One", model="mock/m")
    allos.ask("Alone", model="mock/m")

    assert mock.sent() == [("user", "Alone")]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_failed_first_turn_leaves_no_conversation(mock: Mock, is_async: bool) -> None:
    """A conversation that never had a turn is not listed; who holds it goes on with the same one."""
    trip = allos.chat("trip")
    mock.next = [BadRequestError]
    with pytest.raises(ProviderError):
        asyncio.run(trip.aask("One", model="mock/m")) if is_async else trip.ask(
            "One", model="mock/m"
        )

    assert "trip" not in chats.names()
    assert "trip" not in allos.chats().index
    with pytest.raises(ConfigurationError, match="Unknown conversation"):
        chats.find("trip")
    assert allos.chat("trip") is trip
    trip.ask("One", model="mock/m")
    assert chats.find("trip") is trip


def test_a_failed_turn_changes_nothing(mock: Mock) -> None:
    """After an error the conversation is what it was, and can go on."""
    trip = allos.chat("trip")
    trip.ask("One", model="mock/m")
    mock.next = [BadRequestError]
    with pytest.raises(ProviderError):
        trip.ask("Two", model="mock/m")
    trip.ask("Three", model="mock/m")

    assert mock.sent() == [("user", "One"), ("assistant", "Hello"), ("user", "Three")]


def test_tools_belong_to_the_turn(mock: Mock) -> None:
    """Calls of tools and their results go along with the next question."""

    def add(a: int, b: int) -> int:
        """Sum."""
        return a + b

    trip = allos.chat("trip")
    mock.next = [Answer(tool_calls=[ToolCall("1", "add", {"a": 1, "b": 2})]), "Three"]
    trip.ask("1 + 2?", model="mock/m", tools=[add], approve="always")
    trip.ask("Sure?", model="mock/m")
    roles = [role for role, _ in mock.sent()]

    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert len(trip.turns) == 1 + 1


def test_a_cell_that_runs_again_goes_back(mock: Mock) -> None:
    """A cell's second run starts where its first did; what came after is forgotten."""
    trip = allos.chat("trip")
    for execution_count, (cell_id, prompt) in enumerate(
        [("a", "One"), ("b", "Two"), ("c", "Three"), ("b", "Two again")]
    ):
        with context.using(cell_id=cell_id, execution_count=execution_count):
            trip.ask(prompt, model="mock/m")

    assert [text for role, text in mock.sent() if role == "user"] == ["One", "Two again"]
    assert len(trip.turns) == 2


def test_a_failed_rerun_changes_nothing(mock: Mock) -> None:
    """A cell that fails when it runs again leaves all turns as they were."""
    trip = allos.chat("trip")
    for execution_count, (cell_id, prompt) in enumerate([("a", "One"), ("b", "Two")]):
        with context.using(cell_id=cell_id, execution_count=execution_count):
            trip.ask(prompt, model="mock/m")
    mock.next = [BadRequestError]
    with context.using(cell_id="a", execution_count=7), pytest.raises(ProviderError):
        trip.ask("One", model="mock/m")

    assert mock.sent() == [("user", "One")]
    assert len(trip.turns) == 2


def test_a_loop_inside_one_cell_goes_on(mock: Mock) -> None:
    """Several questions of one run of a cell are several turns."""
    trip = allos.chat("trip")
    with context.using(cell_id="a", execution_count=1):
        for prompt in ("One", "Two"):
            trip.ask(prompt, model="mock/m")

    assert len(trip.turns) == 2


def test_branch_and_reset(mock: Mock) -> None:
    """A branch starts with the turns so far; a reset removes them."""
    trip = allos.chat("trip")
    trip.ask("One", model="mock/m")
    other = trip.branch("other")
    other.ask("Two", model="mock/m")
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


def test_note_and_frames(mock: Mock) -> None:
    """The note has turns and tokens; conversations and turns are frames."""
    trip = allos.chat("trip")
    empty = allos.chats()
    nothing = trip.note()
    asyncio.run(trip.aask("One", model="mock/m"))
    one = trip.note()
    mock.next = ["Hello"]
    trip.ask("Two", model="mock/m")

    assert nothing == ""
    assert one == "trip: +1 earlier turn, 19 tokens"
    assert trip.note() == "trip: +2 earlier turns, about 4 tokens"
    assert allos.chats().loc["trip", ["turns", "models"]].to_list() == [2, "mock/m"]
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
