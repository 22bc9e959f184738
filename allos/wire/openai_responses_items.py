"""Items of Responses: what a message holds beside its text, and the fields around the items."""

from __future__ import annotations

from typing import Any

from allos.events import Citation, Event, RawPart
from allos.wire.json_fields import text

# What is read, and what repeats the request.
RESPONSE_FIELDS = frozenset(
    {
        *("id", "object", "created_at", "completed_at", "status", "error", "incomplete_details"),
        *("model", "output", "output_text", "usage", "service_tier", "background", "conversation"),
        *("instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls"),
        *("previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_retention"),
        *("reasoning", "safety_identifier", "store", "stream", "temperature", "text", "tools"),
        *("tool_choice", "top_logprobs", "top_p", "truncation", "user", "frequency_penalty"),
        *("presence_penalty", "include"),
    }
)
EVENT_FIELDS = frozenset({"type", "response", "sequence_number"})
_TEXT_PARTS = frozenset({"output_text", "text", "refusal", "reasoning_text", "summary_text"})
ANNOTATED = frozenset(
    {"response.output_text.annotation.added", "response.output_text_annotation.added"}
)


def content_parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Parts of an item's content."""
    content = item.get("content")
    if text(content):
        return [{"type": "output_text", "text": content}]
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def item_kind(item: dict[str, Any]) -> str | None:
    """Type of an item; one that has only content is a message."""
    return text(item.get("type")) or ("message" if item.get("content") else None)


def output_items(response: dict[str, Any]) -> list[dict[str, Any]]:
    """Items of a response; some servers send its text alone."""
    output = response.get("output") or response.get("output_text")
    if text(output):
        return [{"type": "message", "content": output}]
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []


def events_of_part(part: dict[str, Any]) -> list[Event]:
    """Return the events of a message's part beside its text."""
    kind = text(part.get("type"))
    if kind not in _TEXT_PARTS and not text(part.get("text")):
        return [RawPart(part, is_content=True)] if kind else []
    annotations = part.get("annotations")
    found = annotations if isinstance(annotations, list) else ()
    return [Citation(each) for each in found if isinstance(each, dict)]


def item_logprobs(item: dict[str, Any]) -> list[Any]:
    """Log probabilities of the tokens of a message."""
    found = (part.get("logprobs") for part in content_parts(item))
    return [token for tokens in found if isinstance(tokens, list) for token in tokens]
