from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allos.analysis import summary
from allos.errors import ConfigurationError


def calls(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_unknown_is_counted_and_never_averaged() -> None:
    """A cost, a latency or a token count that is unknown is left out of the figure and counted."""
    frame = calls(
        model=["m"] * 4,
        status=["ok", "ok", "ok", "error"],
        latency_s=[1.0, 3.0, None, 99.0],
        cost_usd=[0.5, None, None, None],
        input_tokens=[10, None, 30, None],
        output_tokens=[1, 1, 1, None],
    )
    (row,) = summary(frame).to_dict("records")

    assert (row["calls"], row["failed"], row["error_rate"]) == (4, 1, 0.25)
    assert (row["latency_s_p50"], row["unknown_latencies"]) == (2.0, 1)
    assert (row["cost_usd"], row["unknown_costs"]) == (0.5, 3)
    assert (row["input_tokens"], row["unknown_tokens"]) == (40, 2)


def test_nothing_known_is_null_not_zero() -> None:
    """A sum of unknown costs is null."""
    row = summary(calls(model=["m"], cost_usd=[None])).iloc[0]

    assert pd.isna(row["cost_usd"])
    assert pd.isna(row["latency_s_p50"])
    assert row["unknown_costs"] == 1


def test_percentiles_are_those_of_pandas() -> None:
    """Each group's percentiles are the usual ones, whatever the order of the rows."""
    generator = np.random.default_rng(1)
    frame = calls(
        provider=generator.choice(["x", "y"], 500),
        model=generator.choice(["a", "b", "c"], 500),
        status=["ok"] * 500,
        latency_s=generator.exponential(size=500),
    )
    found = summary(frame, by=["provider", "model"]).set_index(["provider", "model"])
    expected = frame.groupby(["provider", "model"])["latency_s"].quantile([0.5, 0.95]).unstack()

    for share, column in ((0.5, "latency_s_p50"), (0.95, "latency_s_p95")):
        values = found[column].reindex(expected.index).to_numpy(float)
        np.testing.assert_allclose(values, expected[share])


def test_repeats_share_the_weight_of_their_prompt() -> None:
    """A prompt that was repeated 98 times is one of two prompts; without repeats both ways agree."""
    frame = calls(
        model=["m"] * 100,
        prompt=["p"] * 98 + ["q"] * 2,
        status=["error"] * 98 + ["ok"] * 2,
        latency_s=[1.0] * 100,
    )
    by_call, by_prompt = summary(frame).iloc[0], summary(frame, per="prompt").iloc[0]
    once = calls(
        model=["m"] * 9, prompt=list("abcdefghi"), latency_s=[*range(9)], status=["ok"] * 9
    )

    assert (by_call["prompts"], by_call["repeats"]) == (2, 50.0)
    assert by_call["error_rate"] == 0.98
    assert by_prompt["error_rate"] == pytest.approx(0.5)
    pd.testing.assert_frame_equal(summary(once), summary(once, per="prompt"))


def test_a_frame_with_little_in_it() -> None:
    """Any frame with the columns of `by` has a summary; without `by` everything is one row."""
    assert summary(calls(model=["a", None, "a"]))["calls"].tolist() == [2, 1]
    assert summary(calls(x=[1, 2]), by=None)["calls"].tolist() == [2]


def test_a_wrong_per_is_one_line() -> None:
    """Other words than call and prompt are refused."""
    with pytest.raises(ConfigurationError, match="per= must be 'call' or 'prompt'"):
        summary(calls(model=["a"]), per="day")  # type: ignore[arg-type]
