"""What ends a response of Chat Completions: its finish reason and its usage."""

from __future__ import annotations

from typing import Any

from allos.events import Event, FinishReason, UsageReport
from allos.usage import Usage
from allos.wire.json_fields import count, json_dict, reported_cost, word
from allos.wire.running_usage import counts_nothing
from allos.wire.token_usage import reconcile

FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "complete": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "sensitive": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "model_context_window_exceeded": "context_exceeded",
    "error": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
}

_UNFINISHED = frozenset({"unspecified", "finish_reason_unspecified", "not_finished", "in_progress"})
"""Words that say that there is no reason yet."""


def finish_word(reason: Any) -> str | None:
    """Return a finish reason, or None for a placeholder: "", "null", 0, false."""
    if isinstance(reason, int) and not isinstance(reason, bool) and reason > 0:
        return str(reason)
    named = word(reason)
    return None if named is None or named.strip().lower() in _UNFINISHED else named.strip()


def usage_events(raw: dict[str, Any]) -> list[Event]:
    """Return the events of a usage object."""
    if counts_nothing(raw):
        return [UsageReport(Usage(raw=raw))]
    input_details = json_dict(raw.get("prompt_tokens_details"))
    output_details = json_dict(raw.get("completion_tokens_details"))
    cached = count(input_details.get("cached_tokens"))
    usage = reconcile(
        raw,
        input_tokens=count(raw.get("prompt_tokens")) or None,
        output_tokens=count(raw.get("completion_tokens")),
        total_tokens=count(raw.get("total_tokens")) or None,
        reasoning_tokens=count(output_details.get("reasoning_tokens")),
        cache_read_tokens=count(raw.get("prompt_cache_hit_tokens")) if cached is None else cached,
        cache_write_tokens=count(input_details.get("cache_write_tokens")),
    )
    return [UsageReport(usage), *reported_cost(raw)]
