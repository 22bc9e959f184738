"""The summary of a comparison, updated answer by answer.

`summary` looks at every cell. A board that updates fourteen times a second keeps a tally instead: an
answer costs the same among ten cells and among ten thousand.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter

from allos.render.comparison_costs import cost_fact, was_sent, why_unknown
from allos.render.comparison_summary import Summary, lowest
from allos.render.fact import Fact
from allos.response import ProviderResponse


class ComparisonTally:
    """Adds up the responses of a comparison.

    Examples
    --------
    >>> tally = ComparisonTally()
    >>> tally.add(0, ProviderResponse("Hi", metadata={"latency_s": 0.5, "cost_usd": 0.01}))
    >>> [str(fact) for fact in tally.summary(columns=1, cells=3).facts]
    ['1 of 3 done', 'spent $0.01']
    """

    def __init__(self) -> None:
        self._columns: dict[int, _ColumnTally] = {}
        self._done = self._sent = 0
        self._spent_usd = 0.0
        self._estimated = 0
        self._unknown_costs: Counter[str] = Counter()  # by reason

    def add(self, column: int, response: ProviderResponse) -> None:
        """Add a response."""
        self._count(column, response, 1)

    def remove(self, column: int, response: ProviderResponse) -> None:
        """Take back `add`: the call is made again."""
        self._count(column, response, -1)

    def summary(self, *, columns: int, cells: int) -> Summary:
        """Return the summary of a comparison of so many columns and cells."""
        several = columns > 1
        tallies = [(index, self._columns[index]) for index in sorted(self._columns)]
        return Summary(
            fastest=lowest({index: each.median_s for index, each in tallies}) if several else None,
            cheapest=lowest({index: each.mean_usd for index, each in tallies}) if several else None,
            done=self._done,
            total=cells,
            spent=self._spent(),
        )

    def _spent(self) -> Fact | None:
        if not self._sent:
            return None
        unknown = self._unknown_costs.total()
        return cost_fact(
            max(self._spent_usd, 0.0) if unknown < self._sent else None,
            unknown=unknown,
            reasons=(reason for reason, count in self._unknown_costs.items() if count),
            estimated=self._estimated > 0,
        )

    def _count(self, column: int, response: ProviderResponse, sign: int) -> None:
        self._done += sign
        if was_sent(response):
            self._sent += sign
            cost_usd = 0.0 if response.replayed else response.cost_usd  # costs nothing today
            if cost_usd is None:
                self._unknown_costs[why_unknown(response)] += sign
            else:
                self._spent_usd += sign * cost_usd
            self._estimated += sign * (response.metadata.get("usage_source") == "estimated")
        if response.ok:
            self._columns.setdefault(column, _ColumnTally()).count(response, sign)


class _ColumnTally:
    """Numbers of the complete answers of one column."""

    def __init__(self) -> None:
        self._latencies_s: list[float] = []  # sorted
        self._cost_usd = 0.0
        self._known_costs = 0

    def count(self, response: ProviderResponse, sign: int) -> None:
        latency_s, cost_usd = response.latency_s, response.cost_usd
        if latency_s is not None:
            if sign > 0:
                insort(self._latencies_s, latency_s)
            else:
                del self._latencies_s[bisect_left(self._latencies_s, latency_s)]
        if cost_usd is not None:
            self._known_costs += sign
            self._cost_usd += sign * cost_usd

    @property
    def median_s(self) -> float | None:
        values = self._latencies_s
        if not values:
            return None
        middle = len(values) // 2
        return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2

    @property
    def mean_usd(self) -> float | None:
        # Rounded: columns that cost the same tie, in whichever order their answers came.
        return round(self._cost_usd / self._known_costs, 12) if self._known_costs else None
