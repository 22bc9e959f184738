"""Charts, tables of frames and boards of logged rows in a real kernel, with their extras and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fake_server import FakeServer, Reply
from tests.support.jupyter import Kernel, Result

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Reply(text="A trampoline.")) as started:
        yield started


def _kinds(result: Result) -> list[str]:
    """MIME types of all that a cell shows."""
    assert (result.status, result.stderr) == ("ok", "")
    return sorted({kind for each in result.displays for kind in each["content"]["data"]})


def test_results_are_shown_static_and_live(kernel: Kernel) -> None:
    """A chart has pictures below its live view; a table of a frame and a board have a static table."""
    kernel.run("from allos.testing import example_log\nday = example_log()")
    picture = ["image/png", "image/svg+xml", "text/html", "text/plain"]
    chart = kernel.run("chart = day.allos.summary().plot()\nchart")
    table = kernel.run("table = day.allos.show()\ntable")
    result = kernel.run("day.allos.cost_report()")
    board = kernel.run("allos.board(day[day['comparison_id'] == 'cmp_example001'])")

    assert _kinds(chart) == sorted([WIDGET, *picture])
    for shown in (table, board):
        assert _kinds(shown) == sorted([WIDGET, "text/html", "text/plain"])
    assert _kinds(result) == ["text/html", "text/plain"]
    assert kernel.value("(len(chart.rows), len(table.rows))") == (0, 0)


def test_asked_again_is_a_board(kernel: Kernel) -> None:
    """Old and new answers stand side by side, live and static; rows lead to their comparison."""
    kernel.run("both = allos.compare('Hi', models=['groq/a', 'groq/b']).wait(20)")
    again = kernel.run("allos.rerun(both.frame)")
    row = kernel.run("allos.comparison(allos.responses().iloc[0]['comparison_id'])")

    for shown in (again, row):
        assert _kinds(shown) == sorted([WIDGET, "text/html", "text/plain"])
    assert "before" in str(again.displays)


def test_what_is_not_installed_is_one_line(kernel: Kernel) -> None:
    """Without an extra the line says how to get it, and a table is shown all the same."""
    kernel.run("from allos.testing import example_log\nimport sys\nday = example_log()")
    kernel.run("sys.modules['vl_convert'] = sys.modules['itables'] = None")
    chart = kernel.run("day.allos.summary().plot()")
    table = kernel.run("day.allos.show()")

    assert chart.status == "error"
    assert [line.count("\n") for line in chart.traceback] == [0]
    assert "pip install 'allos-jupyter[plot]'" in chart.traceback[0]
    assert _kinds(table) == ["text/html", "text/plain"]
    assert "<table" in str(table.displays)
    assert (
        "pip install 'allos-jupyter[table]'" in table.displays[-1]["content"]["data"]["text/plain"]
    )
