"""Metadata of a response from its request and what arrived, by the names of the log's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from allos import context
from allos.engine.response_accumulator import ResponseAccumulator
from allos.errors import AllosError
from allos.ids import new_id
from allos.media import describe_parts
from allos.request import Request
from allos.response import ProviderResponse
from allos.usage import Usage

_MAX_EXTRA_CHARS = 64_000
_OWN_COLUMNS = frozenset({"temperature", "top_p", "max_tokens", "seed"})


def request_facts(request: Request, dropped: Sequence[str]) -> dict[str, Any]:
    """Metadata from the request, by column name and in the order of `metadata`.

    Parameters
    ----------
    request : Request
    dropped : sequence of str
        Parameters that were set, but not sent.
    """
    params = {k: v for k, v in request.params.items() if k not in dropped}
    others = {k: v for k, v in params.items() if k not in _OWN_COLUMNS}
    if request.extra:
        others["extra"] = dict(request.extra)
    if dropped:
        others["dropped"] = list(dropped)
    if request.tools:
        others["tools"] = [tool.name for tool in request.tools]
        if request.tool_choice is not None:
            others["tool_choice"] = request.tool_choice
    if request.schema is not None:
        others["schema"] = request.schema.name
    return {
        "provider": request.provider,
        "base_url": request.base_url,
        "api": request.api,
        "model": request.model,
        "response_model": None,
        "temperature": params.get("temperature"),
        "top_p": params.get("top_p"),
        "max_tokens": params.get("max_tokens"),
        "seed": params.get("seed"),
        "stream": request.stream,
        "params": others or None,
    }


def unsent_response(
    request: Request, dropped: Sequence[str], error: AllosError | None, created_at: datetime
) -> ProviderResponse:
    """Return the response of a call that was not sent: refused, or without an error cancelled."""
    outcome = "cancelled" if error is None else "error"
    facts: dict[str, Any] = {
        **request_facts(request, dropped),
        "base_url": request.base_url or None,
        "status": outcome,
        "finish_reason": outcome,
        "error_type": type(error).__name__ if error else None,
        "error_message": str(error) if error else None,
        "attempts": 0,
    }
    return ProviderResponse(
        metadata={name: value for name, value in facts.items() if value is not None},
        error=error,
        id=new_id(),
        created_at=created_at,
        completed_at=datetime.now(UTC),
        request=request,
        context=context.current(),
    )


def outcome_facts(
    received: ResponseAccumulator, error: AllosError | None, *, cancelled: bool
) -> dict[str, Any]:
    """Status, finish reason and error of a call."""
    finish_reason = received.finish_reason
    if cancelled:
        finish_reason = "cancelled"
    elif error is not None:
        finish_reason = "error"
    elif finish_reason == "stop" and received.texts["refusal"] and not received.texts["text"]:
        finish_reason = "refusal"
    return {
        "status": "cancelled" if cancelled else "ok" if error is None else "error",
        "finish_reason": finish_reason,
        "finish_reason_raw": received.finish_reason_raw,
        "error_type": type(error).__name__ if error else None,
        "error_message": str(error) if error else None,
        "http_status": getattr(error, "status_code", None) or (200 if received.answered else None),
        "request_id": getattr(error, "request_id", None),
    }


def counted(received: ResponseAccumulator) -> Usage | None:
    """Return the usage that arrived, without zeros that no answered call can have."""
    usage = received.usage
    if usage is None or usage.source != "provider":
        return usage
    if usage.input_tokens and usage.output_tokens and usage.total_tokens:
        return usage
    given = usage.input_tokens or None
    wrote = usage.output_tokens if received.empty else usage.output_tokens or None
    total = usage.total_tokens or None
    if given is None or wrote is None:  # a total that is only the other part is no total
        total = None if total in (given, wrote) else total
    return replace(usage, input_tokens=given, output_tokens=wrote, total_tokens=total)


def _extra(received: ResponseAccumulator) -> dict[str, Any]:
    """Fields that nothing reads, and what has no place at all; what is beyond a size is counted."""
    if not received.unplaced:
        return received.extra
    kept: list[dict[str, Any]] = []
    size = len(repr(received.extra))
    for event in received.unplaced:
        size += len(repr(event.data))
        if size > _MAX_EXTRA_CHARS:
            break
        kept.append({"what": event.what, "data": event.data})
    if left_out := len(received.unplaced) - len(kept):
        kept.append({"what": "too large to keep", "data": left_out})
    return {**received.extra, "unplaced": kept}


def usage_facts(usage: Usage | None) -> dict[str, Any]:
    """Tokens of a call, as reported by the service."""
    if usage is None:
        return {"usage_source": "missing"}
    return {
        "input_tokens": usage.input_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "total_tokens": usage.total_tokens,
        "usage_source": usage.source,
    }


def content_facts(received: ResponseAccumulator) -> dict[str, Any]:
    """What a response holds beside texts and tool calls."""
    return {
        "parts": describe_parts(received.content_parts) or None,
        "citations": received.citations or None,
        "logprobs": received.logprobs or None,
        "response_extra": _extra(received) or None,
    }


def speed_facts(
    received: ResponseAccumulator, sent_at: float | None, ended_at: float
) -> dict[str, Any]:
    """Latency and tokens per second of the last attempt, from `perf_counter`; None: nothing was sent."""
    if sent_at is None:
        return {"latency_s": None}
    latency_s = ended_at - sent_at
    first_at = received.first_at
    ttft_s = first_at - sent_at if first_at is not None else None
    is_incremental = first_at != received.last_at
    tokens = received.usage.output_tokens if received.usage is not None and is_incremental else None
    return {
        "latency_s": latency_s,
        "time_to_first_token_s": ttft_s,
        "tokens_per_second": _tokens_per_second(tokens, latency_s, ttft_s),
    }


def _tokens_per_second(
    output_tokens: int | None, latency_s: float, ttft_s: float | None
) -> float | None:
    """Tokens per second after the first one; None for answers that arrived at once."""
    if not output_tokens or output_tokens < 2 or ttft_s is None:
        return None
    spent_s = latency_s - ttft_s
    return (output_tokens - 1) / spent_s if spent_s > 0 else None
