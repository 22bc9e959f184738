"""Sets the origin of a cell's calls (notebook, cell, execution count) before each cell runs."""

from __future__ import annotations

import os
from typing import Any


def register(shell: Any) -> None:
    """Set the origin before every cell, for all calls of the cell, with and without magics."""
    shell.events.register("pre_run_cell", set_origin)


def unregister(shell: Any) -> None:
    """Remove what `register` added."""
    if set_origin in shell.events.callbacks["pre_run_cell"]:
        shell.events.unregister("pre_run_cell", set_origin)


def set_origin(info: Any) -> None:
    """Set the origin to the cell that is about to run."""
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
    """The request that the kernel is handling; empty without a kernel."""
    kernel = getattr(shell, "kernel", None)
    parent = kernel.get_parent() if kernel is not None else None
    return parent if isinstance(parent, dict) else {}


def _cell_id(shell: Any) -> str | None:
    cell_id = (parent_of(shell).get("metadata") or {}).get("cellId")
    return cell_id if isinstance(cell_id, str) else None
