"""Pauses of the writer thread, so that calls of other threads do not wait for it.

A thread that runs Python code keeps the interpreter's lock (GIL) for up to 5 ms, and a call on a warm
connection takes less than one. Even a thread that gives the lock up for a moment mostly has it again
before another one has woken up; only one that sleeps lets the others in.
"""

from __future__ import annotations

import time

WORK_S = 0.0002
"""Longest stretch of work between two pauses."""
_PAUSE_S = 0.00002
"""As short as the system's timers allow: 0.07 ms on Linux."""


KEPT_UP_ITEMS = 100
"""With more items than this waiting, the stretches grow with their number: a busy loop thread lets another
one in every 5 ms, and 0.2 ms of them would be too few to keep up with it."""


class Pacer:
    """Pauses a thread's work now and then.

    Parameters
    ----------
    waiting : int
        Items that wait for the thread.
    """

    def __init__(self, waiting: int = 0) -> None:
        self._work_s = WORK_S * max(1.0, waiting / KEPT_UP_ITEMS)
        self._since = time.perf_counter()

    def pause_if_due(self) -> None:
        """Let other threads run when this one has worked for 0.2 ms, or longer where much waits."""
        if time.perf_counter() - self._since > self._work_s:
            time.sleep(_PAUSE_S)
            self._since = time.perf_counter()
