"""What the page is told of one call."""

from __future__ import annotations

from typing import Any

import pytest

from allos.events import Queued, TextDelta
from allos.messages import as_messages
from allos.render.answer import body_html
from allos.response import ProviderResponse
from allos.runs.board_messages.cell_updates import CellUpdates
from allos.runs.cell import Cell
from allos.runs.comparison import Comparison
from allos.runs.grid import Grid, build_columns
from tests.support.hostile import HOSTILE, judge


@pytest.fixture
def cell() -> Cell:
    comparison = Comparison(Grid([as_messages("Hi")], build_columns("groq/m", [{}], {})))
    (only,) = comparison.cells
    only._receive(only.run, [Queued(is_waiting=False)])
    return only


class Page:
    """Puts the updates together, as the page does."""

    def __init__(self, cell: Cell) -> None:
        self.updates = CellUpdates(cell, "0.0", lambda row, response: 0)
        self.blocks: list[str] = []
        self.open = self.text = ""
        self.html: str | None = None
        self.part = 0

    def flush(self) -> dict[str, Any]:
        change = self.updates.changes() or {}
        if "blocks_at" in change:
            assert change["blocks_at"] <= len(self.blocks)
            self.blocks = self.blocks[: change["blocks_at"]] + change["blocks"]
            self.open, self.text, self.part = change["open"], change["text"], change["part"]
        elif "text" in change:
            assert change["part"] == self.part
            units = self.text.encode("utf-16-le")[: 2 * change["offset"]]
            self.text = units.decode("utf-16-le") + change["text"]
        self.html = change.get("html", self.html)
        return change


def test_finished_blocks_are_sent_once(cell: Cell) -> None:
    """A message holds the new blocks and the text behind them, not what was sent before."""
    page = Page(cell)
    page.flush()
    sizes = []
    for number in range(64):
        cell._receive(cell.run, [TextDelta(f"Line *{number}*.\n\nAnd")])
        sizes.append(len(page.flush()["blocks"]))

    assert len(page.blocks) == 64
    assert page.blocks[1] == "<p>AndLine <em>1</em>.</p>\n"
    assert page.text == "And"
    # Whenever they have doubled all are sent, which closes any gap.
    assert sum(sizes) <= 3 * 64
    assert page.updates.whole()["blocks"] == page.blocks


def test_nothing_moves_at_the_end(cell: Cell) -> None:
    """The finished answer begins with the blocks that were on the screen; it brings its source."""
    page = Page(cell)
    text = "# A\n\nSome *text* 🎈.\n\n```python\nx = 1\n```\n\n- a\n- b\n\nThe end"
    for at in range(0, len(text), 5):
        cell._receive(cell.run, [TextDelta(text[at : at + 5])])
        page.flush()
    cell._finish(ProviderResponse(text, metadata={"provider": "groq", "status": "ok"}))
    change = page.flush()

    assert page.text == "The end"
    assert page.html == body_html(ProviderResponse(text))
    assert "\n".join("".join(page.blocks).split("\n")[:3]) in (page.html or "")
    assert change["source"] == text
    assert page.updates.whole()["blocks"] == []


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_hostile_text_is_inert_in_every_message(cell: Cell, text: str) -> None:
    """What the page will make markup of holds only our own elements."""
    page, text = Page(cell), text[:400].encode(errors="ignore").decode()
    for piece in (*text, "\n\n", "end"):
        cell._receive(cell.run, [TextDelta(piece)])
        change = page.flush()
        if "blocks_at" in change:
            assert judge("".join(change["blocks"]) + change["open"])[0] == []
