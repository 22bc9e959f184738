"""Facts of a comparison in few words: states, equal repeats, the numbers below an answer.

Shared by the static table, its plain-text version and the live board.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from allos.render.comparison_costs import FREE, is_estimated, is_free, total_cost, was_sent
from allos.render.comparison_view import CellView, PromptView
from allos.render.fact import Fact
from allos.render.format import UNKNOWN, ending, first_token, seconds, speed, token_counts
from allos.render.plain import shorten
from allos.response import ProviderResponse

REPLAYED = "replayed"
MAX_PROMPT_CHARS = 2_000
MAX_PLACE_ANSWERS = 20
"""Of different calls in one place a table shows so many different answers."""
MAX_GROUP_LABELS = 3
"""Of equal answers in one place so many are named."""
NOTABLE_WAIT_S = 0.1
"""A shorter time in the queue is not separated from the answer's own."""
CHARS_PER_TOKEN = 5
"""For estimates, where a piece of a stream may be several tokens."""


def prompt_parts(prompt: PromptView) -> list[tuple[str, str]]:
    """Label and text of what was asked: the system text where there is one, then the prompt."""
    parts = [("system", prompt.system)] if prompt.system else []
    if prompt.text:
        earlier = f" after {prompt.earlier_messages} messages" if prompt.earlier_messages else ""
        parts.append((f"prompt{earlier}", prompt.text))
    return [(label, shorten(text.strip(), MAX_PROMPT_CHARS)) for label, text in parts]


def equal_repeats(cells: Iterable[CellView]) -> list[list[CellView]]:
    """Repeats of one column grouped by equal answers, in order; an unfinished one is a group of its own."""
    groups: dict[Any, list[CellView]] = {}
    for cell in cells:
        response = cell.response
        groups.setdefault(id(cell) if response is None else answer_key(response), []).append(cell)
    return list(groups.values())


def repeats_label(sample_indexes: Sequence[int], n: int) -> str:
    """Label of repeats with equal answers, among n repeats; empty when n is 1.

    Examples
    --------
    >>> repeats_label([0, 2], 3), repeats_label([0, 1, 2], 3), repeats_label([1], 3)
    ('2 of 3 repeats are the same', 'all 3 repeats are the same', 'repeat 2 of 3')
    """
    if n == 1:
        return ""
    count = len(sample_indexes)
    if count == 1:
        return f"repeat {sample_indexes[0] + 1} of {n}"
    return f"{f'all {n}' if count == n else f'{count} of {n}'} repeats are the same"


def group_label(cells: Sequence[CellView], n: int) -> str:
    """Label of equal answers in one place: which calls they are of, else which repeats.

    Parameters
    ----------
    cells : sequence of CellView
        With equal answers.
    n : int
        Repeats of every call.
    """
    labels = list(dict.fromkeys(cell.label for cell in cells if cell.label))
    if not labels:
        return repeats_label([cell.sample_index for cell in cells], n)
    more = len(labels) - MAX_GROUP_LABELS
    return ", ".join(labels[:MAX_GROUP_LABELS]) + (f" and {more} more" if more > 0 else "")


def shown_groups(cells: Iterable[CellView]) -> tuple[list[list[CellView]], str]:
    """Equal answers of one place that a table shows, and a line about those that it does not.

    Repeats are all shown; where other calls share the place there may be as many as there are prompts.
    """
    groups = equal_repeats(cells)
    left = len(groups) - MAX_PLACE_ANSWERS
    if left <= 0 or not groups[0][0].label:
        return groups, ""
    return groups[:MAX_PLACE_ANSWERS], f"{left:,} more answers here are not in this table."


