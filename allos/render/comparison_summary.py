"""A comparison in one line: first to finish, cheapest, how many have answered, what was spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from allos.render.comparison_columns import key_letter
from allos.render.comparison_costs import FREE, cost_usd, total_cost, was_sent
from allos.render.comparison_facts import NOTABLE_WAIT_S, median_known, median_of
from allos.render.comparison_view import ComparisonView
from allos.render.fact import Fact
from allos.render.format import UNKNOWN, money, rate, seconds
from allos.response import ProviderResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The lowest value, and the columns that have it."""

    columns: tuple[int, ...]
    """Indexes of the columns; several when they tie."""
    value: float
    """Seconds, or US dollars for one answer."""
    tokens_per_second: float | None = None
    """Its speed while it wrote, where that is known and one column alone is the best."""
    is_alone: bool = False
    """Whether it is better than another one whose value is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A comparison in a few numbers."""

    first: Best | None
    """Least time to a complete answer, queue and retries included (median of repeats); None with
    nothing to compare, and where calls were not started together. The one that finishes first need not write fastest."""
    cheapest: Best | None
    """Lowest cost of complete answers (mean of repeats), among known costs only."""
    answered: int
    """Calls with a complete answer."""
    failed: int
    stopped: int
    total: int
    """All calls."""
    spent: Fact | None
    """Dollars spent now, or ``free``; replayed answers cost nothing. None while no call that was sent has ended."""

    @property
    def facts(self) -> list[Fact]:
        """Facts of the line below all columns."""
        facts = []
        if self.first is not None:
            speed = rate(self.first.tokens_per_second)
            facts.append(
                Fact(
                    _best_label(self.first, seconds),
                    before="first to finish",
                    after="" if speed == UNKNOWN else f"at {speed}",
                )
            )
        if self.cheapest is not None and (self.cheapest.value or self.cheapest.is_alone):
            facts.append(Fact(_best_label(self.cheapest, _mean_cost), before="cheapest"))
        facts += self._counts
        if self.spent is not None and self.spent.text not in (UNKNOWN, FREE):
            facts.append(Fact(self.spent.text, before="spent", hint=self.spent.hint))
        return facts

    @property
    def _counts(self) -> list[Fact]:
        """How many calls have ended while some have not; then how they have ended."""
        others = [
            Fact(str(count), after=word)
            for count, word in ((self.failed, "failed"), (self.stopped, "stopped"))
            if count
        ]
        done = self.answered + self.failed + self.stopped
        if done < self.total or not others:
            return [Fact(str(done), after=f"of {self.total} done"), *others]
        return [Fact(str(self.answered), after="answered"), *others]


def summary(view: ComparisonView) -> Summary:
    """Return the numbers of a comparison as far as it has come."""
    ended = [(cell.column, r) for cell in view.cells if (r := cell.response) is not None]
    complete: dict[int, list[ProviderResponse]] = {}
    for index, response in ended:
        if response.ok:
            complete.setdefault(index, []).append(response)
    times_s = {index: median_known(map(time_s, of_column)) for index, of_column in complete.items()}
    speeds = {
        index: median_of(of_column, "tokens_per_second") for index, of_column in complete.items()
    }
    costs_usd = {}
    for index, of_column in complete.items():
        known = [cost for r in of_column if (cost := cost_usd(r)) is not None]
        # Rounded: columns that cost the same tie, in whichever order their answers came.
        costs_usd[index] = round(sum(known) / len(known), 12) if known else None
    several = len(view.columns) > 1
    statuses = [response.status for _, response in ended]
    sent = [response for _, response in ended if was_sent(response)]
    return Summary(
        first=lowest(times_s, speeds) if several and view.is_race else None,
        cheapest=lowest(costs_usd) if several else None,
        answered=statuses.count("ok"),
        failed=statuses.count("error"),
        stopped=statuses.count("cancelled"),
        total=len(view.cells),
        spent=total_cost(sent, spent_now=True) if sent else None,
    )


def time_s(response: ProviderResponse) -> float | None:
    """Seconds from the start to the end of a call, with what it waited: in a queue, between attempts."""
    known = response.metadata
    total_s: float | None = known.get("total_time_s")
    waited = (known.get("attempts") or 1) > 1 or (known.get("queue_s") or 0.0) >= NOTABLE_WAIT_S
    return response.latency_s if total_s is None or not waited else total_s


def lowest(
    values: Mapping[int, float | None], speeds: Mapping[int, float | None] | None = None
) -> Best | None:
    """Lowest known value, by column, and the columns that have it; None when none is known."""
    known = {index: value for index, value in values.items() if value is not None}
    if not known:
        return None
    value = min(known.values())
    columns = tuple(index for index in known if known[index] == value)
    speed = speeds.get(columns[0]) if speeds and len(columns) == 1 else None
    is_alone = len(columns) == 1 < len(known)
    return Best(columns=columns, value=value, tokens_per_second=speed, is_alone=is_alone)


def _mean_cost(usd: float) -> str:
    return money(usd) if usd else FREE


def _best_label(best: Best, to_text: Callable[[float], str]) -> str:
    return f"{', '.join(map(key_letter, best.columns))} {to_text(best.value)}"
