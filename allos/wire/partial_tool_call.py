"""A tool call that is still arriving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allos.wire.json_fields import repaired_json


class PartialToolCall:
    """A tool call as far as it has arrived."""

    __slots__ = (
        "arguments",
        "extra",
        "id",
        "index",
        "item_id",
        "name",
        "named",
        "parsed",
        "pieces",
    )

    def __init__(self, index: str | None = None) -> None:
        self.index = index
        """The service's own number for it."""
        self.id: str | None = None
        self.item_id: str | None = None
        """Of the output item that holds it, on APIs that have both."""
        self.name: str | None = None
        self.arguments: list[str] = []
        self.extra: dict[str, Any] = {}
        self.parsed: Any = None
        """Arguments that came as a value."""
        self.pieces = 0
        """How many pieces of it have come."""
        self.named = 0
        """How many of them had a name."""

    def add(self, piece: str, *, instead: bool = False) -> None:
        """Add a piece of the arguments' text, in place of what had come or behind it."""
        if instead:
            self.arguments.clear()
        self.arguments.append(piece)

    @property
    def has_arguments(self) -> bool:
        """Whether any of its arguments have come."""
        return bool(self.parsed) or any(self.arguments)

    @property
    def exists(self) -> bool:
        """Whether it is more than an id."""
        return bool(self.name) or self.has_arguments

    @property
    def value(self) -> dict[str, Any] | None:
        """Its arguments, where they are a complete JSON object."""
        if isinstance(self.parsed, dict):
            return self.parsed
        # Most pieces end within the object: those cost no parsing.
        last = next((piece for piece in reversed(self.arguments) if piece.strip()), "")
        return as_object(self.arguments) if last.rstrip().endswith("}") else None

    def repeats(self, arguments: Any) -> bool:
        """Whether `arguments` say once more what has come completely."""
        known = self.value
        if known is None:
            return False
        return known == (as_object([arguments]) if isinstance(arguments, str) else arguments)


def as_object(pieces: Sequence[str]) -> dict[str, Any] | None:
    """Return the JSON object that pieces of text add up to, or None."""
    try:
        value = repaired_json("".join(pieces).encode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def index_key(index: Any) -> str | None:
    """Return a number of a call as one spelling, whether it came as a number or as text."""
    if index is None or index == "":
        return None
    return index.strip() if isinstance(index, str) else repr(index)
