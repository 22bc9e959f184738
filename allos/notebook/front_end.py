"""Who sees the output of a cell: a live front end, a person who can answer, or nobody."""

from __future__ import annotations

import os
import sys
from typing import Any

from allos.notebook.cell_provenance import parent_of


def is_live(shell: Any) -> bool:
    """Whether partial output is displayed: the shell has a kernel's publisher that is not captured."""
    zmqshell = sys.modules.get("ipykernel.zmqshell")
    return zmqshell is not None and isinstance(shell.display_pub, zmqshell.ZMQDisplayPublisher)


def is_interactive(shell: Any) -> bool:
    """Whether a person runs the cell: its execute request has `allow_stdin`."""
    content = parent_of(shell).get("content") or {}
    return is_live(shell) and bool(content.get("allow_stdin"))


def is_headless(shell: Any) -> bool:
    """Whether a program runs the notebook: nbclient, nbconvert, papermill."""
    return is_live(shell) and not is_interactive(shell)


def can_ask(shell: Any) -> bool:
    """Whether `input` reaches a person, in a notebook or in IPython's terminal."""
    terminal = sys.modules.get("IPython.terminal.interactiveshell")
    if terminal is not None and isinstance(shell, terminal.TerminalInteractiveShell):
        return sys.stdin is not None and sys.stdin.isatty()
    return is_interactive(shell)


def is_colab() -> bool:
    """Whether the kernel runs in Google Colab."""
    return "COLAB_RELEASE_TAG" in os.environ
