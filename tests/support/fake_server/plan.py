"""From an entry of the script to the bytes, waits and breaks that play it on a connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from http import HTTPStatus
from itertools import groupby
from typing import Any

from . import chat, messages, responses
from .ask import PLACEHOLDER, Ask
from .script import Entry, Fault, Raw, Reply
from .seen import Seen
from .sse import Event, cut, dumps, encode

APIS: dict[str, Any] = {"chat": chat, "responses": responses, "messages": messages}
JSON = "application/json"
END = b"0\r\n\r\n"
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Log in first.</body></html>"


class Do(Enum):
    """What a connection can do besides writing and waiting."""

    HOLD = "stay silent until the client leaves"
    RESET = "abort with a TCP reset"
    CLOSE = "close in the middle of the message"


Step = bytes | float | Do
"""Write, wait that many seconds, or break."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of one answer."""

    steps: tuple[Step, ...]

    @classmethod
    def of(cls, steps: Iterable[Step]) -> Plan:
        """Join neighbouring writes and leave out empty waits."""
        kept = (step for step in steps if not isinstance(step, float) or step > 0)
        made: list[Step] = []
        for are_bytes, group in groupby(kept, lambda step: isinstance(step, bytes)):
            several = list(group)
            made += [b"".join(several)] if are_bytes else several  # type: ignore[arg-type]
        return cls(tuple(made))


def build(entry: Entry, seen: Seen, ask: Ask, fallback: Reply) -> Plan:
    """Steps that answer one request.

    Parameters
    ----------
    entry : Reply, Raw or Fault
    seen : Seen
    ask : Ask
    fallback : Reply
        What a fault spoils that names no reply of its own.
    """
    shape = shape_of(seen)
    if isinstance(entry, Raw):
        return Plan.of(_raw(entry, shape))
    if isinstance(entry, Fault):
        return Plan.of(_fault(entry, seen, ask, shape, entry.reply or fallback))
    api = APIS[shape]
    head = _headers(shape, entry)
    if not ask.stream:
        return Plan.of(
            [entry.first_delay_s, *_complete_response(head, dumps(api.complete(entry, ask)))]
        )
    events = api.events(entry, ask)
    return Plan.of([entry.first_delay_s, *_stream(head, events, entry, END)])


def json_plan(seen: Seen, value: Any, status: int = 200) -> Plan:
    """Steps for a JSON body outside the script (model lists, refusals of the server itself)."""
    return Plan.of(_complete_response(_headers(shape_of(seen)), dumps(value), status))


def shape_of(seen: Seen) -> str:
    """The API whose body shapes apply: its own, or for shared paths what the client speaks."""
    if seen.api in APIS:
        return str(seen.api)
    return "messages" if "anthropic-version" in seen.headers else "chat"


