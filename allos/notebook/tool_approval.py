"""Asks the user whether a tool may run."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from allos.messages import ToolCall

_SHOWN_CHARS = 2_000


def ask_person(call: ToolCall) -> bool | None:
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
    from allos.notebook.front_end import can_ask

    shell = get_ipython()
    if shell is None or not can_ask(shell):
        return None
    if threading.current_thread() is not threading.main_thread():
        raise ConfigurationError(
            f"The model wants to run {call.name!r}, and nobody can be asked on this thread. "
            "Pass approve='always' or a function, or trust the tool: allos.tool(f, trusted=True)."
        )
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
    from allos.render.plain import clean_text

    arguments = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False, default=str)}"
        for name, value in call.arguments.items()
    )
    if len(arguments) > _SHOWN_CHARS:
        left = len(arguments) - _SHOWN_CHARS
        arguments = f"{arguments[:_SHOWN_CHARS]}… ({left} more characters)"
    shown = " ".join(clean_text(f"{call.name}({arguments})").split("\n"))
    return f"The model wants to run {shown}. Run it? [y/N] "
