"""Fields of Chat Completions that are read; all others are kept as they came."""

from __future__ import annotations

from typing import Any

# What is read, and what says nothing about an answer (`obfuscation` is padding of random length).
CHUNK_FIELDS = frozenset(
    {
        *("id", "object", "created", "model", "choices", "usage", "system_fingerprint"),
        *("service_tier", "error", "base_resp", "x_groq", "obfuscation"),
    }
)
CHOICE_FIELDS = frozenset(
    {"index", "delta", "message", "text", "finish_reason", "logprobs", "usage", "error"}
)
BESIDE_TEXT = frozenset({"reasoning_details", "annotations", "images", "audio"})
MESSAGE_FIELDS = BESIDE_TEXT | {
    *(
        "role",
        "content",
        "reasoning_content",
        "reasoning",
        "refusal",
        "tool_calls",
        "function_call",
    ),
    "token_id",
}
# What a chunk of text alone may hold, beside its text: the same in every one.
PLAIN_CHUNK_FIELDS = frozenset(
    {
        *("id", "object", "created", "model", "choices", "usage", "system_fingerprint"),
        *("service_tier", "obfuscation"),
    }
)
PLAIN_CHOICE_FIELDS = frozenset({"index", "delta", "finish_reason", "logprobs"})
PLAIN_MESSAGE_FIELDS = frozenset({"role", "content"})
MESSAGE_TYPES: dict[str, type] = {
    **dict.fromkeys(("reasoning_content", "reasoning", "refusal"), str),
    **dict.fromkeys(("reasoning_details", "annotations", "images"), list),
    "audio": dict,
}


def odd_fields(message: dict[str, Any]) -> dict[str, Any]:
    """Return fields that are read, but are of another type here than that."""
    if MESSAGE_TYPES.keys().isdisjoint(message):
        return {}
    return {
        name: value
        for name, kind in MESSAGE_TYPES.items()
        if (value := message.get(name)) and not isinstance(value, kind)
    }
