"""Runs that outlive their cell: running the cell again stops what it had started."""

from __future__ import annotations

import weakref
from typing import Any

from allos.session import current_session

_started: dict[str, tuple[int | None, list[weakref.ref[Any]]]] = {}
"""By cell id: the execution count, and what that execution has started."""


def register() -> None:
    """Listen for runs that nobody waits for."""
    listeners = current_session().on_run_started
    if _replace not in listeners:
        listeners.append(_replace)


def unregister() -> None:
    """Take back what `register` did."""
    listeners = current_session().on_run_started
    if _replace in listeners:
        listeners.remove(_replace)


def _replace(run: Any) -> None:
    """Stop what an earlier execution of this cell had started, and remember the new run."""
    from allos import context

    here = context.current()
    if here.cell_id is None:
        return
    execution_count, runs = _started.get(here.cell_id, (None, []))
    if execution_count != here.execution_count:
        for reference in runs:
            earlier = reference()
            if earlier is not None:
                earlier.cancel()
        runs = []
    _started[here.cell_id] = (here.execution_count, [*runs, weakref.ref(run)])
