"""What a response has beyond the fields that its decoder reads: kept as it came, of bounded size."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from allos.events import Citation, Event, ResponseExtra

MAX_CHARS = 64_000
"""Of all values together, as text; what is beyond is named, not kept."""
CUT = "_cut"
"""Where the names of what was not kept stand."""

_SOURCES = ("citations", "search_results")
"""Lists of sources beside the answer; services that stream repeat them in every piece."""
_LABELS = frozenset({"type", "id", "index", "object", "format", "role", "name", "model"})
"""Fields of a piece that say what it is; each piece repeats them."""


class UnreadFields:
    """Collects the unread fields of one response, whole or in pieces.

    Values that mean nothing (null, empty) are left out. Of a field that comes again the last value
    counts, except for those of a message that comes in pieces: their texts and lists go on.
    """

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        self._sizes: dict[tuple[str, str], int] = {}
        self._chars = 0
        self._sources: dict[str, Any] = {}

    def add(
        self,
        fields: Mapping[str, Any],
        read: Collection[str],
        events: list[Event],
        *,
        within: str = "",
        in_pieces: bool = False,
    ) -> None:
        """Add the fields that are not among those read, and their events.

        Parameters
        ----------
        fields : mapping
            A JSON object of the response.
        read : collection of str
            Names of the fields that the decoder reads, or that mean nothing for an answer.
        within : str
            Where the object stands in the response; empty for the response itself.
        in_pieces : bool
            Whether its texts and lists go on in the next object of the same place.
        """
        changed = False
        for name, value in fields.items():
            if name in read or value is None or value in ("", [], {}):
                continue
            if name in _SOURCES and isinstance(value, list):
                if self._sources.get(name) != value:
                    self._sources[name] = value
                    events += [Citation(_source(each)) for each in value]
                continue
            changed = self._set(within, name, value, in_pieces=in_pieces) or changed
        if changed:
            events.append(ResponseExtra(dict(self._fields)))

    def _set(self, within: str, name: str, value: Any, *, in_pieces: bool) -> bool:
        fields = self._fields
        if within:
            fields = fields.setdefault(within, {})
            if not isinstance(fields, dict):  # a field of the response has the same name
                return False
        old = fields.get(name)
        if old == value:
            return False
        size = len(repr(value))
        before = self._sizes.get((within, name), 0)
        now = before + size if in_pieces else size
        if self._chars - before + now > MAX_CHARS:
            return self._cut(f"{within}.{name}" if within else name)
        self._chars += now - before
        self._sizes[within, name] = now
        fields[name] = merge(old, value) if in_pieces else value
        return True

    def _cut(self, path: str) -> bool:
        names = self._fields.setdefault(CUT, [])
        if path in names:
            return False
        self._fields[CUT] = [*names, path]
        return True


def merge(old: Any, new: Any) -> Any:
    """Join two pieces of a value: texts and lists go on, what says what a piece is stays.

    Items of lists that have an `index` belong together.

    Examples
    --------
    >>> merge([{"index": 0, "type": "t", "text": "a"}], [{"index": 0, "type": "t", "text": "b"}])
    [{'index': 0, 'type': 't', 'text': 'ab'}]
    """
    if isinstance(old, str) and isinstance(new, str):
        return old + new
    if isinstance(old, dict) and isinstance(new, dict):
        joined = {
            name: value if name in _LABELS or old.get(name) is None else merge(old[name], value)
            for name, value in new.items()
            if value is not None
        }
        return {**old, **joined}
    if isinstance(old, list) and isinstance(new, list):
        return _joined_lists(old, new)
    return new


def _joined_lists(old: list[Any], new: list[Any]) -> list[Any]:
    joined = list(old)
    for item in new:
        at = _position(joined, item)
        if at is None:
            joined.append(item)
        else:
            joined[at] = merge(joined[at], item)
    return joined


def _position(items: list[Any], item: Any) -> int | None:
    if not isinstance(item, dict) or item.get("index") is None:
        return None
    key = (item["index"], item.get("type"))
    for at, other in enumerate(items):
        if isinstance(other, dict) and (other.get("index"), other.get("type")) == key:
            return at
    return None


def _source(value: Any) -> dict[str, Any]:
    """Return a source as an object; some services send its URL alone."""
    return value if isinstance(value, dict) else {"url": value}
