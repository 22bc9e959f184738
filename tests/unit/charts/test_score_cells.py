"""Prompts by models."""

from __future__ import annotations

import pandas as pd

from tests.unit.charts.test_intervals import records


def test_repeats_are_averaged_and_the_lowest_come_first() -> None:
    """A cell is the mean of its repeats, and leads to all of them."""
    frame = pd.DataFrame(
        {
            "model": ["a", "a", "b", "a", "b"],
            "prompt": ["p", "p", "p", "q", "q"],
            "right": ["pass", "fail", "pass", "fail", "fail"],
        }
    )
    chart = frame.allos.plot_heatmap(score="right")
    cells = {(each["prompt"], each["model"]): each for each in records(chart)}
    chart.marks.selected = frozenset({cells["p", "a"]["mark"]})

    assert cells["p", "a"]["mean"] == 0.5
    assert [each["prompt"] for each in records(chart)][:2] == ["q", "q"]
    assert chart.rows.index.tolist() == [0, 1]


def test_of_many_prompts_the_lowest_are_shown() -> None:
    """Sixty fit; the subtitle says how many there are."""
    frame = pd.DataFrame({"model": "a", "prompt": range(100), "score": range(100)})
    chart = frame.allos.plot_heatmap(score="score")

    assert [each["mean"] for each in records(chart)] == list(range(60))
    assert "100 prompts, the lowest first, 60 of them shown" in chart.to_dict()["title"]["subtitle"]
