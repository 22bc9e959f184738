"""Retries: one policy for all APIs.

Waits grow exponentially from 0.5 s, with jitter; a server's Retry-After takes precedence, up to a limit.
Source: "exponential backoff and full jitter",
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
    """Waits between attempts."""

    base_s: float = 0.5
    """First wait, before jitter."""
    max_wait_s: float = 8.0
    """Longest wait without a Retry-After."""
    max_hint_s: float = 60.0
    """Longest accepted Retry-After; above it the call fails at once."""
    chance: Callable[[], float] = random.SystemRandom().random
    """Uniform in [0, 1). Without a state: a seed that the user set stays theirs, and forked processes
    do not wait in step."""

    def wait_s(self, error: ProviderError, attempt: int, max_attempts: int) -> float | None:
        """Seconds to wait before the next attempt; None: no further attempt.

        Parameters
        ----------
        error : ProviderError
            Error of the attempt.
        attempt : int
            Number of the failed attempt, from 1.
        max_attempts : int
            Total number of attempts.
        """
        if not error.retryable or attempt >= max_attempts:
            return None
        longest = min(self.base_s * 2.0 ** (attempt - 1), self.max_wait_s)
        backoff = longest * (0.5 + 0.5 * self.chance())
        hint = error.retry_after_s
        if hint is None:
            return backoff
        if hint > self.max_hint_s:
            return None
        # A hint that was too short once (0 above all) is not used without backoff again.
        return hint if attempt == 1 else max(hint, backoff)


policy = Policy()
"""Process-wide configuration; replaced only by `using`."""


@contextmanager
def using(**changes: float) -> Iterator[None]:
    """Change the policy of the process in a block: tests set ``base_s=0`` to not wait."""
    global policy
    before = policy
    policy = replace(policy, **changes)  # type: ignore[arg-type]  # the caller names float fields
    try:
        yield
    finally:
        policy = before
