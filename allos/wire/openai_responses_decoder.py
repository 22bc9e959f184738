"""Replies of Responses, event by event or complete, to events of ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from allos.errors import InvalidResponseError
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
from allos.wire.json_fields import count, json_dict, reported_cost, text
from allos.wire.surrogates import join_halves

_INCOMPLETE: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_messages": "length",
    "content_filter": "content_filter",
    "steered": "pause",
}

_Delta = type[TextDelta] | type[ReasoningDelta] | type[RefusalDelta]

_DELTAS: dict[str, _Delta] = {
    "response.output_text": TextDelta,
    "response.reasoning_text": ReasoningDelta,
    "response.reasoning_summary_text": ReasoningDelta,
    "response.refusal": RefusalDelta,
}


class _ToolCall:
    """A tool call as far as it has arrived."""

    __slots__ = ("arguments", "call_id", "item_id")

    def __init__(self) -> None:
        self.item_id: str | None = None
        self.call_id: str | None = None
        self.arguments: list[str] = []


class ResponsesDecoder(Decoder):
    """Decodes events and complete responses; the last event may repeat less than was streamed."""

    def __init__(self) -> None:
        self._streamed = _no_texts()
        self._parts: dict[str, list[str]] = {}  # the same by content part
        self._calls: list[_ToolCall] = []
        self._position_of_index: dict[str, int] = {}  # output index -> the last call there
        self._items = 0
        self._raw_ids: set[str] = set()

    def decode_event(self, name: str, data: bytes) -> Iterable[Event]:
        data = data.strip()
        if data.startswith(b"[DONE]"):
            self.closed = True
            return []
        if not data:
            return []
        body = self.parse(data)
        if not isinstance(body, dict):
            return []
        kind = text(body.get("type")) or name
        stem, _, step = kind.rpartition(".")
        if stem in _DELTAS and step in ("delta", "done"):
            return self._delta(_DELTAS[stem], stem, step, body)
        if kind == "response.function_call_arguments.delta":
            return self._call_delta(body)
        if kind == "response.function_call_arguments.done":
            return self._call(body, {"arguments": body.get("arguments")}, complete=True)
        if kind in ("response.output_item.added", "response.output_item.done"):
            return self._item(body, complete=step == "done")
        if kind in ("response.completed", "response.incomplete", "response.failed"):
            response = body.get("response")
            self.closed = True
            return self._response(response if isinstance(response, dict) else {}, kind)
        if kind in ("response.created", "response.in_progress"):
            response = body.get("response")
            return self._facts(response) if isinstance(response, dict) else []
        if kind == "error" or body.get("error"):
            raise error_mapping.from_body(body)
        return []

    def decode_response(self, response: dict[str, Any]) -> Iterator[Event]:
        if "output" not in response and not response.get("error"):
            raise error_mapping.missing_field("output", response)
        yield from self._response(response, f"response.{response.get('status') or 'completed'}")

    def _delta(self, delta: _Delta, stem: str, step: str, body: dict[str, Any]) -> list[Event]:
        """Return a piece of a content part, or what its end adds to the pieces."""
        get = body.get
        where = f"{get('item_id')}/{get('output_index')}/{get('content_index')}"
        part = self._parts.setdefault(f"{stem}:{where}/{get('summary_index')}", [])
        if step == "delta":
            new = text(body.get("delta"))
        else:
            full = text(body.get("refusal" if delta is RefusalDelta else "text")) or ""
            had = join_halves("".join(part))
            new = full[len(had) :] if full.startswith(had) else None
        if not new:
            return []
        part.append(new)
        self._streamed[delta].append(new)
        return [delta(new)]

    def _facts(self, response: dict[str, Any]) -> list[Event]:
        return [
            ResponseFacts(
                response_id=text(response.get("id")),
                response_model=text(response.get("model")),
                service_tier=text(response.get("service_tier")),
            )
        ]

    def _position(self, body: dict[str, Any], item: dict[str, Any]) -> int:
        """Find the call that an event is about: by item id, call id, then output index, then the last.

        Servers leave the index or the ids out, or number parallel calls alike.
        """
        item_id = text(item.get("id")) or text(body.get("item_id"))
        call_id = text(item.get("call_id"))
        index = None if body.get("output_index") is None else repr(body["output_index"])
        found = self._find(item_id, call_id, index)
        if found is None and index is None and not (item_id or call_id or item.get("name")):
            found = len(self._calls) - 1 if self._calls else None
        if found is None:
            self._calls.append(_ToolCall())
            found = len(self._calls) - 1
        call = self._calls[found]
        call.item_id, call.call_id = call.item_id or item_id, call.call_id or call_id
        if index is not None:
            self._position_of_index[index] = found
        return found

    def _find(self, item_id: str | None, call_id: str | None, index: str | None) -> int | None:
        for position, call in reversed(list(enumerate(self._calls))):
            if call_id and call.call_id == call_id:
                return position
            if item_id and call.item_id == item_id and not (call_id and call.call_id):
                return position
        at = self._position_of_index.get(index) if index is not None else None
        if at is None:
            return None
        there = self._calls[at]
        other = (item_id and there.item_id) or (call_id and there.call_id)
        return None if other else at

    def _call_delta(self, body: dict[str, Any]) -> list[Event]:
        piece = text(body.get("delta"))
        if piece is None:
            return []
        position = self._position(body, {})
        self._calls[position].arguments.append(piece)
        return [ToolCallDelta(position, arguments=piece)]

    def _item(self, body: dict[str, Any], *, complete: bool) -> list[Event]:
        item = body.get("item")
        if not isinstance(item, dict):
            return []
        self._items += 1
        kind = item.get("type")
        if kind == "function_call":
            return self._call(body, item, complete=complete)
        if kind == "reasoning" and complete:
            return self._raw(item)
        return []

    def _call(self, body: dict[str, Any], item: dict[str, Any], *, complete: bool) -> list[Event]:
        position = self._position(body, item)
        arguments = item.get("arguments")
        rest = value = None
        if complete and isinstance(arguments, str):
            known = self._calls[position]
            had = join_halves("".join(known.arguments))
            if arguments.startswith(had) and len(arguments) > len(had):
                rest = arguments[len(had) :]
                known.arguments = [arguments]
        elif complete and isinstance(arguments, dict):
            value = arguments
        return [
            ToolCallDelta(position, text(item.get("call_id")), text(item.get("name")), rest, value)
        ]

    def _raw(self, item: dict[str, Any]) -> list[Event]:
        key = str(item.get("id"))
        if not item.get("encrypted_content") or key in self._raw_ids:
            return []
        self._raw_ids.add(key)
        return [RawPart(item)]

    def _response(self, response: dict[str, Any], kind: str) -> Iterator[Event]:
        """Yield what the complete response adds; a failed one ends in its error."""
        yield from self._facts(response)
        texts = _no_texts()
        output = response.get("output")
        for number, item in enumerate(output if isinstance(output, list) else ()):
            if not isinstance(item, dict):
                continue
            self._items += 1
            _texts(item, texts)
            if item.get("type") == "function_call":
                body = {} if item.get("id") or item.get("call_id") else {"output_index": number}
                yield from self._call(body, item, complete=True)
            elif item.get("type") == "reasoning":
                yield from self._raw(item)
        for delta, pieces in texts.items():
            full, had = "".join(pieces), join_halves("".join(self._streamed[delta]))
            if len(full) > len(had) and full.startswith(had):
                new = full[len(had) :]
                self._streamed[delta].append(new)
                yield delta(new)
        if isinstance(response.get("usage"), dict):
            yield _usage(response["usage"])
            yield from reported_cost(response["usage"])
        if response.get("error") or kind == "response.failed":
            raise error_mapping.from_body(response.get("error") or response)
        finish = self._finish(response, kind)
        if finish.finish_reason == "stop" and not self._items and not self._parts:
            raise InvalidResponseError("the answer holds no output")
        self.done = True
        yield finish

    def _finish(self, response: dict[str, Any], kind: str) -> Finished:
        status = str(response.get("status") or kind.removeprefix("response."))
        reason: FinishReason
        if status == "incomplete":
            details = response.get("incomplete_details")
            raw = (text(details.get("reason")) if isinstance(details, dict) else None) or status
            reason = _INCOMPLETE.get(raw, "other")
        elif status == "completed":
            raw, reason = status, "stop"
            if self._calls:
                reason = "tool_calls"
            elif self._streamed[RefusalDelta] and not self._streamed[TextDelta]:
                reason = "refusal"
        elif status in ("queued", "in_progress"):
            raw, reason = status, "pause"
        else:
            raw, reason = status, "error" if status == "cancelled" else "other"
        return Finished(reason, raw)


def _no_texts() -> dict[_Delta, list[str]]:
    return {TextDelta: [], ReasoningDelta: [], RefusalDelta: []}


def _texts(item: dict[str, Any], texts: dict[_Delta, list[str]]) -> None:
    """Add an output item's texts, by kind."""
    content = item.get("content")
    parts = (
        [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    )
    if item.get("type") == "reasoning":
        summary = item.get("summary")
        parts += [p for p in summary if isinstance(p, dict)] if isinstance(summary, list) else []
        texts[ReasoningDelta] += [part["text"] for part in parts if text(part.get("text"))]
        return
    if item.get("type") != "message":
        return
    for part in parts:
        if part.get("type") == "refusal":
            texts[RefusalDelta].append(text(part.get("refusal")) or "")
        elif isinstance(part.get("text"), str):
            texts[TextDelta].append(part["text"])


def _usage(raw: dict[str, Any]) -> UsageReport:
    input_details = json_dict(raw.get("input_tokens_details"))
    output_details = json_dict(raw.get("output_tokens_details"))
    input_, output, total = (
        count(raw.get(name)) for name in ("input_tokens", "output_tokens", "total_tokens")
    )
    if total is None and input_ is not None and output is not None:
        total = input_ + output
    return UsageReport(
        Usage(
            input_tokens=input_,
            output_tokens=output,
            total_tokens=total,
            cache_read_tokens=count(input_details.get("cached_tokens")),
            cache_write_tokens=count(input_details.get("cache_write_tokens")),
            reasoning_tokens=count(output_details.get("reasoning_tokens")),
            source="provider",
            raw=raw,
        )
    )
