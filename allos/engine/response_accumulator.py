"""Events into a response: what a reply adds up to, whole or cut off."""

from __future__ import annotations

from typing import Any

from jiter import from_json

from allos.events import Event, FinishReason
from allos.messages import ToolCall
from allos.usage import Usage


class ResponseAccumulator:
    """Collects the events of one attempt. Loop thread."""

    __slots__ = (
        "answered",
        "facts",
        "finish_reason",
        "finish_reason_raw",
        "first_at",
        "last_at",
        "raw",
        "texts",
        "tools",
        "usage",
    )

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {"text": [], "reasoning": [], "refusal": []}
        self.tools: dict[Any, dict[str, Any]] = {}
        self.facts: dict[str, Any] = {}
        self.raw: list[dict[str, Any]] = []
        self.usage: Usage | None = None
        self.finish_reason: FinishReason | None = None
        self.finish_reason_raw: str | None = None
        self.first_at: float | None = None
        """perf_counter of the first visible or reasoning delta."""
        self.last_at: float | None = None
        """The same of the last one."""
        self.answered = False
        """The service accepted the request: anything of a reply came."""

    def add(self, events: list[Event], at: float) -> None:
        """Take in the events that arrived at perf_counter `at`."""
        self.answered = True
        for event in events:
            kind = event.kind
            if kind in ("text", "reasoning", "refusal"):
                if self.first_at is None:
                    self.first_at = at
                self.last_at = at
                self.texts[kind].append(event.text)
            elif kind == "tool":
                self._tool(event)
            elif kind == "meta":
                self.facts.update((k, v) for k, v in (event.data or {}).items() if v is not None)
            elif kind == "usage":
                self.usage = event.usage
            elif kind == "raw" and event.data is not None:
                self.raw.append(event.data)
            elif kind == "finish":
                self.finish_reason = (event.data or {}).get("finish_reason")
                self.finish_reason_raw = event.text or None

    def _tool(self, event: Event) -> None:
        piece = event.data or {}
        call = self.tools.setdefault(
            event.slot, {"id": "", "name": "", "arguments": [], "parsed": None}
        )
        for key in ("id", "name"):
            if piece.get(key) and not call[key]:
                call[key] = piece[key]
        if piece.get("arguments"):
            call["arguments"].append(piece["arguments"])
        if piece.get("parsed") is not None:
            call["parsed"] = piece["parsed"]

    def text(self, kind: str) -> str:
        """Return the text of one kind so far."""
        return "".join(self.texts[kind])

    def tool_calls(self) -> list[ToolCall]:
        """Return the tool calls so far, in order; unreadable arguments stay as raw text."""
        calls: list[ToolCall] = []
        given = {call["id"] for call in self.tools.values()}
        taken: set[str] = set()
        for position, call in enumerate(self.tools.values()):
            if call["name"] or call["arguments"] or call["parsed"]:
                id_ = call["id"] or _free(f"call_{position}", given)
                # A result answers its call by the id alone, and some servers give all calls one.
                id_ = _free(id_, taken)
                taken.add(id_)
                calls.append(_tool_call(call, id_))
        return calls

    @property
    def empty(self) -> bool:
        """Whether nothing of an answer has arrived."""
        return not self.tools and not any(self.texts.values())


def _free(id_: str, taken: set[str]) -> str:
    """Return the id, or a longer one where it is taken."""
    number, free = 1, id_
    while free in taken:
        number += 1
        free = f"{id_}_{number}"
    return free


def _tool_call(call: dict[str, Any], id_: str) -> ToolCall:
    parsed: Any = call["parsed"]
    text: str = "".join(call["arguments"])
    if isinstance(parsed, str) and not text:  # some servers put text where a value belongs
        parsed, text = None, parsed
    if parsed is None or text:
        if not text.strip() or text.strip() == "null":
            parsed = {}
        else:
            try:
                parsed = from_json(text.encode("utf-8", "surrogatepass"))
            except ValueError as exc:
                return ToolCall(id_, call["name"], {}, text, f"arguments are no JSON: {exc}")
    if not isinstance(parsed, dict):
        if not text:
            from json import dumps

            text = dumps(parsed, ensure_ascii=False)
        return ToolCall(id_, call["name"], {}, text, "arguments are no JSON object")
    return ToolCall(id_, call["name"], parsed)
