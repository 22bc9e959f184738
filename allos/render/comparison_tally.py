"""The summary of a comparison, updated answer by answer.

`summary` looks at every cell. A board that updates fourteen times a second keeps a tally instead: an
answer costs the same among ten cells and among ten thousand.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter

from allos.render.comparison_costs import FREE, cost_fact, cost_usd, is_free, was_sent, why_unknown
from allos.render.comparison_summary import Summary, lowest, time_s
from allos.render.fact import Fact
from allos.render.format import money, seconds
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
        self._statuses: Counter[str] = Counter()
        self._sent = 0
        self._spent_usd = 0.0
        self._free = 0
        self._estimated = 0
        self._unknown_costs: Counter[str] = Counter()  # by reason

    def add(self, column: int, response: ProviderResponse) -> None:
        """Add a response."""
        self._count(column, response, 1)

    def remove(self, column: int, response: ProviderResponse) -> None:
        """Take back `add`: the call is made again."""
        self._count(column, response, -1)

    def column_numbers(self, column: int) -> str:
        """Median latency (without waits in queues) and cost in all of a column with several answers; empty for others.

        Examples
        --------
        >>> tally = ComparisonTally()
        >>> for latency_s in (0.5, 1.5):
        ...     tally.add(0, ProviderResponse("Hi", metadata={"latency_s": latency_s}))
        >>> tally.column_numbers(0)
        'median 1.0 s'
        """
        known = self._columns.get(column)
        if known is None or known.count_of_answers < 2:
            return ""
        median_s = known.latencies_s.median
        facts = [f"median {seconds(median_s)}" if median_s is not None else "", known.cost]
        return " · ".join(filter(None, facts))

    def summary(self, *, columns: int, cells: int, is_race: bool = True) -> Summary:
        """Return the summary of a comparison of so many columns and cells, started together or not."""
        several = columns > 1
        tallies = [(index, self._columns[index]) for index in sorted(self._columns)]
        return Summary(
            first=lowest(
                {index: each.times_s.median for index, each in tallies},
                {index: each.speeds.median for index, each in tallies},
            )
            if several and is_race
            else None,
            cheapest=lowest({index: each.mean_usd for index, each in tallies}) if several else None,
            answered=self._statuses["ok"],
            failed=self._statuses["error"],
            stopped=self._statuses["cancelled"],
            total=cells,
            spent=self._spent(),
        )

    def _spent(self) -> Fact | None:
        if not self._sent:
            return None
        if self._free == self._sent:
            return Fact(FREE)
        unknown = self._unknown_costs.total()
        return cost_fact(
            max(self._spent_usd, 0.0) if unknown < self._sent else None,
            unknown=unknown,
            reasons=(reason for reason, count in self._unknown_costs.items() if count),
            estimated=self._estimated > 0,
        )

    def _count(self, column: int, response: ProviderResponse, sign: int) -> None:
        self._statuses[response.status] += sign
        if was_sent(response):
            self._sent += sign
            self._free += sign * is_free(response)
            spent_usd = 0.0 if response.replayed else cost_usd(response)  # costs nothing today
            if spent_usd is None:
                self._unknown_costs[why_unknown(response)] += sign
            else:
                self._spent_usd += sign * spent_usd
            self._estimated += sign * (response.metadata.get("usage_source") == "estimated")
        if response.ok:
            self._columns.setdefault(column, _ColumnTally()).count(response, sign)


class _ColumnTally:
    """Numbers of the complete answers of one column."""

    def __init__(self) -> None:
        self.times_s = _Values()  # queue and retries included
        self.latencies_s = _Values()
        self.speeds = _Values()  # tokens per second
        self.count_of_answers = 0
        self._cost_usd = 0.0
        self._known_costs = 0

    def count(self, response: ProviderResponse, sign: int) -> None:
        self.count_of_answers += sign
        self.times_s.count(time_s(response), sign)
        self.latencies_s.count(response.metadata.get("latency_s"), sign)
        self.speeds.count(response.metadata.get("tokens_per_second"), sign)
        usd = cost_usd(response)
        if usd is not None:
            self._known_costs += sign
            self._cost_usd += sign * usd

    @property
    def cost(self) -> str:
        """Cost of all answers whose cost is known; empty when none is, or all are free."""
        return money(self._cost_usd) if self._known_costs and self._cost_usd > 0 else ""

    @property
    def mean_usd(self) -> float | None:
        # Rounded: columns that cost the same tie, in whichever order their answers came.
        return round(self._cost_usd / self._known_costs, 12) if self._known_costs else None


class _Values:
    """Numbers in order, those that are known."""

    def __init__(self) -> None:
        self._sorted: list[float] = []

    def count(self, value: float | None, sign: int) -> None:
        if value is not None and sign > 0:
            insort(self._sorted, value)
        elif value is not None:
            del self._sorted[bisect_left(self._sorted, value)]

    @property
    def median(self) -> float | None:
        values = self._sorted
        if not values:
            return None
        middle = len(values) // 2
        return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
