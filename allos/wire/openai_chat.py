"""Chat Completions: https://platform.openai.com/docs/api-reference/chat and what others made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jiter import from_json

from allos.errors import BadRequestError, InvalidResponseError, ProviderError
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
from allos.wire.base import Amended, Body, Decoder, Wire
from allos.wire.content import chat_content
from allos.wire.json_fields import count, parse_json, reported_cost, text
from allos.wire.parameters import apply, model_quirks
from allos.wire.reasoning_tags import ThinkSplitter
from allos.wire.tool_fields import chat_schema, chat_tools, fitting_ids, instructed

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

_LIMIT_NAMES = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""Each name of the token limit to the other one."""
_NOT_TAKEN = re.compile(
    r"unsupported|not supported|unknown|unrecognized|unexpected|extra|not (permitted|allowed)", re.I
)

_CALL_EXTRA = "chat.tool_call_extra"
"""Type of the raw part that keeps `extra_content` of a call: Gemini 3 signs its thoughts there and
answers 400 to calls that come back without."""


class ChatWire(Wire):
    """Chat Completions through the `openai` SDK."""

    api: Api = "chat"
    sdk = "openai"
    path = "/chat/completions"

    def body(self, request: Request) -> Body:
        profile = request.profile
        of_model = model_quirks(profile, request.model)
        names = dict(_NAMES)
        names["max_tokens"] = (
            of_model.max_tokens_name if of_model and of_model.max_tokens_name else None
        ) or profile.max_tokens_name
        fields, dropped = apply(request, names)
        tools, unsaid = chat_tools(request)
        body: dict[str, Any] = {
            "model": request.model,
            "messages": _messages(fitting_ids(instructed(request), profile.tool_id_length)),
            **fields,
            **tools,
            **chat_schema(request),
        }
        if request.stream:
            body["stream"] = True
            if profile.stream_options:
                body["stream_options"] = {"include_usage": True}
        body.update(request.extra)
        return Body(body, dropped + unsaid)

    def decoder(self, request: Request) -> Decoder:
        return ChatDecoder(think_tags=request.profile.think_tags)

    def amend(self, body: Body, error: ProviderError) -> Amended | None:
        if type(error) is not BadRequestError or error.status_code not in (400, 422):
            return None
        said, fields = f"{error.code or ''} {error.message} {error.detail or ''}", body.body
        if "stream_options" in fields and "stream_options" in said:
            rest = {name: value for name, value in fields.items() if name != "stream_options"}
            return Amended(body._replace(body=rest), {"stream_options": False})
        for name, other in _LIMIT_NAMES.items():
            # A deployment's name does not tell its model, and models differ in this.
            if name in fields and other not in fields and _refuses(said, name):
                renamed = {other if key == name else key: fields[key] for key in fields}
                return Amended(body._replace(body=renamed), {"max_tokens_name": other})
        return None


def _refuses(said: str, name: str) -> bool:
    return bool(re.search(rf"\b{name}\b", said) and _NOT_TAKEN.search(said))


