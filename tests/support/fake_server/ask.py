"""What a renderer must know of a request."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from .script import Call
from .seen import Seen

PLACEHOLDER = "@fake-id-00@"
"""Stands for the request's number in everything that is rendered. As long as what replaces it, so
that lengths stay true and one rendering serves many requests."""


def number(seen: Seen) -> str:
    """What replaces `PLACEHOLDER`."""
    return f"{seen.number:0{len(PLACEHOLDER)}d}"


class Ask(NamedTuple):
    """The parts of a request that change how an answer looks; hashable."""

    model: str
    stream: bool
    include_usage: bool
    encrypted: bool
    created: int
    """Seconds since 1970."""

    @classmethod
    def of(cls, seen: Seen, created: int) -> Ask:
        """Read them from a request."""
        body = seen.body if isinstance(seen.body, dict) else {}
        options = body.get("stream_options") or {}
        return cls(
            model=str(body.get("model") or "fake-model"),
            stream=seen.stream,
            include_usage=bool(options.get("include_usage")),
            encrypted="reasoning.encrypted_content" in (body.get("include") or ()),
            created=created,
        )


def arguments_text(call: Call) -> str:
    """Arguments as the text that a model writes."""
    return call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)


def arguments_value(call: Call) -> Any:
    """Arguments as a value; the text itself when it is no JSON."""
    if not isinstance(call.arguments, str):
        return dict(call.arguments)
    try:
        return json.loads(call.arguments or "{}")
    except ValueError:
        return call.arguments
