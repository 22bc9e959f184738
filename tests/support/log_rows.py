"""Responses for the tests of the log, also for those in processes of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from allos.context import RunContext
from allos.messages import Message, MessageRole
from allos.request import Request
from allos.response import ProviderResponse

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def a_response(number: int = 0, **changes: Any) -> ProviderResponse:
    """An answer such as the engine finishes it; each number is another one."""
    metadata: dict[str, Any] = {
        "provider": "groq",
        "base_url": "https://api.groq.com/openai/v1",
        "api": "chat",
        "model": "llama-3.1-8b-instant",
        "response_model": "llama-3.1-8b-instant",
        "temperature": 0.2,
        "max_tokens": 64,
        "stream": True,
        "params": {"temperature": 0.2, "max_tokens": 64},
        "status": "ok",
        "finish_reason": "stop",
        "finish_reason_raw": "stop",
        "input_tokens": 10 + number,
        "output_tokens": 5,
        "total_tokens": 15 + number,
        "usage_source": "provider",
        "usage": {"prompt_tokens": 10 + number},
        "latency_s": 0.25,
        "attempts": 1,
        "http_status": 200,
    }
    metadata.update(changes.pop("metadata", {}))
    prompt = changes.pop("prompt", f"Question {number}")
    values: dict[str, Any] = {
        "content": f"Answer {number}",
        "id": f"01HF{number:022d}",
        "created_at": START + timedelta(seconds=number),
        "completed_at": START + timedelta(seconds=number, microseconds=250_001),
        "request": Request(
            provider="groq",
            api="chat",
            base_url="https://api.groq.com/openai/v1",
            model="llama-3.1-8b-instant",
            messages=(
                Message(MessageRole.SYSTEM, "Be terse."),
                Message(MessageRole.USER, prompt),
            ),
            request_hash=f"{number:064x}",
        ),
        "context": RunContext(),
        "body": {"model": "llama-3.1-8b-instant"},
        "reply": {"id": f"chatcmpl-{number}", "choices": []},
    }
    values.update(changes)
    return ProviderResponse(metadata=metadata, **values)
