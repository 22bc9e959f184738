"""OpenAI Responses."""

from __future__ import annotations

from typing import Any

from .ask import PLACEHOLDER, Ask, arguments_text
from .chat import error as error
from .script import Reply
from .sse import Event

_INCOMPLETE = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
    "pause": "steered",
    "max_output_tokens": "max_output_tokens",
    "max_messages": "max_messages",
    "steered": "steered",
}
_FAILED = {"error": "failed", "failed": "failed"}
_OTHER = {"cancelled", "queued", "in_progress"}


def complete(reply: Reply, ask: Ask) -> dict[str, Any]:
    """Body of an answer that comes at once."""
    body = _frame(reply, ask, _status(reply), [item.whole for item in _items(reply, ask)])
    if reply.usage is not None:
        body["usage"] = usage(reply)
    if body["status"] == "incomplete":
        body["incomplete_details"] = {"reason": _INCOMPLETE.get(reply.reason, reply.reason)}
    if body["status"] == "failed":
        body["error"] = {"code": "server_error", "message": "The model failed to answer."}
    return {**body, **reply.extra}


def events(reply: Reply, ask: Ask) -> list[Event]:
    """Events of a streamed answer; the last one repeats the whole answer."""
    begun = _frame(reply, ask, "in_progress", [])
    made = [
        _event("response.created", response=begun),
        _event("response.in_progress", response=begun),
    ]
    for at, item in enumerate(_items(reply, ask)):
        made.append(_event("response.output_item.added", output_index=at, item=item.begun))
        for event in item.inner:
            where = {"item_id": item.whole["id"], "output_index": at}
            made.append(event._replace(data={**event.data, **where}))
        made.append(_event("response.output_item.done", output_index=at, item=item.whole))
    status = _status(reply)
    last = status if status in ("completed", "incomplete", "failed") else "completed"
    made.append(_event(f"response.{last}", response=complete(reply, ask)))
    return _numbered(made)


def empty(ask: Ask) -> dict[str, Any]:
    """An answer without an output item."""
    return {**complete(Reply(), ask), "output": []}


def empty_events(ask: Ask) -> list[Event]:
    """A stream without an output item."""
    begun = _frame(Reply(), ask, "in_progress", [])
    return _numbered(
        [
            _event("response.created", response=begun),
            _event("response.in_progress", response=begun),
            _event("response.completed", response=empty(ask)),
        ]
    )


def error_event(message: str) -> Event:
    """An error inside a stream: a bare event, which the SDK yields and does not raise."""
    return Event(
        "error",
        {
            "type": "error",
            "code": "server_error",
            "message": message,
            "param": None,
            "sequence_number": 99,
        },
    )


def usage(reply: Reply) -> dict[str, Any]:
    """Usage object; details only for what is known."""
    known = reply.usage or {}
    made: dict[str, Any] = {}
    details = {
        name: known[ours]
        for name, ours in (
            ("cached_tokens", "cache_read_tokens"),
            ("cache_write_tokens", "cache_write_tokens"),
        )
        if ours in known
    }
    if "input_tokens" in known:
        made["input_tokens"] = known["input_tokens"]
    if details:
        made["input_tokens_details"] = details
    if "output_tokens" in known:
        made["output_tokens"] = known["output_tokens"]
    if "reasoning_tokens" in known:
        made["output_tokens_details"] = {"reasoning_tokens": known["reasoning_tokens"]}
    if "input_tokens" in known and "output_tokens" in known:
        made["total_tokens"] = known["input_tokens"] + known["output_tokens"]
    return {**made, **reply.usage_extra}


class _Item:
    """One output item: as it begins, what happens inside, as it ends."""

    def __init__(self, begun: dict[str, Any], whole: dict[str, Any], inner: list[Event]) -> None:
        self.begun, self.whole, self.inner = begun, whole, inner


