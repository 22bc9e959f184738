"""Amounts."""

from __future__ import annotations

import pandas as pd

from allos import analysis
from tests.unit.charts.test_intervals import records


def test_unknown_costs_are_counted() -> None:
    """They are no bar of height 0: the text beside and the subtitle say how many there are."""
    frame = pd.DataFrame({"model": ["a", "a", "b"], "cost_usd": [0.1, None, None]})
    chart = analysis.cost_report(frame).plot()

    assert [(each["figure"], each["value"]) for each in records(chart)] == [
        ("$0.1", 0.1),
        ("unknown", None),
    ]
    assert chart.to_dict()["title"]["subtitle"] == "$0.1 in all, and 2 calls of unknown cost"


def test_kinds_of_errors_have_short_names() -> None:
    """A status says no more than the kind of error, and is not part of its label."""
    frame = pd.DataFrame(
        {
            "model": "m",
            "status": "error",
            "error_type": ["RateLimitError", "ServerError", "ServerError"],
            "http_status": [429, 500, 503],
        }
    )

    assert [each["label"] for each in records(analysis.errors(frame, by=None).plot())] == [
        "RateLimitError",
        "ServerError",
        "ServerError (2)",
    ]


def test_many_prompts_are_cut_to_those_that_differ_most() -> None:
    """The result has all."""
    frame = pd.DataFrame(
        {
            "prompt": [f"p{number // 2}" for number in range(80)],
            "model": ["a", "b"] * 40,
            "content": ["x", "y"] * 40,
        }
    )
    chart = analysis.disagreement(frame).plot()

    assert len(records(chart)) == 25
    assert "25 of 40 shown" in chart.to_dict()["title"]["subtitle"]
