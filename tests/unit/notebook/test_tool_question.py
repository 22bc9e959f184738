"""Whether the buttons of a tool question would reach the kernel."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from allos.notebook import tool_question

PAGE = {"session": "page-1", "subshell_id": None}
FEATURES = ["debugger", "kernel subshells"]


def shell_of(header: dict[str, Any], features: list[str]) -> Any:
    kernel = SimpleNamespace(
        kernel_info={"supported_features": features}, get_parent=lambda: {"header": header}
    )
    return SimpleNamespace(kernel=kernel)


@pytest.mark.parametrize(
    ("header", "features"),
    [
        ({"session": "page-1"}, FEATURES),  # a page that does not know subshells
        (PAGE, ["debugger"]),  # a kernel without them
        (PAGE, []),
        ({}, FEATURES),
    ],
)
def test_without_subshells_no_widget_is_made(
    header: dict[str, Any], features: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is decided at once, and nothing is shown."""
    monkeypatch.setattr(tool_question, "_question_class", lambda: pytest.fail("a widget was made"))

    assert tool_question.open_question(shell_of(header, features)) is None


def test_a_silent_page_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page whose hello does not arrive is asked in words, from then on without waiting."""
    made = []
    monkeypatch.setattr(tool_question, "HELLO_TIMEOUT_S", 0)
    monkeypatch.setattr(tool_question, "_silent_pages", set())
    kind = tool_question._question_class()
    monkeypatch.setattr(tool_question, "_question_class", lambda: lambda: made.append(1) or kind())

    assert tool_question.open_question(shell_of(PAGE, FEATURES)) is None
    assert tool_question.open_question(shell_of(PAGE, FEATURES)) is None
    assert made == [1]


def test_answers_come_from_buttons_alone() -> None:
    """A message that is no answer of a button is left alone."""
    question = tool_question._question_class()()
    for message in ("yes", {"action": "answer", "answer": "sure"}, {"action": "hello"}):
        question._on_message(question, message, [])
    question._on_message(question, {"action": "answer", "answer": "always"}, [])

    assert question.hello.is_set()
    assert question.wait_for_answer() == "always"
