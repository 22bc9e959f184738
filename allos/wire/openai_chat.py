"""Chat Completions: https://platform.openai.com/docs/api-reference/chat and what others made of it."""

from __future__ import annotations

from typing import Any

from allos.errors import InvalidResponseError
from allos.types import Api, Event, FinishReason, Message, Request, Usage
from allos.wire import faults
from allos.wire.base import Body, Decoder, Wire, parse_json
from allos.wire.parameters import apply, model_quirks
from allos.wire.think import ThinkSplitter

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "stop": "stop",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "logprobs": "logprobs",
    "top_logprobs": "top_logprobs",
    "logit_bias": "logit_bias",
    "effort": "reasoning_effort",
}

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

_XAI_TICKS_PER_USD = 10**10


class ChatWire(Wire):
    """Chat Completions through the `openai` SDK."""

    api: Api = "chat"
    sdk = "openai"
    path = "/chat/completions"

    def body(self, request: Request) -> Body:
        quirks = request.quirks
        of_model = model_quirks(quirks, request.model)
        names = dict(_NAMES)
        names["max_tokens"] = (
            of_model.max_tokens_name if of_model and of_model.max_tokens_name else None
        ) or quirks.max_tokens_name
        fields, dropped = apply(request, names)
        body: dict[str, Any] = {
            "model": request.model,
            "messages": _messages(request.messages),
            **fields,
        }
        if request.stream:
            body["stream"] = True
            if quirks.stream_options:
                body["stream_options"] = {"include_usage": True}
        body.update(request.extra)
        return Body(body, dropped)

    def decoder(self, request: Request) -> Decoder:
        return ChatDecoder(think_tags=request.quirks.think_tags)


