"""``%allos chats``: list, show, reset and branch conversations."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from IPython.core.getipython import get_ipython

from allos.errors import ConfigurationError
from allos.notebook.word_breaks import break_at_words
from allos.runs import chats

if TYPE_CHECKING:
    import pandas as pd


def run(args: tuple[str, ...]) -> pd.DataFrame | str | None:
    """List the conversations, or show, reset or branch one.

    Raises
    ------
    ConfigurationError
        Words that are none of these, or a conversation that does not exist.
    """
    match args:
        case ():
            return chats.chats()
        case ("show", name):
            known = chats.find(name)
            break_at_words(get_ipython())
            sys.stdout.write(f"{known}\n")
            return None
        case ("reset", name):
            chats.find(name).reset()
            return f"The conversation {name!r} was reset; its rows stay in the log."
        case ("branch", name, new):
            count = len(chats.find(name).branch(new).turns)
            return f"{new!r} starts with the {count} turn{'' if count == 1 else 's'} of {name!r}."
    raise ConfigurationError(
        "%allos chats takes no arguments, or show NAME, reset NAME or branch NAME NEW."
    )
