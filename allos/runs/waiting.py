"""Waiting for calls that have no board: how far they are is told to who listens, or shown in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Protocol

FIRST_S = 1.0
"""What takes less than that is not worth a word."""
TICK_S = 0.25


class Waited(Protocol):
    """Calls that somebody waits for."""

    @property
    def question(self) -> str:
        """What is asked, in a few words."""

    @property
    def answered(self) -> int:
        """Calls that have ended."""

    @property
    def unanswered(self) -> int:
        """Calls that have not."""


class _Call(Protocol):
    def wait(self, timeout_s: float | None = None) -> bool: ...


def wait_for(
    run: Waited, calls: Iterable[_Call], listeners: Iterable[Callable[[Any], None]]
) -> None:
    """Wait until each of the calls has ended.

    Parameters
    ----------
    run : Waited
    calls : iterable
        Of the run.
    listeners : iterable of callable
        Called with the run, on this thread: after a second, whenever calls have ended since, and at the end.
    """
    listeners = list(listeners)
    begin = monotonic()
    told = -1
    with _bar(run) as bar:
        for call in calls:
            is_over = False
            while not is_over:
                is_over = call.wait(TICK_S)
                if run.answered != told and monotonic() - begin >= FIRST_S:
                    told = run.answered
                    bar.update(told - bar.n)
                    for each in listeners:
                        each(run)


def _bar(run: Waited) -> Any:
    from tqdm.std import tqdm

    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    total = run.answered + run.unanswered
    return tqdm(total=total, desc=run.question, unit="call", leave=False, disable=not is_terminal)
