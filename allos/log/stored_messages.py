"""Messages from the column `messages` of the log, as far as the log keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from allos.messages import Message, ToolCall
from allos.parts import Image, Part


class StoredMessages(NamedTuple):
    """Messages of a row."""

    messages: tuple[Message, ...]
    lost: int
    """Images and files among them that are not in the log: a line of text stands in their place."""


def messages_of(text: str | None) -> StoredMessages:
    """Messages that a row was made of.

    Parameters
    ----------
    text : str or None
        Value of the column.

    Raises
    ------
    ValueError, TypeError, KeyError
        It is not what allos writes.

    Examples
    --------
    >>> messages_of('[{"role": "user", "content": "Hi"}]').messages[0].text
    'Hi'
    """
    lost = 0
    messages = []
    for facts in json.loads(text or "[]"):
        content = facts["content"]
        if isinstance(content, list):
            parts = [_part(part) for part in content]
            lost += sum(part is None for part in parts)
            names = [_left_out(facts) for facts in content]
            content = [
                name if part is None else part for part, name in zip(parts, names, strict=True)
            ]
        messages.append(
            Message(
                facts["role"],
                content,
                tool_calls=tuple(ToolCall(**call) for call in facts.get("tool_calls", ())),
                tool_call_id=facts.get("tool_call_id"),
            )
        )
    return StoredMessages(tuple(messages), lost)


def _part(facts: Mapping[str, Any]) -> Part | None:
    """Part of a message; None for one whose bytes are not in the log."""
    if facts["type"] == "text":
        return str(facts["text"])
    if "url" in facts:
        return Image(url=facts["url"], detail=facts.get("detail"))
    return None


def _left_out(facts: Mapping[str, Any]) -> str:
    kind = "image" if facts["type"] == "image" else f"file {facts.get('name', '')}".strip()
    return f"({kind}, no longer attached)"
