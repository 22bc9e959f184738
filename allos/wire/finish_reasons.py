"""Why an answer ended, in the words of all APIs: gateways between them pass on each other's words."""

from __future__ import annotations

from typing import Any

from allos.events import FinishReason
from allos.wire.placeholders import word

_WORDS: dict[FinishReason, str] = {
    "stop": "stop eos eos_token eos_token_id stop_token complete completed stop_sequence end_turn end"
    " done finished",
    "length": "length max_tokens max_output_tokens max_new_tokens max_completion_tokens model_length"
    " max_messages max_length limit",
    "tool_calls": "tool_calls tool_call tool_use function_call function_calls",
    "content_filter": "content_filter content_filtered safety sensitive recitation prohibited_content"
    " blocklist spii image_safety guardrail_intervened content_policy_violation error_toxic",
    "context_exceeded": "model_context_window_exceeded context_window_exceeded"
    " context_length_exceeded",
    "refusal": "refusal",
    "pause": "pause pause_turn steered",
    "error": "error network_error insufficient_system_resource abort aborted cancelled canceled"
    " timeout time_limit engine_overloaded rate_limit",
}
_REASONS = {name: reason for reason, names in _WORDS.items() for name in names.split()}
_UNFINISHED = frozenset({"unspecified", "finish_reason_unspecified", "not_finished", "in_progress"})
"""Words that say that there is no reason yet."""


def finish_word(reason: Any) -> str | None:
    """Return a finish reason, or None for a placeholder: "", "null", 0, false."""
    if isinstance(reason, int) and not isinstance(reason, bool) and reason > 0:
        return str(reason)
    named = word(reason)
    return None if named is None or named.strip().lower() in _UNFINISHED else named.strip()


def finish_reason(named: str) -> FinishReason:
    """Return what a service's word means, however it is spelled.

    Examples
    --------
    >>> finish_reason("FinishReason.MAX_TOKENS"), finish_reason("tool-calls"), finish_reason("x")
    ('length', 'tool_calls', 'other')
    """
    name = named.lower().rpartition(".")[2].replace("-", "_")
    return _REASONS.get(name, "other")
