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
        self._waiting: list[str] = []
        """Blocks that are finished and not rendered yet."""
        self._open_lines = 0
        """Of the first block that is not among `blocks`, what is in `open_html`."""
        self._open_chars = 0
        """How long it was when it was last rendered."""
        self._settled_lines = self._settled_chars = 0
        """What of it could be in `open_html`."""
        self._has_new_lines = False
        """Whether a line ended since the last `render`."""

    def add(self, piece: str, *, render: bool = True) -> None:
        """Add text as it came; quick as long as no line ends in it.

        Parameters
        ----------
        piece : str
        render : bool
            Whether blocks that are finished are rendered now, or by a later `render`: those that
            waited are rendered together, which takes less than one by one.
        """
        together = bool(self._waiting)
        self._partial.append(piece)
        if "\n" in piece:
            self._end_lines()
        elif self._splitter.waits and len(self._partial) <= _FIRST_PIECES:
            self._begin_line()
        if render:
            self._render(together=together)

    def _end_lines(self) -> None:
        *complete, rest = "".join(self._partial).split("\n")
        self._partial = [rest]
        self._has_new_lines = True
        # An escape sequence never crosses a line end, but a carriage return is one.
        for raw in complete:
            for line in clean_text(f"{raw}\n").split("\n")[:-1]:
                self._waiting += self._splitter.add(line)
        self._begin_line()

    def _begin_line(self) -> None:
        start = "".join(self._partial)
        if self._splitter.waits and clean_text(start) == start:
            self._waiting += self._splitter.begin(start)

    @property
    def waits(self) -> bool:
        """Whether `render` may have something to do."""
        return bool(self._waiting) or self._has_new_lines

    @property
    def tail(self) -> str:
        """Cleaned text behind what is rendered."""
        lines = "".join([*self._waiting, *(f"{line}\n" for line in self._splitter.lines)])
        shown = lines.split("\n", self._open_lines)[self._open_lines]
        return "".join((*self._plain, shown, clean_text("".join(self._partial))))

    def finish(self, text: str) -> None:
        """Save `markdown_html` from rendering the blocks again.

        Parameters
        ----------
        text : str
            What was added, as a whole.
        """
        if self._plain or not self.blocks or split_images(text)[1]:
            return
        lines = "".join([*self._waiting, *(f"{line}\n" for line in self._splitter.lines)])
        rest = self._html(lines + clean_text("".join(self._partial)), self._env)
        # A definition may be for a link in an earlier block.
        if rest is not None and not self._env.get("references"):
            remember(text, "".join(self.blocks) + rest)

    def render(self) -> None:
        """Render the blocks that are finished, and what is complete of the list or table behind them."""
        self._render(together=True)

    def _render(self, *, together: bool) -> None:
        if self._waiting:
            blocks, self._waiting = self._waiting, []
            # Parsed together they give what they give one by one.
            if not (together and self._finish("".join(blocks))):
                for block in blocks:
                    if not self._finish(block):
                        self._keep_plain(block)
            self._begin_block()
        if self._has_new_lines:
            self._has_new_lines = False
            self._render_open()

    def _finish(self, block: str) -> bool:
        """Whether finished text could be rendered."""
        env = self._copied_env()
        html = None if self._plain else self._html(block, env)
        if html is None:
            return False
        self._env = env
        self._size.add(split_images(block)[0])
        self.blocks.append(html)
        self.open_html = ""
        self.version += 1
        return True

    def _keep_plain(self, block: str) -> None:
        self._plain.append(block)
        if self.open_html:  # a part of it was within the limits
            self.open_html = ""
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
        self._open_chars = len(text)
        html = self._html(text, self._copied_env())  # the finished block will bring its own
        if html is not None:
            self.open_html = html
            self._open_lines = settled
            self.version += 1

    def _copied_env(self) -> dict[str, Any]:
        env = dict(self._env)
        if "references" in env:
            env["references"] = dict(env["references"])
        return env

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
