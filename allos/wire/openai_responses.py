"""Responses: https://platform.openai.com/docs/api-reference/responses."""

from __future__ import annotations

from typing import Any

from allos.errors import InvalidResponseError
from allos.types import Api, Event, FinishReason, Message, Request, Usage
from allos.wire import faults
from allos.wire.base import Body, Decoder, Wire, parse_json
from allos.wire.parameters import apply, model_quirks

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_output_tokens",
    "top_logprobs": "top_logprobs",
    "effort": "effort",
}

_INCOMPLETE: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_messages": "length",
    "content_filter": "content_filter",
    "steered": "pause",
}


class ResponsesWire(Wire):
    """Responses through the `openai` SDK; asks the service to keep no copy."""

    api: Api = "responses"
    sdk = "openai"
    path = "/responses"

    def body(self, request: Request) -> Body:
        fields, dropped = apply(request, _NAMES)
        body: dict[str, Any] = {"model": request.model}
        instructions, items = _input(request.messages)
        if instructions:
            body["instructions"] = instructions
        body["input"] = items
        effort = fields.pop("effort", None)
        if effort is not None:
            body["reasoning"] = {"effort": effort}
        body.update(fields)
        if request.quirks.store:
            body["store"] = False
            of_model = model_quirks(request.quirks, request.model)
            if of_model and of_model.reasoning:
                body["include"] = ["reasoning.encrypted_content"]
        if request.stream:
            body["stream"] = True
        body.update(request.extra)
        return Body(body, dropped)

    def decoder(self, request: Request) -> Decoder:
        return ResponsesDecoder()


def _input(messages: tuple[Message, ...]) -> tuple[str | None, list[dict[str, Any]]]:
    leading: list[str] = []
    items: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system" and not items:
            if message.content:
                leading.append(message.content)
            continue
        items += _items(message)
    return "\n\n".join(leading) or None, items


