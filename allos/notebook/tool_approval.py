"""Whether a tool may run: asked of the person in front of the cell, where there is one."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from allos.messages import ToolCall

_SHOWN_CHARS = 2_000


def ask_person(call: ToolCall) -> bool | None:
    """Show a call and wait for yes or no; None where nobody can answer.

    Parameters
    ----------
    call : ToolCall
        What the model wants to run; its words are shown without anything that a screen would obey.

    Raises
    ------
    ConfigurationError
        Somebody is there, but cannot be asked on this thread.
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
        said = input(question(call)).strip().lower()
        if said in ("y", "yes"):
            return True
        if said in ("", "n", "no"):
            return False


def question(call: ToolCall) -> str:
    r"""Return what to ask before a call runs.

    Examples
    --------
    >>> from allos.messages import ToolCall
    >>> question(ToolCall("1", "delete", {"path": "a.txt"}))
    'The model wants to run delete(path="a.txt"). Run it? [y/N] '
    """
    from allos.render.plain import clean_text

    given = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False, default=str)}"
        for name, value in call.arguments.items()
    )
    if len(given) > _SHOWN_CHARS:
        left = len(given) - _SHOWN_CHARS
        given = f"{given[:_SHOWN_CHARS]}… ({left} more characters)"
    shown = " ".join(clean_text(f"{call.name}({given})").split("\n"))
    return f"The model wants to run {shown}. Run it? [y/N] "
