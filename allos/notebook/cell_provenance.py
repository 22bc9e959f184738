"""Where a cell's calls come from: notebook, cell, execution count. Set before each cell runs."""

from __future__ import annotations

import os
from typing import Any


def register(shell: Any) -> None:
    """Note the origin before every cell; a call made by it, with or without magics, carries it."""
    shell.events.register("pre_run_cell", note)


def unregister(shell: Any) -> None:
    """Take back what `register` did."""
    if note in shell.events.callbacks["pre_run_cell"]:
        shell.events.unregister("pre_run_cell", note)


def note(info: Any) -> None:
    """Note the origin of the cell that is about to run."""
    from IPython.core.getipython import get_ipython

    from allos import context

    shell = get_ipython()
    if shell is not None:
        context.set_origin(
            notebook=_notebook(shell),
            cell_id=_cell_id(shell),
            execution_count=shell.displayhook.prompt_count,
        )


def _notebook(shell: Any) -> str | None:
    path = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    return os.path.basename(path) if isinstance(path, str) and path else None


def parent_of(shell: Any) -> dict[str, Any]:
    """Message that the kernel is answering; empty without a kernel."""
    kernel = getattr(shell, "kernel", None)
    parent = kernel.get_parent() if kernel is not None else None
    return parent if isinstance(parent, dict) else {}


def _cell_id(shell: Any) -> str | None:
    cell_id = (parent_of(shell).get("metadata") or {}).get("cellId")
    return cell_id if isinstance(cell_id, str) else None
