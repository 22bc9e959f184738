"""Messages: https://docs.anthropic.com/en/api/messages."""

from __future__ import annotations

from typing import Any

from allos.errors import InvalidResponseError
from allos.types import Api, Event, FinishReason, Message, Request, Usage
from allos.wire import faults
from allos.wire.base import Body, Decoder, Wire, parse_json
from allos.wire.parameters import apply, sampling_headers

DEFAULT_MAX_TOKENS = 4096
"""The API demands a limit; this one is sent when neither the caller nor the model's facts set one."""

_NAMES = {"max_tokens": "max_tokens", "stop": "stop_sequences", "effort": "effort"}
_SAMPLING = {"temperature": "temperature", "top_p": "top_p"}

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_exceeded",
}


class MessagesWire(Wire):
    """Messages through the `anthropic` SDK."""

    api: Api = "messages"
    sdk = "anthropic"
    path = "/v1/messages"

    def body(self, request: Request) -> Body:
        # Sampling goes out where the row does not refuse it: other servers speak this API too.
        fields, dropped = apply(request, {**_NAMES, **_SAMPLING})
        system, turns = _turns(request.messages)
        body: dict[str, Any] = {
            "model": request.model,
            "max_tokens": fields.pop("max_tokens", DEFAULT_MAX_TOKENS),
            "messages": turns,
        }
        if system:
            body["system"] = system
        effort = fields.pop("effort", None)
        if effort is not None:
            body["output_config"] = {"effort": effort}
            body["thinking"] = {"type": "adaptive"}
        stop = fields.pop("stop_sequences", None)
        if stop is not None:
            body["stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)
        body.update(fields)
        if request.stream:
            body["stream"] = True
        body.update(request.extra)
        return Body(body, dropped, sampling_headers(request))

    def decoder(self, request: Request) -> Decoder:
        return MessagesDecoder()


def _turns(messages: tuple[Message, ...]) -> tuple[str | None, list[dict[str, Any]]]:
    leading: list[str] = []
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            if not turns:
                if message.content:
                    leading.append(message.content)
                continue
            # Later instructions go into the user's turn, plainly marked: never dropped.
            blocks = [{"type": "text", "text": f"<system>\n{message.content}\n</system>"}]
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
        if message.content:
            block["content"] = message.content
        return [block]
    blocks: list[dict[str, Any]] = list(message.raw)
    if message.content:
        blocks.append({"type": "text", "text": message.content})
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}
        for call in message.tool_calls
    ]
    return blocks


