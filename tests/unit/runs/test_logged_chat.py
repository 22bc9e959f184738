"""Conversations that go on after a restart: a later session reads the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import allos
from allos import context
from allos.log.stored_messages import messages_of
from allos.messages import ToolCall
from allos.runs import chats
from allos.session import Session
from allos.testing import Answer, register, unregister
from tests.support.pictures import PNG


@pytest.fixture
def requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Requests to the models ``mock/...``, which say hello; the log is a file of the test's own."""
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    yield register("mock", lambda _: Answer("Hello")).requests
    unregister("mock")


def ask(name: str, *prompts: Any, **more: Any) -> None:
    """Ask within a conversation, in a session of its own that then ends."""
    with Session().active() as session:
        for prompt in prompts:
            allos.chat(name).ask(prompt, model="mock/m", **more)
        session.log.close()


def texts(request: Any) -> list[str | None]:
    return [message.text for message in request.messages]


def test_a_conversation_goes_on_after_a_restart(requests: list[Any]) -> None:
    """All turns are sent with the next question, the instructions too; the rows are linked."""
    ask("trip", "One", "Two", system="Be terse")
    ask("trip", "Three")
    with Session().active() as session:
        trip = allos.chat("trip")
        frame = allos.responses(conversation="trip")
        session.log.close()

    assert texts(requests[2]) == ["Be terse", "One", "Hello", "Two", "Hello", "Three"]
    assert len(trip.turns) == 3
    assert frame["conversation_id"].nunique() == 1
    assert frame["parent_id"].tolist()[1:] == frame["id"].tolist()[:-1]
    assert trip.frame["prompt"].tolist() == ["One", "Two", "Three"]


def test_opening_a_conversation_sends_nothing_and_says_where_it_is_from(
    requests: list[Any],
) -> None:
    """The note names the log once; nothing is sent before the next question."""
    ask("trip", "One")
    with Session().active() as session:
        trip = allos.chat("trip")
        first, second = trip.note(), trip.note()
        session.log.close()

    assert len(requests) == 1
    assert "trip: +1 earlier turn, " in first
    assert "continued from the log (20" in first
    assert "continued" not in second


def test_the_newest_run_goes_on(requests: list[Any]) -> None:
    """A conversation that was reset and begun anew is the one that goes on."""
    with Session().active() as session:
        trip = allos.chat("trip")
        trip.ask("Old", model="mock/m")
        trip.reset()
        trip.ask("New", model="mock/m")
        session.log.close()
    ask("trip", "Next")

    assert texts(requests[-1]) == ["New", "Hello", "Next"]


def test_a_branch_keeps_the_turns_of_its_origin(requests: list[Any]) -> None:
    """The first turns of a branch are rows of another conversation."""
    with Session().active() as session:
        allos.chat("trip").ask("One", model="mock/m")
        allos.chat("trip").branch("other").ask("Two", model="mock/m")
        session.log.close()
    ask("other", "Three")

    assert texts(requests[-1]) == ["One", "Hello", "Two", "Hello", "Three"]


def test_another_name_or_notebook_begins_anew(requests: list[Any]) -> None:
    """A conversation belongs to its name and notebook."""
    ask("trip", "One")
    ask("journey", "Two")
    with context.using(notebook="other.ipynb"):
        ask("trip", "Three")
    with context.using(notebook="other.ipynb"):
        ask("trip", "Four")

    assert [texts(request)[-1] for request in requests] == ["One", "Two", "Three", "Four"]
    assert [len(request.messages) for request in requests] == [1, 1, 1, 3]


def test_a_cell_that_runs_again_after_a_restart_repeats_its_request(requests: list[Any]) -> None:
    """Restart and Run All sends what the first run sent."""
    for _ in range(2):
        for number, cell in enumerate("ab", 1):
            with context.using(cell_id=cell, execution_count=number):
                ask("trip", f"Question {cell}")

    assert texts(requests[2]) == texts(requests[0])
    assert texts(requests[3]) == texts(requests[1])


def test_a_replayed_notebook_begins_anew(requests: list[Any], tmp_path: Path) -> None:
    """With a replay file the same requests are sent every time."""
    ask("trip", "One")
    with Session().active() as session:
        allos.replay(tmp_path / "a.jsonl")
        turns = allos.chat("trip").turns
        session.close_replay()

    assert turns == []


def test_without_a_log_file_none_is_made(requests: list[Any], tmp_path: Path) -> None:
    """A conversation that nobody asked anything leaves no file behind."""
    with Session().active():
        allos.chat("trip")

    assert list(tmp_path.iterdir()) == []


def test_failed_and_tool_steps_are_no_turns(requests: list[Any]) -> None:
    """A tool run is one turn with its steps inside."""
    unregister("mock")
    answers = iter(
        [Answer("", tool_calls=(ToolCall("1", "add", {"a": 1}),)), Answer("It is 2"), Answer("Yes")]
    )
    requests = register("mock", lambda _: next(answers)).requests

    def add(a: int) -> int:
        """Add one."""
        return a + 1

    ask("sum", "What is 1 + 1?", tools=[add], approve="always")
    ask("sum", "Sure?")

    assert [message.role.value for message in requests[-1].messages] == [
        *("user", "assistant", "tool", "assistant", "user"),
    ]
    assert requests[-1].messages[1].tool_calls[0].arguments == {"a": 1}


def test_an_image_that_is_not_in_the_log_is_said(requests: list[Any]) -> None:
    """Its bytes are not logged: a line stands in its place, and the note counts it."""
    ask("picture", ["What is it?", allos.Image(data=PNG)])
    with Session().active() as session:
        chat = allos.chat("picture")
        note = chat.note()
        session.log.close()

    assert "1 attachment not in it" in note
    assert chat.messages[0].text == "What is it?\n(image, no longer attached)"


def test_a_url_of_an_image_is_kept() -> None:
    """What the log has of an image is enough where it is its URL."""
    url = "https://example.org/cat.jpg"
    text = f'[{{"role":"user","content":[{{"type":"image","url":"{url}"}}]}}]'
    (message,), lost = messages_of(text)

    assert message.content[0].url == url  # type: ignore[index,union-attr]
    assert lost == 0


def test_a_look_lists_no_conversation(requests: list[Any]) -> None:
    """A dry run sees the turns of the log and begins no conversation."""
    ask("trip", "One")
    with Session().active() as session:
        turns = chats.peek("trip").turns
        listed = chats.names()
        session.log.close()

    assert len(turns) == 1
    assert listed == []
