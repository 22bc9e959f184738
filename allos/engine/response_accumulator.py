"""Accumulates events into a response, complete or partial."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from allos.engine.tool_arguments import read_arguments
from allos.events import (
    Citation,
    Event,
    Finished,
    FinishReason,
    LogprobsDelta,
    RateLimitHint,
    RawPart,
    ReasoningDelta,
    RefusalDelta,
    ResponseExtra,
    ResponseFacts,
    TextDelta,
    TextWasReasoning,
    ToolCallDelta,
    Unplaced,
    UsageReport,
)
from allos.messages import ToolCall
from allos.usage import Usage

_FACTS = tuple(field.name for field in fields(ResponseFacts))


class ResponseAccumulator:
    """Accumulates the events of one attempt. Loop thread."""

    __slots__ = (
        "_append_text",
        "answered",
        "citations",
        "content_parts",
        "extra",
        "facts",
        "finish_reason",
        "finish_reason_raw",
        "first_at",
        "last_at",
        "logprobs",
        "rate_limit_hint",
        "raw",
        "texts",
        "tools",
        "unplaced",
        "usage",
    )

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {"text": [], "reasoning": [], "refusal": []}
        self._append_text = self.texts["text"].append
        self.tools: dict[Any, dict[str, Any]] = {}
        self.facts: dict[str, Any] = {}
        self.raw: list[dict[str, Any]] = []
        self.unplaced: list[Unplaced] = []
        self.content_parts: list[dict[str, Any]] = []
        """Those of `raw` that belong to the answer itself."""
        self.logprobs: list[dict[str, Any]] = []
        self.citations: list[dict[str, Any]] = []
        self.extra: dict[str, Any] = {}
        """Fields of the response that nothing here reads."""
        self.usage: Usage | None = None
        self.rate_limit_hint: RateLimitHint | None = None
        """What the service asks of the next call; whoever heeds it takes it away."""
        self.finish_reason: FinishReason | None = None
        self.finish_reason_raw: str | None = None
        self.first_at: float | None = None
        """perf_counter of the first visible or reasoning delta."""
        self.last_at: float | None = None
        """The same of the last one."""
        self.answered = False
        """Whether any part of a reply has arrived, so the service accepted the request."""

    def add(self, events: list[Event], at: float) -> None:
        """Add events that arrived at perf_counter `at`."""
        self.answered = True
        has_text = False
        for event in events:
            if type(event) is TextDelta:  # first and cheapest, since nearly every event is one
                self._append_text(event.text)
                has_text = True
            elif isinstance(event, ReasoningDelta):
                self.texts["reasoning"].append(event.text)
                has_text = True
            elif isinstance(event, RefusalDelta):
                self.texts["refusal"].append(event.text)
                has_text = True
            elif isinstance(event, TextWasReasoning):
                self.texts["text"].clear()
                self.texts["reasoning"].append(event.reasoning)
            elif isinstance(event, ToolCallDelta):
                self._add_tool_call(event)
            elif isinstance(event, ResponseFacts):
                for name in _FACTS:
                    if (value := getattr(event, name)) is not None:
                        self.facts[name] = value
            elif isinstance(event, UsageReport):
                self.usage = event.usage
            elif isinstance(event, RawPart):
                self._add_part(event)
            elif isinstance(event, LogprobsDelta):
                self.logprobs += event.tokens
            elif isinstance(event, Citation):
                if event.data not in self.citations:  # the end of a stream repeats them
                    self.citations.append(event.data)
            elif isinstance(event, ResponseExtra):
                self.extra = event.fields
            elif isinstance(event, Unplaced):
                self.unplaced.append(event)
            elif isinstance(event, RateLimitHint):
                self.rate_limit_hint = event
            elif isinstance(event, Finished):
                self.finish_reason = event.finish_reason
                self.finish_reason_raw = event.finish_reason_raw
        if has_text:
            if self.first_at is None:
                self.first_at = at
            self.last_at = at

    def _add_part(self, event: RawPart) -> None:
        if event.is_content:
            if event.data in self.content_parts:  # as above
                return
            self.content_parts.append(event.data)
        self.raw.append(event.data)

    def _add_tool_call(self, event: ToolCallDelta) -> None:
        call = self.tools.setdefault(
            event.index, {"id": "", "name": "", "arguments": [], "parsed": None}
        )
        call["id"] = call["id"] or event.id or ""
        call["name"] = event.name or call["name"]
        if event.arguments:
            call["arguments"].append(event.arguments)
        if event.parsed_arguments is not None:
            call["parsed"] = event.parsed_arguments

    def text(self, kind: str) -> str:
        """Return the text of one kind so far."""
        return "".join(self.texts[kind])

    def tool_calls(self) -> list[ToolCall]:
        """Return the tool calls so far, in order; invalid arguments stay in `raw_arguments`."""
        calls: list[ToolCall] = []
        service_ids = {call["id"] for call in self.tools.values()}
        used_ids: set[str] = set()
        for position, call in enumerate(self.tools.values()):
            if call["name"] or call["arguments"] or call["parsed"]:
                id_ = call["id"] or _unique_id(f"call_{position}", service_ids)
                # Results refer to calls by id only, and some servers use the same id for all calls.
                id_ = _unique_id(id_, used_ids)
                used_ids.add(id_)
                calls.append(_tool_call(call, id_))
        return calls

    @property
    def empty(self) -> bool:
        """Whether no part of an answer has arrived."""
        return not (self.tools or self.content_parts or any(self.texts.values()))


def _unique_id(id_: str, used_ids: set[str]) -> str:
    """Return the id, or a longer one if it is already used."""
    number, unique = 1, id_
    while unique in used_ids:
        number += 1
        unique = f"{id_}_{number}"
    return unique


def _tool_call(call: dict[str, Any], id_: str) -> ToolCall:
    arguments, raw, error = read_arguments(call["arguments"], call["parsed"])
    return ToolCall(id_, call["name"], arguments, raw, error)