class MessagesDecoder(Decoder):
    """Understands the events and the whole message."""

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._thinking: dict[Any, dict[str, Any]] = {}
        self._stop: str | None = None
        self._tools = False

    def event(self, name: str, data: bytes) -> list[Event]:
        if not data.strip():
            return []
        body = parse_json(data)
        if not isinstance(body, dict):
            return []
        kind = body.get("type") or name
        if kind == "content_block_delta":
            return self._delta(body.get("index"), body.get("delta"))
        if kind == "message_start":
            message = body.get("message")
            return self._start(message) if isinstance(message, dict) else []
        if kind == "content_block_start":
            block = body.get("content_block")
            return self._block(body.get("index"), block) if isinstance(block, dict) else []
        if kind == "content_block_stop":
            block = self._thinking.pop(body.get("index"), None)
            return [Event("raw", data=block)] if block else []
        if kind == "message_delta":
            delta = body.get("delta")
            if isinstance(delta, dict) and delta.get("stop_reason"):
                self._stop = str(delta["stop_reason"])
                self.done = True
            return self._count(body.get("usage"))
        if kind == "message_stop":
            self.done = self.closed = True
            return []
        if kind == "error" or body.get("error"):
            raise faults.from_body(body)
        return []

    def whole(self, reply: dict[str, Any]) -> list[Event]:
        if reply.get("error") or reply.get("type") == "error":
            raise faults.from_body(reply)
        content = reply.get("content")
        if not isinstance(content, list):
            text, code = faults.describe(reply)
            raise InvalidResponseError(
                "the answer holds no content" + (f": {text}" if text else ""), code=code
            )
        events = self._start(reply, whole=True)
        for index, block in enumerate(content):
            if isinstance(block, dict):
                events += self._block(index, block)
                if index in self._thinking:
                    events.append(Event("raw", data=self._thinking.pop(index)))
        if reply.get("stop_reason"):
            self._stop = str(reply["stop_reason"])
        self.done = True
        return events

    def finish(self) -> list[Event]:
        if not self.done:
            return []
        raw = self._stop
        reason: FinishReason | None = _FINISH.get(raw, "other") if raw else None
        if reason is None and self._tools:
            reason = "tool_calls"
        return [Event("finish", raw or "", data={"finish_reason": reason})]

    def _start(self, message: dict[str, Any], *, whole: bool = False) -> list[Event]:
        usage = message.get("usage")
        if isinstance(usage, dict) and not whole:
            # A stream opens with a placeholder for the output; the count comes at its end.
            usage = {name: value for name, value in usage.items() if name != "output_tokens"}
        facts = {
            "response_id": message.get("id"),
            "response_model": message.get("model"),
            "service_tier": usage.get("service_tier") if isinstance(usage, dict) else None,
        }
        known = {key: value for key, value in facts.items() if value}
        return [Event("meta", data=known), *self._count(usage)]

    def _block(self, index: Any, block: dict[str, Any]) -> list[Event]:
        kind = block.get("type")
        if kind == "text":
            return [Event("text", block["text"])] if block.get("text") else []
        if kind == "thinking":
            self._thinking[index] = dict(block)
            return [Event("reasoning", block["thinking"])] if block.get("thinking") else []
        if kind == "redacted_thinking":
            self._thinking[index] = dict(block)
        if kind == "tool_use":
            self._tools = True
            piece: dict[str, Any] = {"id": block.get("id"), "name": block.get("name")}
            if block.get("input"):
                piece["parsed"] = block["input"]
            return [Event("tool", slot=index, data=piece)]
        return []

    def _delta(self, index: Any, delta: Any) -> list[Event]:
        if not isinstance(delta, dict):
            return []
        kind = delta.get("type")
        if kind == "text_delta":
            text = delta.get("text")
            return [Event("text", text)] if text else []
        if kind == "thinking_delta":
            text = str(delta.get("thinking") or "")
            if index in self._thinking:
                block = self._thinking[index]
                block["thinking"] = str(block.get("thinking") or "") + text
            return [Event("reasoning", text)] if text else []
        if kind == "signature_delta":
            if index in self._thinking:
                self._thinking[index]["signature"] = delta.get("signature")
            return []
        if kind == "input_json_delta":
            piece = delta.get("partial_json")
            return [Event("tool", slot=index, data={"arguments": piece})] if piece else []
        return []

    def _count(self, usage: Any) -> list[Event]:
        """Running totals: what is named replaces, what is not stays."""
        if not isinstance(usage, dict):
            return []
        self._usage |= {name: value for name, value in usage.items() if value is not None}
        raw = self._usage
        given, output = raw.get("input_tokens"), raw.get("output_tokens")
        read, wrote = raw.get("cache_read_input_tokens"), raw.get("cache_creation_input_tokens")
        if isinstance(given, int):
            given += (read or 0) + (wrote or 0)
        details = raw.get("output_tokens_details")
        return [
            Event(
                "usage",
                usage=Usage(
                    input_tokens=given,
                    output_tokens=output,
                    total_tokens=given + output
                    if isinstance(given, int) and isinstance(output, int)
                    else None,
                    cache_read_tokens=read,
                    cache_write_tokens=wrote,
                    reasoning_tokens=details.get("thinking_tokens")
                    if isinstance(details, dict)
                    else None,
                    source="provider",
                    raw=dict(raw),
                ),
            )
        ]
