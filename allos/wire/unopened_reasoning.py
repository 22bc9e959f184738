"""Finds the end of reasoning that nothing has opened, in text that is shown while it arrives."""

from __future__ import annotations

import re
from typing import NamedTuple

from allos.wire.harmony import CUT_HEADER, FINAL_HEADER
from allos.wire.reasoning_marks import END_TAGS, START_TAGS, is_mentioned

_FENCES = ("```", "~~~")
_MARK = re.compile(
    "|".join([*map(re.escape, (*_FENCES, *END_TAGS, *START_TAGS)), FINAL_HEADER]), re.IGNORECASE
)
_MARK_CHARS = 128
"""More than the length of any mark."""
_CUT_HEADER = re.compile(CUT_HEADER)
_BARE_CHANNELS = re.compile(r"analysis(?=\S)(.*?)assistantfinal(?=\S)", re.DOTALL)
"""Channels of gpt-oss whose marks a server has removed, so that only their names are left."""


class UnopenedReasoning(NamedTuple):
    """Reasoning without a start tag."""

    reasoning: str
    rest: str
    """The text behind it so far."""
    is_final_channel: bool
    """Whether the rest is in the format of `allos.wire.harmony`."""
    is_shown: bool
    """Whether some of the reasoning was already handed out as text."""


class EndTagWatch:
    """Watches the text of one answer for an end tag; takes linear time, however it is cut.

    An end tag behind its own start tag, in a code fence or in quotes is part of the text, as is one
    within a sentence.
    """

    def __init__(self) -> None:
        self._settled: list[str] = []
        self._new: list[str] = []
        """Pieces in which a mark may yet be found."""
        self._before = ""
        """The last characters of the settled text."""
        self._mentioned: set[str] = set()
        """Start tags in the text."""
        self._is_fenced = False
        self._is_undecided = False
        """Whether an end tag depends on the text behind it."""

    def passes(self, text: str) -> bool:
        """Add the next piece of text if no mark ends in it, as in nearly every piece; else `feed` it."""
        if self._is_undecided or ">" in text or "]" in text or "▷" in text:
            return False
        self._new.append(text)
        return True

    def feed(self, text: str) -> UnopenedReasoning | None:
        """Add the next piece of text; return the reasoning once its end is found."""
        if self.passes(text):
            return None
        self._new.append(text)
        return self._scan(shown=len(self._new) > 1 or bool(self._settled), is_complete=False)

    def end(self) -> UnopenedReasoning | None:
        """Return the reasoning where only the end of the text decides."""
        if self._is_undecided:
            return self._scan(shown=True, is_complete=True)
        pieces = [*self._settled, *self._new]
        if "".join(pieces[:8]).startswith("analysis"):
            text = "".join(pieces)
            if channels := _BARE_CHANNELS.match(text):
                return UnopenedReasoning(channels[1], text[channels.end() :], True, True)
        return None

    def _scan(self, *, shown: bool, is_complete: bool) -> UnopenedReasoning | None:
        text = "".join(self._new)
        self._is_undecided = False
        settled = 0
        for mark in _MARK.finditer(text):
            name = mark[0].lower()
            if name in _FENCES:
                self._is_fenced = not self._is_fenced
            elif name in END_TAGS:
                self._mentioned.add(name)
            else:
                before = self._before + text[max(0, mark.start() - 2) : mark.start()]
                after = text[mark.end() : mark.end() + 2]
                is_end = self._is_end(name, before, after, is_complete=is_complete)
                if is_end is None:
                    self._is_undecided = True
                    break
                if is_end:
                    reasoning = "".join(self._settled) + text[: mark.start()]
                    is_final_channel = name not in START_TAGS
                    if is_final_channel and (header := _CUT_HEADER.match(reasoning)):
                        reasoning = reasoning[header.end() :]
                    return UnopenedReasoning(reasoning, text[mark.end() :], is_final_channel, shown)
            settled = mark.end()
        self._settle(text, settled if self._is_undecided else max(settled, len(text) - _MARK_CHARS))
        return None

    def _is_end(self, name: str, before: str, after: str, *, is_complete: bool) -> bool | None:
        if self._is_fenced or START_TAGS.get(name) in self._mentioned:
            return False
        mentioned = is_mentioned(before, after, is_complete=is_complete)
        return None if mentioned is None else not mentioned

    def _settle(self, text: str, size: int) -> None:
        self._settled.append(text[:size])
        self._before = (self._before + text[max(0, size - 2) : size])[-2:]
        self._new = [text[size:]]
