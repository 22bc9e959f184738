"""OpenAI Chat Completions."""

from __future__ import annotations

from typing import Any

from .ask import PLACEHOLDER, Ask, arguments_text
from .script import Reply
from .sse import DONE, Event

_FINISH = {"refusal": "stop", "context_exceeded": "model_context_window_exceeded"}
_CODES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"),
    403: ("invalid_request_error", "forbidden"),
    404: ("invalid_request_error", "model_not_found"),
    422: ("invalid_request_error", None),
    429: ("requests", "rate_limit_exceeded"),
}


def complete(reply: Reply, ask: Ask) -> dict[str, Any]:
    """Body of an answer that comes at once."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": _content(reply),
        "refusal": reply.refusal,
        "annotations": [],
    }
    if reply.reasoning is not None and reply.reasoning_as not in ("tags", "parts"):
        message[_field(reply)] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id or f"call_{PLACEHOLDER}_{at}",
                "type": "function",
                "function": {"name": call.name, "arguments": arguments_text(call)},
            }
            for at, call in enumerate(reply.tool_calls)
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(reply)}
    body = {**_head(reply, ask, "chat.completion"), "choices": [choice]}
    if reply.usage is not None:
        body["usage"] = usage(reply)
    return {**body, **reply.extra}


def events(reply: Reply, ask: Ask) -> list[Event]:
    """Chunks of a streamed answer."""
    made = [_chunk(reply, ask, {"role": "assistant", "content": "", "refusal": None})]
    made += [_chunk(reply, ask, delta, is_delta=True) for delta in _deltas(reply)]
    made.append(_chunk(reply, ask, {}, finish=_finish(reply), extra=reply.extra))
    if ask.include_usage and reply.usage is not None:
        tail = {**_head(reply, ask, "chat.completion.chunk"), "choices": [], "usage": usage(reply)}
        made.append(Event(None, tail))
    if reply.sse.done:
        made.append(DONE)
    return made


def empty(ask: Ask) -> dict[str, Any]:
    """An answer without a choice."""
    return {**complete(Reply(), ask), "choices": []}


def empty_events(ask: Ask) -> list[Event]:
    """A stream without a choice."""
    head = _head(Reply(), ask, "chat.completion.chunk")
    return [Event(None, {**head, "choices": []}), DONE]


def error(status: int, message: str, code: str | None = None) -> dict[str, Any]:
    """Body of an HTTP error."""
    kind, known = _CODES.get(status, ("server_error", None))
    return {"error": {"message": message, "type": kind, "param": None, "code": code or known}}


def error_event(message: str) -> Event:
    """An error inside a stream."""
    return Event(None, error(500, message, "server_error"))


def usage(reply: Reply) -> dict[str, Any]:
    """Usage object; details only for what is known."""
    known = reply.usage or {}
    made: dict[str, Any] = {}
    if "input_tokens" in known:
        made["prompt_tokens"] = known["input_tokens"]
    if "output_tokens" in known:
        made["completion_tokens"] = known["output_tokens"]
    if len(made) == 2:
        made["total_tokens"] = known["input_tokens"] + known["output_tokens"]
    prompt = {
        name: known[ours]
        for name, ours in (
            ("cached_tokens", "cache_read_tokens"),
            ("cache_write_tokens", "cache_write_tokens"),
        )
        if ours in known
    }
    if prompt:
        made["prompt_tokens_details"] = {**prompt, "audio_tokens": 0}
    if "reasoning_tokens" in known:
        made["completion_tokens_details"] = {
            "reasoning_tokens": known["reasoning_tokens"],
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        }
    return {**made, **reply.usage_extra}


def _head(reply: Reply, ask: Ask, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{PLACEHOLDER}",
        "object": kind,
        "created": ask.created,
        "model": reply.model or ask.model,
        "service_tier": reply.service_tier or "default",
        **({"system_fingerprint": reply.fingerprint} if reply.fingerprint else {}),
    }


def _chunk(
    reply: Reply,
    ask: Ask,
    delta: dict[str, Any],
    *,
    finish: str | None = None,
    is_delta: bool = False,
    extra: Any = None,
) -> Event:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    body = {**_head(reply, ask, "chat.completion.chunk"), "choices": [choice]}
    if ask.include_usage:
        body["usage"] = None
    return Event(None, {**body, **(extra or {})}, is_delta)


def _deltas(reply: Reply) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    if reply.reasoning is not None:
        if reply.reasoning_as == "tags":
            made += [{"content": piece} for piece in reply.pieces(_tagged(reply.reasoning))]
        elif reply.reasoning_as == "parts":
            made += [{"content": [_thinking(piece)]} for piece in reply.pieces(reply.reasoning)]
        else:
            made += [{_field(reply): piece} for piece in reply.pieces(reply.reasoning)]
    made += [{"content": piece} for piece in reply.pieces(reply.text or "")]
    made += [{"refusal": piece} for piece in reply.pieces(reply.refusal or "")]
    for at, call in enumerate(reply.tool_calls):
        head = {
            "index": at,
            "id": call.id or f"call_{PLACEHOLDER}_{at}",
            "type": "function",
            "function": {"name": call.name, "arguments": ""},
        }
        made.append({"tool_calls": [head]})
        made += [
            {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}
            for piece in reply.pieces(arguments_text(call))
        ]
    return made


def _content(reply: Reply) -> Any:
    text = reply.text or (None if reply.tool_calls or reply.refusal else "")
    if reply.reasoning is not None and reply.reasoning_as == "tags":
        return _tagged(reply.reasoning) + (text or "")
    if reply.reasoning is not None and reply.reasoning_as == "parts":
        return [_thinking(reply.reasoning), {"type": "text", "text": text or ""}]
    return text


def _thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def _tagged(reasoning: str) -> str:
    return f"<think>\n{reasoning}\n</think>\n\n"


def _field(reply: Reply) -> str:
    return "reasoning" if reply.reasoning_as == "reasoning" else "reasoning_content"


def _finish(reply: Reply) -> str:
    return _FINISH.get(reply.reason, reply.reason)
