"""Asks the user whether a tool may run: with buttons where they work, else in words."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

from allos.render.plain import clean_text, quiet_html, shorten

if TYPE_CHECKING:
    from allos.messages import ToolCall
    from allos.notebook.tool_question import Answer

_SHOWN_CHARS = 2_000
_SHOWN_IN_BUTTONS_CHARS = 20_000
_RECORDED_CHARS = 160

Show = Callable[[dict[str, Any]], None]
"""Shows a MIME bundle, in place of what it has shown before."""

_RECORDS = {
    "yes": "Allowed",
    "no": "Not allowed",
    "always": "Allowed, and not asked about again in this session",
    None: "Not answered",
}


class QuestionOutput:
    """Where a cell shows its questions: the open one, or how those before it were answered.

    Parameters
    ----------
    show : callable
    """

    def __init__(self, show: Show) -> None:
        self._show = show
        self._records: list[str] = []

    def ask(self, widget: Any, call: ToolCall) -> Answer:
        """Show a call with its buttons, wait for a click, and record it."""
        answer: Answer | None = None
        try:
            widget.name = clean_text(visible(call.name))
            widget.arguments = shown_arguments(call)
            view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
            self._show(
                {"application/vnd.jupyter.widget-view+json": view, "text/plain": question(call)}
            )
            answer = widget.wait_for_answer()
            return answer
        finally:
            widget.close()
            what = shorten(call_in_words(call), _RECORDED_CHARS)
            self._records.append(f"{_RECORDS[answer]}: {what}")
            self._show(
                {"text/html": quiet_html(self._records), "text/plain": "\n".join(self._records)}
            )


_output: ContextVar[QuestionOutput | None] = ContextVar("question_output", default=None)


@contextmanager
def shown_by(show: Show) -> Iterator[None]:
    """Show the questions of a ``with`` block in one output."""
    token = _output.set(QuestionOutput(show))
    try:
        yield
    finally:
        _output.reset(token)


def _own_output(shell: Any) -> QuestionOutput:
    """Return a new output of the cell."""
    transient = {"display_id": uuid.uuid4().hex}
    shown: list[bool] = []

    def show(data: dict[str, Any]) -> None:
        shell.display_pub.publish(data, transient=transient, update=bool(shown))
        shown.append(True)

    return QuestionOutput(show)


def ask_person(call: ToolCall) -> bool | Literal["always"] | None:
    """Show a call and wait for yes or no; None where nobody can answer (a script, a headless run).

    Parameters
    ----------
    call : ToolCall
        What the model wants to run; control characters in it are not shown.

    Raises
    ------
    ConfigurationError
        The user cannot be asked on this thread.
    """
    from IPython.core.getipython import get_ipython

    from allos.errors import ConfigurationError
    from allos.notebook.front_end import can_ask, is_live
    from allos.notebook.tool_question import open_question

    shell = get_ipython()
    if shell is None or not can_ask(shell):
        return None
    if threading.current_thread() is not threading.main_thread():
        raise ConfigurationError(
            f"The model wants to run {call.name!r}, and nobody can be asked on this thread. "
            "Pass approve='always' or a function, or trust the tool: allos.tool(f, trusted=True)."
        )
    if is_live(shell) and (widget := open_question(shell)) is not None:
        answer = (_output.get() or _own_output(shell)).ask(widget, call)
        return "always" if answer == "always" else answer == "yes"
    while True:
        reply = input(question(call)).strip().lower()
        if reply in ("y", "yes"):
            return True
        if reply in ("", "n", "no"):
            return False


def question(call: ToolCall) -> str:
    r"""Return the question to ask before a call runs.

    Examples
    --------
    >>> from allos.messages import ToolCall
    >>> question(ToolCall("1", "delete", {"path": "a.txt"}))
    'The model wants to run delete(path="a.txt"). Run it? [y/N] '
    """
    return f"The model wants to run {call_in_words(call)}. Run it? [y/N] "


def call_in_words(call: ToolCall) -> str:
    """Return a call as one line of safe text."""
    arguments = ", ".join(f"{name}={value}" for name, value in _literals(call))
    return clean_text(f"{visible(call.name)}({_shorten(arguments, _SHOWN_CHARS)})")


def shown_arguments(call: ToolCall) -> str:
    """Return the arguments of a call as safe text, one a line."""
    lines = (f"{name} = {value}" for name, value in _literals(call))
    return clean_text(_shorten("\n".join(lines), _SHOWN_IN_BUTTONS_CHARS))


def _literals(call: ToolCall) -> list[tuple[str, str]]:
    """Names and values of a call's arguments, such that what is seen is what the tool gets."""
    return [
        (name if name.isidentifier() else _json(name), _json(value))
        for name, value in call.arguments.items()
    ]


def _json(value: Any) -> str:
    return visible(json.dumps(value, ensure_ascii=False, default=str))


def visible(text: str) -> str:
    r"""Text with its invisible characters escaped: line ends, controls, spaces but the plain one.

    A line end must not make a line that looks like one more argument, and nothing may be hidden from
    the person that the tool gets.

    Examples
    --------
    >>> print(visible("a\u2028b\x1b[8m"))
    a\u2028b\u001b[8m
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def _shorten(text: str, length: int) -> str:
    return (
        text if len(text) <= length else f"{text[:length]}… ({len(text) - length} more characters)"
    )
