"""Markdown that is rendered while it arrives: finished blocks as HTML, the rest as text.

The cost of a piece depends on the block that it belongs to, not on the text so far. At the end
`markdown_html` gives the same blocks, except that a link may have got its address from further down.
"""

from __future__ import annotations

from typing import Any

from allos.render.limits import LimitExceededError, Size
from allos.render.markdown import fragment_html, remember
from allos.render.markdown_blocks import BlockSplitter
from allos.render.media import split_images
from allos.render.plain import clean_text

_FIRST_PIECES = 12
"""Of a line: they show whether it is an item of a list."""
_SMALL_CHARS = 300
_GROWTH = 1.5
"""An open list or table is rendered anew when it is small, or has grown by so much."""


class MarkdownStream:
    """One answer as far as it has come.

    Examples
    --------
    >>> stream = MarkdownStream()
    >>> stream.add("**Done.**\\n\\nIn **pro")
    >>> stream.blocks, stream.tail
    (['<p><strong>Done.</strong></p>\\n'], 'In **pro')
    """

    def __init__(self) -> None:
        self.blocks: list[str] = []
        """Safe HTML of the finished blocks."""
        self.open_html = ""
        """Safe HTML of the complete items or rows of a list or table that is not finished."""
        self.version = 0
        """Grows whenever `blocks` or `open_html` changes: then `tail` begins anew."""
        self._splitter = BlockSplitter()
        self._size = Size()
        self._env: dict[str, Any] = {}
        self._partial: list[str] = []
        """Pieces of the line that is being written, not cleaned."""
        self._plain: list[str] = []
        """Blocks beyond a limit, and all that follow: they stay text."""
        self._open_lines = 0
        """Of the open block, what is in `open_html`."""
        self._open_chars = 0
        """How long it was when it was last rendered."""
        self._settled_lines = self._settled_chars = 0
        """What of it could be in `open_html`."""

    def add(self, piece: str) -> None:
        """Add text as it came; quick as long as no line ends in it."""
        self._partial.append(piece)
        if "\n" not in piece:
            if self._splitter.waits and len(self._partial) <= _FIRST_PIECES:
                self._begin_line()
            return
        *complete, rest = "".join(self._partial).split("\n")
        self._partial = [rest]
        # An escape sequence never crosses a line end, but a carriage return is one.
        for raw in complete:
            for line in clean_text(f"{raw}\n").split("\n")[:-1]:
                for block in self._splitter.add(line):
                    self._finish(block)
        self._render_open()
        self._begin_line()

    def _begin_line(self) -> None:
        start = "".join(self._partial)
        if self._splitter.waits and clean_text(start) == start:
            for block in self._splitter.begin(start):
                self._finish(block)

    @property
    def tail(self) -> str:
        """Cleaned text behind what is rendered."""
        lines = self._splitter.lines[self._open_lines :]
        partial = clean_text("".join(self._partial))
        return "".join((*self._plain, *(f"{line}\n" for line in lines), partial))

    def finish(self, text: str) -> None:
        """Save `markdown_html` from rendering the blocks again.

        Parameters
        ----------
        text : str
            What was added, as a whole.
        """
        if self._plain or not self.blocks or split_images(text)[1]:
            return
        lines = "".join(f"{line}\n" for line in self._splitter.lines)
        rest = self._html(lines + clean_text("".join(self._partial)), self._env)
        # A definition may be for a link in an earlier block.
        if rest is not None and not self._env.get("references"):
            remember(text, "".join(self.blocks) + rest)

    def _finish(self, block: str) -> None:
        html = None if self._plain else self._html(block, self._env)
        if html is None:
            self._plain.append(block)
            self._begin_block()
            return
        self._size.add(split_images(block)[0])
        self.blocks.append(html)
        self.open_html = ""
        self._begin_block()
        self.version += 1

    def _begin_block(self) -> None:
        self._open_lines = self._open_chars = 0
        self._settled_lines = self._settled_chars = 0

    def _render_open(self) -> None:
        settled = self._splitter.settled
        if self._plain or settled <= self._open_lines:
            return
        new = self._splitter.lines[self._settled_lines : settled]
        self._settled_chars += sum(map(len, new)) + len(new)
        self._settled_lines = settled
        if _SMALL_CHARS < self._settled_chars < _GROWTH * self._open_chars:
            return
        text = "".join(f"{line}\n" for line in self._splitter.lines[:settled])
        env = dict(self._env)
        if "references" in env:  # the finished block will bring its own
            env["references"] = dict(env["references"])
        self._open_chars = len(text)
        html = self._html(text, env)
        if html is not None:
            self.open_html = html
            self._open_lines = settled
            self.version += 1

    def _html(self, text: str, env: dict[str, Any]) -> str | None:
        """HTML of a block; None when it cannot be formatted."""
        try:
            text = split_images(text)[0]
            self._size.copy().add(text)
            return fragment_html(text, env)
        except LimitExceededError:
            return None
        # A bug in the parser must not lose the answer.
        except Exception:  # noqa: BLE001
            return None
