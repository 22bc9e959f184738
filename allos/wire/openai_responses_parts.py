"""Texts of Responses as they are streamed, to know what their end adds."""

from __future__ import annotations

from typing import Any

from allos.wire.surrogates import join_halves


class StreamedParts:
    """The pieces of each content part that is open.

    A part is known by its place (output index and content index), and by its item's id where it has
    no place: some servers make up another id for each event.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[Any, ...], list[str]] = {}
        self._since_end: dict[str, list[str]] = {}
        """By kind, the pieces of all parts since one of them ended."""
        self._ended: set[tuple[Any, ...]] = set()
        self._any = False

    def __bool__(self) -> bool:
        """Whether any text has come."""
        return self._any

    def add(self, kind: str, body: dict[str, Any], piece: str) -> None:
        """Add a piece."""
        self._any = True
        self._open.setdefault(_place(kind, body), []).append(piece)
        self._since_end.setdefault(kind, []).append(piece)

    def rest(self, kind: str, body: dict[str, Any], full: str) -> str | None:
        """Return what the complete text of a part adds to its pieces, and end the part."""
        place = _place(kind, body)
        name = (*place, body.get("item_id") and str(body["item_id"]), full)
        since = self._since_end.pop(kind, [])
        unknown = since if body.get("output_index") is None else []
        had = join_halves("".join(self._open.pop(place, unknown)))
        if (name in self._ended and not had) or not full.startswith(had):
            return None
        self._any = True
        self._ended.add(name)
        return full[len(had) :]


def _place(kind: str, body: dict[str, Any]) -> tuple[Any, ...]:
    get = body.get
    output_index = get("output_index")
    where = repr(get("item_id") if output_index is None else output_index)
    return (kind, where, repr(get("content_index")), repr(get("summary_index")))
