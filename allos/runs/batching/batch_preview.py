"""What a batch would send and cost, before it starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from allos.errors import AllosError
from allos.messages import Message
from allos.providers.pricing.estimates import CHARS_PER_TOKEN, Estimate, estimate, usd
from allos.providers.pricing.planned_requests import (
    CALLS_AT_ONCE,
    SECONDS_PER_CALL,
    PlannedRequest,
)
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.column_labels import column_labels
from allos.runs.grid import Column
from allos.runs.preview import preview
from allos.runs.start import split_options
from allos.session import current_session


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPreview:
    """What is left to do of one model with one set of parameters."""

    name: str
    calls: int
    input_tokens: int | None = None
    """Estimated, of all its calls."""
    input_cost_usd: float | None = None
    """Estimated, of all prompts."""
    worst_cost_usd: float | None = None
    """Upper bound of all its calls; None when it is unknown."""
    failure: str | None = None
    """Why its calls would fail before they are sent."""
    example: PlannedRequest | None = None
    """The request of the longest prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPreview:
    """What a batch would send. Nothing was sent; `str` says all of it in a few lines."""

    columns: tuple[ColumnPreview, ...]
    answered: int
    """Calls that are answered already."""
    budget_usd: float | None = None
    spent_usd: float = 0.0
    """By earlier runs of the batch."""

    @property
    def calls(self) -> int:
        """Calls that are left."""
        return sum(each.calls for each in self.columns)

    @property
    def input_tokens(self) -> float | None:
        """Estimated tokens of all prompts; None when unknown for one of the columns."""
        return _sum(each.input_tokens for each in self.columns if each.calls)

    @property
    def worst_cost_usd(self) -> float | None:
        """Upper bound of the cost; None when it is unknown for one of the columns."""
        return _sum(each.worst_cost_usd for each in self.columns if each.calls)

    @property
    def affordable_calls(self) -> int | None:
        """Calls that the budget allows at least; None without a budget or a known cost."""
        worst = self.worst_cost_usd
        if self.budget_usd is None or worst is None or not self.calls:
            return None
        left = max(0.0, self.budget_usd - self.spent_usd)
        return self.calls if worst <= left else int(self.calls * left / worst)

    @property
    def time_s(self) -> float:
        """Rough time, at a second a call and 16 calls at once of each model."""
        most = max((each.calls for each in self.columns), default=0)
        return most * SECONDS_PER_CALL / CALLS_AT_ONCE

    def cost(self) -> str:
        """Number of calls and their cost, as a part of a sentence."""
        worst = self.worst_cost_usd
        cost = "cost unknown" if worst is None else f"at most {usd(worst)}"
        return f"{self.calls:,} call{'' if self.calls == 1 else 's'}, {cost}"

    def __str__(self) -> str:
        lines = []
        for each in self.columns:
            if each.failure is not None:
                lines.append(f"{each.name}: would fail: {each.failure}")
                continue
            tokens = (
                "" if each.input_tokens is None else f", about {each.input_tokens:,} input tokens"
            )
            worst = each.worst_cost_usd
            cost = "cost unknown" if worst is None else f"at most {usd(worst)}"
            lines.append(f"{each.name}: {each.calls:,} calls{tokens}, {cost}.")
        if self.answered:
            lines.append(f"{self.answered:,} calls are answered already.")
        if self.budget_usd is not None:
            allowed = self.affordable_calls
            enough = "" if allowed is None else f", which allows at least {allowed:,} calls"
            lines.append(f"Budget: {usd(self.budget_usd)}, {usd(self.spent_usd)} spent{enough}.")
        return "\n".join([*lines, f"{self.cost()}. Nothing was sent."])

    def __repr__(self) -> str:
        return f"<BatchPreview: {self.cost()}>"


def preview_of(
    plan: BatchPlan,
    kept: Iterable[int],
    budget_usd: float | None,
    spent_usd: float,
    mode: str = "calls",
) -> BatchPreview:
    """Preview of what is left of a batch."""
    done = Counter(plan.parts(position)[1] for position in kept)
    of_each = len(plan.rows) * plan.grid.n
    lengths = _lengths(plan)
    longest, mean = max(lengths), sum(lengths) / len(lengths)
    at = lengths.index(longest)
    labels = column_labels(plan)
    columns = []
    for column, label in zip(plan.grid.columns, labels, strict=True):
        calls = of_each - done[column.index]
        messages = plan.task(plan.position(at, column.index, 0)).messages
        try:
            planned = preview(messages, model=column.model, stream=False, **column.params)
            example = planned.requests[0]
            if mode == "provider_batch":
                example = replace(example, estimate=_batch_estimate(column, messages))
        except (AllosError, ValueError, TypeError) as exc:
            columns.append(ColumnPreview(name=label, calls=calls, failure=str(exc)))
            continue
        columns.append(_of_column(label, calls, example, mean - longest))
    return BatchPreview(
        columns=tuple(columns),
        answered=sum(done.values()),
        budget_usd=budget_usd,
        spent_usd=spent_usd,
    )


def _batch_estimate(column: Column, messages: Sequence[Message]) -> Estimate:
    """Estimate of a call in a batch of its service, which must have one."""
    options, params = split_options(column.model, column.params)
    provider = current_session().provider_for(column.model, **options)
    provider.batch_service()
    call = provider.prepare_for_batch(messages, params)
    return estimate(
        call.body.body,
        call.billing.model,
        call.billing.price_id,
        max_output=call.billing.max_output_tokens,
        batch_share=call.billing.batch_share,
    )


def _of_column(
    name: str, calls: int, example: PlannedRequest, shorter_chars: float
) -> ColumnPreview:
    """Sum over the calls of a column, from its longest request."""
    found = example.estimate
    tokens = max(1.0, found.input_tokens + shorter_chars / CHARS_PER_TOKEN)
    price = found.input_cost_usd
    per_token = price / found.input_tokens if price is not None and found.input_tokens else None
    return ColumnPreview(
        name=name,
        calls=calls,
        input_tokens=round(tokens * calls),
        input_cost_usd=None if per_token is None else per_token * tokens * calls,
        worst_cost_usd=None if found.worst_cost_usd is None else found.worst_cost_usd * calls,
        example=example,
    )


def _lengths(plan: BatchPlan) -> list[int]:
    """Characters that each row adds to the prompt."""
    if plan.is_chat:
        return [sum(len(turn.text or "") for turn in prompt) for prompt in plan.grid.prompts]
    columns = [plan.rows.texts(name) for name in plan.names]
    return [sum(map(len, row)) for row in zip(*columns, strict=True)] or [0] * len(plan.rows)


def _sum(values: Iterable[float | None]) -> float | None:
    total = 0.0
    for value in values:
        if value is None:
            return None
        total += value
    return total
