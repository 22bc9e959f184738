"""Halves of characters: some gateways cut a character beyond U+FFFF into two JSON escapes.

JavaScript counts such a character as two (a surrogate pair), and code that cuts text by that count
sends ``\\ud83d`` in one event and ``\\ude00`` in the next. Together they are one character; alone,
a half cannot be encoded, stored or shown, and becomes U+FFFD.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from typing import Any

from allos.events import (
    Event,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    TextWasReasoning,
    ToolCallDelta,
)

REPLACEMENT = "\ufffd"

_HALF = re.compile("[\ud800-\udfff]")
_FIRST_HALF_AT_END = re.compile("[\ud800-\udbff]\\Z")

_Piece = TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta


def parse_with_halves(data: bytes) -> Any:
    """Parse JSON whose strings may hold halves, as escapes or as bytes; other bad bytes are U+FFFD.

    Raises
    ------
    ValueError
        It is not JSON even so.
    """
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    try:
        return json.loads(text, strict=False)  # models write line breaks into arguments
    except RecursionError:
        raise ValueError("nested too deep") from None


def join_halves(text: str) -> str:
    r"""Text in which two halves are one character, and one alone is U+FFFD.

    Examples
    --------
    >>> join_halves("a\ud83d\ude00b\ud83d")
    'a😀b\ufffd'
    """
    if not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def without_halves(value: Any) -> Any:
    """JSON value with the halves in all of its strings joined or replaced."""
    if isinstance(value, str):
        return join_halves(value)
    if isinstance(value, dict):
        return {join_halves(key): without_halves(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_halves(inner) for inner in value]
    return value


class HalfJoiner:
    """Joins the halves in the events of one response.

    A first half at the end of a piece waits for the next piece of the same text.
    """

    def __init__(self) -> None:
        self._waiting: dict[Any, tuple[_Piece, str]] = {}
        """By text: its last piece, and the first half at the end of it."""

    def join(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield the events without halves; those before an error come before it."""
        for event in events:
            if isinstance(event, _Piece):
                if (joined := self._joined(event)) is not None:
                    yield joined
                continue
            if isinstance(event, TextWasReasoning):
                self._waiting.pop(TextDelta, None)  # it is in the reasoning
            changes = {
                field.name: without_halves(value)
                for field in fields(event)
                if isinstance(value := getattr(event, field.name), (str, dict, list))
            }
            yield replace(event, **changes)

    def end(self) -> list[Event]:
        """Return the halves that were left alone, as U+FFFD."""
        waiting, self._waiting = self._waiting, {}
        return [
            ToolCallDelta(piece.index, arguments=REPLACEMENT)
            if isinstance(piece, ToolCallDelta)
            else replace(piece, text=REPLACEMENT)
            for piece, _ in waiting.values()
        ]

    def _joined(self, piece: _Piece) -> _Piece | None:
        """The piece without halves; None where nothing is left of it."""
        is_call = isinstance(piece, ToolCallDelta)
        key = piece.index if isinstance(piece, ToolCallDelta) else type(piece)
        text = piece.arguments if isinstance(piece, ToolCallDelta) else piece.text
        if text:
            _, half = self._waiting.pop(key, (piece, ""))
            text = half + text
            if _FIRST_HALF_AT_END.search(text):
                self._waiting[key] = (piece, text[-1])
                text = text[:-1]
        return _with_text(piece, join_halves(text or "")) if text or is_call else None


def _with_text(piece: _Piece, text: str) -> _Piece:
    if not isinstance(piece, ToolCallDelta):
        return replace(piece, text=text)
    return replace(
        piece,
        arguments=text or None,
        id=without_halves(piece.id),
        name=without_halves(piece.name),
        parsed_arguments=without_halves(piece.parsed_arguments),
    )
