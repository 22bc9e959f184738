"""Dry runs: the requests that would be sent, with estimated tokens and cost. Nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from allos.engine import runtime
from allos.errors import ConfigurationError
from allos.providers.discovery import run_request
from allos.providers.pricing.estimates import Estimate, estimate, usd
from allos.request import Request
from allos.wire import dry_run
from allos.wire.base import Body, Wire
from allos.wire.connection import Connection

_DRY_RUN_TIMEOUT_S = 10.0
_SHOWN_CHARS = 2_000
"""Limit for one string in a printed body, for images above all; `body` itself is not shortened."""


LARGE_CALLS = 50
"""A comparison of this many calls needs confirmation."""
LARGE_USD = 1.0
"""A comparison or a batch that may cost this much needs confirmation."""
SECONDS_PER_CALL = 1.0
"""Until anything is known of a service."""
CALLS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRequest:
    """One request as it would be sent; the key is masked."""

    provider: str
    model: str
    api: str
    method: str
    url: str
    """Without user name, password and query."""
    headers: Mapping[str, str]
    """Lower-case names. Values that may be secret are ``***``."""
    body: Mapping[str, Any]
    """The complete body, as JSON values."""
    estimate: Estimate
    dropped: tuple[str, ...] = ()
    """Parameters that this API or model does not support, so they are left out."""
    notes: tuple[str, ...] = ()
    counting: bool = False
    """Whether the prompt was sent to count its tokens."""
    calls: int = 1
    """How often it would be sent (repetitions of a comparison)."""
    all_input_tokens: int | None = None
    """Estimated tokens of the prompts of all its calls, where they differ; None: all are like this one."""
    missing_key: str | None = None
    """How to set the key that it needs before it could be sent; None: nothing is missing."""

    @property
    def name(self) -> str:
        """``provider/model``."""
        return f"{self.provider}/{self.model}"

    def body_text(self) -> str:
        """Body as indented JSON; very long strings are shortened."""
        return json.dumps(_shorten_strings(self.body), indent=2, ensure_ascii=False, default=repr)

    def facts(self) -> list[str]:
        """Lines on tokens and cost, left-out parameters, and notes."""
        lines = [f"{self.name}: {self.estimate}."]
        if self.calls > 1:
            times = "twice" if self.calls == 2 else f"{self.calls:,} times"
            lines.append(f"Would be sent {times}.")
        if self.dropped:
            lines.append(f"Left out (not supported here): {', '.join(self.dropped)}.")
        lines += [self.missing_key] if self.missing_key else []
        return [*lines, *self.notes]

    def __str__(self) -> str:
        head = [f"{self.method} {self.url}", *(f"{k}: {v}" for k, v in self.headers.items())]
        return "\n".join([*head, "", self.body_text(), "", *self.facts()])


@dataclass(frozen=True, slots=True)
class Preview:
    """What a call or a comparison would send. Returned by `allos.preview` and `Provider.preview`."""

    requests: tuple[PlannedRequest, ...]
    failures: Mapping[str, str]
    """Errors that would be raised before sending, by ``provider/model``."""

    @property
    def calls(self) -> int:
        """Total number of calls."""
        return sum(each.calls for each in self.requests)

    @property
    def input_tokens(self) -> int:
        """Estimated tokens of all prompts."""
        return sum(
            each.estimate.input_tokens * each.calls
            if each.all_input_tokens is None
            else each.all_input_tokens
            for each in self.requests
        )

    @property
    def time_s(self) -> float:
        """Rough time, at a second a call and 16 calls at once of each model."""
        most = max((each.calls for each in self.requests), default=0)
        return most * SECONDS_PER_CALL / CALLS_AT_ONCE

    @property
    def is_large(self) -> bool:
        """Whether a comparison needs confirmation: it has many calls, or may cost much."""
        worst = self.worst_cost_usd
        return self.calls >= LARGE_CALLS or (worst is not None and worst >= LARGE_USD)

    @property
    def worst_cost_usd(self) -> float | None:
        """Upper bound of the cost of all calls; None when it is unknown for one of them."""
        known = [each.estimate.worst_cost_usd for each in self.requests]
        if any(cost is None for cost in known):
            return None
        return sum(
            (cost or 0.0) * each.calls for cost, each in zip(known, self.requests, strict=True)
        )

    def summary(self) -> str:
        """One line: number of calls, upper bound of their cost, and that nothing was sent."""
        sent = any(each.counting for each in self.requests)
        what = "Only the prompt was sent, to count its tokens" if sent else "Nothing was sent"
        return f"{self.cost()}. {what}."

    def cost(self) -> str:
        """Number of calls and upper bound of their cost, as a part of a sentence."""
        count = "1 call" if self.calls == 1 else f"{self.calls:,} calls"
        failing = f"; {len(self.failures)} would fail" if self.failures else ""
        keyless = sum(each.calls for each in self.requests if each.missing_key)
        if keyless:
            failing += f"; {keyless:,} would need a key first"
        return f"{count}, {self.price()}{failing}"

    def size(self) -> str:
        """`cost`, with tokens and rough time."""
        seconds = max(1, round(self.time_s))
        time = f"{seconds} s" if seconds < 100 else f"{round(seconds / 60)} min"
        return f"{self.cost()}; about {self.input_tokens:,} input tokens, about {time}"

    def price(self) -> str:
        """Upper bound of the cost, in words."""
        known = [each for each in self.requests if each.estimate.worst_cost_usd is not None]
        unknown = self.calls - sum(each.calls for each in known)
        total = sum((each.estimate.worst_cost_usd or 0.0) * each.calls for each in known)
        cost = f"at most {usd(total)}" if known else "cost unknown"
        if known and all(each.estimate.free for each in self.requests):
            cost = "free"
        if known and unknown:
            cost += f" and {unknown:,} of unknown cost"
        return cost

    def __str__(self) -> str:
        failed = [f"{name}: {why}" for name, why in self.failures.items()]
        return "\n\n".join([*(str(each) for each in self.requests), *failed, self.summary()])

    def __repr__(self) -> str:
        return f"<Preview: {self.summary()}>"


def plan(
    request: Request,
    body: Body,
    connection: Connection,
    wire: Wire,
    *,
    counts: str | None,
    exact: bool,
    price_id: str | None,
    max_output: int | None,
    unstarted: bool,
    free: bool,
) -> PlannedRequest:
    """Return a translated request as it would be sent; `exact` counts its tokens first."""
    loop_runtime = runtime.get()
    if loop_runtime.is_loop_thread:
        raise ConfigurationError(
            "preview() would block allos's own loop thread; call it from your own thread"
        )
    notes = []
    if unstarted:
        notes.append("The embedded model's server chooses its port when it starts.")
    counted = None
    can_count = counts in wire.token_counters
    if exact and can_count:

        def count(client: Any) -> Coroutine[Any, Any, int | None]:
            return wire.count_tokens(client, request, body)

        counted = run_request("preview", count, connection, request.timeout_s)
    if exact and not isinstance(counted, int):
        counted = None
        notes.append(f"{request.provider} did not count the tokens; they are estimated.")
    run = dry_run.DryRun(connection).run(wire, request, body)
    planned = loop_runtime.submit(run).result(_DRY_RUN_TIMEOUT_S)
    return PlannedRequest(
        provider=request.provider,
        model=request.model,
        api=request.api,
        method=planned.method,
        url=planned.url,
        headers=planned.headers,
        body=body.body,
        estimate=estimate(
            body.body, request.model, price_id, counted=counted, max_output=max_output, free=free
        ),
        dropped=body.dropped,
        notes=tuple(notes),
        counting=exact and can_count,
    )


def _shorten_strings(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _SHOWN_CHARS:
        return f"{value[:_SHOWN_CHARS]}… ({len(value) - _SHOWN_CHARS:,} more characters)"
    if isinstance(value, Mapping):
        return {name: _shorten_strings(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shorten_strings(inner) for inner in value]
    return value
