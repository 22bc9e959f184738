"""Asking a person whether a tool may run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from allos.messages import ToolCall
from allos.notebook.tool_approval import QuestionOutput, question, shown_arguments
from allos.render.style import LIVE_STYLE
from tests.support.hostile import HOSTILE, judge

STYLES = frozenset({LIVE_STYLE.removeprefix("<style>").removesuffix("</style>")})
CALL = ToolCall("1", "delete", {"path": "<b>a.txt", "deep": {"n": [1]}})


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


@pytest.mark.parametrize(
    "separator", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"], ids=ascii
)
def test_no_value_looks_like_one_more_argument(separator: str) -> None:
    """Whatever ends a line somewhere, in a value or in a name: an argument stays one line."""
    hostile = f"a.txt{separator}force = false"
    lines = shown_arguments(ToolCall("1", "f", {"path": hostile, hostile: 1})).splitlines()

    assert [line.count(" = ") for line in lines] == [2, 2]
    assert json.loads(lines[0].removeprefix("path = ")) == hostile
    assert len(question(ToolCall("1", "f", {"path": hostile})).splitlines()) == 1


@pytest.mark.parametrize(
    "hidden",
    [
        "\x1b[8m",
        "\x9b8m",
        "\x90/etc\x9c",
        "\x9d/etc\x07",
        "\x7f",
        "\u200b",
        "\u202e",
        "\ufeff",
        "\xa0",
        "\U000e0041",
        "\xad",
        "�",
    ],
    ids=ascii,
)
def test_nothing_is_hidden_that_the_tool_gets(hidden: str) -> None:
    """Escapes, controls and invisible characters are spelled out, nested ones and names as well."""
    call = ToolCall("1", "f", {"path": f"/tmp{hidden}/a", "deep": {f"k{hidden}": [hidden]}})
    shown = shown_arguments(call)
    path, deep = shown.split("\n")

    assert shown.replace("\n", "").isprintable()
    assert question(call).isprintable()
    assert json.loads(path.removeprefix("path = ")) == call.arguments["path"]
    assert json.loads(deep.removeprefix("deep = ")) == call.arguments["deep"]


def test_hostile_texts_stay_text() -> None:
    """Of the whole corpus nothing becomes markup: not in the question, not in its record."""
    for name, text in HOSTILE:
        shown: list[dict[str, Any]] = []
        widget = Widget("no")
        QuestionOutput(shown.append).ask(widget, ToolCall("1", text[:60], {text[:200]: text}))
        asked, record = shown

        assert set(asked) == {"application/vnd.jupyter.widget-view+json", "text/plain"}, name
        assert asked["text/plain"].isprintable(), name
        assert widget.arguments.isprintable(), name
        assert judge(record["text/html"], styles=STYLES)[0] == [], name
        assert record["text/plain"].isprintable(), name


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
