"""Tool calls of Chat Completions, put together from pieces that servers cut in their own ways.

By the documentation the first piece of a call has its index, id and name, and the others its index.
Servers number parallel calls alike, from 1, piece by piece or not at all; make up a new id with every
piece or use one for all calls; repeat the name, cut it, or send it later than the id; repeat the
arguments as a whole at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from allos.events import ToolCallDelta
from allos.wire.json_fields import json_dict, text
from allos.wire.partial_tool_call import PartialToolCall, index_key
from allos.wire.placeholders import word

_ARGUMENTS = ("parameters", "input", "args")
"""Other names of the arguments: of templates that pass on what the model wrote, and of custom tools."""


class ToolCallAssembler:
    """Finds out to which call of a response each piece belongs.

    Parameters
    ----------
    names : sequence of str
        Tools that the model may call: they tell a piece of a name from a name.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.calls: list[PartialToolCall] = []  # in order
        self._names = tuple(names)
        self._position_of_index: dict[str, int] = {}
        self._is_legacy = False

    @property
    def found(self) -> bool:
        """Whether there is any call."""
        return any(call.exists for call in self.calls)

    def deltas(self, tool_calls: Any) -> list[ToolCallDelta]:
        """Return what the `tool_calls` of one chunk or message add."""
        if isinstance(tool_calls, dict):
            single = "function" in tool_calls or "name" in tool_calls
            tool_calls = [tool_calls] if single else [*tool_calls.values()]
        if not isinstance(tool_calls, list):
            return []
        pieces = [piece for piece in tool_calls if isinstance(piece, dict)]
        used: set[int] = set()
        return self._added(self._piece(piece, used) for piece in pieces)

    def legacy_deltas(self, function_call: Any) -> list[ToolCallDelta]:
        """Return what a `function_call` adds: the form before `tool_calls`, with one call at most.

        Servers that send both forms repeat the call in the older one.
        """
        if not isinstance(function_call, dict) or (self.calls and not self._is_legacy):
            return []
        added = self._added([self._piece({"index": 0, "function": function_call}, set())])
        self._is_legacy = bool(self.calls)
        return added

    @staticmethod
    def _added(deltas: Iterable[ToolCallDelta | None]) -> list[ToolCallDelta]:
        return [delta for delta in deltas if delta is not None]

    def _piece(self, piece: dict[str, Any], used: set[int]) -> ToolCallDelta | None:
        function = piece.get("function") or piece.get("custom")
        if isinstance(function, str):  # the name alone
            function = {"name": function, "arguments": piece.get("arguments")}
        function = json_dict(function) or piece
        id_, name = word(piece.get("id")), word(function.get("name"))
        arguments = function.get("arguments")
        if arguments is None:
            arguments = next((each for name in _ARGUMENTS if (each := function.get(name))), None)
        position = self._position(index_key(piece.get("index")), id_, name, arguments, used)
        if position is None:
            return None
        used.add(position)
        call = self.calls[position]
        call.pieces += 1
        call.named += name is not None
        if isinstance(extra := piece.get("extra_content"), dict):
            call.extra = {"extra_content": extra}
        new_id = new_name = added = value = None
        if id_ and not call.id:
            call.id = new_id = id_
        if name and (whole := self._name(call, name)) != call.name:
            call.name = new_name = whole
        if isinstance(arguments, str):
            is_opening = arguments.lstrip().startswith("{") and call.has_arguments
            if not (is_opening and call.repeats(arguments)):
                added = text(arguments)
                call.add(arguments, instead=is_opening and call.value == {})  # of a placeholder
        elif arguments is not None:
            call.parsed = value = arguments
        if new_id is new_name is added is value is None:
            return None
        return ToolCallDelta(position, new_id, new_name, added, value)

    def _name(self, call: PartialToolCall, name: str) -> str:
        """Return the name of a call that is sent its name, or a piece of it, once more."""
        known = call.name
        if known is None:
            return name
        if self._is_piece(known, name):
            return known + name
        if call.has_arguments or not name.startswith(known):
            return known
        return name

    def _is_piece(self, known: str, name: str) -> bool:
        """Whether a name goes on with `name`."""
        names = self._names
        if not names:
            return not name.startswith(known)
        if any(each.startswith(known + name) for each in names):
            return known not in names or name not in names
        return known not in names and name not in names and not name.startswith(known)

    def _position(
        self, key: str | None, id_: str | None, name: str | None, arguments: Any, used: set[int]
    ) -> int | None:
        """Find the call of a piece, or begin one; None for a piece that belongs to none."""
        calls = self.calls
        at = self._by_id(key, id_, name, used)
        if at is None and key is not None:
            at = self._position_of_index.get(key)
            if at is None and calls and not name and self._counts_pieces(id_, arguments):
                at = len(calls) - 1
        elif at is None and calls:
            at = len(calls) - 1
        if at is None or self._begins_call(calls[at], id_, name, arguments, is_used=at in used):
            if not (id_ or name or _content(arguments)):
                return None  # a placeholder
            calls.append(PartialToolCall(key))
            at = len(calls) - 1
        if key is not None:
            self._position_of_index[key] = at
        return at

    def _counts_pieces(self, id_: str | None, arguments: Any) -> bool:
        """Whether a new index without a name numbers a piece of the last call, not another call."""
        last = self.calls[-1]
        if last.name is None and id_ and not _content(arguments):
            return False  # ids first, names later
        return not last.value or last.repeats(arguments)

    def _by_id(
        self, key: str | None, id_: str | None, name: str | None, used: set[int]
    ) -> int | None:
        for position in range(len(self.calls) - 1, -1, -1) if id_ else ():
            call = self.calls[position]
            # One id for all calls: then another index with a name, or another entry, is another call.
            is_other = name and (position in used or (key and call.index and call.index != key))
            if call.id == id_ and not is_other:
                return position
        return None

    def _begins_call(
        self,
        call: PartialToolCall,
        id_: str | None,
        name: str | None,
        arguments: Any,
        *,
        is_used: bool,
    ) -> bool:
        """Whether a piece that seems to continue a call is the first one of another."""
        is_new_id = id_ is not None and call.id is not None and id_ != call.id
        content = _content(arguments)
        if name is None:
            return is_new_id and bool(content and call.value) and not call.repeats(arguments)
        if call.name is None:
            return call.has_arguments and is_new_id
        if is_used:
            return True
        same_id = id_ is not None and id_ == call.id
        if name != call.name and not call.has_arguments:
            if name.startswith(call.name) and call.name not in self._names:
                return False  # the name as far as it is known, each time
            return not self._is_piece(call.name, name) or (is_new_id and not self._names)
        if name != call.name:
            return call.value is not None or not same_id
        if call.value is None:
            return False  # the name again is a habit of the server
        if is_new_id:
            return True
        if same_id:
            is_no_habit = call.named < call.pieces  # the name had come once
            return (is_no_habit or bool(content and call.value)) and not call.repeats(arguments)
        return call.pieces == 1 or not call.repeats(arguments)


def _content(arguments: Any) -> Any:
    return arguments.strip() if isinstance(arguments, str) else arguments
