"""When the finished blocks of streaming answers are rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, thread_time

MAX_WAIT_S = 0.4
_SHARE = 1 / 100
"""Of the time, what rendering may take as long as no block waits longer than `MAX_WAIT_S`."""


class RenderPace:
    """Lets finished blocks gather where many answers stream at once: then each costs less.

    A single answer is rendered block by block. Of eight that stream fast a few blocks are rendered at a
    time: one by one, each would find the processor's caches filled with something else.

    Parameters
    ----------
    max_wait_s : float
        How long a finished block may wait; 0: never.
    clock, cpu : callable
        Time and CPU time, in seconds.

    Examples
    --------
    >>> with RenderPace().turn() as is_due:
    ...     is_due
    True
    """

    def __init__(
        self,
        max_wait_s: float = MAX_WAIT_S,
        *,
        clock: Callable[[], float] = monotonic,
        cpu: Callable[[], float] = thread_time,
    ) -> None:
        self._max_wait_s = max_wait_s
        self._clock = clock
        self._cpu = cpu
        self._due = clock()

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Whether to render now; the more it takes the later the next time."""
        if self._clock() < self._due:
            yield False
            return
        began_s = self._cpu()
        yield True
        spent_s = self._cpu() - began_s
        self._due = self._clock() + min(spent_s / _SHARE, self._max_wait_s)