def _messages(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    leading: list[str] = []
    for message in messages:
        if message.role == "system" and not turns:
            # Some servers take one system message, and only as the first.
            if message.content:
                leading.append(message.content)
            continue
        turns.append(_turn(message))
    if leading:
        turns.insert(0, {"role": "system", "content": "\n\n".join(leading)})
    return turns


def _turn(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role.value}
    if message.content is not None:
        turn["content"] = message.content
    elif message.role == "user":
        turn["content"] = ""
    for part in message.raw:
        turn.update(part)
    if message.tool_calls:
        from json import dumps

        turn["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": call.raw_arguments
                    if call.raw_arguments is not None
                    else dumps(call.arguments, ensure_ascii=False),
                },
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        turn["tool_call_id"] = message.tool_call_id
    return turn


class ChatDecoder(Decoder):
    """Understands chunks and whole completions, those of lenient servers included."""

    def __init__(self, *, think_tags: bool = False) -> None:
        self._splitter = ThinkSplitter() if think_tags else None
        self._facts: dict[str, Any] = {}
        self._slots: list[dict[str, str]] = []  # id and name of each tool call, in order
        self._slot_of_index: dict[Any, int] = {}
        self._finish: str | None = None

    def event(self, name: str, data: bytes) -> list[Event]:
        if data.startswith(b"[DONE]"):
            self.done = self.closed = True
            return []
        if not data.strip():
            return []
        chunk = parse_json(data)
        if not isinstance(chunk, dict):
            return []
        return self._chunk(chunk, "delta", named_error=name == "error")

    def whole(self, reply: dict[str, Any]) -> list[Event]:
        events = self._chunk(reply, "message")
        if not reply.get("choices"):
            text, code = faults.describe(reply.get("base_resp") or reply)
            raise InvalidResponseError(
                "the answer holds no choices" + (f": {text}" if text else ""), code=code
            )
        self.done = True
        return events

    def finish(self) -> list[Event]:
        events = (
            [Event(kind, text) for kind, text in self._splitter.end()] if self._splitter else []
        )
        if self._finish is not None or self.done:
            reason, raw = self._reason()
            self.done = True
            events.append(Event("finish", raw or "", data={"finish_reason": reason}))
        return events

    def _reason(self) -> tuple[FinishReason | None, str | None]:
        raw = self._finish
        if self._slots and (not raw or _FINISH.get(raw.lower()) == "stop"):
            return "tool_calls", raw
        if not raw:
            return None, raw
        return _FINISH.get(raw.lower(), "other"), raw

    def _chunk(self, chunk: dict[str, Any], part: str, *, named_error: bool = False) -> list[Event]:
        choices = chunk.get("choices")
        if chunk.get("error") or named_error:
            raise faults.from_body(chunk)
        events = self._meta(chunk)
        if choices:
            for choice in choices:
                if isinstance(choice, dict):
                    self._choice(choice, part, events)
        usage = chunk.get("usage")
        if not usage and isinstance(extra := chunk.get("x_groq"), dict):
            usage = extra.get("usage")
        if isinstance(usage, dict) and usage:
            events += _usage(usage)
        return events

    def _meta(self, chunk: dict[str, Any]) -> list[Event]:
        facts = self._facts
        news: dict[str, Any] | None = None
        for key, column in (
            ("id", "response_id"),
            ("model", "response_model"),
            ("system_fingerprint", "system_fingerprint"),
            ("service_tier", "service_tier"),
        ):
            value = chunk.get(key)
            if value and facts.get(column) != value:
                facts[column] = value
                news = news or {}
                news[column] = value
        return [Event("meta", data=news)] if news else []

    def _choice(self, choice: dict[str, Any], part: str, events: list[Event]) -> None:
        if choice.get("index"):  # n is never sent: another index is a server's own idea
            return
        message = choice.get(part) or choice.get("delta") or choice.get("message")
        if isinstance(message, dict):
            thought = message.get("reasoning_content") or message.get("reasoning")
            if isinstance(thought, str) and thought:
                events.append(Event("reasoning", thought))
            content = message.get("content")
            if content:
                self._content(content, events)
            refusal = message.get("refusal")
            if refusal:
                events.append(Event("refusal", str(refusal)))
            calls = message.get("tool_calls")
            if isinstance(calls, list):
                for position, call in enumerate(calls):
                    if isinstance(call, dict):
                        self._tool(call, position, events)
        usage = choice.get("usage")
        if isinstance(usage, dict) and usage:
            events += _usage(usage)
        reason = choice.get("finish_reason")
        if reason is not None:
            self._finish = str(reason)
            self.done = True

    def _content(self, content: Any, events: list[Event]) -> None:
        if isinstance(content, str):
            if self._splitter is None:
                events.append(Event("text", content))
            else:
                events += [Event(kind, text) for kind, text in self._splitter.feed(content)]
            return
        for item in content if isinstance(content, list) else ():
            if not isinstance(item, dict):
                continue
            if item.get("type") == "thinking":
                inner = item.get("thinking")
                for thought in inner if isinstance(inner, list) else [{"text": inner}]:
                    if isinstance(thought, dict) and thought.get("text"):
                        events.append(Event("reasoning", str(thought["text"])))
            elif isinstance(item.get("text"), str):
                events.append(Event("text", item["text"]))

    def _tool(self, call: dict[str, Any], position: int, events: list[Event]) -> None:
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        slot = self._slot(call.get("index"), call.get("id"), function.get("name"), position)
        piece: dict[str, Any] = {}
        known = self._slots[slot]
        for key, value in (("id", call.get("id")), ("name", function.get("name"))):
            if value and not known[key]:
                known[key] = piece[key] = str(value)
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            piece["arguments"] = arguments
        elif arguments is not None:
            piece["parsed"] = arguments
        events.append(Event("tool", slot=slot, data=piece))

    def _slot(self, index: Any, id_: Any, name: Any, position: int) -> int:
        """Which call a piece belongs to, by id, then position, then name.

        Servers number parallel calls alike, leave the index or the id out, or repeat the id.
        """
        slots = self._slots
        if id_:
            for number, slot in enumerate(slots):
                if slot["id"] == str(id_):
                    return number
        at = self._slot_of_index.get(index) if index is not None else None
        if at is None and index is None and slots and not id_ and not name:
            at = len(slots) - 1
        if at is not None:
            slot = slots[at]
            another = (id_ and slot["id"]) or (name and slot["name"] and slot["name"] != name)
            if not another:
                return at
        slots.append({"id": "", "name": ""})
        if index is not None:
            self._slot_of_index[index] = len(slots) - 1
        return len(slots) - 1


def _usage(raw: dict[str, Any]) -> list[Event]:
    count = _count
    details = raw.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    written = raw.get("completion_tokens_details")
    written = written if isinstance(written, dict) else {}
    given, output, total = (
        count(raw.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    reasoning = count(written.get("reasoning_tokens"))
    # Some vendors count reasoning apart from the completion; the sum tells.
    if (
        reasoning
        and given is not None
        and output is not None
        and total == given + output + reasoning
    ):
        output += reasoning
    if total is None and given is not None and output is not None:
        total = given + output
    cached = count(details.get("cached_tokens"))
    events = [
        Event(
            "usage",
            usage=Usage(
                input_tokens=given,
                output_tokens=output,
                total_tokens=total,
                reasoning_tokens=reasoning,
                cache_read_tokens=count(raw.get("prompt_cache_hit_tokens"))
                if cached is None
                else cached,
                cache_write_tokens=count(details.get("cache_write_tokens")),
                source="provider",
                raw=raw,
            ),
        )
    ]
    cost: float | None = None
    if isinstance(raw.get("cost"), (int, float)):
        cost = float(raw["cost"])
    elif isinstance(raw.get("cost_in_usd_ticks"), (int, float)):
        cost = raw["cost_in_usd_ticks"] / _XAI_TICKS_PER_USD
    if cost is not None:
        events.append(
            Event("meta", data={"cost_usd": cost, "price_version": "reported by the service"})
        )
    return events


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
