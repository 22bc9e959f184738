"""Why an answer ended, whose words and which spelling a server uses."""

from __future__ import annotations

from typing import Any

import pytest

from allos.wire.finish_reasons import finish_reason
from tests.support.decoding import accumulate, complete, streamed

CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
REASONS = {
    "stop": ("stop", "STOP", "end_turn", "eos", "FinishReason.STOP", "completed", "stop-sequence"),
    "length": ("length", "max_tokens", "MAX_TOKENS", "max_output_tokens", "max-new-tokens"),
    "tool_calls": ("tool_calls", "tool_use", "tool-calls", "function_call", "TOOL_CALL"),
    "content_filter": ("content_filter", "content-filter", "SAFETY", "BLOCKLIST", "sensitive"),
    "context_exceeded": ("model_context_window_exceeded", "context_length_exceeded"),
    "refusal": ("refusal",),
    "pause": ("pause_turn",),
    "error": ("error", "abort", "cancelled", "network_error"),
    "other": ("x", "OTHER"),
}
ROWS = [(named, reason) for reason, names in REASONS.items() for named in names]


@pytest.mark.parametrize(("named", "reason"), ROWS)
def test_on_every_api(named: str, reason: str) -> None:
    """Gateways pass on the words of the API behind them, so each API knows those of all."""
    assert finish_reason(named) == reason
    chat = {"choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": named}]}
    pieces = [
        {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": named}]},
    ]
    message = {"content": [{"type": "text", "text": "x"}], "stop_reason": named}
    response = {
        "status": "incomplete",
        "incomplete_details": {"reason": named},
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "x"}]}],
    }
    for events in (
        complete("chat", chat),
        streamed("chat", pieces),
        complete("messages", message),
        complete("responses", response),
        streamed("responses", [{"type": "response.incomplete", "response": response}]),
        # What was cut says so, whatever the status.
        complete("responses", {**response, "status": "completed"}),
    ):
        found = accumulate(events)
        assert (found.finish_reason, found.finish_reason_raw) == (reason, named)


@pytest.mark.parametrize("named", ["stop", "end_turn", "", None])
def test_calls_beside_another_reason(named: Any) -> None:
    """An answer with tool calls ended for them, on every API."""
    chat = {"choices": [{"message": {"tool_calls": [CALL]}, "finish_reason": named}]}
    message = {
        "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}],
        "stop_reason": named,
    }

    assert accumulate(complete("chat", chat)).finish_reason == "tool_calls"
    assert accumulate(complete("messages", message)).finish_reason == "tool_calls"
