"""Blocks end where nothing that comes later can change them."""

from __future__ import annotations

import pytest

from allos.render.markdown_blocks import BlockSplitter


def split(text: str) -> tuple[list[str], str]:
    """Finished blocks, and the lines that are still open."""
    splitter = BlockSplitter()
    blocks = [block for line in text.split("\n")[:-1] for block in splitter.add(line)]
    return blocks, "\n".join(splitter.lines)


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("a\nb\n\nc\n", ["a\nb\n\n"]),
        ("# a\n\n\n> b\n\n", ["# a\n\n", "> b\n\n"]),
        ("```py\nx\n\ny\n```\nz\n", ["```py\nx\n\ny\n```\n"]),
        ("a:\n```\nx\n", ["a:\n"]),
        ("~~~~\n~~~\n```\n~~~~\n", ["~~~~\n~~~\n```\n~~~~\n"]),
        ("| a |\n|---|\n| 1 |\n\n", ["| a |\n|---|\n| 1 |\n\n"]),
        ("- a\n\n- b\n\n  c\n\nd\n", ["- a\n\n- b\n\n  c\n\n"]),
        ("- a\n```\nx\n```\n", ["- a\n", "```\nx\n```\n"]),
        ("1. a\n\n2. b\n\n", []),
        ("1. a\n   ```\n   x\n\n   y\n   ```\n\nb\n", ["1. a\n   ```\n   x\n\n   y\n   ```\n\n"]),
        ("    x\n\n    y\n\nz\n", ["    x\n\n    y\n\n"]),
        ("---\n    x\n\n    y\n\nz\n", ["---\n    x\n\n    y\n\n"]),
        ("[a]: https://b.c\n\n[a]\n", ["[a]: https://b.c\n\n"]),
    ],
)
def test_borders(text: str, blocks: list[str]) -> None:
    """A blank line ends most blocks, a fence its code; lists and indented code go on behind one."""
    assert split(text)[0] == blocks


@pytest.mark.parametrize(
    "text",
    [
        "1. a\n  ```\nx\n\n# y\n\nz\n",
        "- a\nb\n  ```\n\nx\n\n",
        "a\n2. b\n   ```\n\nx\n\n",
        "-\n\n  ```\n\nx\n\n",
        "```a|b\n|-|-|\n\nx\n\n",
    ],
)
def test_what_is_not_certain_stays_open(text: str) -> None:
    """A fence in or behind a list, a head of a table that looks like a fence: all that follows waits."""
    blocks, rest = split(text)

    assert blocks == []
    assert rest == text.removesuffix("\n")


@pytest.mark.parametrize(
    ("start", "ends"),
    [
        ("T", True),
        ("**", True),
        ("12 ", True),
        ("--", True),
        ("#", True),
        ("```", True),
        ("-", False),
        ("* a", False),
        ("12", False),
        ("1.", False),
        ("2) b", False),
        (" ", False),
        ("", False),
    ],
)
def test_the_begin_of_a_line_can_end_a_list(start: str, ends: bool) -> None:
    """A list is not kept open for as long as the paragraph behind it is being written."""
    splitter = BlockSplitter()
    for line in ("- a", ""):
        splitter.add(line)

    assert splitter.begin(start) == (["- a\n\n"] if ends else [])


def test_complete_items_and_rows_are_settled() -> None:
    """They can be shown before the list or the table ends."""
    splitter = BlockSplitter()
    seen = []
    for line in ("1. a", "   - b", "2. c", "3. d"):
        splitter.add(line)
        seen.append(splitter.settled)
    for line in ("", "", "x", "", "| a |", "|---|", "| 1 |", "| 2 |"):
        splitter.add(line)
    seen.append(splitter.settled)

    assert seen == [0, 0, 2, 3, 4]
