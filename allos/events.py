"""What arrives of an answer, one thing at a time."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from allos.usage import Usage

FinishReason = Literal[
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "refusal",
    "pause",
    "context_exceeded",
    "cancelled",
    "error",
    "other",
]

EventKind = Literal[
    "text",  # visible text: `text`
    "reasoning",  # reasoning text: `text`
    "refusal",  # refusal text: `text`
    "tool",  # piece of a tool call: `slot`, `data` with any of id, name, arguments
    "raw",  # part that the API wants back in the next turn: `data`
    "usage",  # running totals, each replaces the last: `usage`
    "meta",  # facts of the reply by column name: `data`
    "finish",  # the API's own end signal: `text` is the raw reason, `data["finish_reason"]` ours
    "attempt",  # a failed attempt that will be repeated: `data`, an entry of the retry log
    "queue",  # the call waits for its turn (`data["waits"]` is true), or has it: it is sent now
]


class Event(NamedTuple):
    """One thing that a wire understood from a reply. Which fields count depends on `kind`."""

    kind: EventKind
    text: str = ""
    slot: int | str | None = None
    data: dict[str, Any] | None = None
    usage: Usage | None = None
