"""What the page of a board is told; Node tests on the same messages that the page understands them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from allos.events import Queued, TextDelta
from allos.messages import as_messages
from allos.notebook import board as board_package
from allos.render.comparison_view import (
    CellView,
    ColumnView,
    ComparisonView,
    PromptView,
    RowView,
)
from allos.runs.board_messages import updates
from allos.runs.board_messages.pace import RenderPace
from allos.runs.board_messages.updates import BoardUpdates
from allos.runs.comparison import Comparison
from allos.runs.finished import FinishedComparison
from allos.runs.grid import Grid, build_columns
from tests.frontend.scripted import MESSAGES, script
from tests.unit.render import comparison_views

PROTOCOL = Path(board_package.__file__).with_name("frontend") / "src" / "protocol.js"


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


def test_rows_and_equal_answers() -> None:
    """A cell names its prompt; equal answers to one prompt have the same number."""
    board = BoardUpdates(grid(2, "yes", "no", "yes", "yes", "maybe", "yes"))
    snapshot = board.snapshot()

    assert snapshot["rows"] == [
        {"key": "0", "label": "t0", "prompt": "Say t0", "change": None},
        {"key": "1", "label": "t1", "prompt": "Say t1", "change": None},
    ]
    assert (snapshot["rows_title"], snapshot["can_run"]) == ("text", False)
    assert [(cell["key"], cell["row"], cell["answer"]) for cell in snapshot["cells"]] == [
        *(("0.0", "0", 0), ("0.1", "1", 0), ("1.0", "0", 0)),
        *(("1.1", "1", 1), ("2.0", "0", 1), ("2.1", "1", 1)),
    ]


def test_texts_of_a_large_board_are_sent_when_a_page_asks() -> None:
    """Before, a cell has what sorts and filters it; a later page gets what an earlier one has."""
    count = updates.DEFER_OVER
    board = BoardUpdates(grid(count, *(["**yes**"] * count), *(["no"] * count)))
    before = {cell["key"]: cell for cell in board.snapshot()["cells"]}
    board.send_texts(["1.3", "9.9"])
    message = board.changes() or {}
    (sent,) = message["cells"]
    after = {cell["key"]: cell for cell in board.snapshot()["cells"]}

    assert len(before) == 2 * count
    assert all(cell["is_deferred"] and cell["html"] is None for cell in before.values())
    assert before["1.3"]["latency_s"] == 0.92
    assert (sent["key"], sent["is_deferred"], sent["source"]) == ("1.3", False, "no")
    assert after["1.3"]["html"] == sent["html"]
    assert after["0.3"]["is_deferred"]
    assert "summary" not in message  # nothing is counted twice
    # Asked again, it is sent again: the message may have been lost.
    board.send_texts(["1.3"])
    assert (board.changes() or {})["cells"][0]["source"] == "no"


def test_a_large_board_streams_what_is_seen() -> None:
    """The text of a call that no page shows is not sent, its state is."""
    tasks = Grid([as_messages("Hi")], build_columns("groq/m", [{}], {}), n=updates.DEFER_OVER + 1)
    running = Comparison(tasks)
    board = BoardUpdates(running)
    first, second = running.cells[:2]
    board.send_texts(["0.0"])
    board.changes()
    for cell in (first, second):
        cell._receive(cell.run, [Queued(is_waiting=False), TextDelta("Hello")])
    sent = {cell["key"]: cell for cell in (board.changes() or {})["cells"]}

    assert (sent["0.0"]["state"], sent["0.0"]["text"]) == ("running", "Hello")
    assert sent["0.1"]["state"] == "running"
    assert "text" not in sent["0.1"]


def test_a_block_that_waits_is_sent_without_a_change(comparison: Comparison) -> None:
    """While there is no time for it its text is there; a stream that then pauses gets it rendered."""
    now = [0.0]
    board = BoardUpdates(comparison, pace=RenderPace(clock=lambda: now[0], cpu=lambda: now[0]))
    (cell,) = comparison.cells
    cell._receive(cell.run, [Queued(is_waiting=False), TextDelta("*a*\n\n")])
    board._pace._due = 1.0
    (waiting,) = (board.changes() or {})["cells"]
    waits = board.is_waiting, board.changes()
    now[0] = 1.0
    (rendered,) = (board.changes() or {})["cells"]

    assert (waiting["text"], waits) == ("*a*\n\n", (True, None))
    assert (rendered["blocks"], rendered["text"]) == (["<p><em>a</em></p>\n"], "")
    assert (board.is_waiting, board.changes()) == (False, None)


def test_the_kernel_looks_for_words() -> None:
    """In prompts and answers, whether they are sent or not; in either case of letters."""
    board = BoardUpdates(grid(2, "Yes, GRAVITY.", "no", "no", "no"))

    def found(query: str) -> list[str]:
        board.search(query)
        message = board.changes() or {}
        assert message["found"]["query"] == query
        return list(message["found"]["cells"])

    assert found("gravity yes") == ["0.0"]
    assert found("say t1") == ["0.1", "1.1"]
    assert found("nothing") == []
    assert board.changes() is None


def grid(rows: int, *answers: str) -> FinishedComparison:
    """Answers to some prompts, column by column."""
    columns = len(answers) // rows
    return FinishedComparison(
        ComparisonView(
            id="cmp_1",
            prompt=PromptView(text="Say {{ text }}"),
            columns=tuple(
                ColumnView(index=index, name=f"groq/{index}") for index in range(columns)
            ),
            cells=tuple(
                CellView(
                    column=at // rows,
                    row=at % rows,
                    state="ok",
                    response=comparison_views.answer(text),
                )
                for at, text in enumerate(answers)
            ),
            rows=tuple(
                RowView(index=at, prompt=PromptView(text=f"Say t{at}"), values={"text": f"t{at}"})
                for at in range(rows)
            ),
        )
    )
