"""What a batch has done so far, counted by column: answers, errors by kind, tokens, cost, speed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

from allos.response import ProviderResponse


@dataclass(slots=True)
class ColumnCounts:
    """Counts of one model with one set of parameters."""

    name: str
    calls: int
    """Of the whole batch."""
    kept: int = 0
    """Answered by an earlier run of the batch."""
    ok: int = 0
    """Answered by this run."""
    cancelled: int = 0
    not_sent: int = 0
    """Left out, since their service takes no more."""
    spared: int = 0
    """Left out, since what was to be known is known."""
    errors: Counter[str] = field(default_factory=Counter)
    """Failed calls by the class of their error."""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cost_usd: float = 0.0
    """Of the calls of this run whose cost is known."""
    unknown_cost: int = 0
    """Calls of this run whose cost is unknown."""
    replayed: int = 0
    """Calls of this run whose answer was recorded before."""
    since: float | None = None
    """`time.monotonic` of the first start."""
    until: float | None = None
    """Of the last end."""

    @property
    def failed(self) -> int:
        """Calls with an error."""
        return self.errors.total()

    @property
    def ended(self) -> int:
        """Calls of this run that have ended, whatever came of them."""
        return self.ok + self.failed + self.cancelled

    @property
    def left(self) -> int:
        """Calls that are still to be made."""
        return self.calls - self.kept - self.ended - self.not_sent - self.spared

    def start(self) -> None:
        """Note that a call is started."""
        self.since = self.since or monotonic()

    def add(self, response: ProviderResponse) -> None:
        """Count a response."""
        self.until = monotonic()
        if response.ok:
            self.ok += 1
        elif response.status == "cancelled":
            self.cancelled += 1
        else:
            self.errors[type(response.error).__name__ if response.error else "error"] += 1
        self.replayed += response.replayed
        for step in response.steps or (response,):
            self._add_usage(step)

    def _add_usage(self, response: ProviderResponse) -> None:
        facts = response.metadata
        self.input_tokens += facts.get("input_tokens") or 0
        self.output_tokens += facts.get("output_tokens") or 0
        self.cache_read_tokens += facts.get("cache_read_tokens") or 0
        cost = response.cost_usd
        if cost is not None:
            self.cost_usd += cost
        elif facts.get("attempts") and (response.ok or (facts.get("http_status") or 0) < 400):
            self.unknown_cost += 1  # services do not bill what they reject

    @property
    def elapsed_s(self) -> float | None:
        """Seconds from the first start to the last end, or to now while calls are left."""
        if self.since is None:
            return None
        end = monotonic() if self.left or self.until is None else self.until
        return max(end - self.since, 1e-9)

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens per second of all calls together; None where answers were replayed."""
        elapsed_s = self.elapsed_s
        if not elapsed_s or not self.output_tokens or self.replayed:
            return None
        return self.output_tokens / elapsed_s

    @property
    def left_s(self) -> float | None:
        """Seconds until it is done at the speed so far; None before anything has ended."""
        elapsed_s = self.elapsed_s
        if not self.left or elapsed_s is None or not self.ended:
            return None
        return self.left * elapsed_s / self.ended
