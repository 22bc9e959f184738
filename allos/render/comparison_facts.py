"""What came of a comparison, in few words: states, equal repeats, numbers, totals.

The static table, its text twin and the live board say it in these words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allos.render.comparison_columns import CellLike, ComparisonLike, key_letter
from allos.render.format import UNKNOWN, money, seconds, speed, tokens
from allos.response import ProviderResponse

# Endings that need no word: the usual one, and those that the answer itself already tells.
_PLAIN_ENDINGS = frozenset({None, "stop", "tool_calls", "refusal", "cancelled", "error"})


def equal_repeats(cells: Iterable[CellLike]) -> list[list[CellLike]]:
    """Repeats of one column in groups that say the same, in order; an unfinished one stands alone."""
    groups: dict[Any, list[CellLike]] = {}
    for cell in cells:
        response = cell.response
        groups.setdefault(id(cell) if response is None else answer_key(response), []).append(cell)
    return list(groups.values())


def repeats_label(group: Sequence[CellLike], n: int) -> str:
    """What to say of a group of `equal_repeats` among n repeats; empty when there is one call only.

    Examples
    --------
    ``2 of 3 repeats are the same``, ``all 3 repeats are the same``, ``repeat 2 of 3``.
    """
    if n == 1:
        return ""
    if len(group) == 1:
        return f"repeat {group[0].sample_index + 1} of {n}"
    return f"{f'all {n}' if len(group) == n else f'{len(group)} of {n}'} repeats are the same"


def state_label(cell: CellLike) -> str:
    """State of a call in a word or two."""
    attempt = cell.attempt
    if cell.state == "waiting" and attempt is not None:
        number, most = attempt.get("attempt"), attempt.get("max_attempts")
        if isinstance(number, int) and isinstance(most, int):
            return f"waiting for try {number + 1} of {most} …"
    return {
        "queued": "queued …",
        "running": "running …",
        "waiting": "waiting …",
        "ok": "done",
        "error": "failed",
        "cancelled": "stopped",
    }.get(cell.state, cell.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Medians:
    """Numbers of one answer, or medians of several; None where no answer has the number."""

    latency_s: float | None
    """Seconds of the last attempt."""
    first_s: float | None
    """Seconds to the first token."""
    tokens_per_second: float | None
    """Output tokens per second after the first."""
    input_tokens: float | None
    """Tokens read."""
    output_tokens: float | None
    """Tokens written."""
    cost: str
    """US dollars for all of them, such as ``"$0.12 + 3 unknown"``; a dash when no cost is known."""
    estimated: bool
    """Whether some tokens were estimated, not counted by the provider."""

    @property
    def tokens(self) -> str:
        """``421 → 187``; empty when neither is known."""
        if self.input_tokens is None and self.output_tokens is None:
            return ""
        about = "about " if self.estimated else ""
        return f"{about}{tokens(self.input_tokens)} → {tokens(self.output_tokens)}"


def typical(responses: Sequence[ProviderResponse]) -> Medians:
    """Numbers of an answer; of several repeats the medians, and the cost of all together.

    Medians of the complete ones, where there are any: a call that failed at once was not fast.
    """
    complete = [response for response in responses if response.ok] or responses
    return Medians(
        latency_s=_median(complete, "latency_s"),
        first_s=_median(complete, "time_to_first_token_s"),
        tokens_per_second=_median(complete, "tokens_per_second"),
        input_tokens=_median(complete, "input_tokens"),
        output_tokens=_median(complete, "output_tokens"),
        cost=_costs(responses),
        estimated=_is_estimated(responses),
    )


def numbers(responses: Sequence[ProviderResponse]) -> list[str]:
    """Quiet line below an answer; of several repeats medians, and what they cost in all.

    Unknown facts are left out, except that an unknown cost says so.

    Examples
    --------
    >>> numbers([ProviderResponse("Hi", metadata={"latency_s": 0.92, "output_tokens": 187})])
    ['0.92 s', '– → 187 tok', 'cost –']
    """
    sent = [response for response in responses if was_sent(response)]
    if not sent:
        return ["not sent"] if responses else []
    seen, many = typical(sent), len(sent) > 1
    facts = [
        f"{'median ' * many}{seconds(seen.latency_s)}" if seen.latency_s is not None else "",
        f"first {seconds(seen.first_s)}" if seen.first_s is not None else "",
        speed(seen.tokens_per_second, seen.latency_s, seen.first_s),
        f"{seen.tokens} tok" if seen.tokens else "",
        f"cost {UNKNOWN}" if seen.cost == UNKNOWN else f"{seen.cost}{' in all' * many}",
        *anomalies(sent),
    ]
    return [fact for fact in facts if fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best value, and who has it."""

    columns: tuple[int, ...]
    """Indexes of the columns; several when they tie."""
    value: float
    """Seconds, or US dollars for one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A comparison in a few numbers."""

    fastest: Best | None
    """Least latency of a complete answer (median of repeats); None while there is nothing to compare."""
    cheapest: Best | None
    """Least cost of a complete answer (mean of repeats), among known costs only."""
    done: int
    """Calls that have ended, whatever their end."""
    total: int
    """All calls."""
    spent: str
    """Dollars spent now, such as ``"$0.12 + 3 unknown"``; replayed answers cost nothing.
    A dash when no cost is known, empty while no call that was sent has ended."""

    @property
    def facts(self) -> list[tuple[str, str, str]]:
        """The line below all columns: triples of a word before, the value, a word after."""
        facts = []
        if self.fastest is not None:
            facts.append(("fastest", _best_label(self.fastest, seconds), ""))
        if self.cheapest is not None:
            facts.append(("cheapest", _best_label(self.cheapest, money), ""))
        facts.append(("", f"{self.done}", f"of {self.total} done"))
        if self.spent:
            facts.append(("spent", self.spent, ""))
        return facts


