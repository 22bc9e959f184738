"""Responses of Chat Completions, chunk by chunk or complete, to events."""

from __future__ import annotations

from collections.abc import Iterator
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
    UsageReport,
)
from allos.usage import Usage
from allos.wire import error_mapping
from allos.wire.decoder import Decoder
from allos.wire.json_fields import count, json_dict, reported_cost, text
from allos.wire.openai_chat_tool_calls import ToolCallAssembler
from allos.wire.reasoning_tags import ReasoningTagSplitter

_FINISH: dict[str, FinishReason] = {
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

CALL_EXTRA = "chat.tool_call_extra"
"""Type of the raw part that keeps `extra_content` of a call: Gemini 3 signs its thoughts there and
answers 400 to calls that come back without."""


class ChatDecoder(Decoder):
    """Decodes chunks and complete responses, those of lenient servers included."""

    def __init__(self, *, think_tags: bool = False) -> None:
        self._splitter = ReasoningTagSplitter() if think_tags else None
        self._last_facts: tuple[Any, ...] = (None,) * 4
        self._tool_calls = ToolCallAssembler()
        self._finish_reason: str | None = None
        self._has_content = False
        """Some of the answer has come."""
        self._thoughts: list[str] = []
        """Pieces of `reasoning_content`, which its services want back beside tool calls."""

    def decode_event(self, name: str, data: bytes) -> list[Event]:
        data = data.strip()
        if data.startswith(b"[DONE]"):
            self.done = self.closed = True
            return []
        if not data:
            return []
        chunk = self.parse(data)
        if not isinstance(chunk, dict):
            return []
        return self._chunk(chunk, "delta", named_error=name == "error")

    def decode_response(self, response: dict[str, Any]) -> Iterator[Event]:
        yield from self._chunk(response, "message")
        if not isinstance(response.get("choices"), list) or not response["choices"]:
            raise error_mapping.missing_field("choices", response)
        self.done = True

    def flush(self) -> list[Event]:
        events: list[Event] = [*self._splitter.end()] if self._splitter else []
        events += [
            RawPart({"type": CALL_EXTRA, "id": call.id or f"call_{n}", **call.extra})
            for n, call in enumerate(self._tool_calls.calls)
            if call.extra
        ]
        if self._thoughts and self._tool_calls.calls:
            events.append(RawPart({"reasoning_content": "".join(self._thoughts)}))
        if self._finish_reason is not None or self.done:
            reason, raw = self._reason()
            self.done = True
            events.append(Finished(reason, raw or None))
        return events

    def _reason(self) -> tuple[FinishReason | None, str | None]:
        raw = self._finish_reason
        if self._tool_calls.calls and (not raw or _FINISH.get(raw.lower()) == "stop"):
            return "tool_calls", raw
        if not raw:
            return None, raw
        return _FINISH.get(raw.lower(), "other"), raw

    def _chunk(self, chunk: dict[str, Any], part: str, *, named_error: bool = False) -> list[Event]:
        choices = chunk.get("choices")
        if chunk.get("error") or named_error:
            self.error = error_mapping.from_body(chunk)
            if not choices:
                raise self.error
        minimax_status = chunk.get("base_resp")
        if isinstance(minimax_status, dict) and minimax_status.get("status_code"):
            raise error_mapping.from_body(minimax_status)
        events = self._facts(chunk)
        if isinstance(choices, list):
            for choice in choices:
                if isinstance(choice, dict):
                    self._choice(choice, part, events)
        usage = chunk.get("usage")
        if isinstance(extra := chunk.get("x_groq"), dict):
            usage = usage or extra.get("usage")
            if request_id := text(extra.get("id")):
                events.append(ResponseFacts(request_id=request_id))
        if isinstance(usage, dict) and usage:
            events += _usage(usage)
        return events

    def _facts(self, chunk: dict[str, Any]) -> list[Event]:
        get = chunk.get
        facts = (get("id"), get("model"), get("system_fingerprint"), get("service_tier"))
        if facts == self._last_facts:  # every chunk repeats them
            return []
        self._last_facts = facts
        response_id, model, fingerprint, tier = map(text, facts)
        return [
            ResponseFacts(
                response_id=response_id,
                response_model=model,
                system_fingerprint=fingerprint,
                service_tier=tier,
            )
        ]

    def _choice(self, choice: dict[str, Any], part: str, events: list[Event]) -> None:
        if choice.get("index"):  # n is never sent: another index is a server's own idea
            return
        message = choice.get(part) or choice.get("delta")
        if message is None and not self._has_content:
            # Some services repeat the whole message in the last chunk; once is enough.
            message = choice.get("message")
        if isinstance(message, dict):
            before = len(events)
            self._message(message, events)
            self._has_content = self._has_content or len(events) > before
        usage = choice.get("usage")
        if isinstance(usage, dict) and usage:
            events += _usage(usage)
        if choice.get("error") and self.error is None:
            self.error = error_mapping.from_body(choice)
        reason = choice.get("finish_reason")
        if reason is not None:
            self._finish_reason = str(reason)
            self.done = True

    def _message(self, message: dict[str, Any], events: list[Event]) -> None:
        content = message.get("content")
        if len(message) == 1 and isinstance(content, str):  # nearly every chunk is only this
            if content:
                self._text(content, events)
            return
        thought = text(message.get("reasoning_content"))
        if thought:
            self._thoughts.append(thought)
        thought = thought or text(message.get("reasoning")) or _reasoning_details(message)
        if thought:
            events.append(ReasoningDelta(thought))
        if content:
            self._content(content, events)
        refusal = text(message.get("refusal"))
        if refusal:
            events.append(RefusalDelta(refusal))
        events += self._tool_calls.deltas(message.get("tool_calls"))

    def _content(self, content: Any, events: list[Event]) -> None:
        if isinstance(content, str):
            self._text(content, events)
            return
        for item in content if isinstance(content, list) else ():
            if not isinstance(item, dict):
                continue
            if item.get("type") == "thinking":
                inner = item.get("thinking")
                thoughts = inner if isinstance(inner, list) else [{"text": inner}]
                events += [
                    ReasoningDelta(thought)
                    for part in thoughts
                    if isinstance(part, dict) and (thought := text(part.get("text")))
                ]
            elif visible := text(item.get("text")):
                self._text(visible, events)

    def _text(self, visible: str, events: list[Event]) -> None:
        if self._splitter is None or self._splitter.passed:
            events.append(TextDelta(visible))
        else:
            events += self._splitter.feed(visible)


def _reasoning_details(message: dict[str, Any]) -> str | None:
    """Reasoning where a service sends it in parts alone."""
    details = message.get("reasoning_details")
    parts = (
        [part for part in details if isinstance(part, dict)] if isinstance(details, list) else ()
    )
    return "".join(text(p.get("text")) or text(p.get("summary")) or "" for p in parts) or None


def _usage(raw: dict[str, Any]) -> list[Event]:
    input_details = json_dict(raw.get("prompt_tokens_details"))
    output_details = json_dict(raw.get("completion_tokens_details"))
    input_, output, total = (
        count(raw.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    reasoning = count(output_details.get("reasoning_tokens"))
    # Some vendors count reasoning apart from the completion; the sum tells.
    if (
        reasoning
        and input_ is not None
        and output is not None
        and total == input_ + output + reasoning
    ):
        output += reasoning
    if total is None and input_ is not None and output is not None:
        total = input_ + output
    cached = count(input_details.get("cached_tokens"))
    report = UsageReport(
        Usage(
            input_tokens=input_,
            output_tokens=output,
            total_tokens=total,
            reasoning_tokens=reasoning,
            cache_read_tokens=count(raw.get("prompt_cache_hit_tokens"))
            if cached is None
            else cached,
            cache_write_tokens=count(input_details.get("cache_write_tokens")),
            source="provider",
            raw=raw,
        )
    )
    return [report, *reported_cost(raw)]