def _items(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        return [
            {
                "type": "function_call_output",
                "call_id": message.tool_call_id,
                "output": message.content or "",
            }
        ]
    items: list[dict[str, Any]] = list(message.raw)
    if message.content or message.role == "user":
        items.append({"role": message.role.value, "content": message.content or ""})
    if message.tool_calls:
        from json import dumps

        for call in message.tool_calls:
            arguments = call.raw_arguments
            items.append(
                {
                    "type": "function_call",
                    "call_id": call.id,
                    "name": call.name,
                    "arguments": dumps(call.arguments, ensure_ascii=False)
                    if arguments is None
                    else arguments,
                }
            )
    return items


class ResponsesDecoder(Decoder):
    """Understands the events and the whole object; the last event may repeat less than was streamed."""

    def __init__(self) -> None:
        self._streamed: dict[str, str] = {"text": "", "reasoning": "", "refusal": ""}
        self._calls: dict[str, int] = {}  # item id, output index or call id -> slot
        self._arguments: dict[int, str] = {}
        self._raw_ids: set[str] = set()

    def event(self, name: str, data: bytes) -> list[Event]:
        if data.startswith(b"[DONE]"):
            self.closed = True
            return []
        if not data.strip():
            return []
        body = parse_json(data)
        if not isinstance(body, dict):
            return []
        kind = body.get("type") or name
        if kind == "response.output_text.delta":
            return self._delta("text", body.get("delta"))
        if kind in ("response.reasoning_text.delta", "response.reasoning_summary_text.delta"):
            return self._delta("reasoning", body.get("delta"))
        if kind == "response.refusal.delta":
            return self._delta("refusal", body.get("delta"))
        if kind == "response.function_call_arguments.delta":
            return self._call_delta(body)
        if kind in ("response.output_item.added", "response.output_item.done"):
            return self._item(body, whole=kind.endswith("done"))
        if kind in ("response.completed", "response.incomplete", "response.failed"):
            response = body.get("response")
            self.done = self.closed = True
            return self._response(response if isinstance(response, dict) else {}, kind)
        if kind in ("response.created", "response.in_progress"):
            response = body.get("response")
            return self._meta(response) if isinstance(response, dict) else []
        if kind == "error" or body.get("error"):
            raise faults.from_body(body)
        return []

    def whole(self, reply: dict[str, Any]) -> list[Event]:
        if reply.get("error"):
            raise faults.from_body(reply)
        if "output" not in reply:
            text, code = faults.describe(reply)
            raise InvalidResponseError(
                "the answer holds no output" + (f": {text}" if text else ""), code=code
            )
        self.done = True
        return self._response(reply, f"response.{reply.get('status') or 'completed'}")

    def _delta(self, kind: Any, text: Any) -> list[Event]:
        if not isinstance(text, str) or not text:
            return []
        self._streamed[kind] += text
        return [Event(kind, text)]

    def _meta(self, response: dict[str, Any]) -> list[Event]:
        facts = {
            "response_id": response.get("id"),
            "response_model": response.get("model"),
            "service_tier": response.get("service_tier"),
        }
        return [Event("meta", data={k: v for k, v in facts.items() if v})]

    def _slot(self, body: dict[str, Any], item: dict[str, Any]) -> int:
        keys = [
            f"{label}:{value}"
            for label, value in (
                ("item", item.get("id") or body.get("item_id")),
                ("at", body.get("output_index")),
                ("call", item.get("call_id")),
            )
            if value is not None
        ]
        slot = next((self._calls[key] for key in keys if key in self._calls), None)
        if slot is None:
            slot = len(self._arguments)
            self._arguments[slot] = ""
        for key in keys:
            self._calls[key] = slot
        return slot

    def _call_delta(self, body: dict[str, Any]) -> list[Event]:
        piece = body.get("delta")
        if not isinstance(piece, str):
            return []
        slot = self._slot(body, {})
        self._arguments[slot] += piece
        return [Event("tool", slot=slot, data={"arguments": piece})]

    def _item(self, body: dict[str, Any], *, whole: bool) -> list[Event]:
        item = body.get("item")
        if not isinstance(item, dict):
            return []
        kind = item.get("type")
        if kind == "function_call":
            return self._call(body, item, whole=whole)
        if kind == "reasoning" and whole:
            return self._raw(item)
        return []

    def _call(self, body: dict[str, Any], item: dict[str, Any], *, whole: bool) -> list[Event]:
        slot = self._slot(body, item)
        piece: dict[str, Any] = {
            key: str(value)
            for key, value in (("id", item.get("call_id")), ("name", item.get("name")))
            if value
        }
        arguments = item.get("arguments")
        if whole and isinstance(arguments, str):
            had = self._arguments[slot]
            if arguments.startswith(had) and len(arguments) > len(had):
                piece["arguments"] = arguments[len(had) :]
                self._arguments[slot] = arguments
        elif whole and isinstance(arguments, dict):
            piece["parsed"] = arguments
        return [Event("tool", slot=slot, data=piece)]

    def _raw(self, item: dict[str, Any]) -> list[Event]:
        key = str(item.get("id"))
        if not item.get("encrypted_content") or key in self._raw_ids:
            return []
        self._raw_ids.add(key)
        return [Event("raw", data=item)]

    def _response(self, response: dict[str, Any], kind: str) -> list[Event]:
        if response.get("error") or kind == "response.failed":
            raise faults.from_body(response.get("error") or response)
        events = self._meta(response)
        texts: dict[str, list[str]] = {"text": [], "reasoning": [], "refusal": []}
        output = response.get("output")
        for number, item in enumerate(output if isinstance(output, list) else ()):
            if not isinstance(item, dict):
                continue
            _texts(item, texts)
            if item.get("type") == "function_call":
                body = {} if item.get("id") or item.get("call_id") else {"output_index": number}
                events += self._call(body, item, whole=True)
            elif item.get("type") == "reasoning":
                events += self._raw(item)
        for what, pieces in texts.items():
            full, had = "".join(pieces), self._streamed[what]
            if len(full) > len(had) and full.startswith(had):
                events += self._delta(what, full[len(had) :])
        if isinstance(response.get("usage"), dict):
            events.append(_usage(response["usage"]))
        events.append(self._finish(response, kind))
        return events

    def _finish(self, response: dict[str, Any], kind: str) -> Event:
        status = str(response.get("status") or kind.removeprefix("response."))
        reason: FinishReason
        if status == "incomplete":
            details = response.get("incomplete_details")
            raw = str(details.get("reason")) if isinstance(details, dict) else status
            reason = _INCOMPLETE.get(raw, "other")
        elif status == "completed":
            raw, reason = status, "stop"
            if self._arguments:
                reason = "tool_calls"
            elif self._streamed["refusal"] and not self._streamed["text"]:
                reason = "refusal"
        elif status in ("queued", "in_progress"):
            raw, reason = status, "pause"
        else:
            raw, reason = status, "error" if status == "cancelled" else "other"
        return Event("finish", raw, data={"finish_reason": reason})


def _texts(item: dict[str, Any], texts: dict[str, list[str]]) -> None:
    """Add an output item's texts, by kind."""
    content = item.get("content")
    parts = (
        [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    )
    if item.get("type") == "reasoning":
        summary = item.get("summary")
        parts += [p for p in summary if isinstance(p, dict)] if isinstance(summary, list) else []
        texts["reasoning"] += [str(part["text"]) for part in parts if part.get("text")]
        return
    if item.get("type") != "message":
        return
    for part in parts:
        if part.get("type") == "refusal":
            texts["refusal"].append(str(part.get("refusal") or ""))
        elif isinstance(part.get("text"), str):
            texts["text"].append(part["text"])


def _usage(raw: dict[str, Any]) -> Event:
    given = raw.get("input_tokens_details")
    given = given if isinstance(given, dict) else {}
    written = raw.get("output_tokens_details")
    written = written if isinstance(written, dict) else {}
    read, wrote, total = raw.get("input_tokens"), raw.get("output_tokens"), raw.get("total_tokens")
    if total is None and isinstance(read, int) and isinstance(wrote, int):
        total = read + wrote
    return Event(
        "usage",
        usage=Usage(
            input_tokens=read,
            output_tokens=wrote,
            total_tokens=total,
            cache_read_tokens=given.get("cached_tokens"),
            cache_write_tokens=given.get("cache_write_tokens"),
            reasoning_tokens=written.get("reasoning_tokens"),
            source="provider",
            raw=raw,
        ),
    )
