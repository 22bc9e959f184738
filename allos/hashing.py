"""The identity of a request: equal requests have equal hashes, on any machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from allos.types import Message, Request

VERSION = 1
"""Raised whenever equal requests would hash differently than before."""


def request_hash(request: Request, sample: int = 0) -> str:
    """SHA-256 of a request's canonical JSON, as 64 hexadecimal digits.

    What decides is what was asked: endpoint, API, model, parameters, messages, extras and which
    repeat it is. Keys, ports, time-outs and whether the answer was streamed do not count.

    Parameters
    ----------
    request : Request
    sample : int
        Which repeat this is, from 0.
    """
    identity = {
        "v": VERSION,
        "endpoint": request.endpoint or request.provider,
        "api": request.api,
        "model": request.model,
        "params": dict(request.params),
        "messages": [_message(message) for message in request.messages],
        "tools": [],
        "schema": None,
        "extra": dict(request.extra),
        "sample": sample,
    }
    text = json.dumps(
        identity, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=repr
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _message(message: Message) -> dict[str, Any]:
    shown: dict[str, Any] = {"role": message.role.value, "content": message.content}
    if message.tool_calls:
        shown["tool_calls"] = [
            [call.id, call.name, call.raw_arguments or call.arguments]
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        shown["tool_call_id"] = message.tool_call_id
    return shown
