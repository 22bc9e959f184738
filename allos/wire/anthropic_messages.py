"""Messages: https://docs.anthropic.com/en/api/messages."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

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
from allos.messages import Message
from allos.profiles import Api
from allos.request import Request
from allos.usage import Usage
from allos.wire import error_mapping
from allos.wire.base import Body, Decoder, Wire
from allos.wire.content import detail_unsaid, messages_blocks
from allos.wire.json_fields import count, parse_json, records, text
from allos.wire.parameters import apply, sampling_headers
from allos.wire.reasoning_tags import ThinkDecoder
from allos.wire.tool_fields import instructed, messages_schema, messages_tools

DEFAULT_MAX_TOKENS = 4096
"""The API demands a limit; this one is sent when neither the caller nor the model's facts set one."""

_NAMES = {"max_tokens": "max_tokens", "stop": "stop_sequences", "effort": "effort"}
_SAMPLING = {"temperature": "temperature", "top_p": "top_p"}
_EFFORTS = ("low", "medium", "high", "xhigh", "max")

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_exceeded",
}

_THINKING = ("thinking", "redacted_thinking")
_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)


class MessagesWire(Wire):
    """Messages through the `anthropic` SDK."""

    api: Api = "messages"
    sdk = "anthropic"
    path = "/v1/messages"
    models_path = "/v1/models"
    needs_limit = True

    def body(self, request: Request) -> Body:
        # Sampling goes out where the row does not refuse it: other servers speak this API too.
        fields, dropped = apply(request, {**_NAMES, **_SAMPLING})
        tools, unsaid = messages_tools(request)
        system, turns = _turns(instructed(request))
        body: dict[str, Any] = {
            "model": request.model,
            "max_tokens": fields.pop("max_tokens", request.model_output or DEFAULT_MAX_TOKENS),
            "messages": turns,
        }
        if system:
            body["system"] = system
        body.update(messages_schema(request))
        effort = fields.pop("effort", None)
        if effort in _EFFORTS:
            body["output_config"] = {**body.get("output_config", {}), "effort": effort}
            body["thinking"] = {"type": "adaptive"}
        elif effort == "none":
            body["thinking"] = {"type": "disabled"}
        elif effort is not None:
            dropped += (f"effort={effort}",)
        stop = fields.pop("stop_sequences", None)
        if stop is not None:
            body["stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)
        body.update(fields)
        body.update(tools)
        if request.stream:
            body["stream"] = True
        body.update(request.extra)
        return Body(body, dropped + unsaid + detail_unsaid(request), sampling_headers(request))

    def decoder(self, request: Request) -> Decoder:
        decoder = MessagesDecoder()
        return ThinkDecoder(decoder) if request.profile.think_tags else decoder

    async def models(self, client: Any) -> list[Any]:
        rows: list[Any] = []
        # 20 to a page unless asked for more. A server that repeats itself is left.
        last, after = "", ""
        while True:
            page = await self.fetch(client, f"{self.models_path}?limit=1000{after}")
            rows += records(page)
            last, before = text(page.get("last_id")) or "", last
            if page.get("has_more") is not True or last in ("", before):
                return rows
            after = f"&after_id={quote(last, safe='')}"

    async def model(self, client: Any, name: str) -> dict[str, Any] | None:
        return await self.fetch(client, f"{self.models_path}/{quote(name, safe='')}")


def _turns(messages: tuple[Message, ...]) -> tuple[str | None, list[dict[str, Any]]]:
    leading: list[str] = []
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            if not message.text:
                continue
            if not turns:
                leading.append(message.text)
                continue
            # Later instructions go into the user's turn, plainly marked: never dropped.
            blocks = [{"type": "text", "text": f"<system>\n{message.text}\n</system>"}]
            role = "user"
        else:
            role = "assistant" if message.role == "assistant" else "user"
            blocks = _blocks(message)
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    for turn in turns:
        if turn["role"] == "user":
            turn["content"].sort(key=lambda block: block["type"] != "tool_result")
        if len(turn["content"]) == 1 and turn["content"][0]["type"] == "text":
            turn["content"] = turn["content"][0]["text"]
    return "\n\n".join(leading) or None, turns


def _blocks(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": message.tool_call_id}
        if message.text:
            block["content"] = message.text
        return [block]
    # Other parts are of another API.
    blocks: list[dict[str, Any]] = [part for part in message.raw if part.get("type") in _THINKING]
    blocks += messages_blocks(message)
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}
        for call in message.tool_calls
    ]
    return blocks


class MessagesDecoder(Decoder):
    """Understands the events and the whole message."""

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._thinking: dict[str, dict[str, Any]] = {}
        self._stop: str | None = None
        self._tools = False

    def event(self, name: str, data: bytes) -> list[Event]:
        if not data.strip():
            return []
        body = parse_json(data)
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
            self.done = self.done or self._stop is not None
            return [*events, *self._count(body.get("usage"))]
        if kind == "message_stop":
            self.done = self.closed = True
            return []
        if kind == "error" or body.get("error"):
            raise error_mapping.from_body(body)
        return []

    def whole(self, reply: dict[str, Any]) -> list[Event]:
        if reply.get("error") or reply.get("type") == "error":
            raise error_mapping.from_body(reply)
        content = reply.get("content")
        if not isinstance(content, list):
            words, code = error_mapping.describe(reply)
            raise InvalidResponseError(
                "the answer holds no content" + (f": {words}" if words else ""), code=code
            )
        events = self._start(reply, whole=True)
        for position, block in enumerate(content):
            index = repr(position)
            if isinstance(block, dict):
                events += self._block(index, block)
                if index in self._thinking:
                    events.append(RawPart(self._thinking.pop(index)))
        events += self._ending(reply)
        self.done = True
        return events

    def _ending(self, end: dict[str, Any]) -> list[Event]:
        self._stop = text(end.get("stop_reason")) or self._stop
        details = end.get("stop_details")
        why = text(details.get("explanation")) if isinstance(details, dict) else None
        return [RefusalDelta(why)] if why and self._stop == "refusal" else []

    def finish(self) -> list[Event]:
        if not self.done:
            return []
        raw = self._stop
        reason: FinishReason | None = _FINISH.get(raw, "other") if raw else None
        if reason is None and self._tools:
            reason = "tool_calls"
        return [Finished(reason, raw)]

    def _start(self, message: dict[str, Any], *, whole: bool = False) -> list[Event]:
        usage = message.get("usage")
        if isinstance(usage, dict) and not whole:
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
            self._tools = True
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
        """Running totals: what is named replaces, what is not stays."""
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
