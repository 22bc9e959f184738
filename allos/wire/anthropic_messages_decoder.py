"""Responses of Messages, event by event or complete, to events of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allos.events import (
    Citation,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    ResponseFacts,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from allos.usage import Usage
from allos.wire import error_mapping
from allos.wire.anthropic_messages_blocks import OpenBlocks
from allos.wire.decoder import Decoder
from allos.wire.error_bodies import reported_error, reports_failure
from allos.wire.finish_reasons import finish_reason, finish_word
from allos.wire.json_fields import count, json_dict, reported_cost, text
from allos.wire.partial_tool_call import index_key
from allos.wire.placeholders import word
from allos.wire.running_usage import counts_nothing, with_later
from allos.wire.token_usage import reconcile
from allos.wire.unread_fields import UnreadFields

_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
_CACHE_COUNTS = _COUNTS[2:]
_MESSAGE_FIELDS = frozenset({"id", "type", "role", "content", "model", "stop_reason", "usage"})
_DELTA_FIELDS = frozenset({"type", "delta", "usage"})


class MessagesDecoder(Decoder):
    """Decodes events and complete messages."""

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._kinds: list[str | None] = []
        """Of the blocks, in order."""
        self._position_of_index: dict[str, int] = {}
        self._blocks = OpenBlocks()
        self._unread = UnreadFields()
        self._stop_reason: str | None = None

    def decode_event(self, name: str, data: bytes) -> list[Event]:
        data = data.strip()
        if not data.startswith(b"{"):
            return self.decode_other(name, data)
        body: dict[str, Any] = self.parse(data)
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
            position = self._position(body.get("index"), _is_any)
            # Some servers count the openings, and write 0 everywhere else.
            self._position_of_index.pop(index_key(body.get("index")) or "", None)
            return self._blocks.close(position)
        if kind == "message_delta":
            delta = body.get("delta")
            events = self._ending(delta) if isinstance(delta, dict) else []
            self.done = self.done or self._stop_reason is not None
            self._unread.add(body, _DELTA_FIELDS, events)
            return [*events, *self._count(body.get("usage"))]
        if kind == "message_stop":
            self.done = self.closed = True
            return []
        if kind == "error" or reported_error(body) or (not kind and reports_failure(body)):
            raise error_mapping.from_body(body)
        if kind == "message":  # a complete response as an event
            self.closed = True
            return self.decode_response(body)
        unread: list[Event] = []
        self._unread.add({kind: body}, ("", "ping"), unread, within="events")
        return unread

    def decode_response(self, response: dict[str, Any]) -> list[Event]:
        if reported_error(response) or response.get("type") == "error":
            raise error_mapping.from_body(response)
        content = response.get("content")
        if text(content):
            content = [{"type": "text", "text": content}]
        if not isinstance(content, list):
            raise error_mapping.missing_field("content", response)
        events = self._start(response, complete=True)
        for block in content:
            if isinstance(block, dict):
                events += self._block(None, block)
                events += self._blocks.close(len(self._kinds) - 1)
        events += self._ending(response)
        self.done = True
        return events

    def _ending(self, end: dict[str, Any]) -> list[Event]:
        self._stop_reason = finish_word(end.get("stop_reason")) or self._stop_reason
        details = end.get("stop_details")
        why = text(details.get("explanation")) if isinstance(details, dict) else None
        refused = why is not None and self._stop_reason == "refusal"
        events: list[Event] = [RefusalDelta(why)] if why and refused else []
        self._unread.add(end, _MESSAGE_FIELDS, events)
        return events

    def flush(self) -> list[Event]:
        events: list[Event] = []
        for position in range(len(self._kinds)):
            events += self._blocks.close(position)
        if not self.done:
            return events
        raw = self._stop_reason
        reason: FinishReason | None = finish_reason(raw) if raw else None
        if reason in (None, "stop") and "tool_use" in self._kinds:
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
        events: list[Event] = [facts]
        if not complete:
            self._unread.add(message, _MESSAGE_FIELDS, events)
        return [*events, *self._count(usage)]

    def _position(self, index: Any, is_meant: Callable[[str | None], bool]) -> int:
        """Find the block of an event: that of its index, or the last of such a kind; -1: none."""
        key = index_key(index)
        at = self._position_of_index.get(key, -1) if key is not None else -1
        if at >= 0 and is_meant(self._kinds[at]):
            return at
        positions = range(len(self._kinds) - 1, -1, -1)
        return next((n for n in positions if is_meant(self._kinds[n])), -1)

    def _block(self, index: Any, block: dict[str, Any]) -> list[Event]:
        kind = block.get("type")
        position = self._opened(index, kind)
        if kind == "text":
            visible = text(block.get("text"))
            return [*([TextDelta(visible)] if visible else []), *_citations(block)]
        if kind == "thinking":
            self._blocks.open(position, block)
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
        if text(kind):
            self._blocks.open(position, block, is_content=kind != "redacted_thinking")
        return []

    def _opened(self, index: Any, kind: Any) -> int:
        """Note a block and return its position."""
        self._kinds.append(text(kind))
        position = len(self._kinds) - 1
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
            self._blocks.add_text(self._position(index, _is_thought), "thinking", thought)
            return [ReasoningDelta(thought)] if thought else []
        if kind == "signature_delta":
            self._blocks.sign(self._position(index, _is_thought), delta.get("signature"))
            return []
        if kind == "input_json_delta":
            return self._input(index, delta.get("partial_json"))
        if kind == "citations_delta" and isinstance(citation := delta.get("citation"), dict):
            return [Citation(citation)]
        events: list[Event] = []
        fields = {name: value for name, value in delta.items() if name != "type"}
        if not self._blocks.add(self._position(index, _is_any), fields):
            self._unread.add(delta, ("type",), events, within=str(kind), in_pieces=True)
        return events

    def _input(self, index: Any, piece: Any) -> list[Event]:
        """Return the next piece of a call's arguments; those of the service's own tools are kept."""
        position = self._position(index, _is_tool)
        if position < 0:
            position = self._opened(index, "tool_use")
        if isinstance(piece, dict):
            return [ToolCallDelta(position, parsed_arguments=piece)]
        if not text(piece) or self._blocks.add_input(position, piece):
            return []
        return [ToolCallDelta(position, arguments=piece)]

    def _count(self, usage: Any) -> list[Event]:
        """Running totals: a reported count replaces the last one, the others stay."""
        if not isinstance(usage, dict):
            return []
        reported = {name: value for name, value in usage.items() if value is not None}
        self._usage = raw = with_later(self._usage, reported)
        if counts_nothing(raw):
            return [UsageReport(Usage(raw=raw))]
        given, output, read, wrote = (count(raw.get(name)) for name in _COUNTS)
        caches = json_dict(raw.get("cache_creation")).values()
        wrote = max(wrote or 0, sum(count(part) or 0 for part in caches)) if caches else wrote
        if any(raw.get(name) is not None and count(raw[name]) is None for name in _CACHE_COUNTS):
            given = None  # input that cannot be counted
        if given is not None:
            given += (read or 0) + (wrote or 0)
        given = given or None
        usage = reconcile(
            dict(raw),
            input_tokens=given,
            output_tokens=output,
            total_tokens=count(raw.get("total_tokens")) or None,
            reasoning_tokens=count(
                json_dict(raw.get("output_tokens_details")).get("thinking_tokens")
            ),
            cache_read_tokens=read,
            cache_write_tokens=wrote,
        )
        return [UsageReport(usage), *reported_cost(raw)]


def _citations(block: dict[str, Any]) -> list[Event]:
    found = block.get("citations")
    return (
        [Citation(each) for each in found if isinstance(each, dict)]
        if isinstance(found, list)
        else []
    )


def _is_any(kind: str | None) -> bool:
    return True


def _is_thought(kind: str | None) -> bool:
    return kind == "thinking"


def _is_tool(kind: str | None) -> bool:
    return kind not in ("text", "thinking", "redacted_thinking")