def _items(reply: Reply, ask: Ask) -> list[_Item]:
    made: list[_Item] = []
    if reply.reasoning is not None:
        made.append(_reasoning(reply, reply.reasoning, ask))
    if reply.text or reply.refusal or not (reply.tool_calls or reply.reasoning):
        made.append(_message(reply))
    for at, call in enumerate(reply.tool_calls):
        text = arguments_text(call)
        head = {
            "id": f"fc_{PLACEHOLDER}_{at}",
            "type": "function_call",
            "call_id": call.id or f"call_{PLACEHOLDER}_{at}",
            "name": call.name,
        }
        kind = "response.function_call_arguments"
        inner = [_delta(f"{kind}.delta", delta=piece) for piece in reply.pieces(text)]
        inner.append(_event(f"{kind}.done", name=call.name, arguments=text))
        made.append(
            _Item(
                {**head, "arguments": "", "status": "in_progress"},
                {**head, "arguments": text, "status": "completed"},
                inner,
            )
        )
    return made


def _reasoning(reply: Reply, text: str, ask: Ask) -> _Item:
    head: dict[str, Any] = {"id": f"rs_{PLACEHOLDER}", "type": "reasoning", "summary": []}
    whole = dict(head)
    if ask.encrypted:
        whole["encrypted_content"] = f"gAAAA-{PLACEHOLDER}"
    if reply.reasoning_as == "text":
        whole["content"] = [{"type": "reasoning_text", "text": text}]
        kind = "response.reasoning_text"
        inner = [_delta(f"{kind}.delta", content_index=0, delta=p) for p in reply.pieces(text)]
        return _Item(head, whole, [*inner, _event(f"{kind}.done", content_index=0, text=text)])
    whole["summary"] = [{"type": "summary_text", "text": text}]
    part, spot = "response.reasoning_summary_part", {"summary_index": 0}
    kind = "response.reasoning_summary_text"
    inner = [_event(f"{part}.added", **spot, part={"type": "summary_text", "text": ""})]
    inner += [_delta(f"{kind}.delta", **spot, delta=piece) for piece in reply.pieces(text)]
    inner += [
        _event(f"{kind}.done", **spot, text=text),
        _event(f"{part}.done", **spot, part=whole["summary"][0]),
    ]
    return _Item(head, whole, inner)


def _message(reply: Reply) -> _Item:
    head = {"id": f"msg_{PLACEHOLDER}", "type": "message", "role": "assistant"}
    parts: list[dict[str, Any]] = []
    inner: list[Event] = []
    if reply.text or not reply.refusal:
        text = reply.text or ""
        empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        parts.append({**empty, "text": text})
        inner += _part(reply, 0, empty, parts[-1], "response.output_text", text=text, logprobs=[])
    if reply.refusal:
        at, refusal = len(parts), reply.refusal
        parts.append({"type": "refusal", "refusal": refusal})
        begun = {"type": "refusal", "refusal": ""}
        inner += _part(reply, at, begun, parts[-1], "response.refusal", refusal=refusal)
    status = "incomplete" if _status(reply) == "incomplete" else "completed"
    return _Item(
        {**head, "content": [], "status": "in_progress"},
        {**head, "content": parts, "status": status},
        inner,
    )


def _part(
    reply: Reply,
    at: int,
    begun: dict[str, Any],
    done: dict[str, Any],
    kind: str,
    **final: Any,
) -> list[Event]:
    text = final.get("text") or final.get("refusal") or ""
    extra = {"logprobs": []} if "logprobs" in final else {}
    return [
        _event("response.content_part.added", content_index=at, part=begun),
        *(_delta(f"{kind}.delta", content_index=at, delta=p, **extra) for p in reply.pieces(text)),
        _event(f"{kind}.done", content_index=at, **final),
        _event("response.content_part.done", content_index=at, part=done),
    ]


def _frame(reply: Reply, ask: Ask, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"resp_{PLACEHOLDER}",
        "object": "response",
        "created_at": ask.created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": reply.model or ask.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": reply.service_tier or "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": {},
    }


def _status(reply: Reply) -> str:
    reason = reply.reason
    if reason in _FAILED or reason in _OTHER:
        return _FAILED.get(reason, reason)
    if reason in ("stop", "completed", "tool_calls", "refusal"):
        return "completed"
    return "incomplete"


def _event(kind: str, **fields: Any) -> Event:
    return Event(kind, {"type": kind, **fields})


def _delta(kind: str, **fields: Any) -> Event:
    return _event(kind, **fields)._replace(delta=True)


def _numbered(made: list[Event]) -> list[Event]:
    return [
        event._replace(data={**event.data, "sequence_number": at}) for at, event in enumerate(made)
    ]
