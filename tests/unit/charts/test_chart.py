"""Charts are Altair's, and know their rows."""

from __future__ import annotations

import altair as alt

from tests.support.analysis_frames import RESULTS


def test_charts_are_altair_charts() -> None:
    """One panel is a layered chart, several a concatenation; both can be changed and keep their rows."""
    one, several = RESULTS["leaderboard"]().plot(), RESULTS["summary"]().plot()

    assert isinstance(one, alt.LayerChart)
    assert isinstance(several, alt.VConcatChart)
    for chart in (one, several):
        changed = chart.properties(title="Mine").copy()
        chart.marks.selected = frozenset({0})
        assert type(changed) is type(chart)
        assert len(changed.rows) == 1


def test_a_selection_from_elsewhere_leads_nowhere() -> None:
    """Numbers that are no marks have no rows."""
    chart = RESULTS["leaderboard"]().plot()
    chart.marks.selected = frozenset({-1, 99, 1})

    assert chart.rows.index.tolist() == [1]
