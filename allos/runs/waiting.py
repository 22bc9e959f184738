"""Waiting for calls that have no board: who listens hears how far they are, and a terminal shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Protocol

from allos.runs.active_runs import ActiveRun

FIRST_S = 1.0
"""What takes less than that is not worth a word."""
TICK_S = 0.25


class _Call(Protocol):
    def wait(self, timeout_s: float | None = None) -> bool: ...


def wait_for(
    run: ActiveRun, calls: Iterable[_Call], listeners: Iterable[Callable[[Any], None]]
) -> None:
    """Wait until each of the calls has ended.

    Parameters
    ----------
    run : ActiveRun
    calls : iterable
        Of the run.
    listeners : iterable of callable
        Called with the run, on this thread: after a second, whenever calls have ended since, and at the end.
    """
    listeners = list(listeners)
    begin = monotonic()
    reported = -1
    with _bar(run) as bar:
        for call in calls:
            is_over = False
            while not is_over:
                is_over = call.wait(TICK_S)
                if run.answered != reported and monotonic() - begin >= FIRST_S:
                    reported = run.answered
                    bar.update(reported - bar.n)
                    for each in listeners:
                        each(run)


def _bar(run: ActiveRun) -> Any:
    from tqdm.std import tqdm

    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    total = run.answered + run.unanswered
    return tqdm(total=total, desc=run.question, unit="call", leave=False, disable=not is_terminal)
