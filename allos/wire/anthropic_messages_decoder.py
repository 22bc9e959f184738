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
from allos.wire.json_fields import count, parse_json, text, word
from allos.wire.partial_tool_call import index_key
from allos.wire.running_usage import counts_nothing, with_later

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


_THINKING = ("thinking", "redacted_thinking")
_OWN_KINDS = (*_THINKING, "text", "tool_use")
"""Of blocks whose pieces this decoder reads."""


class MessagesDecoder(Decoder):
    """Decodes events and complete messages."""

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._blocks: list[dict[str, Any]] = []
        """Those that are open or ended, in order; of thinking, with all that has come."""
        self._position_of_index: dict[str, int] = {}
        self._kept: set[int] = set()
        """Positions of thinking blocks that were handed out."""
        self._stop_reason: str | None = None

    def decode_event(self, name: str, data: bytes) -> list[Event]:
        data = data.strip()
        if not data.startswith(b"{"):
            return self.decode_other(name, data)
        body: dict[str, Any] = parse_json(data)
        kind = word(body.get("type")) or name
        if kind == "content_block_delta":
            delta = body.get("delta")
            events = self._delta(body.get("index"), delta) if isinstance(delta, dict) else []
            if events:
                self.done = False  # what has more behind it was no end
            return events
        if kind == "message_start":
            message = body.get("message")
            return self._start(message) if isinstance(message, dict) else []
        if kind == "content_block_start":
            block = body.get("content_block")
            self.done = False
            return self._block(body.get("index"), block) if isinstance(block, dict) else []
        if kind == "content_block_stop":
            return self._ended(self._position(body.get("index"), *_THINKING))
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
        if kind == "message":  # a complete response as an event
            self.closed = True
            return self.decode_response(body)
        return []

    def decode_response(self, response: dict[str, Any]) -> list[Event]:
        if response.get("error") or response.get("type") == "error":
            raise error_mapping.from_body(response)
        content = response.get("content")
        if not isinstance(content, list):
            raise error_mapping.missing_field("content", response)
        events = self._start(response, complete=True)
        for block in content:
            if isinstance(block, dict):
                events += self._block(None, block)
                events += self._ended(len(self._blocks) - 1)
        events += self._ending(response)
        self.done = True
        return events

    def _ending(self, end: dict[str, Any]) -> list[Event]:
        self._stop_reason = word(end.get("stop_reason")) or self._stop_reason
        details = end.get("stop_details")
        why = text(details.get("explanation")) if isinstance(details, dict) else None
        return [RefusalDelta(why)] if why and self._stop_reason == "refusal" else []

    def flush(self) -> list[Event]:
        events: list[Event] = []
        for position in range(len(self._blocks)):
            events += self._ended(position)
        if not self.done:
            return events
        raw = self._stop_reason
        reason: FinishReason | None = _FINISH.get(raw, "other") if raw else None
        if reason is None and any(block.get("type") == "tool_use" for block in self._blocks):
            reason = "tool_calls"
        return [*events, Finished(reason, raw)]

    def _start(self, message: dict[str, Any], *, complete: bool = False) -> list[Event]:
        usage = message.get("usage")
        if isinstance(usage, dict) and not complete:
            # A stream opens with a placeholder for the output; the count comes at its end.
            usage = {name: value for name, value in usage.items() if name != "output_tokens"}
        facts = ResponseFacts(
            response_id=word(message.get("id")),
            response_model=word(message.get("model")),
            service_tier=word(usage.get("service_tier")) if isinstance(usage, dict) else None,
        )
        return [facts, *self._count(usage)]

    def _position(self, index: Any, *kinds: str) -> int | None:
        """Find the block of an event: that of its index, or else the last one of such a kind."""
        key = index_key(index)
        at = self._position_of_index.get(key) if key is not None else None
        if at is not None:
            kind = self._blocks[at].get("type")
            if kind in kinds:
                return at
            if kind not in _OWN_KINDS:  # a tool that the service runs itself
                return None
        last = len(self._blocks) - 1
        found = (n for n in range(last, -1, -1) if self._blocks[n].get("type") in kinds)
        return next(found, None)

    def _ended(self, position: int | None) -> list[Event]:
        """Hand out a thinking block, which the next turn needs, once."""
        if position is None or position in self._kept:
            return []
        block = self._blocks[position]
        if block.get("type") not in _THINKING:
            return []
        self._kept.add(position)
        return [RawPart(block)]

    def _block(self, index: Any, block: dict[str, Any]) -> list[Event]:
        kind = block.get("type")
        position = self._opened(index, block)
        if kind == "text":
            visible = text(block.get("text"))
            return [TextDelta(visible)] if visible else []
        if kind == "thinking":
            thought = text(block.get("thinking"))
            return [ReasoningDelta(thought)] if thought else []
        if kind == "tool_use":
            return [
                ToolCallDelta(
                    position,
                    word(block.get("id")),
                    word(block.get("name")),
                    parsed_arguments=block.get("input") or None,
                )
            ]
        return []

    def _opened(self, index: Any, block: dict[str, Any]) -> int:
        """Note a block and return its position."""
        self._blocks.append(dict(block))
        position = len(self._blocks) - 1
        if (key := index_key(index)) is not None:
            self._position_of_index[key] = position
        return position

    def _delta(self, index: Any, delta: dict[str, Any]) -> list[Event]:
        kind = delta.get("type")
        if kind == "text_delta":
            visible = text(delta.get("text"))
            return [TextDelta(visible)] if visible else []
        if kind == "thinking_delta":
            thought = text(delta.get("thinking")) or ""
            if (position := self._position(index, "thinking")) is not None:
                block = self._blocks[position]
                block["thinking"] = str(block.get("thinking") or "") + thought
            return [ReasoningDelta(thought)] if thought else []
        if kind == "signature_delta":
            if (position := self._position(index, "thinking")) is not None:
                self._blocks[position]["signature"] = delta.get("signature")
            return []
        if kind == "input_json_delta":
            piece = delta.get("partial_json")
            position = self._position(index, "tool_use")
            if position is None and index_key(index) in self._position_of_index:
                return []
            if position is None:
                position = self._opened(index, {"type": "tool_use"})
            if isinstance(piece, dict):
                return [ToolCallDelta(position, parsed_arguments=piece)]
            return [ToolCallDelta(position, arguments=piece)] if text(piece) else []
        return []

    def _count(self, usage: Any) -> list[Event]:
        """Running totals: a reported count replaces the last one, the others stay."""
        if not isinstance(usage, dict):
            return []
        told = {name: value for name, value in usage.items() if value is not None}
        self._usage = raw = with_later(self._usage, told)
        if counts_nothing(raw):
            return [UsageReport(Usage(raw=raw))]
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
