"""Hashes of requests: equal requests have equal hashes, on any machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from allos.line_breaks import with_line_feeds
from allos.messages import Message
from allos.parts import File, Part
from allos.request import Request, SchemaSpec, ToolSpec

VERSION = 2
"""Incremented when equal requests would hash differently than before."""


def request_hash(request: Request, sample: int = 0) -> str:
    """SHA-256 of a request's canonical JSON, as 64 hexadecimal digits.

    It depends on endpoint, API, model, parameters, messages, tools, schema, `extra` and `sample`. Keys,
    ports, timeouts, streaming and the kind of line breaks are ignored.

    Parameters
    ----------
    request : Request
    sample : int
        Index of the repetition, from 0.
    """
    identity: dict[str, Any] = {
        "v": VERSION,
        "endpoint": request.endpoint or request.provider,
        "api": request.api,
        "model": request.model,
        "params": {name: _canonical_number(value) for name, value in request.params.items()},
        "messages": [_message(message) for message in request.messages],
        "tools": [_tool(tool) for tool in request.tools],
        "schema": _schema(request.schema),
        "extra": dict(request.extra),
        "sample": sample,
    }
    if request.tool_choice is not None:
        identity["tool_choice"] = request.tool_choice
    text = json.dumps(
        identity, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=repr
    )
    return hashlib.sha256(text.encode()).hexdigest()


def digests(request: Request) -> dict[str, Any]:
    """Short hashes of a request's parts, to find the part in which two requests differ.

    Returns
    -------
    dict
        `messages`: pairs of role and hash, in order; `tools`, `tool_choice`, `schema` and `extra`
        where the request has them.

    Examples
    --------
    >>> hello = Message("user", "Hi")
    >>> digests(Request(provider="p", api="chat", base_url="", model="m", messages=(hello,)))
    {'messages': [['user', '2a309eadaf6f']]}
    """
    parts: dict[str, Any] = {
        "messages": [[turn.role.value, _digest(_message(turn))] for turn in request.messages]
    }
    if request.tools:
        parts["tools"] = _digest([_tool(tool) for tool in request.tools])
    if request.tool_choice is not None:
        parts["tool_choice"] = request.tool_choice
    if request.schema is not None:
        parts["schema"] = _digest(_schema(request.schema))
    if request.extra:
        parts["extra"] = _digest(dict(request.extra))
    return parts


def messages_digest(messages: Iterable[Message]) -> str:
    """SHA-256 of messages as 64 hexadecimal digits: images and files by their content.

    Examples
    --------
    >>> messages_digest([Message("user", "Hi")])[:12]
    '557f6d9586f5'
    """
    return value_digest([_message(message) for message in messages])


def value_digest(value: Any) -> str:
    """SHA-256 of a JSON value as 64 hexadecimal digits; the order of keys does not matter."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def tools_identity(request_tools: Iterable[ToolSpec], schema: SchemaSpec | None) -> Any:
    """Tools and the schema of a request as a JSON value."""
    return [[_tool(tool) for tool in request_tools], _schema(schema)]


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _canonical_number(value: Any) -> Any:
    """Return an int for an integral float: a temperature of 0.0 equals 0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _message(message: Message) -> dict[str, Any]:
    parts: dict[str, Any] = {"role": message.role.value, "content": _content(message)}
    if message.tool_calls:
        parts["tool_calls"] = [
            [call.id, call.name, call.raw_arguments or call.arguments]
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        parts["tool_call_id"] = message.tool_call_id
    return parts


def _content(message: Message) -> Any:
    if message.content is None:
        return None
    if isinstance(message.content, str):
        return with_line_feeds(message.content)
    return [_part(part) for part in message.content]


def _part(part: Part) -> Any:
    if isinstance(part, str):
        return with_line_feeds(part)
    if isinstance(part, File):
        return ["file", part.content_hash, part.media_type, part.name]
    return ["image", part.content_hash, part.media_type, part.detail]


def _tool(tool: ToolSpec) -> list[Any]:
    return [tool.name, tool.description, dict(tool.parameters), tool.strict]


def _schema(schema: SchemaSpec | None) -> list[Any] | None:
    if schema is None:
        return None
    return [schema.name, schema.description, dict(schema.schema), schema.strict]
