"""What the page of a board is told; Node tests on the same messages that the page understands them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from allos.messages import as_messages
from allos.notebook.board import updates
from allos.notebook.board.updates import BoardUpdates
from allos.runs.comparison import Comparison
from allos.runs.grid import Grid, build_columns
from tests.frontend.scripted import MESSAGES, script

PROTOCOL = Path(updates.__file__).with_name("frontend") / "src" / "protocol.js"


def test_messages_are_those_that_the_page_is_tested_with() -> None:
    """`python -m tests.frontend.scripted` writes the file anew after a change that is meant."""
    said = json.loads(json.dumps(script()))

    assert said == json.loads(MESSAGES.read_text("utf-8"))


def test_every_field_has_a_type() -> None:
    """Whatever the kernel says stands in the page's own description of the messages."""
    typed = set(re.findall(r"@property \{.*?\} (\w+)|(\w+)\??:", PROTOCOL.read_text("utf-8")))
    names = {name for pair in typed for name in pair if name}
    said = script()
    fields = {
        field
        for message in [said["snapshot"], *(each["message"] for each in said["messages"])]
        for whole in (message, message.get("snapshot", {}))
        for part in [whole, *whole.get("cells", []), *whole.get("columns", [])]
        for field in [*part, *(part.get("attempt") or {})]
    }

    assert fields <= names


@pytest.fixture
def comparison() -> Comparison:
    return Comparison(Grid([as_messages("Hi")], build_columns("groq/m", [{}], {})))


def test_who_knows_everything_is_told_nothing(comparison: Comparison) -> None:
    """No news is no message, also for a notice that stands already; who asks is told everything."""
    board = BoardUpdates(comparison)
    first = board.changes()
    board.set_notice("No.")
    update, again = board.changes(), board.changes()
    board.resend()

    assert (first, again) == (None, None)
    assert update == {"type": "update", "notice": "No."}
    assert board.changes() == {"type": "snapshot", "snapshot": board.snapshot()}
    assert board.snapshot()["notice"] == "No."


def test_cell_of_another_board_is_refused(comparison: Comparison) -> None:
    """A key that is not on the board names no cell."""
    board = BoardUpdates(comparison)

    assert board.cell("0.0") is comparison.cells[0]
    with pytest.raises(ValueError, match=r"'0\.1' is not a cell of this board"):
        board.cell("0.1")
