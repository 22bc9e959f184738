"""A response as one line of a replay file, and the answer that is read back from the line.

A line contains a summary of the request (hashes of the messages, not their text), the answer in full, and
the facts of the call. It never contains a key, a header, an address, a user, a host or a path of this
computer.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from allos.hashing import digests
from allos.messages import ToolCall
from allos.replaying.replay_file import VERSION
from allos.request import Request
from allos.response import ProviderResponse

PROMPT_CHARS = 200
"""How much of the last prompt a line contains."""

# What the replayed request provides again, and what belongs to one computer or to a failure.
_NOT_RECORDED = frozenset(
    {
        "provider",
        "base_url",
        "api",
        "model",
        "temperature",
        "top_p",
        "max_tokens",
        "seed",
        "params",
        "error_type",
        "error_message",
    }
)
_PATH = re.compile(r"(?:[/~\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\])")


def line_of(response: ProviderResponse, number: int) -> str:
    """Line for a complete answer.

    Parameters
    ----------
    response : ProviderResponse
        With its request, and the request with its hash.
    number : int
        Number of the request among the equal requests of the run, from 0.
    """
    request = response.request
    assert request is not None
    values = {
        "v": VERSION,
        "hash": request.request_hash,
        "n": number,
        "request": summary(request),
        "recorded": datetime.now(UTC).isoformat(timespec="seconds"),
        "answer": _answer(response),
        "facts": _facts(response),
    }
    try:
        text = json.dumps(values, ensure_ascii=False, default=str)
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        text = json.dumps(values, default=str)
    return text


def summary(request: Request) -> dict[str, Any]:
    """Summary of a request: enough to recognise it, and to say in what another one differs."""
    prompt = request.prompt
    found: dict[str, Any] = {
        "endpoint": request.endpoint or request.provider,
        "api": request.api,
        "model": _model_name(request.model),
        "params": dict(request.params),
        "sample": request.sample,
    }
    if prompt is not None:
        found["prompt"] = prompt if len(prompt) <= PROMPT_CHARS else prompt[:PROMPT_CHARS] + "…"
    return {**found, **digests(request)}


def answer_of(values: dict[str, Any]) -> ProviderResponse:
    """Answer of a line, without the facts that the replayed request adds."""
    answer = values["answer"]
    calls = [
        ToolCall(
            str(call["id"]),
            str(call["name"]),
            call.get("arguments") or {},
            call.get("raw_arguments"),
            call.get("error"),
        )
        for call in answer.get("tool_calls", ())
    ]
    facts = {name: value for name, value in values["facts"].items() if name not in _NOT_RECORDED}
    return ProviderResponse(
        content=answer["content"],
        tool_calls=calls,
        metadata={**facts, "status": "ok"},
        reasoning=answer.get("reasoning"),
        refusal=answer.get("refusal"),
        raw=tuple(answer.get("raw", ())),
        replayed=True,
    )


def _answer(response: ProviderResponse) -> dict[str, Any]:
    answer: dict[str, Any] = {"content": response.content}
    if response.reasoning:
        answer["reasoning"] = response.reasoning
    if response.refusal:
        answer["refusal"] = response.refusal
    if response.tool_calls:
        answer["tool_calls"] = [_call(call) for call in response.tool_calls]
    if response.raw:
        answer["raw"] = list(response.raw)
    return answer


def _call(call: ToolCall) -> dict[str, Any]:
    values: dict[str, Any] = {"id": call.id, "name": call.name, "arguments": call.arguments}
    if call.raw_arguments is not None:
        values["raw_arguments"] = call.raw_arguments
    if call.error is not None:
        values["error"] = call.error
    return values


def _facts(response: ProviderResponse) -> dict[str, Any]:
    facts = {k: v for k, v in response.metadata.items() if k not in _NOT_RECORDED}
    if isinstance(facts.get("response_model"), str):
        facts["response_model"] = _model_name(facts["response_model"])
    return facts


def _model_name(model: str) -> str:
    """Name of a model; for a model file, the file name without its folder."""
    return re.split(r"[/\\]", model)[-1] if _PATH.match(model) else model
