from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.errors import PromptError
from allos.messages import Message, MessageRole, ToolCall, as_messages
from allos.parts import File, Image
from tests.support.pictures import PDF, PNG


def test_roles_are_their_names() -> None:
    """A role equals its name."""
    assert MessageRole.USER == "user"
    assert [str(role) for role in MessageRole] == ["system", "user", "assistant", "tool"]
    assert Message("assistant").role is MessageRole.ASSISTANT  # type: ignore[arg-type]


def test_unknown_role() -> None:
    """An unknown role is refused, and the known ones are named."""
    with pytest.raises(ValueError, match=r"unknown role 'human'.*'user'"):
        Message("human")  # type: ignore[arg-type]


def test_values_are_frozen() -> None:
    """Messages are immutable."""
    for value in (Message(MessageRole.USER, "Hi"), ToolCall("1", "f")):
        for field in dataclasses.fields(value):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(value, field.name, "y")


def test_as_messages() -> None:
    """A string is one user message; the system message is first; any iterable of messages is accepted."""
    hi = Message(MessageRole.USER, "Hi")

    assert as_messages("Hi") == (hi,)
    assert as_messages("Hi", "Be terse") == (Message(MessageRole.SYSTEM, "Be terse"), hi)
    assert as_messages(message for message in [hi]) == (hi,)
    assert as_messages([hi], "") == (hi,)


@pytest.mark.parametrize(
    ("messages", "kind"),
    [([], ValueError), (iter(()), ValueError), ([{}], TypeError), ([3], TypeError)],
)
def test_wrong_messages(messages: Any, kind: type[Exception]) -> None:
    """An empty list raises ValueError, elements of a wrong type TypeError; each is one line of ours as well."""
    with pytest.raises(kind, match=r"message|content must be") as raised:
        as_messages(messages)

    assert isinstance(raised.value, PromptError)


@pytest.mark.parametrize(
    "prompt",
    [None, 3, object(), Exception, b"Hi", {"role": "user", "content": "Hi"}, {"Hi", "there"}],
)
def test_invalid_prompts(prompt: Any) -> None:
    """An invalid prompt is one line; the keys of a mapping are never sent as a prompt."""
    with pytest.raises(
        TypeError, match=r"^a prompt must be a string, a list of strings.*, got \w+$"
    ):
        as_messages(prompt)


def test_tool_calls_are_tool_calls() -> None:
    """An invalid tool call raises when the message is created."""
    with pytest.raises(TypeError, match="tool_calls must contain ToolCall objects, got dict"):
        Message("assistant", tool_calls=[{"id": "1", "name": "f"}])  # type: ignore[list-item]


PICTURE, PAPER = Image(data=PNG), File(data=PDF, name="paper.pdf")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Hi", "Hi"),
        (None, None),
        (["Hi"], "Hi"),
        ([], ""),
        (["One", "two ", "three", "\nfour"], "One\ntwo three\nfour"),
        (PICTURE, (PICTURE,)),
        (["What is it?", PICTURE], ("What is it?", PICTURE)),
        (iter(["", PICTURE, "", PAPER]), (PICTURE, PAPER)),
    ],
)
def test_content(content: Any, expected: Any) -> None:
    """Content is one string, or a tuple of parts if one of them is not a string."""
    assert Message(MessageRole.USER, content).content == expected


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (["Before", PICTURE, "after"], "Before\nafter"),
        (["Before ", PICTURE, "after"], "Before after"),
        ([PICTURE, PAPER], None),
        ("Hi", "Hi"),
        ("", ""),
        (None, None),
    ],
)
def test_text_of_content(content: Any, text: str | None) -> None:
    """The text of a message is its texts alone; None where there is none."""
    assert Message(MessageRole.USER, content).text == text


@pytest.mark.parametrize("content", [3, b"x", {"a": 1}, [3], ["x", Path("a.png")], [["x"]]])
def test_wrong_content(content: Any) -> None:
    """What cannot be content is refused, with the way to send a file."""
    with pytest.raises(TypeError, match=r"Image\(path=\.\.\.\)"):
        Message(MessageRole.USER, content)


@pytest.mark.parametrize("role", ["system", "assistant", "tool"])
def test_pictures_are_the_users(role: Any) -> None:
    """Only a user's message holds images and files."""
    with pytest.raises(ValueError, match=f"only allowed in user messages, got role '{role}'"):
        Message(role, [PICTURE])
    assert Message(role, ["text"]).content == "text"


@pytest.mark.parametrize(
    "prompt", [["Look:", PICTURE], ("Look:", PICTURE), iter(["Look:", PICTURE])]
)
def test_parts_are_one_user_message(prompt: Any) -> None:
    """Texts with images and files are one user message."""
    assert as_messages(prompt) == (Message(MessageRole.USER, ["Look:", PICTURE]),)


def test_prompts_of_one() -> None:
    """One image, one text in a list, one message: each is a prompt; mixed with messages none is."""
    hi = Message(MessageRole.USER, "Hi")

    assert as_messages(PICTURE) == (Message(MessageRole.USER, [PICTURE]),)
    assert as_messages(["Hi"]) == as_messages(hi) == (hi,)
    with pytest.raises(TypeError, match="only contain Message objects, got Image"):
        as_messages([hi, PICTURE])


@given(st.lists(st.text() | st.just(PICTURE)))
def test_texts_go_out_as_they_came(content: list[Any]) -> None:
    """Beside an image every text stays byte for byte, in order."""
    made = Message(MessageRole.USER, [*content, PICTURE]).content

    assert made == tuple(part for part in [*content, PICTURE] if part != "")
