"""Whether and when to try again: one policy for every API.

Waits grow from half a second and are spread by chance; a server's own hint counts, up to a bound.
Source of the shape: "exponential backoff and full jitter",
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from allos.errors import ProviderError


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long to wait between attempts."""

    base_s: float = 0.5
    """First wait, before it is spread."""
    max_wait_s: float = 8.0
    """Longest wait of our own choosing."""
    max_hint_s: float = 60.0
    """Longest wait that a server may ask for; above it the call fails at once and says so."""
    chance: Callable[[], float] = random.random
    """Uniform in [0, 1)."""

    def wait_s(self, error: ProviderError, attempt: int, max_attempts: int) -> float | None:
        """Seconds to wait before the next attempt; None when there is none.

        Parameters
        ----------
        error : ProviderError
            What ended the attempt.
        attempt : int
            The attempt that failed, from 1.
        max_attempts : int
            Attempts in all.
        """
        if not error.retryable or attempt >= max_attempts:
            return None
        longest = min(self.base_s * 2.0 ** (attempt - 1), self.max_wait_s)
        own = longest * (0.5 + 0.5 * self.chance())
        hint = error.retry_after_s
        if hint is None:
            return own
        if hint > self.max_hint_s:
            return None
        # A hint that has proved too short (0 above all) is no reason to knock without a pause.
        return hint if attempt == 1 else max(hint, own)


policy = Policy()


@contextmanager
def using(**changes: float) -> Iterator[None]:
    """Run a block under a changed policy (tests wait no real time with ``base_s=0``)."""
    global policy
    before = policy
    policy = replace(policy, **changes)  # type: ignore[arg-type]  # the caller names float fields
    try:
        yield
    finally:
        policy = before
