"""Replies of Responses, event by event or complete, to events of ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from allos.errors import InvalidResponseError
from allos.events import (
    Citation,
    Event,
    Finished,
    FinishReason,
    LogprobsDelta,
    RawPart,
    ReasoningDelta,
    RefusalDelta,
    ResponseFacts,
    TextDelta,
)
from allos.wire import error_mapping
from allos.wire.decoder import Decoder
from allos.wire.error_bodies import reported_error, reports_failure
from allos.wire.finish_reasons import finish_reason
from allos.wire.json_fields import json_dict, text
from allos.wire.openai_responses_items import (
    ANNOTATED,
    EVENT_FIELDS,
    RESPONSE_FIELDS,
    content_parts,
    events_of_part,
    item_kind,
    item_logprobs,
    output_items,
)
from allos.wire.openai_responses_parts import StreamedParts
from allos.wire.openai_responses_tool_calls import FunctionCalls
from allos.wire.openai_usage import usage_events
from allos.wire.placeholders import word
from allos.wire.running_usage import with_later
from allos.wire.surrogates import join_halves
from allos.wire.unread_fields import UnreadFields

_LAST = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
    | {"response.done"}
)
_RUNNING = ("queued", "in_progress")

_Delta = type[TextDelta] | type[ReasoningDelta] | type[RefusalDelta]

_DELTAS: dict[str, _Delta] = {
    "response.output_text": TextDelta,
    "response.reasoning_text": ReasoningDelta,
    "response.reasoning_summary_text": ReasoningDelta,
    "response.refusal": RefusalDelta,
}


class ResponsesDecoder(Decoder):
    """Decodes events and complete responses; the last event may repeat less than was streamed."""

    def __init__(self) -> None:
        self._streamed = _no_texts()
        self._parts = StreamedParts()
        self._calls = FunctionCalls()
        self._usage: dict[str, Any] = {}
        self._items = 0
        self._finished: Finished | None = None
        self._raw_ids: set[str] = set()
        self._logprobs = 0
        """Tokens whose log probabilities have come."""
        self._unread = UnreadFields()

    def decode_event(self, name: str, data: bytes) -> Iterable[Event]:
        data = data.strip()
        if not data.startswith(b"{"):
            return self.decode_other(name, data)
        body: dict[str, Any] = self.parse(data)
        kind = word(body.get("type")) or name
        stem, _, step = kind.rpartition(".")
        if stem in _DELTAS and step in ("delta", "done"):
            return self._delta(_DELTAS[stem], stem, step, body)
        if kind == "response.function_call_arguments.delta":
            return self._calls.delta(body)
        if kind == "response.function_call_arguments.done":
            return self._calls.arguments_done(body)
        if kind in ("response.output_item.added", "response.output_item.done"):
            return self._item(body, complete=step == "done")
        if kind in _LAST:
            self.closed = True
            return self._final(body, kind)
        if kind in ("response.created", "response.in_progress"):
            response = body.get("response")
            return self._facts(response) if isinstance(response, dict) else []
        if kind in ANNOTATED and isinstance(annotation := body.get("annotation"), dict):
            return [Citation(annotation)]
        if kind == "error" or reported_error(body) or (not kind and reports_failure(body)):
            raise error_mapping.from_body(body)
        if isinstance(body.get("output"), list):  # a complete response as an event
            self.closed = True
            return self.decode_response(body)
        if not kind.startswith("response."):  # the response and its items come whole at their ends
            events: list[Event] = []
            self._unread.add({kind: body}, ("", "keepalive", "ping"), events, within="events")
            return events
        return []

    def decode_response(self, response: dict[str, Any]) -> Iterator[Event]:
        kind = word(response.get("type")) or ""
        inner = response.get("response")
        if kind in _LAST and isinstance(inner, dict):  # the last event of a stream
            yield from self._final(response, kind)
            return
        if not ("output" in response or "output_text" in response or reported_error(response)):
            raise error_mapping.missing_field("output", response)
        yield from self._response(
            response, f"response.{word(response.get('status')) or 'completed'}"
        )

    def flush(self) -> list[Event]:
        if not self.done or self._finished is not None:
            return []
        reason: FinishReason | None = "tool_calls" if self._calls.calls else None
        return [Finished(reason)]  # an end mark without the API's last event

    def _final(self, body: dict[str, Any], kind: str) -> Iterator[Event]:
        events: list[Event] = []
        self._unread.add(body, EVENT_FIELDS, events)
        yield from events
        response = body.get("response")
        yield from self._response(response if isinstance(response, dict) else {}, kind)

    def _delta(self, delta: _Delta, stem: str, step: str, body: dict[str, Any]) -> list[Event]:
        """Return a piece of a content part, or what its end adds to the pieces."""
        events: list[Event] = []
        if step == "delta":
            new = text(body.get("delta"))
            if new:
                self._parts.add(stem, body, new)
            if tokens := body.get("logprobs"):
                events += self._tokens(tokens)
        else:
            full = text(body.get("refusal" if delta is RefusalDelta else "text"))
            new = self._parts.rest(stem, body, full) if full else None
        if new:
            self._streamed[delta].append(new)
            events.append(delta(new))
        return events

    def _tokens(self, tokens: Any) -> list[Event]:
        found = (
            [each for each in tokens if isinstance(each, dict)] if isinstance(tokens, list) else []
        )
        self._logprobs += len(found)
        return [LogprobsDelta(found)] if found else []

    def _facts(self, response: dict[str, Any]) -> list[Event]:
        return [
            ResponseFacts(
                response_id=word(response.get("id")),
                response_model=word(response.get("model")),
                service_tier=word(response.get("service_tier")),
            )
        ]

    def _item(self, body: dict[str, Any], *, complete: bool) -> Sequence[Event]:
        item = body.get("item")
        if not isinstance(item, dict):
            return []
        self._items += 1
        if item.get("type") == "function_call":
            return self._calls.done(body, item) if complete else self._calls.begun(body, item)
        return self._beside_text(item) if complete else []

    def _beside_text(self, item: dict[str, Any]) -> list[Event]:
        """Return what a complete item holds beside texts and tool calls."""
        kind = item_kind(item)
        if kind == "reasoning":
            return self._raw(item)
        if kind == "message":
            return [event for part in content_parts(item) for event in events_of_part(part)]
        if kind is None or (key := str(item.get("id") or repr(item))) in self._raw_ids:
            return []
        self._raw_ids.add(key)
        return [RawPart(item, is_content=True)]

    def _raw(self, item: dict[str, Any]) -> list[Event]:
        key = str(item.get("id"))
        if not item.get("encrypted_content") or key in self._raw_ids:
            return []
        self._raw_ids.add(key)
        return [RawPart(item)]

    def _response(self, response: dict[str, Any], kind: str) -> Iterator[Event]:
        """Yield what the complete response adds; a failed one ends in its error."""
        yield from self._facts(response)
        events: list[Event] = []
        self._unread.add(response, RESPONSE_FIELDS, events)
        yield from events
        texts, tokens = _no_texts(), list[Any]()
        items = output_items(response)
        self._items += len(items)
        for item in items:
            _texts(item, texts)
            tokens += item_logprobs(item)
            if item.get("type") != "function_call":
                yield from self._beside_text(item)
        yield from self._calls.repeated([i for i in items if i.get("type") == "function_call"])
        yield from self._tokens(tokens[self._logprobs :])
        for delta, pieces in texts.items():
            full, had = "".join(pieces), join_halves("".join(self._streamed[delta]))
            if len(full) > len(had) and full.startswith(had):
                new = full[len(had) :]
                self._streamed[delta].append(new)
                yield delta(new)
        if isinstance(usage := response.get("usage"), dict):
            self._usage = with_later(self._usage, usage)
            yield from usage_events(self._usage)
        if (error := reported_error(response)) or kind == "response.failed":
            raise error_mapping.from_body(error or response)
        finish = self._finish(response, kind)
        if finish.finish_reason == "stop" and not self._items and not self._parts:
            raise InvalidResponseError("the answer holds no output")
        self.done, self._finished = True, finish
        yield finish

    def _finish(self, response: dict[str, Any], kind: str) -> Finished:
        status = word(response.get("status")) or ""
        event_status = kind.removeprefix("response.")
        if not status or (status in _RUNNING and event_status not in _RUNNING):
            # A last event may repeat the status of the first one.
            status = "completed" if event_status == "done" else event_status
        cut = word(json_dict(response.get("incomplete_details")).get("reason"))
        reason: FinishReason
        if status == "incomplete" or (status == "completed" and cut):
            raw = cut or status
            reason = finish_reason(raw)
        elif status == "completed":
            raw, reason = status, "stop"
            if self._calls.calls:
                reason = "tool_calls"
            elif self._streamed[RefusalDelta] and not self._streamed[TextDelta]:
                reason = "refusal"
        elif status in _RUNNING:
            raw, reason = status, "pause"
        else:
            raw, reason = status, "error" if status == "cancelled" else "other"
        return Finished(reason, raw)


def _no_texts() -> dict[_Delta, list[str]]:
    return {TextDelta: [], ReasoningDelta: [], RefusalDelta: []}


def _texts(item: dict[str, Any], texts: dict[_Delta, list[str]]) -> None:
    """Add an output item's texts, by kind."""
    parts = content_parts(item)
    if item.get("type") == "reasoning":
        summary = item.get("summary")
        parts += [p for p in summary if isinstance(p, dict)] if isinstance(summary, list) else []
        texts[ReasoningDelta] += [part["text"] for part in parts if text(part.get("text"))]
        return
    if item_kind(item) != "message":
        return
    for part in parts:
        if part.get("type") == "refusal":
            texts[RefusalDelta].append(text(part.get("refusal")) or "")
        elif isinstance(part.get("text"), str):
            texts[TextDelta].append(part["text"])
