"""How many calls a service is sent at once, found by trying: ``docs/explanation/batches.md``.

Additive increase, multiplicative decrease, as in TCP (RFC 5681): the number doubles from round to round
until the service first pushes back, then grows by one a round; a 429 or a timeout halves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter

from allos.errors import ProviderError, ProviderTimeoutError, RateLimitError

START = 16
"""Calls at once before anything is known of a service."""
MOST = 256


class AdaptiveWindow:
    """Most calls that one service is sent at once.

    Changed on the loop thread only, read by any.

    Parameters
    ----------
    start, most : int
        First and highest number of calls.
    clock : callable
        Seconds, as `time.perf_counter`.

    Examples
    --------
    >>> window = AdaptiveWindow(start=4)
    >>> for _ in range(4):
    ...     window.attempt_ended(0.0, None)
    >>> window.size
    8
    >>> window.attempt_ended(1.0, RateLimitError("too many"))
    >>> window.size
    4
    """

    def __init__(
        self, start: int = START, most: int = MOST, clock: Callable[[], float] = perf_counter
    ) -> None:
        self._size = float(start)
        self._most = most
        self._clock = clock
        self._grows_fast = True
        self._halved_at = float("-inf")

    @property
    def size(self) -> int:
        """Calls at once, at least 1."""
        return max(1, int(self._size))

    def attempt_ended(self, sent: float, error: ProviderError | None) -> None:
        """Learn from an attempt that was sent at `sent`. Loop thread."""
        if error is None:
            self._size = min(
                self._most, self._size + (1.0 if self._grows_fast else 1.0 / self._size)
            )
        elif isinstance(error, RateLimitError | ProviderTimeoutError) and sent > self._halved_at:
            # What was sent before the last change says nothing about the number of now.
            self._size = max(1.0, self._size / 2)
            self._grows_fast = False
            self._halved_at = self._clock()


_current: ContextVar[AdaptiveWindow | None] = ContextVar("allos_window", default=None)


def current() -> AdaptiveWindow | None:
    """Window of the running call; None: nobody adapts to its service."""
    return _current.get()


@contextmanager
def using(window: AdaptiveWindow | None) -> Iterator[None]:
    """Let the calls of a block teach a window."""
    token = _current.set(window)
    try:
        yield
    finally:
        _current.reset(token)
