"""The live view of a chart."""

from __future__ import annotations

from typing import Any

from allos.notebook.chart_view import make_view
from tests.support.analysis_frames import RESULTS


def test_a_selection_in_the_page_gives_rows() -> None:
    """The view starts with what is selected, and changes it."""
    chart = RESULTS["leaderboard"]().plot()
    chart.marks.selected = frozenset({2})
    view = make_view(chart)
    before = view.selected
    view.selected = [0, 1]

    assert before == [2]
    assert chart.rows.index.tolist() == [0, 1]
    assert view.svg == chart.page_svg()
    assert repr(view) == "ChartView()"


def test_the_page_reads_nothing_as_markup() -> None:
    """Texts are set as text, and nothing is loaded or evaluated."""
    script = make_view(RESULTS["leaderboard"]().plot())._esm

    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval", "Function(", "http"):
        assert forbidden not in str(script)


def test_where_nobody_can_select_the_picture_is_shown(shell: Any) -> None:
    """A notebook that is run by a program has the static picture, and no widget."""
    for name in ("leaderboard", "summary"):
        data = shell.display_formatter.format(RESULTS[name]().plot())[0]
        assert set(data) == {"image/svg+xml", "image/png", "text/plain"}
