"""Latency of groups and of calls."""

from __future__ import annotations

import pandas as pd
import pytest

from allos import analysis
from allos.errors import ConfigurationError
from tests.support.analysis_frames import log
from tests.unit.charts.test_intervals import records


def test_failed_calls_have_no_latency() -> None:
    """A refusal in 20 ms is not a fast answer."""
    frame = pd.DataFrame(
        {"model": "m", "status": ["ok", "error", "cancelled"], "latency_s": [1.0, 0.02, 9.0]}
    )

    assert [each["seconds"] for each in records(frame.allos.plot_latency())] == [1.0]


def test_what_is_no_number_is_unknown() -> None:
    """Texts, as a file of somebody else's may have them, are read as numbers or left out."""
    frame = pd.DataFrame({"model": "m", "latency_s": ["1.5", "fast", None]})

    assert [each["seconds"] for each in records(frame.allos.plot_latency())] == [1.5]
    with pytest.raises(ConfigurationError, match="nothing to draw"):
        frame.assign(latency_s="fast").allos.plot_latency()


def test_of_many_calls_some_are_drawn_and_the_rest_counted() -> None:
    """Evenly over the sorted ones, so that the shape is the same."""
    frame = pd.DataFrame({"model": "m", "latency_s": [number / 1000 for number in range(1, 4001)]})
    chart = frame.allos.plot_latency(by=None)
    drawn = sorted(each["seconds"] for each in records(chart))

    assert len(drawn) == 1_500
    assert abs(drawn[750] - 2.0) < 0.01
    assert chart.to_dict()["title"]["subtitle"].startswith("1,500 of 4,000 calls")


def test_a_wide_range_is_logarithmic() -> None:
    """So that fast models are not squeezed by a slow one."""
    frame = log().assign(latency_s=lambda df: df["latency_s"].where(df.index > 0, 900.0))
    scale = frame.allos.plot_latency().to_dict()["layer"][0]["encoding"]["x"]["scale"]

    assert scale["type"] == "log"


def test_a_summary_has_a_panel_for_each_known_measure() -> None:
    """Time to the first token is known of streamed answers alone."""
    both = analysis.summary(log()).plot().to_dict()
    latency = analysis.summary(log().drop(columns="time_to_first_token_s")).plot().to_dict()

    assert len(both["vconcat"]) == 2
    assert "vconcat" not in latency
    with pytest.raises(ConfigurationError, match="nothing to draw"):
        analysis.summary(log()[["model"]]).plot()
