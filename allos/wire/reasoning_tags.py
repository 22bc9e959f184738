"""Reasoning that a service writes into the content, such as ``<think>...</think>``.

A block counts where it opens the answer, behind other blocks at most: prose that mentions a tag stays
prose. An end tag that nothing opened counts as well, since the chat templates of many models write
the start tag into the prompt. The tags may be cut anywhere between chunks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

from allos.events import Event, Finished, ReasoningDelta, TextDelta, TextWasReasoning
from allos.wire.decoder import Decoder
from allos.wire.harmony import FIRST_MARKS, HarmonySplitter
from allos.wire.reasoning_marks import END_TAGS, START_TAGS, is_quoted, opens_quote
from allos.wire.unopened_reasoning import EndTagWatch, UnopenedReasoning

Piece = TextDelta | ReasoningDelta | TextWasReasoning

_FIRST = (*END_TAGS, *FIRST_MARKS)
_FIRST_CHARS = max(map(len, _FIRST))
_FIRST_LETTERS = frozenset(mark[0] for mark in _FIRST)
_MAX_BLANKS = 1000
"""White space before a tag; an answer that begins with more is content."""

_START_TAG = re.compile("|".join(map(re.escape, END_TAGS)), re.IGNORECASE)
_END_TAG = {start: re.compile(re.escape(end), re.IGNORECASE) for start, end in END_TAGS.items()}
_ANY_END_TAG = re.compile("|".join(map(re.escape, START_TAGS)), re.IGNORECASE)


class ReasoningTagSplitter:
    """Separates reasoning from content, piece by piece.

    Examples
    --------
    >>> splitter = ReasoningTagSplitter()
    >>> [*splitter.feed("<thi"), *splitter.feed("nk>hm</think>Hi"), *splitter.end()]
    [ReasoningDelta(text='hm'), TextDelta(text='Hi')]

    Where nothing marked the beginning, what was handed out as text is taken back:

    >>> splitter = ReasoningTagSplitter()
    >>> [*splitter.feed("hm"), *splitter.feed("</think>Hi"), *splitter.end()]
    [TextDelta(text='hm'), TextWasReasoning(reasoning='hm'), TextDelta(text='Hi')]
    """

    def __init__(self) -> None:
        self._state: Literal["start", "inside", "text", "harmony", "passed"] = "start"
        self._held = ""
        self._has_block = False
        self._start_tag = ""
        self._before = ""
        """The last character of the block so far, without what is held."""
        self._watch = EndTagWatch()
        self._harmony = HarmonySplitter()
        self.passes: Callable[[str], bool] = _never
        """Adds the next piece and says so if it is text as it stands; else it is for `feed`."""

    def feed(self, text: str) -> list[Piece]:
        """Split the next piece; what may still become a tag is held back."""
        if self._state == "text":
            found = self._watch.feed(text)
            if found is None:  # nearly always
                return [TextDelta(text)] if text else []
            return self._taken_back(found, is_complete=False)
        return self._feed(text, is_complete=False)

    def end(self) -> list[Piece]:
        """Hand out what was held back, once no more will come."""
        if self._state == "text":
            found = self._watch.end()
            pieces = [] if found is None else self._taken_back(found, is_complete=True)
        else:
            pieces = self._feed("", is_complete=True)
        return [*pieces, *self._harmony.end()] if self._state == "harmony" else pieces

    def _feed(self, text: str, *, is_complete: bool) -> list[Piece]:
        if self._state == "passed":
            return [TextDelta(text)] if text else []
        if self._state == "harmony":
            return [*self._harmony.feed(text)]
        rest: str | None
        rest, self._held = self._held + text, ""
        pieces: list[Piece] = []
        while rest is not None:
            split = self._inside if self._state == "inside" else self._start
            rest = split(rest, pieces, is_complete=is_complete)
        return pieces

    def _start(self, text: str, pieces: list[Piece], *, is_complete: bool) -> str | None:
        """At the start of the answer, or behind a block; return what a start tag leaves."""
        start = text.lstrip()
        may_open = not start or start[0].lower() in _FIRST_LETTERS  # few answers do
        if may_open and (self._has_block or len(text) - len(start) <= _MAX_BLANKS):
            head = start[:_FIRST_CHARS].lower()
            if tag := _START_TAG.match(start):
                self._state, self._start_tag, self._before = "inside", tag[0].lower(), ""
                return start[tag.end() :]
            if head.startswith(FIRST_MARKS):
                self._state = "harmony"
                pieces += self._harmony.feed(start)
                return None
            if not is_complete and any(tag.startswith(head) for tag in _FIRST):
                self._held = text
                return None
        if self._has_block:
            if again := _ANY_END_TAG.match(start):  # some models write it twice
                return start[again.end() :]
            head = start[:_FIRST_CHARS].lower()
            if head and not is_complete and any(tag.startswith(head) for tag in START_TAGS):
                self._held = text
                return None
            # Blank lines between the end tag and the answer belong to neither.
            self._state, self.passes = "passed", _always
            pieces += [TextDelta(start)] if start else []
            return None
        self._state, self.passes = "text", self._watch.passes
        pieces += self.feed(text)
        if is_complete:
            pieces += self.end()
        return None

    def _inside(self, text: str, pieces: list[Piece], *, is_complete: bool) -> str | None:
        """In a block; return what is behind its end."""
        for end in _END_TAG[self._start_tag].finditer(text):
            start = end.start()
            before, after = text[max(0, start - 2) : start], text[end.end() : end.end() + 1]
            quoted = is_quoted((self._before + before)[-2:], after, is_complete=is_complete)
            if quoted is None:
                self._held = text[start - 1 :]
                self._reason(text[: start - 1], pieces)
                return None
            if not quoted:
                self._state, self._has_block = "start", True
                pieces += _reasoning(text[:start])
                return text[end.end() :]
        size = len(text) if is_complete else len(text) - _overlap(text, END_TAGS[self._start_tag])
        if not is_complete and opens_quote(text[:size]):  # what quotes a tag waits with it
            size -= 1
        self._held = text[size:]
        self._reason(text[:size], pieces)
        return None

    def _reason(self, text: str, pieces: list[Piece]) -> None:
        """Hand out reasoning that goes on."""
        pieces += _reasoning(text)
        self._before = text[-1:] or self._before

    def _taken_back(self, found: UnopenedReasoning, *, is_complete: bool) -> list[Piece]:
        """Hand out reasoning that came as text, and what is behind it."""
        pieces: list[Piece] = []
        if found.is_shown:
            pieces.append(TextWasReasoning(found.reasoning))
        else:
            pieces += _reasoning(found.reasoning)
        if found.is_final_channel:
            self._state, self.passes = "harmony", _never
            self._harmony = HarmonySplitter(is_final=True)
            return [*pieces, *self._harmony.feed(found.rest)]
        self._state, self._has_block, self.passes = "start", True, _never
        return pieces + self._feed(found.rest, is_complete=is_complete)


def _never(text: str) -> bool:
    return False


def _always(text: str) -> bool:
    return True


def _reasoning(text: str) -> list[Piece]:
    return [ReasoningDelta(text)] if text else []


class ReasoningTagDecoder(Decoder):
    """Another decoder, with the reasoning taken out of its texts."""

    def __init__(self, inner: Decoder) -> None:
        self._inner = inner
        self._splitter = ReasoningTagSplitter()

    def decode_event(self, name: str, data: bytes) -> Iterator[Event]:
        """As the inner decoder's."""
        events = self._inner.decode_event(name, data)
        self.joiner = self._inner.joiner
        return self._split(events)

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
        if tag.startswith(text[-size:].lower()):
            return size
    return 0