def _fault(fault: Fault, seen: Seen, ask: Ask, shape: str, reply: Reply) -> list[Step]:
    wait = fault.first_delay_s
    api, head = APIS[shape], {**_headers(shape, reply), **fault.headers}
    breaks: dict[str, Step] = {
        "reset": Do.RESET,
        "drop": Do.CLOSE,
        "stall": Do.HOLD,
        "truncate": END,
    }
    if fault.kind in breaks:
        last = breaks[fault.kind]
        if not fault.mid_answer:
            return [wait, last]
        if ask.stream:
            events = api.events(reply, ask)
            return [wait, *_stream(head, events[: _cut_at(fault, events)], reply, last)]
        return [wait, *_half(head, dumps(api.complete(reply, ask)), last)]
    if fault.kind == "drip":
        body, stream = _body(api, reply, ask)
        pieces = cut(body, fault.size)
        framed = [_chunk(piece) for piece in pieces] if stream else pieces
        if stream:
            head["content-type"] = "text/event-stream; charset=utf-8"
        top = _head(200, head, None if stream else len(body), stream=stream)
        return [wait, top, *_paced(framed, fault.delay_s), *([END] if stream else [])]
    if fault.kind == "empty" and ask.stream:
        return [wait, *_stream(head, api.empty_events(ask), reply, END)]
    if fault.kind == "malformed" and not ask.stream:
        body = dumps(api.complete(reply, ask))
        return [wait, *_complete_response(head, body[: len(body) // 2])]
    if fault.kind in ("malformed", "error_event") and ask.stream:
        events = api.events(reply, ask)
        at = min(_cut_at(fault, events), len(events) - 1)
        if fault.kind == "malformed":
            broken = dumps(events[at].data).decode()
            spoilt = Event(events[at].name, broken[: len(broken) // 2])
            return [wait, *_stream(head, [*events[:at], spoilt, *events[at + 1 :]], reply, END)]
        failure = api.error_event(fault.message)
        return [wait, *_stream(head, [*events[:at], failure], reply, END)]
    return [wait, *_error(fault, seen, ask, shape, head)]


def _error(fault: Fault, seen: Seen, ask: Ask, shape: str, head: Mapping[str, str]) -> list[Step]:
    api = APIS[shape]
    if fault.kind == "html":
        return _complete_response(
            {**head, "content-type": "text/html; charset=utf-8"}, PAGE, fault.code
        )
    if fault.kind == "empty":
        return _complete_response(head, dumps(api.empty(ask)))
    if fault.kind in ("error_200", "error_event"):
        return _complete_response(head, dumps(api.error(503, fault.message)))
    if fault.kind == "status" and fault.body is not None:
        if not isinstance(fault.body, str | bytes):
            return _complete_response(head, dumps(fault.body), fault.code)
        body = fault.body.encode() if isinstance(fault.body, str) else fault.body
        kind = "text/html" if body.lstrip().startswith(b"<") else "text/plain"
        return _complete_response({**head, "content-type": kind, **fault.headers}, body, fault.code)
    anthropic = shape == "messages"
    code, text = None, fault.message or _phrase(fault.code)
    if fault.kind == "bad_key":
        text = f"Incorrect API key provided: {seen.key}. Check it in your account settings."
    elif fault.kind == "not_found":
        code = None if anthropic else "model_not_found"
        text = (
            f"model: {ask.model}"
            if anthropic
            else f"The model `{ask.model}` does not exist or you do not have access to it."
        )
    elif fault.kind == "context":
        code = None if anthropic else "context_length_exceeded"
        text = (
            "prompt is too long: 200001 tokens > 200000 maximum"
            if anthropic
            else "This model's maximum context length is 8192 tokens. However, your messages "
            "resulted in 9001 tokens. Please reduce the length of the messages."
        )
    return _complete_response(head, dumps(api.error(fault.code, text, code)), fault.code)


def _raw(raw: Raw, shape: str) -> list[Step]:
    head = {**_headers(shape), "content-type": raw.content_type, **raw.headers}
    if raw.split is None:
        return _complete_response(head, raw.body, raw.status)
    sizes = raw.split if isinstance(raw.split, int) else list(raw.split)
    framed = [_chunk(piece) for piece in cut(raw.body, sizes)]
    return [_head(raw.status, head, None, stream=True), *_paced(framed, raw.delay_s), END]


def _body(api: Any, reply: Reply, ask: Ask) -> tuple[bytes, bool]:
    if not ask.stream:
        return dumps(api.complete(reply, ask)), False
    return b"".join(_encoded(api.events(reply, ask), reply)), True


def _encoded(events: Sequence[Event], reply: Reply) -> list[bytes]:
    return [encode(event, reply.sse, first=at == 0) for at, event in enumerate(events)]


def _stream(
    head: Mapping[str, str], events: Sequence[Event], reply: Reply, last: Step
) -> list[Step]:
    pieces = _encoded(events, reply)
    if reply.sse.split is not None:
        pieces = cut(b"".join(pieces), reply.sse.split)
    top = _head(
        200, {**head, "content-type": "text/event-stream; charset=utf-8"}, None, stream=True
    )
    return [top, *_paced([_chunk(piece) for piece in pieces], reply.delay_s), last]


def _complete_response(head: Mapping[str, str], body: bytes, status: int = 200) -> list[Step]:
    return [_head(status, head, len(body)) + body]


def _half(head: Mapping[str, str], body: bytes, last: Step) -> list[Step]:
    half = body[: len(body) // 2]
    if last == END:
        return _complete_response(head, half)
    return [_head(200, head, len(body)) + half, last]


def _cut_at(fault: Fault, events: Sequence[Event]) -> int:
    if fault.after_deltas is None:
        return min(fault.after or 0, len(events))
    deltas = [at for at, event in enumerate(events) if event.delta]
    if fault.after_deltas == 0 or not deltas:
        return deltas[0] if deltas else len(events)
    return deltas[min(fault.after_deltas, len(deltas)) - 1] + 1


def _paced(pieces: Sequence[bytes], delay_s: float) -> list[Step]:
    made: list[Step] = []
    for at, piece in enumerate(pieces):
        if at:
            made.append(float(delay_s))
        made.append(piece)
    return made


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


def _head(
    status: int, headers: Mapping[str, str], length: int | None, *, stream: bool = False
) -> bytes:
    framing = "transfer-encoding: chunked" if stream else f"content-length: {length}"
    lines = [
        f"HTTP/1.1 {status} {_phrase(status)}",
        *(f"{k}: {v}" for k, v in headers.items()),
        framing,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded" if status == 529 else "Unknown"


def _headers(shape: str, reply: Reply | None = None) -> dict[str, str]:
    anthropic = shape == "messages"
    made = {
        "content-type": JSON,
        "request-id" if anthropic else "x-request-id": f"req_{PLACEHOLDER}",
    }
    if reply is not None:
        made.update(_ratelimit(reply.ratelimit, anthropic))
        made.update(reply.headers)
    return made


def _ratelimit(known: Mapping[str, float], anthropic: bool) -> dict[str, str]:
    made: dict[str, str] = {}
    for what in ("requests", "tokens"):
        prefix = f"anthropic-ratelimit-{what}-" if anthropic else "x-ratelimit-"
        suffix = "" if anthropic else f"-{what}"
        if f"remaining_{what}" in known:
            made[f"{prefix}remaining{suffix}"] = f"{known[f'remaining_{what}']:.0f}"
        if "reset_s" in known:
            made[f"{prefix}reset{suffix}"] = _reset(known["reset_s"], anthropic)
    return made


def _reset(reset_s: float, anthropic: bool) -> str:
    if anthropic:
        at = datetime.now(UTC) + timedelta(seconds=reset_s)
        return at.isoformat(timespec="seconds").replace("+00:00", "Z")
    if reset_s < 1:
        return f"{reset_s * 1000:.0f}ms"
    minutes, seconds = divmod(reset_s, 60)
    return f"{minutes:.0f}m{seconds:g}s" if minutes else f"{seconds:g}s"