def state_label(cell: CellView) -> str:
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
    }[cell.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Medians:
    """Numbers of one answer, or medians over several; None where no answer has the number."""

    latency_s: float | None
    """Seconds of the last attempt."""
    time_to_first_token_s: float | None
    """Seconds to the first token."""
    tokens_per_second: float | None
    """Output tokens per second after the first."""
    input_tokens: float | None
    output_tokens: float | None
    cost: Fact
    """US dollars for all answers together."""
    estimated: bool
    """Whether some tokens were estimated, not counted by the provider."""

    @property
    def tokens(self) -> str:
        """``421 in, 187 out``; empty when neither is known."""
        return token_counts(self.input_tokens, self.output_tokens, about=self.estimated)


def medians(responses: Sequence[ProviderResponse]) -> Medians:
    """Numbers of an answer; of several repeats the medians, and the cost of all together.

    Medians are over the complete answers, where there are any: a call that failed at once was not
    fast.
    """
    complete = [response for response in responses if response.ok] or responses
    return Medians(
        latency_s=median_of(complete, "latency_s"),
        time_to_first_token_s=median_of(complete, "time_to_first_token_s"),
        tokens_per_second=median_of(complete, "tokens_per_second"),
        input_tokens=median_of(complete, "input_tokens"),
        output_tokens=median_of(complete, "output_tokens"),
        cost=total_cost(responses),
        estimated=is_estimated(responses),
    )


def median_of(responses: Iterable[ProviderResponse], name: str) -> float | None:
    """Median of one number in the responses' metadata; None when no response has it."""
    return median_known(response.metadata.get(name) for response in responses)


def median_known(values: Iterable[float | None]) -> float | None:
    """Median of the values that are known; None when none is."""
    from statistics import median

    known = [value for value in values if value is not None]
    return median(known) if known else None


def estimated_tokens(text: str, pieces: int = 0) -> int:
    """Estimated tokens of a text that a service has not counted, from its length and its pieces.

    Examples
    --------
    >>> estimated_tokens("Gravity is a hug."), estimated_tokens("Gravity", pieces=2)
    (3, 2)
    """
    return max(pieces, len(text) // CHARS_PER_TOKEN)


def numbers(responses: Sequence[ProviderResponse], *, pieces: int = 0) -> list[Fact]:
    """Quiet line below an answer; of several repeats medians and the total cost.

    Parameters
    ----------
    responses : sequence of ProviderResponse
    pieces : int
        In how many pieces a single answer arrived, where that is known: for the estimate of an
        answer whose tokens were not counted because it was stopped or broke off.

    Unknown numbers are left out, except for the cost: a missing one is not a free answer. Its
    `hint` says why.

    Examples
    --------
    >>> facts = numbers([ProviderResponse("Hi", metadata={"latency_s": 0.92, "cost_usd": 0.5})])
    >>> [fact.text for fact in facts]
    ['0.92 s', '$0.5']
    """
    sent = [response for response in responses if was_sent(response)]
    if not sent:
        return [Fact("not sent")] if responses else []
    known, several = medians(sent), len(sent) > 1
    first_s, cost = known.time_to_first_token_s, known.cost
    facts = [
        f"{'median ' * several}{seconds(known.latency_s)}" if known.latency_s is not None else "",
        first_token(first_s) if first_s is not None else "",
        speed(known.tokens_per_second, known.latency_s, first_s),
        known.tokens or _estimate(sent, pieces),
    ]
    return [
        *(Fact(text) for text in facts if text),
        *_cost(cost, sent),
        *map(Fact, anomalies(sent)),
    ]


def _estimate(sent: Sequence[ProviderResponse], pieces: int) -> str:
    """Estimated tokens of one answer that did not come to its end; the service counts at the end."""
    if len(sent) != 1 or sent[0].ok or not sent[0].content:
        return ""
    count = estimated_tokens(sent[0].content, pieces)
    return token_counts(None, count, about=True) if count else ""


def _cost(cost: Fact, sent: Sequence[ProviderResponse]) -> list[Fact]:
    """Cost of one answer, or of several in all; an embedded model is free, a refusal has none."""
    if all(map(is_free, sent)):
        return [Fact(FREE)]
    if cost.text == UNKNOWN:
        answered = any(response.ok or response.content for response in sent)
        return [Fact("cost unknown", hint=cost.hint)] if answered else []
    return [Fact(f"{cost.text}{' in all' * (len(sent) > 1)}", hint=cost.hint)]


def anomalies(responses: Sequence[ProviderResponse]) -> list[str]:
    """What was not as usual, such as ``"2 attempts"``; among several responses with how often."""
    found: list[str] = []
    for response in responses:
        queue_s = response.metadata.get("queue_s") or 0.0
        if queue_s >= NOTABLE_WAIT_S and not response.replayed:
            found.append(f"queued {seconds(queue_s)}" if len(responses) == 1 else "queued")
        attempts = response.metadata.get("attempts") or 1
        if attempts > 1:
            total_s = response.metadata.get("total_time_s") if len(responses) == 1 else None
            whole = f" in {seconds(total_s)}" if total_s is not None else ""
            found.append(f"{attempts} attempts{whole}")
        # A stopped answer says so itself.
        found += [ending(response.finish_reason)] if response.status != "cancelled" else []
        found += [REPLAYED] if response.replayed else []
    share = f" ({{}} of {len(responses)})" if len(responses) > 1 else ""
    return [text + share.format(found.count(text)) for text in dict.fromkeys(filter(None, found))]


def answer_key(response: ProviderResponse) -> tuple[object, ...]:
    """What two answers must have in common to be equal."""
    return (
        response.status,
        response.content.strip(),
        response.refusal,
        str(response.error),
        json.dumps(response.metadata.get("parts"), sort_keys=True, default=str),
        *(
            (call.name, call.raw_arguments, json.dumps(call.arguments, sort_keys=True, default=str))
            for call in response.tool_calls
        ),
    )
