"""The question whether a tool may run, as buttons in the output of the cell that is running.

A click is a message to a kernel that is busy with the cell. It arrives where the page sends messages of
widgets over a subshell, a second thread of the kernel (run in JupyterLab 4.6.6, ipykernel 7.4). Whether that
works is found out before anything is asked: the page says hello, and the hello must arrive.
"""

from __future__ import annotations

import threading
from functools import cache
from importlib.resources import files
from queue import SimpleQueue
from typing import Any, Literal

from allos.notebook.cell_provenance import parent_of

Answer = Literal["yes", "no", "always"]

HELLO_TIMEOUT_S = 5.0
"""How long a page may take to load the widget."""

_silent_pages: set[str] = set()
"""Pages (sessions of the Jupyter protocol) whose hello did not arrive; nobody waits for them again."""


def open_question(shell: Any) -> Any:
    """Widget whose buttons reach this kernel while its cell runs; None where there is none.

    Parameters
    ----------
    shell : InteractiveShell
        Its cell was run by a person; see `front_end.is_interactive`.
    """
    page = parent_of(shell).get("header") or {}
    if (
        "subshell_id" not in page  # a page that has never heard of subshells
        or str(page.get("session")) in _silent_pages
        or "kernel subshells" not in shell.kernel.kernel_info.get("supported_features", ())
    ):
        return None
    question = _question_class()()
    try:
        if question.hello.wait(HELLO_TIMEOUT_S):
            return question
    except KeyboardInterrupt:
        question.close()
        raise
    question.close()
    _silent_pages.add(str(page.get("session")))
    return None


@cache
def _question_class() -> type[Any]:
    """Return the widget's class; made when first used, since its base classes are slow to import."""
    import anywidget
    import traitlets

    class ToolQuestion(anywidget.AnyWidget):
        """One question; `name` and `arguments` are shown as text."""

        _esm = _source("js")
        _css = _source("css")
        name = traitlets.Unicode().tag(sync=True)
        arguments = traitlets.Unicode().tag(sync=True)

        def __init__(self) -> None:
            self.hello = threading.Event()
            self._answers: SimpleQueue[Answer] = SimpleQueue()
            super().__init__()
            self.on_msg(self._on_message)
            if hasattr(self.comm, "_reply_subshell_for"):
                # ipykernel 7.4 sends a reply to the subshell that made the comm. That one runs the
                # cell which waits for it: keep the subshell that the page chose.
                self.comm._reply_subshell_for = lambda _data, chosen: chosen

        def wait_for_answer(self) -> Answer:
            """Wait for a click. Main thread; an interrupt ends it."""
            return self._answers.get()

        def _on_message(self, _: Any, message: Any, _buffers: Any) -> None:  # a subshell's thread
            match message:
                case {"action": "hello"}:
                    # Not by the cell's own thread: there it is read when the cell is over.
                    self.hello.set()
                case {"action": "answer", "answer": ("yes" | "no" | "always") as answer}:
                    self._answers.put(answer)

        def __repr__(self) -> str:
            return f"ToolQuestion({self.name})"

    return ToolQuestion


def _source(kind: str) -> str:
    from allos.render.tokens import declare

    text = files("allos.notebook").joinpath(f"tool_question.{kind}").read_text("utf-8")
    if kind == "js":
        return text
    return f".allos-question{{{declare(text='var(--allos-ink)')}--allos-ink:var(--jp-ui-font-color1,currentColor)}}{text}"
