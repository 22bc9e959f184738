"""Every result with a chart, and the line where Altair is not installed."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
import pytest

from allos import analysis
from allos.errors import ConfigurationError
from tests.support.analysis_frames import RESULTS, log


@pytest.mark.parametrize("name", RESULTS)
def test_each_chart_has_the_rows_of_its_marks(name: str) -> None:
    """Every row of the result that has a mark is found by selecting that; no mark leads elsewhere."""
    result = RESULTS[name]()
    chart = result.plot()
    found = set()
    for mark in range(len(chart.marks.rows)):
        chart.marks.selected = frozenset({mark})
        assert type(chart.rows) is pd.DataFrame
        found |= set(chart.rows.index)
    chart.marks.selected = frozenset()

    assert found == set(result.index)
    assert chart.rows.empty
    assert chart.to_dict()["title"]["text"]


def test_charts_of_a_log() -> None:
    """Latency has a mark for each answered call, the heat map one for each prompt and model."""
    frame = log()
    latency = frame.allos.plot_latency()
    heat = frame.allos.plot_heatmap(score="rating")
    heat.marks.selected = frozenset({0})

    assert len(latency.marks.rows) == int((frame["status"] == "ok").sum())
    assert len(heat.marks.rows) == len(
        frame.dropna(subset=["rating"])[["model", "prompt"]].drop_duplicates()
    )
    assert len(heat.rows[["model", "prompt"]].drop_duplicates()) == 1


@pytest.mark.parametrize("missing", ["altair", "vl_convert"])
def test_without_the_extra_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """The frame is there; only the chart needs more."""
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ConfigurationError, match=r"pip install 'allos-jupyter\[plot\]'"):
        analysis.summary(log()).plot()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda df: df.allos.plot_latency(by="modle"), "no column|needs a column 'modle'"),
        (lambda df: df.allos.plot_latency(measure="cost_usd"), "measure= must be"),
        (lambda df: df.allos.plot_latency(by="prompt_id"), "room for 20 groups"),
        (lambda df: df.assign(latency_s=None).allos.plot_latency(), "nothing to draw"),
        (lambda df: df.allos.plot_heatmap(score="rating", by="prompt_id"), "room for 30 models"),
        (lambda df: df.allos.plot_heatmap(score="model"), "not a valid score"),
        (lambda df: df.assign(rating=None).allos.plot_heatmap(score="rating"), "nothing to draw"),
        (lambda df: analysis.summary(df.head(0)).plot(), "summary.. found no rows"),
        (lambda df: analysis.pareto(df.assign(cost_usd=None)).plot(), "nothing to draw"),
        (lambda df: analysis.errors(df[df["status"] == "ok"], by=None).plot(), "nothing to draw"),
    ],
)
def test_what_cannot_be_drawn_says_why(call: Any, says: str) -> None:
    """One line, and the frame is as it was."""
    frame = log()
    frame["prompt_id"] = range(len(frame))

    with pytest.raises(ConfigurationError, match=says):
        call(frame)