def summary(comparison: ComparisonLike) -> Summary:
    """Fastest, cheapest, how many are done, what was spent."""
    cells = list(comparison.cells)
    ended = [(cell.column.index, r) for cell in cells if (r := cell.response) is not None]
    complete: dict[int, list[ProviderResponse]] = {}
    for index, response in ended:
        if response.ok:
            complete.setdefault(index, []).append(response)
    times_s = {index: _median(of_column, "latency_s") for index, of_column in complete.items()}
    costs_usd = {}
    for index, of_column in complete.items():
        known = [r.cost_usd for r in of_column if r.cost_usd is not None]
        costs_usd[index] = sum(known) / len(known) if known else None
    several = len(comparison.columns) > 1
    sent = [response for _, response in ended if was_sent(response)]
    return Summary(
        fastest=lowest(times_s) if several else None,
        cheapest=lowest(costs_usd) if several else None,
        done=len(ended),
        total=len(cells),
        spent=_costs(sent, now=True) if sent else "",
    )


# --- pieces --------------------------------------------------------------------------------------


def answer_key(response: ProviderResponse) -> tuple[object, ...]:
    """What two answers must have in common to be equal."""
    return (
        response.status,
        response.content.strip(),
        response.refusal,
        str(response.error),
        *(
            (call.name, call.raw_arguments, json.dumps(call.arguments, sort_keys=True, default=str))
            for call in response.tool_calls
        ),
    )


def anomalies(responses: Sequence[ProviderResponse]) -> list[str]:
    """What did not go the usual way, such as ``"2 attempts"``, and how often among several."""
    found: list[str] = []
    for response in responses:
        attempts = response.metadata.get("attempts") or 1
        found += [f"{attempts} attempts"] if attempts > 1 else []
        if response.finish_reason not in _PLAIN_ENDINGS:
            found.append(f"stopped: {response.finish_reason}")
        found += ["replayed"] if response.replayed else []
    share = f" ({{}} of {len(responses)})" if len(responses) > 1 else ""
    return [fact + share.format(found.count(fact)) for fact in dict.fromkeys(found)]


def was_sent(response: ProviderResponse) -> bool:
    """Whether the call went out at all."""
    return response.metadata.get("attempts") != 0


def _is_estimated(responses: Iterable[ProviderResponse]) -> bool:
    return any(r.metadata.get("usage_source") == "estimated" for r in responses)


def _median(responses: Iterable[ProviderResponse], fact: str) -> float | None:
    from statistics import median

    known = [value for r in responses if (value := r.metadata.get(fact)) is not None]
    return median(known) if known else None


def _costs(responses: Sequence[ProviderResponse], *, now: bool = False) -> str:
    """Sum of the known costs and the number of the unknown; `now`: replayed answers are free."""
    costs = [0.0 if now and r.replayed else r.cost_usd for r in responses]
    known = [cost for cost in costs if cost is not None]
    unknown = len(costs) - len(known)
    if not known:
        return UNKNOWN
    return cost_label(sum(known), unknown, estimated=_is_estimated(responses))


def cost_label(known_usd: float, unknown: int, *, estimated: bool) -> str:
    """A sum of known costs and the number of the unknown: ``$0.12 + 3 unknown``."""
    total = money(known_usd, about=estimated)
    return f"{total} + {unknown} unknown" if unknown else total


def lowest(values: Mapping[int, float | None]) -> Best | None:
    """The lowest known value by column, and who has it; None when none is known."""
    known = {index: value for index, value in values.items() if value is not None}
    if not known:
        return None
    value = min(known.values())
    return Best(columns=tuple(index for index in known if known[index] == value), value=value)


def _best_label(best: Best, written: Callable[[float], str]) -> str:
    return f"{', '.join(map(key_letter, best.columns))} {written(best.value)}"
