"""Values with their intervals."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from allos import analysis
from allos.charts import theme
from allos.charts.intervals import differences, scores
from allos.errors import ConfigurationError
from tests.support.analysis_frames import RESULTS, judged, log


def records(chart: Any) -> list[dict[str, Any]]:
    """Data of a chart that have marks."""
    return [
        each for part in chart.to_dict()["datasets"].values() for each in part if "mark" in each
    ]


def test_only_what_is_told_apart_has_a_colour() -> None:
    """Colour follows the corrected p-value; the zero line is there."""
    frame = pd.DataFrame(
        {
            "a": ["x", "x", "y"],
            "b": ["y", "z", "z"],
            "difference": [0.4, -0.4, 0.1],
            "low": [0.2, -0.6, -0.2],
            "high": [0.6, -0.2, 0.4],
            "p_value": [0.001, 0.001, 0.04],
            "p_adjusted": [0.003, 0.003, 0.12],
        }
    )
    chart = differences(frame)

    assert [each["colour"] for each in records(chart)] == [theme.GOOD, theme.BAD, theme.QUIET]
    assert {"value": 0} in [each for part in chart.to_dict()["datasets"].values() for each in part]


def test_a_pair_has_its_names() -> None:
    """The two that were compared are named, also where they are no column of the result."""
    (record,) = records(RESULTS["paired"]().plot())

    assert record["label"] == "openai/gpt-5-mini − local/smollm2"


def test_what_differs_is_not_cut_off() -> None:
    """One scorer is in the title, of several each row names its own; a model with two settings is named once."""
    a, b = "local/smollm2 (temperature 0)", "local/smollm2 (temperature 1.5)"
    pairs = {
        "a": [a, a],
        "b": [b, b],
        "difference": [0.1, 0.2],
        "low": [0.0, 0.1],
        "high": [0.3] * 2,
    }
    frame = pd.DataFrame({"scorer": "exact", **pairs, "p_adjusted": [0.5, 0.5]})
    one = json.dumps(differences(frame.head(1)).to_dict())
    two = json.dumps(differences(frame.assign(scorer=["exact", "short"])).to_dict())
    means = {"n_prompts": 9, "mean": [0.5, 0.6], "low": 0.4, "high": 0.7}
    scored = json.dumps(
        scores(pd.DataFrame({"scorer": "exact", "model": [a, b], **means})).to_dict()
    )

    assert '"local/smollm2: temperature 0 \\u2212 1.5"' in one
    assert "Differences on the same prompts, exact" in one
    assert '"short: local/smollm2: temperature 0' in two
    assert f'"{b}"' in scored
    assert "Mean score, exact" in scored


def test_an_unknown_interval_leaves_the_dot() -> None:
    """One prompt has a mean and no interval."""
    one = pd.DataFrame({"model": ["a"], "prompt": [1], "score": [3.0]})
    (record,) = records(analysis.score_summary(one, score="score").plot())

    assert (record["value"], record["low"], record["high"]) == (3.0, None, None)
    assert "unknown to unknown" in record["about"]


def test_corrected_scores_of_a_judge() -> None:
    """What the judge alone said stands beside; groups with too few labels are counted."""
    frame = judged()
    frame["human"] = frame["human"].where(frame["model"] != "local/smollm2")
    chart = analysis.judge_corrected(frame).plot()

    assert len(records(chart)) == 2
    assert all(" labels, the judge alone 0." in each["beside"] for each in records(chart))
    assert "1 with too few labels left out" in str(chart.to_dict())
    with pytest.raises(ConfigurationError, match="too few labels"):
        analysis.judge_corrected(frame.assign(human=None)).plot()


def test_ranks_are_sets() -> None:
    """Where votes do not tell models apart, the text beside them says so."""
    chart = RESULTS["leaderboard"]().plot()

    assert all(each["beside"].startswith("rank ") for each in records(chart))


def test_several_k_are_told_apart() -> None:
    """A line for each model and k."""
    rates = analysis.pass_at_k(log().dropna(subset=["rating"]), score="rating", k=[1, 2]).plot()

    assert {each["label"].rpartition(", ")[2] for each in records(rates)} == {"k = 1", "k = 2"}
