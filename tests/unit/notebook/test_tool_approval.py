"""Asking a person whether a tool may run."""

from __future__ import annotations

from typing import Any

import pytest

from allos.messages import ToolCall
from allos.notebook.tool_approval import QuestionOutput, shown_arguments

CALL = ToolCall("1", "delete", {"path": "<b>a.txt\npath = ok\x1b[2J\u202e", "deep": {"n": [1]}})


class Widget:
    """A question whose person answers at once."""

    model_id = "m"

    def __init__(self, answer: Any) -> None:
        self.answer, self.closed = answer, False
        self.name = self.arguments = ""

    def wait_for_answer(self) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.closed = True


def test_arguments_are_one_a_line_and_inert() -> None:
    """A line end in a value makes no line of its own; escapes and reordering characters are gone."""
    lines = shown_arguments(CALL).split("\n")

    assert len(lines) == 2
    assert lines[1] == 'deep = {"n": [1]}'
    assert "\x1b" not in lines[0]
    assert "\u202e" not in lines[0]


def test_long_arguments_say_how_much_is_missing() -> None:
    """What the person does not see is counted."""
    shown = shown_arguments(ToolCall("1", "f", {"text": "x" * 50_000}))

    assert len(shown) < 21_000
    assert shown.endswith("(30009 more characters)")


def test_questions_are_replaced_by_their_answers() -> None:
    """The open question, then one line for each answered one; HTML holds no markup of the model."""
    shown: list[dict[str, Any]] = []
    output = QuestionOutput(shown.append)
    for answer in ("yes", "no", "always"):
        widget = Widget(answer)
        assert output.ask(widget, CALL) == answer
        assert widget.closed
        assert widget.name == "delete"

    assert "application/vnd.jupyter.widget-view+json" in shown[-2]
    lines = shown[-1]["text/plain"].split("\n")
    assert [line.split(":")[0] for line in lines] == [
        "Allowed",
        "Not allowed",
        "Allowed, and not asked about again in this session",
    ]
    assert "<b>" not in shown[-1]["text/html"]


def test_an_interrupt_takes_the_buttons_away() -> None:
    """The question is gone and recorded as not answered."""
    shown: list[dict[str, Any]] = []
    widget = Widget(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        QuestionOutput(shown.append).ask(widget, CALL)

    assert widget.closed
    assert shown[-1]["text/plain"].startswith("Not answered: delete(")
