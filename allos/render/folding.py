"""Long answers folded behind their beginning, by an element that every page keeps: ``<details>``."""

from __future__ import annotations

from html.parser import HTMLParser

from allos.render.recent import Recent

VISIBLE_CHARS = 1_200
"""Characters after which an answer is folded, at the end of a block."""
_MIN_FOLDED_CHARS = 600
"""Less than that is not worth a click."""
_recent = Recent(4_000_000)
"""What was folded, by the answer's HTML: a cache."""


def folded(html: str) -> str:
    """Answer of `body_html` with what comes after its beginning folded, where it is long.

    Parameters
    ----------
    html : str
        Made by `render`. It is divided between blocks of Markdown: a long block stays whole.

    Examples
    --------
    >>> folded('<div><div class="allos-md"><p>Hi</p></div></div>')
    '<div><div class="allos-md"><p>Hi</p></div></div>'
    """
    if len(html) < VISIBLE_CHARS + _MIN_FOLDED_CHARS:
        return html
    known = _recent.get(html)
    if known is None:
        known = _folded(html)
        _recent.put(html, known)
    return known


def _folded(html: str) -> str:
    blocks = _Blocks(html)
    cut, chars = next((end for end in blocks.ends if end[1] >= VISIBLE_CHARS), (0, 0))
    end = blocks.end
    if not cut or end is None or blocks.chars - chars < _MIN_FOLDED_CHARS:
        return html
    return (
        f'{html[:cut]}</div><details class="allos-rest"><summary>the rest, of about {blocks.words:,} words</summary>'
        f"{blocks.opening}{html[cut:end]}</div></details>{html[end + len('</div>') :]}"
    )


class _Blocks(HTMLParser):
    """Where the blocks of the first Markdown text end, and how long it is."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.opening = ""
        """Start tag of the element around the blocks."""
        self.ends: list[tuple[int, int]] = []
        """Offset behind each block, and the characters up to there."""
        self.end: int | None = None
        """Offset of the end tag of the element around the blocks."""
        self.chars = self.words = 0
        self._html = html
        self._depth = 0
        self._lines = [0]
        for line in html.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.end is not None or tag in ("br", "hr", "img", "wbr"):
            return
        if self._depth:
            self._depth += 1
        elif "allos-md" in (dict(attrs).get("class") or "").split():
            self._depth, self.opening = 1, self.get_starttag_text() or ""

    def handle_endtag(self, tag: str) -> None:
        if self.end is not None or not self._depth or tag in ("br", "hr", "img", "wbr"):
            return
        self._depth -= 1
        line, column = self.getpos()
        at = self._lines[line - 1] + column
        if self._depth == 1:
            self.ends.append((self._html.index(">", at) + 1, self.chars))
        elif not self._depth:
            self.end = at

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.chars += len(data)
            self.words += len(data.split())
