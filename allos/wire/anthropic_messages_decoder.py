"""Responses of Messages, event by event or complete, to events of ours."""

from __future__ import annotations

from typing import Any

from allos.events import (
    Event,
    Finished,
    FinishReason,
    RawPart,
    ReasoningDelta,
    RefusalDelta,
    ResponseFacts,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from allos.usage import Usage
from allos.wire import error_mapping
from allos.wire.decoder import Decoder
from allos.wire.json_fields import count, text

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_exceeded",
}

_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)


class MessagesDecoder(Decoder):
    """Decodes events and complete messages."""

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._thinking: dict[str, dict[str, Any]] = {}
        self._stop_reason: str | None = None
        self._has_tools = False

    def decode_event(self, name: str, data: bytes) -> list[Event]:
        if not data.strip():
            return []
        body = self.parse(data)
        if not isinstance(body, dict):
            return []
        kind = text(body.get("type")) or name
        index = repr(body.get("index"))
        if kind == "content_block_delta":
            return self._delta(index, body.get("delta"))
        if kind == "message_start":
            message = body.get("message")
            return self._start(message) if isinstance(message, dict) else []
        if kind == "content_block_start":
            block = body.get("content_block")
            return self._block(index, block) if isinstance(block, dict) else []
        if kind == "content_block_stop":
            block = self._thinking.pop(index, None)
            return [RawPart(block)] if block else []
        if kind == "message_delta":
            delta = body.get("delta")
            events = self._ending(delta) if isinstance(delta, dict) else []
            self.done = self.done or self._stop_reason is not None
            return [*events, *self._count(body.get("usage"))]
        if kind == "message_stop":
            self.done = self.closed = True
            return []
        if kind == "error" or body.get("error"):
            raise error_mapping.from_body(body)
        return []

    def decode_response(self, response: dict[str, Any]) -> list[Event]:
        if response.get("error") or response.get("type") == "error":
            raise error_mapping.from_body(response)
        content = response.get("content")
        if not isinstance(content, list):
            raise error_mapping.missing_field("content", response)
        events = self._start(response, complete=True)
        for position, block in enumerate(content):
            index = repr(position)
            if isinstance(block, dict):
                events += self._block(index, block)
                if index in self._thinking:
                    events.append(RawPart(self._thinking.pop(index)))
        events += self._ending(response)
        self.done = True
        return events

    def _ending(self, end: dict[str, Any]) -> list[Event]:
        self._stop_reason = text(end.get("stop_reason")) or self._stop_reason
        details = end.get("stop_details")
        why = text(details.get("explanation")) if isinstance(details, dict) else None
        return [RefusalDelta(why)] if why and self._stop_reason == "refusal" else []

    def flush(self) -> list[Event]:
        if not self.done:
            return []
        raw = self._stop_reason
        reason: FinishReason | None = _FINISH.get(raw, "other") if raw else None
        if reason is None and self._has_tools:
            reason = "tool_calls"
        return [Finished(reason, raw)]

    def _start(self, message: dict[str, Any], *, complete: bool = False) -> list[Event]:
        usage = message.get("usage")
        if isinstance(usage, dict) and not complete:
            # A stream opens with a placeholder for the output; the count comes at its end.
            usage = {name: value for name, value in usage.items() if name != "output_tokens"}
        facts = ResponseFacts(
            response_id=text(message.get("id")),
            response_model=text(message.get("model")),
            service_tier=text(usage.get("service_tier")) if isinstance(usage, dict) else None,
        )
        return [facts, *self._count(usage)]

    def _block(self, index: str, block: dict[str, Any]) -> list[Event]:
        kind = block.get("type")
        if kind == "text":
            visible = text(block.get("text"))
            return [TextDelta(visible)] if visible else []
        if kind == "thinking":
            self._thinking[index] = dict(block)
            thought = text(block.get("thinking"))
            return [ReasoningDelta(thought)] if thought else []
        if kind == "redacted_thinking":
            self._thinking[index] = dict(block)
        if kind == "tool_use":
            self._has_tools = True
            return [
                ToolCallDelta(
                    index,
                    text(block.get("id")),
                    text(block.get("name")),
                    parsed_arguments=block.get("input") or None,
                )
            ]
        return []

    def _delta(self, index: str, delta: Any) -> list[Event]:
        if not isinstance(delta, dict):
            return []
        kind = delta.get("type")
        if kind == "text_delta":
            visible = text(delta.get("text"))
            return [TextDelta(visible)] if visible else []
        if kind == "thinking_delta":
            thought = text(delta.get("thinking")) or ""
            if index in self._thinking:
                block = self._thinking[index]
                block["thinking"] = str(block.get("thinking") or "") + thought
            return [ReasoningDelta(thought)] if thought else []
        if kind == "signature_delta":
            if index in self._thinking:
                self._thinking[index]["signature"] = delta.get("signature")
            return []
        if kind == "input_json_delta":
            piece = text(delta.get("partial_json"))
            return [ToolCallDelta(index, arguments=piece)] if piece else []
        return []

    def _count(self, usage: Any) -> list[Event]:
        """Running totals: a reported count replaces the last one, the others stay."""
        if not isinstance(usage, dict):
            return []
        self._usage |= {name: value for name, value in usage.items() if value is not None}
        raw = self._usage
        given, output, read, wrote = (count(raw.get(name)) for name in _COUNTS)
        if given is not None:
            given += (read or 0) + (wrote or 0)
        details = raw.get("output_tokens_details")
        return [
            UsageReport(
                Usage(
                    input_tokens=given,
                    output_tokens=output,
                    total_tokens=given + output
                    if given is not None and output is not None
                    else None,
                    cache_read_tokens=read,
                    cache_write_tokens=wrote,
                    reasoning_tokens=count(details.get("thinking_tokens"))
                    if isinstance(details, dict)
                    else None,
                    source="provider",
                    raw=dict(raw),
                )
            )
        ]
