"""Reasoning that a service writes into the content, between ``<think>`` and ``</think>``.

Only a tag that opens the answer counts: prose that mentions the tag later stays prose. The tags may
be cut anywhere between chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from allos.events import Event, Finished, ReasoningDelta, TextDelta
from allos.wire.decoder import Decoder

_OPEN, _CLOSE = "<think>", "</think>"
_MAX_BLANKS = 1000
"""White space before a tag; an answer that begins with more is content."""


class ReasoningTagSplitter:
    """Separates reasoning from content, piece by piece.

    Examples
    --------
    >>> splitter = ReasoningTagSplitter()
    >>> [*splitter.feed("<thi"), *splitter.feed("nk>hm</think>Hi"), *splitter.end()]
    [ReasoningDelta(text='hm'), TextDelta(text='Hi')]
    """

    def __init__(self) -> None:
        self._state: Literal["start", "inside", "after", "outside"] = "start"
        self._held = ""

    @property
    def passed(self) -> bool:
        """Whether the rest is content for certain."""
        return self._state == "outside"

    def feed(self, text: str) -> list[TextDelta | ReasoningDelta]:
        """Split the next piece; what may still become a tag is held back."""
        if self._state == "outside":
            return [TextDelta(text)] if text else []
        held = self._held + text
        self._held = ""
        if self._state == "start":
            start = held.lstrip()
            blank = len(held) - len(start) > _MAX_BLANKS
            if len(start) < len(_OPEN) and _OPEN.startswith(start) and not blank:
                self._held = held
                return []
            if blank or not start.startswith(_OPEN):
                self._state = "outside"
                return [TextDelta(held)]
            self._state = "inside"
            held = start[len(_OPEN) :]
        done: list[TextDelta | ReasoningDelta] = []
        if self._state == "inside":
            thought, closed, rest = held.partition(_CLOSE)
            if not closed:
                keep = _overlap(held, _CLOSE)
                self._held = held[len(held) - keep :]
                thought = held[: len(held) - keep]
            else:
                self._state = "after"
            if thought:
                done.append(ReasoningDelta(thought))
            if not closed:
                return done
            held = rest
        # Blank lines between the closing tag and the answer belong to neither.
        held = held.lstrip()
        if held:
            self._state = "outside"
            done.append(TextDelta(held))
        return done

    def end(self) -> list[TextDelta | ReasoningDelta]:
        """Hand out what was held back, once no more will come."""
        held, self._held = self._held, ""
        if not held:
            return []
        return [ReasoningDelta(held) if self._state == "inside" else TextDelta(held)]


class ReasoningTagDecoder(Decoder):
    """Another decoder, with the reasoning taken out of its texts."""

    def __init__(self, inner: Decoder) -> None:
        self._inner = inner
        self._splitter = ReasoningTagSplitter()

    def decode_event(self, name: str, data: bytes) -> Iterator[Event]:
        """As the inner decoder's."""
        return self._split(self._inner.decode_event(name, data))

    def decode_response(self, response: dict[str, Any]) -> Iterator[Event]:
        """As the inner decoder's."""
        return self._split(self._inner.decode_response(response))

    def flush(self) -> list[Event]:
        """As the inner decoder's, behind what was held back."""
        return [*self._split(self._inner.flush()), *self._splitter.end()]

    def _split(self, events: Iterable[Event]) -> Iterator[Event]:
        inner = self._inner
        try:
            for event in events:
                if isinstance(event, TextDelta):
                    yield from self._splitter.feed(event.text)
                    continue
                if isinstance(event, Finished):
                    yield from self._splitter.end()
                yield event
        finally:
            # Known once the inner decoder has given all its events.
            self.done, self.closed, self.error = inner.done, inner.closed, inner.error


def _overlap(text: str, tag: str) -> int:
    """Length of the longest end of `text` that could begin `tag`."""
    for size in range(min(len(text), len(tag) - 1), 0, -1):
        if tag.startswith(text[-size:]):
            return size
    return 0
