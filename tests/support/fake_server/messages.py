"""Anthropic Messages."""

from __future__ import annotations

from typing import Any

from .ask import PLACEHOLDER, Ask, arguments_text, arguments_value
from .script import Call, Reply
from .sse import Event

_FINISH = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "pause": "pause_turn",
    "context_exceeded": "model_context_window_exceeded",
}
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
SIGNATURE = "ZmFrZS1zaWduYXR1cmU="


def complete(reply: Reply, ask: Ask) -> dict[str, Any]:
    """Body of an answer that comes at once."""
    content: list[dict[str, Any]] = []
    if reply.reasoning is not None:
        content.append({"type": "thinking", "thinking": reply.reasoning, "signature": SIGNATURE})
    if _has_text(reply):
        content.append({"type": "text", "text": reply.text or ""})
    content += [
        {**_tool(call, at), "input": arguments_value(call)}
        for at, call in enumerate(reply.tool_calls)
    ]
    body = {**_head(reply, ask), "content": content, **_stop(reply)}
    if reply.usage is not None:
        body["usage"] = {**usage(reply), "service_tier": reply.service_tier or "standard"}
    return {**body, **reply.extra}


def events(reply: Reply, ask: Ask) -> list[Event]:
    """Events of a streamed answer."""
    made = [_start(reply, ask), _event("ping")]
    index = 0
    if reply.reasoning is not None:
        made.append(_block(index, {"type": "thinking", "thinking": "", "signature": ""}))
        made += [
            _delta(index, "thinking_delta", thinking=piece)
            for piece in reply.pieces(reply.reasoning)
        ]
        signed = _delta(index, "signature_delta", signature=SIGNATURE)
        made += [signed._replace(delta=False), _event("content_block_stop", index=index)]
        index += 1
    if _has_text(reply):
        made.append(_block(index, {"type": "text", "text": ""}))
        made += [
            _delta(index, "text_delta", text=piece) for piece in reply.pieces(reply.text or "")
        ]
        made.append(_event("content_block_stop", index=index))
        index += 1
    for at, call in enumerate(reply.tool_calls):
        pieces = reply.pieces(arguments_text(call)) if call.arguments else []
        made.append(_block(index, {**_tool(call, at), "input": {}}))
        made += [_delta(index, "input_json_delta", partial_json=piece) for piece in ["", *pieces]]
        made.append(_event("content_block_stop", index=index))
        index += 1
    end: dict[str, Any] = {"delta": _stop(reply)}
    if reply.usage is not None:
        end["usage"] = usage(reply)
    made.append(_event("message_delta", **end, **reply.extra))
    made.append(_event("message_stop"))
    return made


def empty(ask: Ask) -> dict[str, Any]:
    """An answer without a content block."""
    return {**complete(Reply(), ask), "content": []}


def empty_events(ask: Ask) -> list[Event]:
    """A stream without a content block."""
    return [event for event in events(Reply(), ask) if "content_block" not in (event.name or "")]


def error(status: int, message: str, code: str | None = None) -> dict[str, Any]:
    """Body of an HTTP error."""
    kind = code or _TYPES.get(status, "api_error")
    return {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": f"req_{PLACEHOLDER}",
    }


def error_event(message: str) -> Event:
    """An error inside a stream."""
    return Event("error", error(529, message))


def usage(reply: Reply) -> dict[str, Any]:
    """Usage object: here `input_tokens` counts only what no cache was involved in."""
    known = reply.usage or {}
    read, write = known.get("cache_read_tokens"), known.get("cache_write_tokens")
    made: dict[str, Any] = {}
    if "input_tokens" in known:
        made["input_tokens"] = known["input_tokens"] - (read or 0) - (write or 0)
    if write is not None:
        made["cache_creation_input_tokens"] = write
    if read is not None:
        made["cache_read_input_tokens"] = read
    if "output_tokens" in known:
        made["output_tokens"] = known["output_tokens"]
    if "reasoning_tokens" in known:
        made["output_tokens_details"] = {"thinking_tokens": known["reasoning_tokens"]}
    return {**made, **reply.usage_extra}


def _head(reply: Reply, ask: Ask) -> dict[str, Any]:
    return {
        "id": f"msg_{PLACEHOLDER}",
        "type": "message",
        "role": "assistant",
        "model": reply.model or ask.model,
    }


def _start(reply: Reply, ask: Ask) -> Event:
    message = {**_head(reply, ask), "content": [], "stop_reason": None, "stop_sequence": None}
    if reply.usage is not None:
        first = usage(reply)
        first.pop("output_tokens_details", None)
        # The service has begun to write when it says this, so it counts one token already.
        message["usage"] = {
            **first,
            "output_tokens": 1,
            "service_tier": reply.service_tier or "standard",
        }
    return _event("message_start", message=message)


def _event(kind: str, **fields: Any) -> Event:
    return Event(kind, {"type": kind, **fields})


def _block(index: int, block: dict[str, Any]) -> Event:
    return _event("content_block_start", index=index, content_block=block)


def _delta(index: int, kind: str, **fields: Any) -> Event:
    return _event("content_block_delta", index=index, delta={"type": kind, **fields})._replace(
        delta=True
    )


def _tool(call: Call, at: int) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id or f"toolu_{PLACEHOLDER}_{at}", "name": call.name}


def _has_text(reply: Reply) -> bool:
    return bool(reply.text) or not (reply.tool_calls or reply.refusal or reply.reasoning)


def _stop(reply: Reply) -> dict[str, Any]:
    made: dict[str, Any] = {
        "stop_reason": _FINISH.get(reply.reason, reply.reason),
        "stop_sequence": None,
    }
    if reply.refusal is not None:
        made["stop_details"] = {
            "type": "refusal",
            "category": None,
            "explanation": reply.refusal,
        }
    return made
