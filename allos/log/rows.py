"""Responses as rows of the log; what is unknown is NULL, never 0, "" or a guess."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from allos.log.columns import STORED_NAMES
from allos.log.json_text import to_json_bytes, to_json_text
from allos.log.store.protocol import RawJson
from allos.messages import Message, ToolCall
from allos.parts import File, Part
from allos.redaction import without_credentials
from allos.response import ProviderResponse

_URL = re.compile(r"https?://\S+$", re.I)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EMPTY: dict[str, Any] = dict.fromkeys(STORED_NAMES)
_JSON_FACTS = ("params", "retry_log", "parts", "citations", "logprobs", "response_extra")
"""Facts of a call that are JSON values in `metadata` and JSON text in a row."""
_in_order = itemgetter(*STORED_NAMES)

COMPRESS_FROM_BYTES = 1000
"""Shorter raw JSON is stored uncompressed: deflate would take 10 us to save about 300 bytes."""


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC; a naive time is local, as everywhere in Python."""
    if moment.tzinfo is None:
        moment = moment.astimezone()
    return (moment - _EPOCH) // _MICROSECOND


def _message(message: Message) -> dict[str, Any]:
    content: Any = message.content
    if content is not None and not isinstance(content, str):
        content = [_part(part) for part in content]
    turn: dict[str, Any] = {"role": message.role, "content": content}
    if message.tool_calls:
        turn["tool_calls"] = [_tool_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        turn["tool_call_id"] = message.tool_call_id
    return turn


def messages_json(messages: Sequence[Message]) -> str:
    """Messages as the JSON text of the column `messages`."""
    return to_json_text([_message(message) for message in messages])


def _part(part: Part) -> dict[str, Any]:
    """What is logged of a part: of an image or a file the hash, never the bytes."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, File) and part.url is not None:
        facts: dict[str, Any] = {"type": "image", "url": without_credentials(part.url)}
    else:
        facts = {"type": "file", "name": part.name} if isinstance(part, File) else {"type": "image"}
        facts |= {
            "media_type": part.media_type,
            "size_bytes": part.size_bytes,
            "sha256": part.content_hash,
        }
    if not isinstance(part, File) and part.detail is not None:
        facts["detail"] = part.detail
    return facts


def _tool_call(call: ToolCall) -> dict[str, Any]:
    facts: dict[str, Any] = {"id": call.id, "name": call.name, "arguments": call.arguments}
    if call.raw_arguments is not None:
        facts["raw_arguments"] = call.raw_arguments
    if call.error is not None:
        facts["error"] = call.error
    return facts


def _bare_url(url: str) -> str:
    """URL without user, password, query and fragment, any of which may contain a key."""
    if "@" not in url and "?" not in url and "#" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def row_of(response: ProviderResponse, facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """Row of one response, in the order of `allos.log.columns.STORED`.

    Parameters
    ----------
    response : ProviderResponse
        The finished response, with an `id`.
    facts : mapping
        Facts of the process by column name; see `allos.log.provenance`.
    """
    values = {**_EMPTY, **facts}
    known = response.metadata
    values.update(known)

    values["id"] = response.id
    values["created_at"] = to_micros(response.created_at) if response.created_at else None
    values["completed_at"] = to_micros(response.completed_at) if response.completed_at else None
    # Python's sqlite3 binds int and bytearray directly, but runs bool and bytes through adapters.
    values["replayed"] = 1 if response.replayed else 0
    if values["stream"] is not None:
        values["stream"] = 1 if values["stream"] else 0
    values["content"] = response.content or None
    values["reasoning"] = response.reasoning or None
    values["refusal"] = response.refusal or None
    calls = response.tool_calls
    values["tool_calls"] = to_json_text([_tool_call(call) for call in calls]) if calls else None

    for name in _JSON_FACTS:
        value = values[name]
        if value is not None and not isinstance(value, str):
            values[name] = to_json_text(value) if value else None
    if values["base_url"] is not None:
        values["base_url"] = _bare_url(values["base_url"])

    error = response.error
    if error is None:
        values["status"] = response.status
    else:
        values["status"] = known.get("status", "error")
        if values["error_type"] is None:
            values["error_type"] = type(error).__name__
        if values["error_message"] is None:
            values["error_message"] = str(error) or None

    request = response.request
    if request is None:
        values["system"] = values["prompt"] = values["messages"] = None
    else:
        values["system"] = request.system
        values["prompt"] = request.prompt
        values["messages"] = messages_json(request.messages)
        values["request_hash"] = request.request_hash

    context = response.context
    values["variables"] = to_json_text(context.variables) if context.variables else None
    values["tags"] = to_json_text(context.tags) if context.tags else None
    values["metadata"] = to_json_text(context.metadata) if context.metadata else None
    values["notebook"] = context.notebook
    values["cell_id"] = context.cell_id
    values["execution_count"] = context.execution_count
    values["comparison_id"] = context.comparison_id
    values["run_id"] = context.run_id
    values["task_key"] = context.task_key
    values["sample_index"] = context.sample_index
    values["conversation_id"] = context.conversation_id
    values["conversation"] = context.conversation
    values["parent_id"] = context.parent_id
    values["session_id"] = context.session_id or facts.get("session_id")
    return _in_order(values)  # type: ignore[no-any-return]  # itemgetter of many gives a tuple


def raw_of(response: ProviderResponse) -> RawJson | None:
    """Request body and reply of a response, packed; None when neither is known."""
    if response.body is None and _reply(response) is None:
        return None
    assert response.id is not None
    body = response.body
    if response.request is not None and any(map(_has_parts, response.request.messages)):
        body = _without_attachments(body)
    return RawJson(response.id, pack(body), pack(_reply(response)))


def _reply(response: ProviderResponse) -> Any:
    """Return the reply; of a stream, what came with it that is not text."""
    if response.reply is not None or not response.raw:
        return response.reply
    return {"parts": response.raw}


def _has_parts(message: Message) -> bool:
    has_own = message.content is not None and not isinstance(message.content, str)
    return has_own or bool(message.raw)  # those of an answer, which go back to the service


_BASE64_FIELDS = frozenset({("base64", "data"), ("image_generation_call", "result")})
"""Types of parts, and their fields with the bytes."""


def _without_attachments(value: Any) -> Any:
    """Copy of a request body without its images, its files and the credentials in URLs of images.

    `messages` has the hashes of what is left out.
    """
    if isinstance(value, dict):
        return {
            key: f"({len(inner):,} characters of base64)"
            if (value.get("type"), key) in _BASE64_FIELDS and isinstance(inner, str)
            else _without_attachments(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_without_attachments(inner) for inner in value]
    if isinstance(value, str) and value.startswith("data:"):
        head, mark, data = value.partition(";base64,")
        return f"{head}{mark}({len(data):,} characters of base64)" if mark else value
    if isinstance(value, str) and _URL.match(value):
        return without_credentials(value)
    return value


def pack(value: Any) -> bytearray | None:
    """JSON of a value as bytes, compressed by zlib when it is long; None stays None."""
    if value is None:
        return None
    if isinstance(value, bytes | bytearray):
        data = bytes(value)
    elif isinstance(value, str):
        data = value.encode("utf-8", "backslashreplace")
    else:
        data = to_json_bytes(value)
    # No JSON document starts with the letter x, the first byte of every zlib stream.
    if len(data) >= COMPRESS_FROM_BYTES or data[:1] == b"x":
        data = zlib.compress(data, 1)
    return bytearray(data)


def unpack(data: bytes | bytearray | None) -> str | None:
    """JSON that `pack` was given."""
    if data is None:
        return None
    if data[:1] == b"x":
        data = zlib.decompress(data)
    return data.decode("utf-8", "replace")
