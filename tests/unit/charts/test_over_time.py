"""Calls over time."""

from __future__ import annotations

import pandas as pd

from allos import analysis
from tests.support.analysis_frames import log


def test_panels_are_what_is_known() -> None:
    """Without a latency or a cost there is no panel of it."""
    every = analysis.timeline(log()).plot().to_dict()
    calls = analysis.timeline(log()[["created_at"]]).plot().to_dict()

    domains = [
        layer["encoding"]["x"]["scale"]["domain"]
        for panel in every["vconcat"]
        for layer in panel["layer"]
    ]

    assert len(every["vconcat"]) == 3
    assert all(domain == domains[0] for domain in domains), "panels stand below each other"
    assert "vconcat" not in calls


def test_bars_of_one_period_stand_on_each_other() -> None:
    """Their heights add up to the calls of the period."""
    result = analysis.timeline(log(), every="1D", by="model")
    datasets = result.plot().to_dict()["datasets"].values()
    bars = [each for part in datasets for each in part if "top" in each]
    tops = pd.DataFrame(bars).groupby("start")["top"].max()

    assert tops.tolist() == result.groupby("period")["calls"].sum().tolist()


def test_many_groups_share_a_colour() -> None:
    """There are ten colours: the nine largest groups have their own."""
    frame = log(200).assign(model=[f"m{at % 20}" for at in range(200)])
    datasets = analysis.timeline(frame, every="1D", by="model").plot().to_dict()["datasets"]
    groups = {each["group"] for part in datasets.values() for each in part}

    assert len(groups) == 10
    assert "all others" in groups
