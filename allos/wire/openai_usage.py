"""Usage objects of Chat Completions and of Responses; servers of one use the names of the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allos.events import Event, UsageReport
from allos.usage import Usage
from allos.wire.json_fields import count, json_dict, reported_cost
from allos.wire.running_usage import counts_nothing
from allos.wire.token_usage import reconcile


def usage_events(raw: dict[str, Any]) -> list[Event]:
    """Return the events of a usage object."""
    if counts_nothing(raw):
        return [UsageReport(Usage(raw=raw))]
    given = _details(raw, "prompt_tokens_details", "input_tokens_details")
    wrote = _details(raw, "completion_tokens_details", "output_tokens_details")
    usage = reconcile(
        raw,
        input_tokens=_first(raw, "prompt_tokens", "input_tokens") or None,
        output_tokens=_first(raw, "completion_tokens", "output_tokens"),
        total_tokens=count(raw.get("total_tokens")) or None,
        reasoning_tokens=_larger(_first(wrote, "reasoning_tokens"), raw, "reasoning_tokens"),
        cache_read_tokens=_larger(
            _first(given, "cached_tokens"),
            raw,
            *("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"),
        ),
        cache_write_tokens=_larger(
            _first(
                given, "cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens"
            ),
            raw,
            "cache_creation_input_tokens",
        ),
    )
    return [UsageReport(usage), *reported_cost(raw)]


def _details(raw: dict[str, Any], name: str, other: str) -> dict[str, Any]:
    details, others = json_dict(raw.get(name)), json_dict(raw.get(other))
    return {**details, **others} if details and others else details or others


def _first(fields: Mapping[str, Any], *names: str) -> int | None:
    """Return the first count of these fields that is more than zero; zero is often a placeholder."""
    found: int | None = None
    for name in names:
        if name in fields and (counted := count(fields[name])) is not None:
            if counted:
                return counted
            found = counted
    return found


def _larger(known: int | None, fields: Mapping[str, Any], *names: str) -> int | None:
    """Return a count, or that of other fields where it is none or zero."""
    found = None if known else _first(fields, *names)
    return known if found is None else found
