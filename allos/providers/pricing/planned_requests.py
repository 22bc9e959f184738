"""A dry run: the requests that would be sent, and what they may use and cost. Nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from allos.engine import runtime
from allos.errors import ConfigurationError
from allos.providers.discovery import inquire
from allos.providers.pricing.estimates import Estimate, estimate, usd
from allos.request import Request
from allos.wire import dry_run
from allos.wire.base import Body, Wire
from allos.wire.connection import Connection

_REHEARSAL_S = 10.0
_SHOWN_CHARS = 2_000
"""Of one text in a printed body: an image would fill the screen. The body itself is whole."""


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
    """Names in lower case. Values that may be a secret are ``***``."""
    body: Mapping[str, Any]
    """The whole body, as JSON values."""
    estimate: Estimate
    dropped: tuple[str, ...] = ()
    """Parameters that this API or model does not take, so they are left out."""
    notes: tuple[str, ...] = ()
    counting: bool = False
    """The prompt was sent to be counted."""
    calls: int = 1
    """How often it would be sent (repeats of a comparison)."""

    @property
    def name(self) -> str:
        """``provider/model``."""
        return f"{self.provider}/{self.model}"

    def body_text(self) -> str:
        """Body as indented JSON; very long texts are cut, and say by how much."""
        return json.dumps(_short(self.body), indent=2, ensure_ascii=False, default=repr)

    def facts(self) -> list[str]:
        """What is known of tokens and cost, and what was left out; a line each."""
        said = [f"{self.name}: {self.estimate}."]
        if self.calls > 1:
            said.append(f"Sent {self.calls} times.")
        if self.dropped:
            said.append(f"Left out, since it is not taken here: {', '.join(self.dropped)}.")
        return [*said, *self.notes]

    def __str__(self) -> str:
        head = [f"{self.method} {self.url}", *(f"{k}: {v}" for k, v in self.headers.items())]
        return "\n".join([*head, "", self.body_text(), "", *self.facts()])


@dataclass(frozen=True, slots=True)
class Preview:
    """What a call or a comparison would send. Made by `allos.preview` and `Provider.preview`."""

    requests: tuple[PlannedRequest, ...]
    failures: Mapping[str, str]
    """What would fail before anything is sent, by ``provider/model``."""

    @property
    def calls(self) -> int:
        """Calls in all."""
        return sum(each.calls for each in self.requests)

    @property
    def worst_cost_usd(self) -> float | None:
        """What all calls cost at most; None when that is not known of one of them."""
        known = [each.estimate.worst_cost_usd for each in self.requests]
        if any(cost is None for cost in known):
            return None
        return sum(
            (cost or 0.0) * each.calls for cost, each in zip(known, self.requests, strict=True)
        )

    def summary(self) -> str:
        """One line: how many calls, what they cost at most, and that nothing was sent."""
        sent = any(each.counting for each in self.requests)
        what = "Nothing but the prompt was sent, to be counted" if sent else "Nothing was sent"
        return f"{self.cost()}. {what}."

    def cost(self) -> str:
        """How many calls, and what they cost at most, as a part of a sentence."""
        known = [each for each in self.requests if each.estimate.worst_cost_usd is not None]
        count = "1 call" if self.calls == 1 else f"{self.calls:,} calls"
        unknown = self.calls - sum(each.calls for each in known)
        total = sum((each.estimate.worst_cost_usd or 0.0) * each.calls for each in known)
        cost = f"at most {usd(total)}" if known else "cost unknown"
        if known and unknown:
            cost += f" and {unknown:,} of unknown cost"
        failing = f"; {len(self.failures)} would fail" if self.failures else ""
        return f"{count}, {cost}{failing}"

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
) -> PlannedRequest:
    """Return how a translated request would go out; with `exact`, its tokens are counted first."""
    started = runtime.get()
    if started.here:
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

        counted = inquire("preview", count, connection, request.timeout_s)
    if exact and not isinstance(counted, int):
        counted = None
        notes.append(f"{request.provider} did not count the tokens, so they are estimated.")
    rehearser = dry_run.DryRun(connection)
    seen = started.submit(rehearser.run(wire, request, body)).result(_REHEARSAL_S)
    return PlannedRequest(
        provider=request.provider,
        model=request.model,
        api=request.api,
        method=seen.method,
        url=seen.url,
        headers=seen.headers,
        body=body.body,
        estimate=estimate(
            body.body, request.model, price_id, counted=counted, max_output=max_output
        ),
        dropped=body.dropped,
        notes=tuple(notes),
        counting=exact and can_count,
    )


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _SHOWN_CHARS:
        return f"{value[:_SHOWN_CHARS]}… ({len(value) - _SHOWN_CHARS:,} more characters)"
    if isinstance(value, Mapping):
        return {name: _short(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(inner) for inner in value]
    return value
