"""An answer while it arrives in its cell: finished blocks rendered, the block being written as text."""

from __future__ import annotations

from collections.abc import Iterable

from allos.messages import ToolCall
from allos.render.markdown import OPEN, markdown_html
from allos.render.markdown_stream import MarkdownStream
from allos.render.media import split_images
from allos.render.plain import clean_text, escaped, unbroken
from allos.render.style import LIVE_STYLE, sheet_of
from allos.render.tool_calls import call_html


class LiveAnswer:
    """What has arrived of an answer, step by step.

    Half a block can mean something else than all of it, so only a finished one is interpreted. Where
    `answer_html` takes its place nothing moves: it has the same blocks.

    Examples
    --------
    >>> answer = LiveAnswer()
    >>> answer.add_text("**Done.**\\n\\n**pro")
    >>> html = answer.html()
    >>> "<strong>Done.</strong>" in html, "**pro" in html
    (True, True)
    """

    def __init__(self) -> None:
        self._steps: list[str] = []
        """HTML of the steps that are over."""
        self._stream = MarkdownStream()
        self._pieces: list[str] = []
        self._first_of_step = 0
        self._reasoning_chars = 0
        self._calls: list[str] = []
        self._rendered: tuple[object, str] = (None, "")

    def add_text(self, piece: str) -> None:
        """Add text of the current step."""
        self._pieces.append(piece)
        self._stream.add(piece, render=False)

    def add_reasoning(self, piece: str) -> None:
        """Count reasoning of the current step; it is shown at the end."""
        self._reasoning_chars += len(piece)

    def take_back_text(self) -> int:
        """Make all text of the current step reasoning; how many characters it had."""
        chars = sum(map(len, self._pieces[self._first_of_step :]))
        del self._pieces[self._first_of_step :]
        self._stream = MarkdownStream()
        self._reasoning_chars += chars
        return chars

    def end_step(self, calls: Iterable[ToolCall]) -> None:
        """End a step with the tools that the model calls."""
        text = self._finished_text()
        if text.strip():
            self._steps.append(markdown_html(split_images(text)[0]))
        for call in calls:
            self._steps.append(call_html(call))
            self._pieces.append(f"\n→ {call.name}\n")
        self._stream = MarkdownStream()
        self._first_of_step, self._reasoning_chars = len(self._pieces), 0

    def finish(self) -> None:
        """End the last step: `answer_html` takes its blocks as they are."""
        self._finished_text()

    def _finished_text(self) -> str:
        text = "".join(self._pieces[self._first_of_step :])
        self._stream.finish(text)
        return text

    def text(self) -> str:
        """Cleaned text so far."""
        return clean_text("".join(self._pieces))

    def html(self, state: str = "") -> str:
        """HTML of the answer so far.

        Parameters
        ----------
        state : str
            Status, shown as a quiet line below.
        """
        self._stream.render()
        tail = self._stream.tail
        written = f'<pre class="allos-text">{escaped(tail)}</pre>' if tail.strip() else ""
        below = f'<small class="allos-state">{escaped(state)}</small>' if state else ""
        return (
            '<div class="allos-out mathjax_ignore tex2jax_ignore">'
            f"{self._above()}{unbroken(written)}{below}</div>"
        )

    def _above(self) -> str:
        """Style sheet and rendered part; the same until something is added to it."""
        stream = self._stream
        version = len(self._steps), stream.version, self._reasoning_chars
        if self._rendered[0] != version:
            parts = list(self._steps)
            if self._reasoning_chars:
                title = f"Reasoning, {self._reasoning_chars:,} characters"
                parts.append(f'<details class="allos-think"><summary>{title}</summary></details>')
            if stream.blocks or stream.open_html:
                parts.append(f"{OPEN}\n{''.join(stream.blocks)}{stream.open_html}</div>\n")
            body = "".join(parts)
            style = f"<style>{sheet_of(body)}</style>" if body else LIVE_STYLE
            self._rendered = version, unbroken(style + body)
        return self._rendered[1]
