"""Tool calls of Responses, put together from events that servers number in their own ways.

By the documentation every event of a call has its output index and its item's id. Servers leave one
or both out, number parallel calls alike, or make up another id for each event.
"""

from __future__ import annotations

from typing import Any

from allos.events import ToolCallDelta
from allos.wire.json_fields import text
from allos.wire.partial_tool_call import PartialToolCall, as_object, index_key
from allos.wire.placeholders import word
from allos.wire.surrogates import join_halves

_Body = dict[str, Any]


class FunctionCalls:
    """Finds out to which call of a response each event belongs."""

    def __init__(self) -> None:
        self.calls: list[PartialToolCall] = []  # in order
        self._position_of_index: dict[str, int] = {}
        self._ended: set[int] = set()
        """Positions of calls whose item is done."""

    def delta(self, body: _Body) -> list[ToolCallDelta]:
        """Return the next piece of a call's arguments."""
        piece = body.get("delta")
        if not piece or not isinstance(piece, (str, dict)):
            return []
        item_id, key = word(body.get("item_id")), index_key(body.get("output_index"))
        position = self._of_item(item_id, None)
        if position is None:
            position = self._last(key)
            if position is not None and self._is_other(position, item_id, piece):
                position = None
        position = self._settled(position, key, item_id, None)
        if isinstance(piece, dict):
            self.calls[position].parsed = piece
            return [ToolCallDelta(position, parsed_arguments=piece)]
        self.calls[position].arguments.append(piece)
        return [ToolCallDelta(position, arguments=piece)]

    def begun(self, body: _Body, item: _Body) -> list[ToolCallDelta]:
        """Return what the opening of an item tells."""
        item_id, call_id = word(item.get("id")), word(item.get("call_id"))
        key = index_key(body.get("output_index"))
        position = self._of_item(item_id, call_id)
        if position is not None and self.calls[position].index not in (None, key):
            position = None  # one id for all calls
        if position is None:
            last = self._last(key)
            # An opening is that of a new call, unless pieces came before it.
            position = last if last is not None and self.calls[last].name is None else None
        return self._whole(self._settled(position, key, item_id, call_id), item)

    def arguments_done(self, body: _Body) -> list[ToolCallDelta]:
        """Return what the complete arguments add to their pieces."""
        item_id, key = word(body.get("item_id")), index_key(body.get("output_index"))
        position = self._of_item(item_id, None)
        if position is None:
            position = self._last(key)
            if position is not None and self._is_other(position, item_id, body.get("arguments")):
                position = None
        return self._whole(self._settled(position, key, item_id, None), body, is_complete=True)

    def done(self, body: _Body, item: _Body) -> list[ToolCallDelta]:
        """Return what a complete item adds to its events."""
        item_id, call_id = word(item.get("id")), word(item.get("call_id"))
        key = index_key(body.get("output_index"))
        position = self._of_item(item_id, call_id)
        if position is None:
            position = self._last(key)
            if position is not None and (position in self._ended or not self._fits(position, item)):
                position = None
        position = self._settled(position, key, item_id, call_id)
        self._ended.add(position)
        return self._whole(position, item, is_complete=True)

    def repeated(self, items: list[_Body]) -> list[ToolCallDelta]:
        """Return what the calls of the complete response add; they stand in order."""
        deltas: list[ToolCallDelta] = []
        used: set[int] = set()
        known = len(self.calls)
        for number, item in enumerate(items):
            item_id, call_id = word(item.get("id")), word(item.get("call_id"))
            position = self._of_item(item_id, call_id, used)
            if position is None and number < known and number not in used:
                position = number if self._fits(number, item) else None
            position = self._settled(position, None, item_id, call_id)
            used.add(position)
            deltas += self._whole(position, item, is_complete=True)
        return deltas

    def _of_item(
        self,
        item_id: str | None,
        call_id: str | None,
        used: set[int] | frozenset[int] = frozenset(),
    ) -> int | None:
        for position in range(len(self.calls) - 1, -1, -1):
            call = self.calls[position]
            if position in used:
                continue
            if call_id and call.id == call_id:
                return position
            if item_id and call.item_id == item_id and not (call_id and call.id):
                return position
        return None

    def _last(self, key: str | None) -> int | None:
        """Position of the last call of an output index, or of the last one at all."""
        if key is not None:
            return self._position_of_index.get(key)
        return len(self.calls) - 1 if self.calls else None

    def _is_other(self, position: int, item_id: str | None, arguments: Any) -> bool:
        """Whether an event that has not a call's item id is about another call."""
        if position in self._ended:
            return True
        call = self.calls[position]
        if item_id is None or call.item_id is None:
            return False
        return call.value is not None and bool(arguments) and not call.repeats(arguments)

    def _fits(self, position: int, item: _Body) -> bool:
        """Whether an item with other ids can be a call's."""
        call, arguments = self.calls[position], item.get("arguments")
        if call.name is not None and call.name != word(item.get("name")):
            return False
        if not arguments or not call.has_arguments or call.repeats(arguments):
            return True
        return isinstance(arguments, str) and arguments.startswith(
            join_halves("".join(call.arguments))
        )

    def _settled(
        self, position: int | None, key: str | None, item_id: str | None, call_id: str | None
    ) -> int:
        """Note the ids of an event's call, a new one where it has none."""
        if position is None:
            self.calls.append(PartialToolCall(key))
            position = len(self.calls) - 1
        call = self.calls[position]
        call.item_id, call.id = call.item_id or item_id, call.id or call_id
        if key is not None:
            self._position_of_index[key] = position
        return position

    def _whole(
        self, position: int, item: _Body, *, is_complete: bool = False
    ) -> list[ToolCallDelta]:
        """Return what an item tells beyond what has come."""
        call = self.calls[position]
        arguments, name = item.get("arguments"), word(item.get("name"))
        rest = value = None
        if isinstance(arguments, str):
            had = join_halves("".join(call.arguments))
            if is_complete and arguments.startswith(had):
                rest = text(arguments[len(had) :])
                call.arguments = [arguments]
            elif not is_complete or call.value is None:
                value = as_object([arguments]) or None
        elif arguments is not None:
            value = arguments
        if value and not call.parsed:
            call.parsed = value
        call.name = call.name or name
        return [ToolCallDelta(position, word(item.get("call_id")), name, rest, value)]
