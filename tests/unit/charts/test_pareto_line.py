"""Quality against cost."""

from __future__ import annotations

import pandas as pd

from allos import analysis
from tests.unit.charts.test_intervals import records


def test_the_dominated_are_named_and_off_the_line() -> None:
    """Each point says who dominates it; what is unknown is left out and counted."""
    answers = pd.DataFrame(
        {
            "model": ["a", "b", "c", "d"],
            "score": [0.9, 0.5, 0.4, 0.7],
            "cost_usd": [2.0, 1.0, 3.0, None],
        }
    )
    chart = analysis.pareto(answers, quality="score").plot()
    points = {each["label"]: each for each in records(chart)}

    assert {name for name, each in points.items() if each["front"]} == {"a", "b"}
    assert points["c"]["about"] == "c: 0.4 for $3.00, dominated by b, a"
    assert "1 with an unknown value is left out" in chart.to_dict()["title"]["subtitle"]


def test_labels_of_neighbours_do_not_cover_each_other() -> None:
    """Two equal points have their names one below the other."""
    answers = pd.DataFrame({"model": ["a", "b"], "score": [0.5, 0.5], "cost_usd": [1.0, 1.0]})
    points = records(analysis.pareto(answers, quality="score").plot())

    assert len({each["dy"] for each in points}) == 2
