"""What the board's buttons do, and what they cannot do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from allos.errors import ServerError
from allos.messages import as_messages
from allos.notebook.board import make_board
from allos.response import ProviderResponse
from allos.runs.comparison import Comparison
from allos.runs.finished import FinishedComparison
from allos.runs.grid import Grid, build_columns
from tests.unit.render import comparison_views as views


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


def test_who_asks_gets_the_second_script(board: Any) -> None:
    """It is sent to the page as it is; what the board says stays."""
    sent: list[dict[str, Any]] = []
    board.send = sent.append
    board._updates.set_notice("Look.")
    board._on_message(board, {"action": "script"}, [])

    assert [message["type"] for message in sent] == ["script"]
    assert "export default" in sent[0]["text"]
    assert board._updates.changes() == {"type": "update", "notice": "Look."}


def test_texts_and_words_are_asked_for(board: Any) -> None:
    """What a page needs of a large board, it gets at the next flush."""
    board._on_message(board, {"action": "search", "query": "hi"}, [])
    board._on_message(board, {"action": "texts", "cells": ["0.0"]}, [])
    change = board._updates.changes()

    assert change["found"] == {"query": "hi", "cells": ["0.0", "1.0"]}
    assert [cell["key"] for cell in change["cells"]] == ["0.0"]


def test_one_more_model_is_asked(board: Any, comparison: Comparison) -> None:
    """As a new column; a name that is none is said, and changes nothing."""
    notice = _press(board, action="add", model=" scripted ")
    assert "Unknown provider 'scripted'" in notice
    assert len(comparison.columns) == 2
    comparison._schedule = lambda *queues: None  # type: ignore[method-assign]
    board._on_message(board, {"action": "add", "model": " groq/c "}, [])

    assert [column["model"] for column in board._updates.changes()["columns"]] == ["a", "b", "c"]


def test_only_what_failed_is_asked_again(board: Any, comparison: Comparison) -> None:
    """By one button."""
    comparison._schedule = lambda *queues: None  # type: ignore[method-assign]
    done, failed = comparison.cells
    done._finish(ProviderResponse("Done.", metadata={"status": "ok"}))
    failed._finish(ProviderResponse("", metadata={"status": "error"}, error=ServerError("Down.")))
    _press(board, action="retry_failed")

    assert [cell.run for cell in comparison.cells] == [0, 1]


def test_nothing_runs_on_a_board_of_logged_rows() -> None:
    """It can be read and searched."""
    logged = make_board(FinishedComparison(views.comparison(groq_a=views.answer("One"))))
    logged._flusher.close()
    try:
        refused = "That did not work: these answers are from the log, nothing runs"
        assert _press(logged, action="retry", cell="0.0") == refused
        assert _press(logged, action="search", query="one") == ""
        assert repr(logged) == "Board(groq/a)"
    finally:
        logged.close()


def test_a_person_arranges_what_stands_where(board: Any, comparison: Comparison) -> None:
    """The comparison itself is arranged, so that its table follows; a wrong name is said."""
    chosen = {"rows": ["model"], "columns": None, "colour": "model"}
    assert _press(board, action="arrange", **chosen) == ""
    assert comparison.arrangement is not None
    assert [dict(row.values) for row in comparison.view().rows] == [
        {"model": "groq/a"},
        {"model": "groq/b"},
    ]
    notice = _press(board, action="arrange", **{**chosen, "rows": ["modle"]})
    assert notice.startswith("That did not work: arrange(): 'modle' is not a variable")
    _press(board, action="arrange", rows=None, columns=None, colour="model")

    assert comparison.arrangement is None


def test_what_was_chosen_is_there_when_a_comparison_is_shown_again(
    board: Any, comparison: Comparison
) -> None:
    """The page writes it; another comparison has its own."""
    board.set_state({"view": {"mode": "table"}})
    again, other = make_board(comparison), make_board(FinishedComparison(views.repeats()))

    assert again.view == {"mode": "table"}
    assert other.view == {}
    again.close()
    other.close()


def test_the_last_answer_may_come_while_the_board_is_made(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the snapshot and the watcher: the page still gets it."""
    watch = comparison.watch
    flushed = threading.Event()

    def finish_then_watch(watcher: Callable[[], None]) -> None:
        for cell in comparison.cells:
            cell._finish(ProviderResponse("Done.", metadata={"status": "ok"}))
        watch(watcher)

    monkeypatch.setattr(comparison, "watch", finish_then_watch)
    board = make_board(comparison)
    board.observe(lambda _: flushed.set(), names="snapshot")

    def shows_all() -> bool:
        return all(cell["state"] == "ok" for cell in board.snapshot["cells"])

    assert shows_all() or flushed.wait(10)
    assert shows_all()
    board.close()
