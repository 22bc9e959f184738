"""How often a service is asked whether a batch is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """Waits that grow: most batches are done within an hour, some take a day."""

    first_s: float = 2.0
    longest_s: float = 60.0
    growth: float = 1.5

    def waits(self) -> Iterator[float]:
        """Seconds to wait between two requests, without end."""
        wait_s = self.first_s
        while True:
            yield wait_s
            wait_s = min(self.longest_s, wait_s * self.growth)


# Policy of the process, read when a wait begins.
policy = Polling()


@contextmanager
def using(**changes: Any) -> Iterator[None]:
    """Change the policy in a ``with`` block, for tests."""
    global policy
    before, policy = policy, replace(policy, **changes)
    try:
        yield
    finally:
        policy = before