def _messages(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    leading: list[str] = []
    for message in messages:
        if message.role == "system" and not turns:
            # Some servers take one system message, and only as the first.
            if message.text:
                leading.append(message.text)
            continue
        turns.append(_turn(message))
    if leading:
        turns.insert(0, {"role": "system", "content": "\n\n".join(leading)})
    return turns


def _turn(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role.value}
    if message.content is not None:
        turn["content"] = chat_content(message)
    elif message.role != "assistant":
        turn["content"] = ""
    for part in message.raw:
        if "type" not in part:  # typed parts belong to another API
            turn.update(part)
    if message.tool_calls:
        from json import dumps

        extra = {p["id"]: p["extra_content"] for p in message.raw if p.get("type") == _CALL_EXTRA}
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
                **({"extra_content": extra[call.id]} if call.id in extra else {}),
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
        self._named: tuple[Any, ...] = (None,) * 4
        self._slots: list[_Slot] = []  # each tool call, in order
        self._slot_of_index: dict[str, int] = {}
        self._finish: str | None = None
        self._began = False
        """Some of the answer has come."""
        self._thoughts: list[str] = []
        """Pieces of `reasoning_content`, which its services want back beside tool calls."""

    def event(self, name: str, data: bytes) -> list[Event]:
        data = data.strip()
        if data.startswith(b"[DONE]"):
            self.done = self.closed = True
            return []
        if not data:
            return []
        chunk = parse_json(data)
        if not isinstance(chunk, dict):
            return []
        return self._chunk(chunk, "delta", named_error=name == "error")

    def whole(self, reply: dict[str, Any]) -> Iterator[Event]:
        yield from self._chunk(reply, "message")
        if not isinstance(reply.get("choices"), list) or not reply["choices"]:
            words, code = error_mapping.describe(reply)
            raise InvalidResponseError(
                "the answer holds no choices" + (f": {words}" if words else ""), code=code
            )
        self.done = True

    def finish(self) -> list[Event]:
        events: list[Event] = [*self._splitter.end()] if self._splitter else []
        events += [
            RawPart({"type": _CALL_EXTRA, "id": slot.id or f"call_{n}", **slot.extra})
            for n, slot in enumerate(self._slots)
            if slot.extra
        ]
        if self._thoughts and self._slots:
            events.append(RawPart({"reasoning_content": "".join(self._thoughts)}))
        if self._finish is not None or self.done:
            reason, raw = self._reason()
            self.done = True
            events.append(Finished(reason, raw or None))
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
            self.fault = error_mapping.from_body(chunk)
            if not choices:
                raise self.fault
        verdict = chunk.get("base_resp")
        if isinstance(verdict, dict) and verdict.get("status_code"):
            raise error_mapping.from_body(verdict)
        events = self._meta(chunk)
        if isinstance(choices, list):
            for choice in choices:
                if isinstance(choice, dict):
                    self._choice(choice, part, events)
        usage = chunk.get("usage")
        if isinstance(extra := chunk.get("x_groq"), dict):
            usage = usage or extra.get("usage")
            if number := text(extra.get("id")):
                events.append(ResponseFacts(request_id=number))
        if isinstance(usage, dict) and usage:
            events += _usage(usage)
        return events

    def _meta(self, chunk: dict[str, Any]) -> list[Event]:
        get = chunk.get
        named = (get("id"), get("model"), get("system_fingerprint"), get("service_tier"))
        if named == self._named:  # every chunk repeats them
            return []
        self._named = named
        response_id, model, fingerprint, tier = map(text, named)
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
        if message is None and not self._began:
            # Some services repeat the whole message in the last chunk; once is enough.
            message = choice.get("message")
        if isinstance(message, dict):
            before = len(events)
            self._message(message, events)
            self._began = self._began or len(events) > before
        usage = choice.get("usage")
        if isinstance(usage, dict) and usage:
            events += _usage(usage)
        if choice.get("error") and self.fault is None:
            self.fault = error_mapping.from_body(choice)
        reason = choice.get("finish_reason")
        if reason is not None:
            self._finish = str(reason)
            self.done = True

    def _message(self, message: dict[str, Any], events: list[Event]) -> None:
        content = message.get("content")
        if len(message) == 1 and isinstance(content, str):  # nearly every chunk is only this
            if content:
                self._content(content, events)
            return
        thought = text(message.get("reasoning_content"))
        if thought:
            self._thoughts.append(thought)
        thought = thought or text(message.get("reasoning")) or _detailed(message)
        if thought:
            events.append(ReasoningDelta(thought))
        if content:
            self._content(content, events)
        refusal = text(message.get("refusal"))
        if refusal:
            events.append(RefusalDelta(refusal))
        calls = message.get("tool_calls")
        if isinstance(calls, list):
            taken: set[int] = set()
            for call in calls:
                if isinstance(call, dict):
                    self._tool(call, taken, events)

    def _content(self, content: Any, events: list[Event]) -> None:
        if isinstance(content, str):
            if self._splitter is None or self._splitter.passed:
                events.append(TextDelta(content))
            else:
                events += self._splitter.feed(content)
            return
        for item in content if isinstance(content, list) else ():
            if not isinstance(item, dict):
                continue
            if item.get("type") == "thinking":
                inner = item.get("thinking")
                for part in inner if isinstance(inner, list) else [{"text": inner}]:
                    if isinstance(part, dict) and (thought := text(part.get("text"))):
                        events.append(ReasoningDelta(thought))
            elif visible := text(item.get("text")):
                events.append(TextDelta(visible))

    def _tool(self, call: dict[str, Any], taken: set[int], events: list[Event]) -> None:
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        id_, name = text(call.get("id")), text(function.get("name"))
        arguments = function.get("arguments")
        number = self._slot(call.get("index"), id_, name, taken)
        taken.add(number)
        slot = self._slots[number]
        new_id = new_name = text_piece = value = None
        if isinstance(beside := call.get("extra_content"), dict):
            slot.extra = {"extra_content": beside}
        if id_ and not slot.id:
            slot.id = new_id = id_
        if name and not slot.name:
            slot.name = new_name = name
        if isinstance(arguments, str):
            text_piece = arguments
            slot.arguments.append(arguments)
        elif arguments is not None:
            value = arguments
            slot.parsed = True
        events.append(ToolCallDelta(number, new_id, new_name, text_piece, value))

    def _slot(self, index: Any, id_: str | None, name: str | None, taken: set[int]) -> int:
        """Which call a piece belongs to, by id, index, name, place in the chunk and what is there.

        Servers number parallel calls alike, leave the index or the id out, repeat the id or the
        name with every piece, or give all calls one id.
        """
        slots = self._slots
        key = None if index is None else repr(index)
        if id_:
            for number, slot in enumerate(slots):
                other = key is not None and slot.index not in (None, key)
                if slot.id == id_ and number not in taken and not (other and name):
                    return number
        at = None if key is None else self._slot_of_index.get(key)
        if at is None and key is None and slots and not id_:
            at = len(slots) - 1
        if at is not None and at not in taken and not slots[at].parts_from(id_, name):
            return at
        slots.append(_Slot(key))
        if key is not None:
            self._slot_of_index[key] = len(slots) - 1
        return len(slots) - 1


def _detailed(message: dict[str, Any]) -> str | None:
    """Reasoning where a service sends it in parts alone."""
    details = message.get("reasoning_details")
    parts = (
        [part for part in details if isinstance(part, dict)] if isinstance(details, list) else ()
    )
    return "".join(text(p.get("text")) or text(p.get("summary")) or "" for p in parts) or None


class _Slot:
    """A tool call as far as it is known."""

    __slots__ = ("arguments", "extra", "id", "index", "name", "parsed")

    def __init__(self, index: str | None) -> None:
        self.index = index
        self.id: str | None = None
        self.name: str | None = None
        self.arguments: list[str] = []
        self.extra: dict[str, Any] = {}
        self.parsed = False
        """Its arguments came as a value."""

    def parts_from(self, id_: str | None, name: str | None) -> bool:
        """Whether a piece with this id and name is of another call."""
        if id_ and self.id:
            return id_ != self.id
        if not name or not self.name:
            return False
        # The name again: a habit of the server, unless this call is already complete.
        return name != self.name or self.complete

    @property
    def complete(self) -> bool:
        if self.parsed:
            return True
        if not self.arguments or not self.arguments[-1].rstrip().endswith("}"):
            return False
        try:
            from_json("".join(self.arguments).encode("utf-8", "surrogatepass"))
        except ValueError:
            return False
        return True


def _usage(raw: dict[str, Any]) -> list[Event]:
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
    report = UsageReport(
        Usage(
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
        )
    )
    return [report, *reported_cost(raw)]
