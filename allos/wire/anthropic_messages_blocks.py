"""Blocks of Messages that are kept as they came: thinking, tools of the service, anything unknown."""

from __future__ import annotations

from typing import Any

from allos.events import Event, RawPart
from allos.wire.json_fields import repaired_json
from allos.wire.unread_fields import merge


class OpenBlocks:
    """Blocks by their position, until they are complete."""

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}
        self._texts: dict[tuple[int, str], list[str]] = {}
        """Pieces of a block's field."""
        self._content: set[int] = set()

    def open(self, position: int, block: dict[str, Any], *, is_content: bool = False) -> None:
        """Begin a block; `is_content` as in `RawPart`."""
        self._blocks[position] = dict(block)
        if is_content:
            self._content.add(position)

    def add(self, position: int, fields: dict[str, Any]) -> bool:
        """Add fields of a delta to a block, whose texts go on; False where the block is none of these."""
        if position not in self._blocks:
            return False
        self._blocks[position] = merge(self._blocks[position], fields)
        return True

    def sign(self, position: int, signature: Any) -> None:
        """Set the signature of a block."""
        if position in self._blocks:
            self._blocks[position]["signature"] = signature

    def add_text(self, position: int, name: str, piece: str) -> None:
        """Add the next piece of a field's text."""
        if position in self._blocks:
            self._texts.setdefault((position, name), []).append(piece)

    def add_input(self, position: int, piece: str) -> bool:
        """Add the next piece of the input's JSON; False where the block is none of these."""
        if position not in self._blocks:
            return False
        self._texts.setdefault((position, "input"), []).append(piece)
        return True

    def close(self, position: int) -> list[Event]:
        """Return the complete block."""
        block = self._blocks.pop(position, None)
        if block is None:
            return []
        for name in ("thinking", "input"):
            pieces = self._texts.pop((position, name), None)
            if pieces is not None:
                block[name] = _joined(block.get(name), "".join(pieces), is_json=name == "input")
        is_content = position in self._content
        self._content.discard(position)
        return [RawPart(block, is_content=is_content)]


def _joined(before: Any, pieces: str, *, is_json: bool) -> Any:
    if not is_json:
        return str(before or "") + pieces
    try:
        return repaired_json(pieces.encode("utf-8", "surrogatepass"))
    except ValueError:
        return pieces
