"""Comparisons under way: stopping all of them, and what happens to them when the process ends."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Sequence
from typing import Protocol

from allos import _process
from allos.runs.cell import Cell
from allos.session import Session, current_session


class ActiveRun(Protocol):
    """A run that nobody waits for."""

    @property
    def cells(self) -> Sequence[Cell]:
        """Its calls."""

    def cancel(self) -> None:
        """Stop all that is not done."""


_EXIT_S = 2.0
"""How long exit waits for a cancelled call."""

_sessions: weakref.WeakSet[Session] = weakref.WeakSet()
"""Resource of the process: sessions in which a comparison was started, for the end of the process."""


def add(session: Session, comparison: ActiveRun) -> None:
    """Note that a comparison is under way."""
    session.active_runs.add(comparison)
    _sessions.add(session)


def stop_all() -> int:
    """Stop every comparison under way; returns how many there were."""
    running = list(current_session().active_runs)
    for comparison in running:
        comparison.cancel()
    return len(running)


def _cancel_at_exit() -> None:
    """Stop what still runs, and say so: nobody can wait for it any more."""
    running = [comparison for session in _sessions for comparison in list(session.active_runs)]
    left = [cell for comparison in running for cell in comparison.cells if not cell.done]
    for comparison in running:
        comparison.cancel()
    for cell in left:
        cell.wait(_EXIT_S)
    if left:
        sys.stderr.write(
            f"allos: {len(left)} answers of a comparison had not come and were cancelled.\n"
        )


_process.on_exit(_process.ExitStage.RUNS, _cancel_at_exit)
