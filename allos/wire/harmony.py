"""Answers of gpt-oss models that a server returns as the model wrote them, channel marks included.

Format: https://cookbook.openai.com/articles/openai-harmony. Each message is
``<|start|>assistant<|channel|>NAME<|message|>TEXT<|end|>``; the first ``<|start|>assistant`` is in
the prompt. The channel ``final`` is the answer; all others (``analysis``, ``commentary``) lead to it.
"""

from __future__ import annotations

import re

from allos.events import ReasoningDelta, TextDelta

FIRST_MARKS = ("<|channel|>", "<|start|>assistant")
"""An answer in this format begins with one of them."""
FINAL_HEADER = (
    r"(?:<\|end\|>)?(?:<\|start\|>assistant)?<\|channel\|>[ \t]{0,4}final[^<]{0,20}"
    r"(?:<\|constrain\|>[^<]{0,20})?<\|message\|>"
)
"""Regular expression of what stands between the reasoning and the answer."""
CUT_HEADER = r"\s*(?:<\|channel\|>)?(?:analysis|commentary)?<\|message\|>"
"""The same of what is left of the first header, where its beginning was in the prompt."""

_MARK = re.compile(r"<\|(start|channel|constrain|message|end|return|call)\|>")
_PARTIAL_MARK = re.compile(r"<(?:\|[a-z]{0,9}\|?)?\Z")
_FINAL = re.compile(r"\s*final\b")


class HarmonySplitter:
    """Separates the final channel from the others, piece by piece.

    Parameters
    ----------
    is_final : bool
        Whether the first piece continues the final channel.

    Examples
    --------
    >>> splitter = HarmonySplitter()
    >>> [*splitter.feed("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|chan"),
    ...  *splitter.feed("nel|>final<|message|>Hi<|return|>"), *splitter.end()]
    [ReasoningDelta(text='hm'), TextDelta(text='Hi')]
    """

    def __init__(self, *, is_final: bool = False) -> None:
        self._held = ""
        self._header: str | None = None
        """The header so far; None in a message's text."""
        self._is_final = is_final
        self._is_blank = True
        """No answer has come: blank lines before it belong to nothing."""

    def feed(self, text: str) -> list[TextDelta | ReasoningDelta]:
        """Split the next piece; what may still become a mark is held back."""
        text, self._held = self._held + text, ""
        if partial := _PARTIAL_MARK.search(text):
            text, self._held = text[: partial.start()], partial[0]
        found: list[TextDelta | ReasoningDelta] = []
        at = 0
        for mark in _MARK.finditer(text):
            found += self._text(text[at : mark.start()])
            self._mark(mark[1])
            at = mark.end()
        return found + self._text(text[at:])

    def end(self) -> list[TextDelta | ReasoningDelta]:
        """Hand out what was held back, once no more will come."""
        held, self._held = self._held, ""
        header, self._header = self._header, None
        return [ReasoningDelta(header)] if header else self._text(held)

    def _mark(self, name: str) -> None:
        if name == "message":
            self._is_final = bool(_FINAL.match(self._header or ""))
            self._header = None
        elif name in ("end", "return", "call"):
            # Text without a header of its own can only be the answer.
            self._header, self._is_final = None, True
        else:
            self._header = "" if name in ("start", "channel") else f"{self._header or ''} "

    def _text(self, text: str) -> list[TextDelta | ReasoningDelta]:
        if not text:
            return []
        if self._header is not None:
            self._header += text
            return []
        if not self._is_final:
            return [ReasoningDelta(text)]
        if self._is_blank:
            text = text.lstrip()
            self._is_blank = not text
        return [TextDelta(text)] if text else []
