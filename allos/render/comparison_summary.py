"""A comparison in one line: fastest, cheapest, how many calls are done, what was spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from allos.render.comparison_columns import key_letter
from allos.render.comparison_costs import total_cost, was_sent
from allos.render.comparison_facts import median_of
from allos.render.comparison_view import ComparisonView
from allos.render.fact import Fact
from allos.render.format import UNKNOWN, money, seconds
from allos.response import ProviderResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The lowest value, and the columns that have it."""

    columns: tuple[int, ...]
    """Indexes of the columns; several when they tie."""
    value: float
    """Seconds, or US dollars for one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A comparison in a few numbers."""

    fastest: Best | None
    """Lowest latency of complete answers (median of repeats); None with nothing to compare."""
    cheapest: Best | None
    """Lowest cost of complete answers (mean of repeats), among known costs only."""
    done: int
    """Calls that have ended: complete, failed or cancelled."""
    total: int
    """All calls."""
    spent: Fact | None
    """Dollars spent now; replayed answers cost nothing. None while no call that was sent has ended."""

    @property
    def facts(self) -> list[Fact]:
        """Facts of the line below all columns."""
        facts = []
        if self.fastest is not None:
            facts.append(Fact(_best_label(self.fastest, seconds), before="fastest"))
        if self.cheapest is not None:
            facts.append(Fact(_best_label(self.cheapest, money), before="cheapest"))
        facts.append(Fact(f"{self.done}", after=f"of {self.total} done"))
        if self.spent is not None and self.spent.text != UNKNOWN:
            facts.append(Fact(self.spent.text, before="spent", hint=self.spent.hint))
        return facts


def summary(view: ComparisonView) -> Summary:
    """Return the numbers of a comparison as far as it has come."""
    ended = [(cell.column, r) for cell in view.cells if (r := cell.response) is not None]
    complete: dict[int, list[ProviderResponse]] = {}
    for index, response in ended:
        if response.ok:
            complete.setdefault(index, []).append(response)
    latencies_s = {
        index: median_of(of_column, "latency_s") for index, of_column in complete.items()
    }
    costs_usd = {}
    for index, of_column in complete.items():
        known = [r.cost_usd for r in of_column if r.cost_usd is not None]
        # Rounded: columns that cost the same tie, in whichever order their answers came.
        costs_usd[index] = round(sum(known) / len(known), 12) if known else None
    several = len(view.columns) > 1
    sent = [response for _, response in ended if was_sent(response)]
    return Summary(
        fastest=lowest(latencies_s) if several else None,
        cheapest=lowest(costs_usd) if several else None,
        done=len(ended),
        total=len(view.cells),
        spent=total_cost(sent, spent_now=True) if sent else None,
    )


def lowest(values: Mapping[int, float | None]) -> Best | None:
    """Lowest known value, by column, and the columns that have it; None when none is known."""
    known = {index: value for index, value in values.items() if value is not None}
    if not known:
        return None
    value = min(known.values())
    return Best(columns=tuple(index for index in known if known[index] == value), value=value)


def _best_label(best: Best, to_text: Callable[[float], str]) -> str:
    return f"{', '.join(map(key_letter, best.columns))} {to_text(best.value)}"
