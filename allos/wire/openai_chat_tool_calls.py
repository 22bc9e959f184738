"""Tool calls of Chat Completions, put together from deltas that servers number in their own ways."""

from __future__ import annotations

from typing import Any

from jiter import from_json

from allos.events import ToolCallDelta
from allos.wire.json_fields import json_dict, text


class PartialToolCall:
    """A tool call as far as it has arrived."""

    __slots__ = ("arguments", "extra", "id", "index", "name", "parsed")

    def __init__(self, index: str | None) -> None:
        self.index = index
        self.id: str | None = None
        self.name: str | None = None
        self.arguments: list[str] = []
        self.extra: dict[str, Any] = {}
        self.parsed = False
        """Its arguments came as a value."""

    def differs_from(self, id_: str | None, name: str | None) -> bool:
        """Whether a delta with this id and name belongs to another call."""
        if id_ and self.id:
            return id_ != self.id
        if not name or not self.name:
            return False
        # The name again: a habit of the server, unless this call is already complete.
        return name != self.name or self.complete

    @property
    def complete(self) -> bool:
        """Whether its arguments are complete JSON."""
        if self.parsed:
            return True
        if not self.arguments or not self.arguments[-1].rstrip().endswith("}"):
            return False
        try:
            from_json("".join(self.arguments).encode("utf-8", "surrogatepass"))
        except ValueError:
            return False
        return True


class ToolCallAssembler:
    """Finds out to which call of a response each delta belongs."""

    def __init__(self) -> None:
        self.calls: list[PartialToolCall] = []  # in order
        self._position_of_index: dict[str, int] = {}

    def deltas(self, tool_calls: Any) -> list[ToolCallDelta]:
        """Return the deltas in the `tool_calls` of one chunk or message."""
        used: set[int] = set()
        return [
            self._delta(call, used)
            for call in (tool_calls if isinstance(tool_calls, list) else ())
            if isinstance(call, dict)
        ]

    def _delta(self, delta: dict[str, Any], used: set[int]) -> ToolCallDelta:
        function = json_dict(delta.get("function"))
        id_, name = text(delta.get("id")), text(function.get("name"))
        arguments = function.get("arguments")
        position = self._position(delta.get("index"), id_, name, used)
        used.add(position)
        call = self.calls[position]
        new_id = new_name = piece = value = None
        if isinstance(extra := delta.get("extra_content"), dict):
            call.extra = {"extra_content": extra}
        if id_ and not call.id:
            call.id = new_id = id_
        if name and not call.name:
            call.name = new_name = name
        if isinstance(arguments, str):
            piece = arguments
            call.arguments.append(arguments)
        elif arguments is not None:
            value = arguments
            call.parsed = True
        return ToolCallDelta(position, new_id, new_name, piece, value)

    def _position(self, index: Any, id_: str | None, name: str | None, used: set[int]) -> int:
        """Find the call of a delta by id, index, name, place in the chunk and what has arrived.

        Servers number parallel calls alike, leave the index or the id out, repeat the id or the
        name with every delta, or give all calls one id.
        """
        calls = self.calls
        key = None if index is None else repr(index)
        if id_:
            for position, call in enumerate(calls):
                other = key is not None and call.index not in (None, key)
                if call.id == id_ and position not in used and not (other and name):
                    return position
        at = None if key is None else self._position_of_index.get(key)
        if at is None and key is None and calls and not id_:
            at = len(calls) - 1
        if at is not None and at not in used and not calls[at].differs_from(id_, name):
            return at
        calls.append(PartialToolCall(key))
        if key is not None:
            self._position_of_index[key] = len(calls) - 1
        return len(calls) - 1
