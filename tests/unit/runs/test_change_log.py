from __future__ import annotations

import pytest

from allos.messages import Message, MessageRole
from allos.runs.cell import Cell
from allos.runs.change_log import ChangeLog
from allos.runs.comparison import Comparison
from allos.runs.grid import Grid, build_columns


@pytest.fixture
def cells() -> list[Cell]:
    """Cells of a comparison that is never started."""
    hello = (Message(MessageRole.USER, "Hi"),)
    return Comparison(Grid([hello], build_columns("groq/a", [{}], {}), n=5)).cells


def test_each_reader_learns_what_is_new_to_it(cells: list[Cell]) -> None:
    """A cell that changed often is named once; readers do not take news from each other."""
    log = ChangeLog()
    for index in (3, 1, 3, 3, 2):
        log.add(cells[index])
    first, seen = log.since(0)
    log.add(cells[1])
    log.add(cells[4])
    second, news = log.since(first)

    assert {cell.index for cell in seen} == {1, 2, 3}
    assert {cell.index for cell in news} == {1, 4}
    assert log.since(second) == (second, [])
    assert {cell.index for cell in log.since(0)[1]} == {1, 2, 3, 4}
