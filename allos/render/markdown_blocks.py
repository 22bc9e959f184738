"""Where the blocks of a Markdown text end, line by line, before the text is complete.

Parsed alone, a finished block gives the same HTML as in its text. Whatever comes later changes nothing
before a border: it is a fence that closed, or a blank line behind something that a blank line ends. A
list goes on behind one, so it ends where a line follows that cannot be part of it. Where this is not
certain no further border is found.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"( {0,3})(?:(`{3,})[^`]*|(~{3,}).*)")
_ITEM = re.compile(r"([ \t]*)([-+*]|\d{1,9}([.)]))([ \t]+(?=\S)|[ \t]*$)")
_MAY_BE_ITEM = re.compile(r"[ \t]|[-+*](?:[ \t]|\Z)|\d{1,9}(?:[.)](?:[ \t]|\Z)|\Z)")
_BREAK = re.compile(r"[ \t]*([-*_])[ \t]*(?:\1[ \t]*){2,}")
_TABLE_RULE = re.compile(r"[ \t:|-]*-[ \t:|-]*")
_UNKNOWN = 99
"""Column of a list item's content when it is not certain."""


class BlockSplitter:
    """Collects lines until they are a block.

    Examples
    --------
    >>> blocks = BlockSplitter()
    >>> [blocks.add(line) for line in ("# Title", "", "Some", "text")]
    [[], ['# Title\\n\\n'], [], []]
    >>> blocks.lines
    ['Some', 'text']
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        """The block that is still open."""
        self.settled = 0
        """How many of these lines stand for themselves: complete list items, complete table rows."""
        self._is_stuck = False
        self._start()

    def _start(self) -> None:
        self.lines, self.settled = [], 0
        self._fence = ""
        self._has_list = self._may_go_on = self._is_after_blank = False
        # Of the last item of the outermost list: where its content begins, how its number ends, and
        # whether a line that is no part of it, or a lazy one, has followed.
        self._content = _UNKNOWN
        self._number_end: str | None = None
        self._has_left = False

    def add(self, line: str) -> list[str]:
        """Add a line without its end; the blocks that it completes.

        Parameters
        ----------
        line : str
            Cleaned text.
        """
        if self._is_stuck:
            self.lines.append(line)
            return []
        if self._fence:
            return self._in_fence(line)
        if not line.strip(" \t"):
            return self._blank(line)
        before = []
        is_item = self._has_list and _ITEM.match(line)
        if self._is_after_blank and line[0] not in " \t" and not is_item:
            before = self._end()
        self._is_after_blank = False
        return before + self._text(line)

    def begin(self, start: str) -> list[str]:
        """Blocks that end because a line begins like this: what follows a list is no part of it.

        Parameters
        ----------
        start : str
            Cleaned text.
        """
        if not self.waits or not start or _MAY_BE_ITEM.match(start):
            return []
        return self._end()

    @property
    def waits(self) -> bool:
        """Whether the next line decides if the block goes on."""
        return self._is_after_blank and not self._is_stuck

    def _in_fence(self, line: str) -> list[str]:
        self.lines.append(line)
        closes = re.fullmatch(rf" {{0,3}}{self._fence[0]}{{{len(self._fence)},}}[ \t]*", line)
        return self._end() if closes else []

    def _blank(self, line: str) -> list[str]:
        if not self.lines:
            return []
        self.lines.append(line)
        if self._may_go_on:
            self._is_after_blank = True
            return []
        return self._end()

    def _text(self, line: str) -> list[str]:
        before = []
        fence = _FENCE.fullmatch(line)
        if fence and self._has_list and fence[1]:
            # In an item, where it means nothing here; or behind the list, where it opens a fence.
            if self._has_left or len(fence[1]) < self._content:
                self._is_stuck = True
        elif fence and "|" in line:
            self._is_stuck = True  # the head of a table, if its rule follows
        elif fence:
            before = self._end()
            self._fence = fence[2] or fence[3]
        elif (item := _ITEM.match(line)) and not _BREAK.fullmatch(line):
            self._item(item)
        elif _leading(line) < self._content:
            self._has_left = True
        if line[0] in " \t" and (not self.lines or line.startswith(("    ", "\t"))):
            self._may_go_on = True  # indented code
        self.lines.append(line)
        if len(self.lines) > 2 and not self._has_list and self._is_table():
            self.settled = len(self.lines)
        return before

    def _item(self, item: re.Match[str]) -> None:
        indent, marker, number_end, space = item[1], item[2], item[3], item[4]
        if self._has_list and len(indent) >= self._content:
            return  # nested, or text of the item
        interrupts = bool(space) and (marker in "-+*" or marker[:-1] == "1")
        is_known = self._has_list and self._content != _UNKNOWN
        goes_on = is_known and number_end is not None and number_end == self._number_end
        is_item = not self.lines or interrupts or goes_on
        if not is_item or not space or "\t" in indent + space:
            self._content = _UNKNOWN  # an empty item ends at a blank line
        else:
            self._content = len(indent) + len(marker) + (len(space) if len(space) < 5 else 1)
            if self._has_list:
                self.settled = len(self.lines)
        self._number_end, self._has_left = number_end, False
        self._has_list = self._may_go_on = True

    def _is_table(self) -> bool:
        rule = self.lines[1]
        return "|" in rule and "|" in self.lines[0] and _TABLE_RULE.fullmatch(rule) is not None

    def _end(self) -> list[str]:
        block = "".join(f"{line}\n" for line in self.lines)
        self._start()
        return [block] if block else []


def _leading(line: str) -> int:
    """Spaces in front of a line; with a tab among them too few for anything."""
    leading = line[: len(line) - len(line.lstrip(" \t"))]
    return -1 if "\t" in leading else len(leading)
