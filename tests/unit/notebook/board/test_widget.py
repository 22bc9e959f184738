"""What the board's buttons do, and what they cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from allos.messages import as_messages
from allos.notebook.board import make_board
from allos.response import ProviderResponse
from allos.runs.comparison import Comparison
from allos.runs.grid import Grid, build_columns


@pytest.fixture
def comparison() -> Comparison:
    """Two calls that nobody has started."""
    columns = build_columns(["groq/a", "groq/b"], [{}], {})
    return Comparison(Grid([as_messages("Hi")], columns))


@pytest.fixture
def board(comparison: Comparison) -> Iterator[Any]:
    made = make_board(comparison)
    made._flusher.close()  # what is to be sent is looked at here
    yield made
    made.close()


def _press(board: Any, **message: Any) -> str:
    """Press a button; returns the notice that the page is shown."""
    board._on_message(board, message, [])
    change = board._updates.changes() or {}
    return change.get("notice", "")


def test_stop_stops_the_cell_that_the_page_names(board: Any, comparison: Comparison) -> None:
    """One call is stopped, the other is left alone."""
    notice = _press(board, action="stop", cell="1.0")

    assert notice == ""
    assert [cell._stopped for cell in comparison.cells] == [False, True]


def test_stop_all_stops_what_is_not_done(board: Any, comparison: Comparison) -> None:
    """A call that has its answer keeps it."""
    comparison.cells[0]._finish(ProviderResponse("Done.", metadata={"status": "ok"}))
    _press(board, action="stop_all")

    assert [cell._stopped for cell in comparison.cells] == [False, True]


@pytest.mark.parametrize(
    ("message", "notice"),
    [
        ({"action": "stop", "cell": "9.9"}, "'9.9' is not a cell of this board"),
        ({"action": "explode"}, "'explode' is not an action of the board"),
        ({"action": "retry"}, "'cell'"),
    ],
)
def test_what_did_not_work_is_said(board: Any, message: dict[str, Any], notice: str) -> None:
    """An exception in a widget's handler is shown nowhere else; the next press takes it away."""
    assert _press(board, **message) == f"That did not work: {notice}"
    assert _press(board, action="stop", cell="0.0") == ""
    assert board._updates.snapshot()["notice"] == ""


def test_other_messages_are_not_ours(board: Any) -> None:
    """anywidget has messages of its own."""
    board._on_message(board, {"kind": "anywidget-command"}, [])
    board._on_message(board, "text", [])

    assert board._updates.changes() is None


def test_who_asks_is_told_everything(board: Any) -> None:
    """A page that has missed something gets it all, at the next flush."""
    board._on_message(board, {"action": "sync"}, [])

    assert board._updates.changes() == {"type": "snapshot", "snapshot": board._updates.snapshot()}
