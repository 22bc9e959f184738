"""Answers that hold more than text: each whole, in pieces, and what both must give."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from allos.profiles import Api
from tests.support.pictures import PNG

PICTURE = b64encode(PNG).decode()
PICTURE_URL = f"data:image/png;base64,{PICTURE}"
IMAGE_FACTS = {
    "media_type": "image/png",
    "size_bytes": len(PNG),
    "sha256": sha256(PNG).hexdigest(),
}
TOKENS = [
    {"token": "Hi", "logprob": -0.1, "top_logprobs": [{"token": "Hi", "logprob": -0.1}]},
    {"token": " you", "logprob": -0.2, "top_logprobs": []},
]
URL_CITATION = {"type": "url_citation", "url": "https://example.org/a", "start_index": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rich:
    """One answer, both ways, and what a response must hold of it."""

    name: str
    api: Api
    whole: dict[str, Any]
    events: Sequence[Any]
    expected: dict[str, Any]
    """By the names of `ProviderResponse` and of its metadata."""
    raw: Sequence[dict[str, Any]] = field(default=())
    """Parts that must be in `raw`."""


def _chat(
    name: str,
    message: dict[str, Any],
    deltas: Sequence[dict[str, Any]],
    *,
    raw: Any = (),
    **rest: Any,
) -> Rich:
    """An answer of Chat Completions; `choice`, `top` and `chunks` are fields around its message."""
    choices = rest.pop("choices", [{}] * len(deltas))
    choice, top, last = rest.pop("choice", {}), rest.pop("top", {}), rest.pop("last", {})
    head = {"id": "c", "object": "chat.completion", "model": "m"}
    ended = {"index": 0, "finish_reason": "stop"}
    whole = {**head, **top, "choices": [{**ended, "message": message, **choice}]}
    events: list[Any] = [
        {**head, "choices": [{"index": 0, "finish_reason": None, "delta": delta, **around}]}
        for delta, around in zip(deltas, choices, strict=True)
    ]
    events.append({**head, **last, "choices": [{**ended, "delta": {}}]})
    return Rich(name=name, api="chat", whole=whole, events=events, expected=rest, raw=raw)


def _responses(
    name: str,
    output: Sequence[dict[str, Any]],
    events: Sequence[Any] = (),
    *,
    top: dict[str, Any] | None = None,
    raw: Any = (),
    final: Sequence[dict[str, Any]] | None = None,
    **expected: Any,
) -> Rich:
    head = {"id": "r", "object": "response", "model": "m", "status": "completed", **(top or {})}
    done = {**head, "output": list(output if final is None else final)}
    return Rich(
        name=name,
        api="responses",
        whole={**head, "output": list(output)},
        events=[*events, {"type": "response.completed", "response": done}],
        expected=expected,
        raw=raw,
    )


def _messages(
    name: str,
    blocks: Sequence[dict[str, Any]],
    events: Sequence[Any],
    *,
    end: dict[str, Any] | None = None,
    raw: Any = (),
    **expected: Any,
) -> Rich:
    head = {"id": "msg", "type": "message", "role": "assistant", "model": "m"}
    usage = {"input_tokens": 1, "output_tokens": 1}
    stop = {"stop_reason": "end_turn", **(end or {})}
    start = {**head, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    return Rich(
        name=name,
        api="messages",
        whole={**head, "content": list(blocks), **stop, "usage": usage},
        events=[
            {"type": "message_start", "message": start},
            *events,
            {"type": "message_delta", "delta": stop, "usage": usage},
            {"type": "message_stop"},
        ],
        expected=expected,
        raw=raw,
    )


def _block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """Events of one block of Messages."""
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def _image(kind: str = "image_url") -> list[dict[str, Any]]:
    return [{"type": kind, **IMAGE_FACTS}]


def _text(words: str, **fields: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": words, "annotations": [], **fields}
    return {"type": "message", "id": "m_1", "role": "assistant", "content": [part]}


def _said(words: str, **fields: Any) -> dict[str, Any]:
    where = {"item_id": "m_1", "output_index": 0, "content_index": 0}
    return {"type": "response.output_text.delta", "delta": words, **where, **fields}


IMAGE_PART = {"type": "image_url", "image_url": {"url": PICTURE_URL}}
IMAGE_CALL = {"type": "image_generation_call", "id": "ig", "status": "completed", "result": PICTURE}
SEARCH_CALL = {
    "type": "web_search_call",
    "id": "ws",
    "status": "completed",
    "action": {"query": "q"},
}
SERVER_TOOL = {"type": "server_tool_use", "id": "st", "name": "web_search", "input": {"query": "q"}}
SEARCH_RESULT = {
    "type": "web_search_tool_result",
    "tool_use_id": "st",
    "content": [{"type": "web_search_result", "url": "https://example.org/a", "title": "A"}],
}
CLAUDE_CITATION = {"type": "web_search_result_location", "url": "https://example.org/a"}
BASE64_IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": PICTURE},
}
SIGNED = {"type": "reasoning.text", "index": 0, "text": "hm hm", "signature": "sig"}
SOURCES = ["https://example.org/a", "https://example.org/b"]

CHAT = [
    _chat(
        "logprobs",
        {"content": "Hi you"},
        [{"role": "assistant", "content": "Hi"}, {"content": " you"}],
        choice={"logprobs": {"content": TOKENS, "refusal": None}},
        choices=[{"logprobs": {"content": [token], "refusal": None}} for token in TOKENS],
        content="Hi you",
        logprobs=TOKENS,
    ),
    _chat(
        "logprobs of a refusal",
        {"content": None, "refusal": "Hi you"},
        [{"refusal": "Hi"}, {"refusal": " you"}],
        choice={"logprobs": {"content": None, "refusal": TOKENS}},
        choices=[{"logprobs": {"content": None, "refusal": [token]}} for token in TOKENS],
        refusal="Hi you",
        finish_reason="refusal",
        logprobs=TOKENS,
    ),
    _chat(
        "logprobs as lists, or as a number of each piece",
        {"content": "Hi you"},
        [{"content": "Hi", "token_id": 1}, {"content": " you", "token_id": 2}],
        choice={"logprobs": {"tokens": ["Hi", " you"], "token_logprobs": [-0.1, -0.2]}},
        choices=[{"logprobs": -0.1, "text": "Hi"}, {"logprobs": -0.2, "text": " you"}],
        content="Hi you",
        logprobs=[{"token": "Hi", "logprob": -0.1}, {"token": " you", "logprob": -0.2}],
    ),
    _chat(
        "logprobs of an unknown form",
        {"content": "Hi"},
        [{"content": "Hi"}],
        choice={"logprobs": {"bits": [1, 2]}},
        choices=[{"logprobs": {"bits": [1, 2]}}],
        content="Hi",
        response_extra={"choice": {"logprobs": {"bits": [1, 2]}}},
    ),
    _chat(
        "annotations",
        {"content": "Hi", "annotations": [URL_CITATION]},
        [{"content": "Hi"}, {"annotations": [URL_CITATION]}],
        content="Hi",
        citations=[URL_CITATION],
    ),
    _chat(
        "citations beside the choices",
        {"content": "Hi"},
        [{"content": "Hi"}],
        top={"citations": SOURCES, "search_results": [{"title": "A", "url": SOURCES[0]}]},
        last={"citations": SOURCES, "search_results": [{"title": "A", "url": SOURCES[0]}]},
        content="Hi",
        citations=[*({"url": url} for url in SOURCES), {"title": "A", "url": SOURCES[0]}],
    ),
    _chat(
        "an image alone",
        {"content": None, "images": [IMAGE_PART]},
        [{"content": "", "images": [IMAGE_PART]}],
        content="",
        parts=_image(),
        raw=[IMAGE_PART],
    ),
    _chat(
        "an image without other fields",
        {"images": [PICTURE_URL]},
        [{"images": [PICTURE_URL]}],
        parts=_image(),
        raw=[IMAGE_PART],
    ),
    _chat(
        "an image among the parts of the content",
        {"content": [{"type": "text", "text": "Hi"}, IMAGE_PART]},
        [{"content": [{"type": "text", "text": "Hi"}]}, {"content": [IMAGE_PART]}],
        content="Hi",
        parts=_image(),
        raw=[IMAGE_PART],
    ),
    _chat(
        "content of texts, and of a part of an unknown type",
        {"content": ["Hi ", "you", {"type": "map", "zoom": 3}]},
        [{"content": ["Hi "]}, {"content": ["you", {"type": "map", "zoom": 3}]}],
        content="Hi you",
        parts=[{"type": "map"}],
        raw=[{"type": "map", "zoom": 3}],
    ),
    _chat(
        "audio",
        {
            "content": None,
            "audio": {"id": "a", "data": "AAECAw==", "transcript": "Hi you", "expires_at": 9},
        },
        [
            {"audio": {"id": "a", "transcript": "Hi"}},
            {"audio": {"data": "AAE=", "transcript": " you"}},
            {"audio": {"data": "AgM=", "expires_at": 9}},
        ],
        content="Hi you",
        parts=[
            {
                "type": "audio",
                "media_type": "audio/pcm",
                "size_bytes": 4,
                "sha256": sha256(bytes(range(4))).hexdigest(),
            }
        ],
        raw=[
            {
                "type": "audio",
                "id": "a",
                "data": "AAECAw==",
                "transcript": "Hi you",
                "expires_at": 9,
            }
        ],
    ),
    _chat(
        "reasoning in details",
        {"content": "Hi", "reasoning_details": [SIGNED]},
        [
            {"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "hm "}]},
            {"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "hm"}]},
            {"reasoning_details": [{"type": "reasoning.text", "index": 0, "signature": "sig"}]},
            {"content": "Hi"},
        ],
        content="Hi",
        reasoning="hm hm",
        raw=[{"type": "chat.reasoning_details", "reasoning_details": [SIGNED]}],
    ),
    _chat(
        "fields that nobody reads",
        {"content": "Hi", "mood": "glad", "executed_tools": [{"index": 0, "output": "4 and 5"}]},
        [
            {"content": "Hi", "mood": "gl"},
            {"mood": "ad", "executed_tools": [{"index": 0, "output": "4 and"}]},
            {"executed_tools": [{"index": 0, "output": " 5"}]},
        ],
        choice={"native_finish_reason": "STOP", "content_filter_results": {"hate": {"ok": True}}},
        choices=[
            {},
            {"content_filter_results": {"hate": {"ok": True}}},
            {"native_finish_reason": "STOP"},
        ],
        top={"provider": "Upstream", "prompt_filter_results": [{"prompt_index": 0}], "nil": None},
        last={"provider": "Upstream", "prompt_filter_results": [{"prompt_index": 0}], "nil": []},
        content="Hi",
        response_extra={
            "provider": "Upstream",
            "prompt_filter_results": [{"prompt_index": 0}],
            "choice": {
                "native_finish_reason": "STOP",
                "content_filter_results": {"hate": {"ok": True}},
            },
            "message": {"mood": "glad", "executed_tools": [{"index": 0, "output": "4 and 5"}]},
        },
    ),
    _chat(
        "tier and fingerprint",
        {"content": "Hi"},
        [{"content": "Hi"}],
        top={"service_tier": "flex", "system_fingerprint": "fp"},
        last={"service_tier": "flex", "system_fingerprint": "fp"},
        content="Hi",
        service_tier="flex",
        system_fingerprint="fp",
    ),
]

RESPONSES = [
    _responses(
        "logprobs",
        [_text("Hi you", logprobs=TOKENS)],
        [_said("Hi", logprobs=TOKENS[:1]), _said(" you", logprobs=TOKENS[1:])],
        content="Hi you",
        logprobs=TOKENS,
    ),
    _responses(
        "logprobs that only the end has",
        [_text("Hi you", logprobs=TOKENS)],
        [_said("Hi", logprobs=[]), _said(" you")],
        content="Hi you",
        logprobs=TOKENS,
    ),
    _responses(
        "logprobs that only the pieces have",
        [_text("Hi you", logprobs=TOKENS)],
        [_said("Hi", logprobs=TOKENS[:1]), _said(" you", logprobs=TOKENS[1:])],
        final=[],
        content="Hi you",
        logprobs=TOKENS,
    ),
    _responses(
        "annotations",
        [_text("Hi", annotations=[URL_CITATION])],
        [
            _said("Hi"),
            {"type": "response.output_text.annotation.added", "annotation": URL_CITATION},
        ],
        content="Hi",
        citations=[URL_CITATION],
    ),
    _responses(
        "annotations that only the pieces have",
        [_text("Hi", annotations=[URL_CITATION])],
        [
            _said("Hi"),
            {"type": "response.output_text.annotation.added", "annotation": URL_CITATION},
        ],
        final=[],
        content="Hi",
        citations=[URL_CITATION],
    ),
    _responses(
        "citations beside the output",
        [_text("Hi")],
        [_said("Hi")],
        top={"citations": SOURCES},
        content="Hi",
        citations=[{"url": url} for url in SOURCES],
    ),
    _responses(
        "an image",
        [IMAGE_CALL],
        [
            {
                "type": "response.image_generation_call.partial_image",
                "item_id": "ig",
                "partial_image_b64": PICTURE,
            },
            {"type": "response.output_item.done", "output_index": 0, "item": IMAGE_CALL},
        ],
        content="",
        parts=_image("image_generation_call"),
        raw=[IMAGE_CALL],
    ),
    _responses(
        "an image that only the pieces have",
        [IMAGE_CALL],
        [{"type": "response.output_item.done", "output_index": 0, "item": IMAGE_CALL}],
        final=[],
        parts=_image("image_generation_call"),
        raw=[IMAGE_CALL],
    ),
    _responses(
        "an image in a message, and a tool of the service",
        [
            SEARCH_CALL,
            {
                "type": "message",
                "content": [{"type": "output_image", "image_url": PICTURE_URL}],
            },
        ],
        [{"type": "response.output_item.done", "output_index": 0, "item": SEARCH_CALL}],
        parts=[{"type": "web_search_call"}, *_image("output_image")],
        raw=[SEARCH_CALL, {"type": "output_image", "image_url": PICTURE_URL}],
    ),
    _responses(
        "a refusal",
        [{"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}],
        [
            {"type": "response.refusal.delta", "delta": "No", "item_id": "m", "content_index": 0},
            {"type": "response.refusal.delta", "delta": ".", "item_id": "m", "content_index": 0},
        ],
        refusal="No.",
        finish_reason="refusal",
    ),
    _responses(
        "fields that nobody reads",
        [_text("Hi")],
        [_said("Hi")],
        top={"service_tier": "flex", "moderation": {"flagged": False}, "instructions": "Be terse."},
        content="Hi",
        service_tier="flex",
        response_extra={"moderation": {"flagged": False}},
    ),
]

MESSAGES = [
    _messages(
        "citations",
        [{"type": "text", "text": "Hi", "citations": [CLAUDE_CITATION]}],
        _block(
            0,
            {"type": "text", "text": "", "citations": []},
            {"type": "citations_delta", "citation": CLAUDE_CITATION},
            {"type": "text_delta", "text": "Hi"},
        ),
        content="Hi",
        citations=[CLAUDE_CITATION],
    ),
    _messages(
        "a tool that the service ran",
        [SERVER_TOOL, SEARCH_RESULT, {"type": "text", "text": "Hi"}],
        [
            *_block(
                0,
                {**SERVER_TOOL, "input": {}},
                {"type": "input_json_delta", "partial_json": '{"que'},
                {"type": "input_json_delta", "partial_json": 'ry": "q"}'},
            ),
            *_block(1, SEARCH_RESULT),
            *_block(2, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"}),
        ],
        content="Hi",
        tool_calls=[],
        finish_reason="stop",
        parts=[
            {"type": "server_tool_use", "name": "web_search"},
            {"type": "web_search_tool_result"},
        ],
        raw=[SERVER_TOOL, SEARCH_RESULT],
    ),
    _messages(
        "an image alone",
        [BASE64_IMAGE],
        _block(0, BASE64_IMAGE),
        content="",
        parts=_image("image"),
        raw=[BASE64_IMAGE],
    ),
    _messages(
        "a block of an unknown type",
        [{"type": "map", "place": "Ulm, Donau"}],
        _block(
            0,
            {"type": "map", "place": "Ulm,"},
            {"type": "map_delta", "place": " Donau"},
        ),
        parts=[{"type": "map"}],
        raw=[{"type": "map", "place": "Ulm, Donau"}],
    ),
    _messages(
        "fields that nobody reads",
        [{"type": "text", "text": "Hi"}],
        _block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"}),
        end={"stop_sequence": "END", "container": {"id": "box"}},
        content="Hi",
        response_extra={"stop_sequence": "END", "container": {"id": "box"}},
    ),
    _messages(
        "a refusal",
        [],
        [],
        end={
            "stop_reason": "refusal",
            "stop_details": {"type": "refusal", "category": "bio", "explanation": "No."},
        },
        refusal="No.",
        finish_reason="refusal",
        response_extra={
            "stop_details": {"type": "refusal", "category": "bio", "explanation": "No."}
        },
    ),
]

RICH = [*CHAT, *RESPONSES, *MESSAGES]
