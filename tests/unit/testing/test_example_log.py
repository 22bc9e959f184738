from __future__ import annotations

import pandas as pd
import pytest

import allos
from allos.errors import ConfigurationError
from allos.log.columns import DTYPES, FRAME_NAMES
from allos.log.frame import frame_of
from allos.testing import example_log, example_votes


def test_a_day_is_like_the_log() -> None:
    """The day has the log's columns and dtypes, and what analysis is about: failures, retries, unknown costs, repeats."""
    day = example_log()
    rows, failed = day.groupby("model"), day[day["status"] == "error"]

    assert tuple(day.columns) == FRAME_NAMES
    assert day.dtypes.to_dict() == frame_of([]).dtypes.to_dict()
    assert day["created_at"].is_monotonic_increasing
    assert day["id"].is_unique
    assert rows["prompt"].nunique().tolist() == [80] * 4
    assert rows["sample_index"].max().tolist() == [1] * 4
    assert day.groupby("comparison_id").size().unique().tolist() == [8]
    assert set(day["error_type"].dropna()) == {"RateLimitError", "ProviderTimeoutError"}
    assert day["attempts"].max() == 3
    assert day.loc[day["model"] == "qwen3-8b", "cost_usd"].isna().all()
    assert failed[["content", "rating", "output_tokens"]].count().tolist() == [0, 0, 0]
    assert set(DTYPES) == set(FRAME_NAMES)


def test_the_seed_decides() -> None:
    """Equal seeds give equal frames, others do not."""
    pd.testing.assert_frame_equal(example_log(), example_log())
    pd.testing.assert_frame_equal(example_votes(3), example_votes(3))

    assert not example_log().equals(example_log(8))
    assert not example_votes(3).equals(example_votes(4))


def test_rows_lead_to_a_board() -> None:
    """The answers to one prompt stand side by side."""
    day = example_log()
    table = allos.board(day[day["comparison_id"] == "cmp_example001"])

    assert len(table.responses) == 8
    assert "qwen3-8b" in table.to_html()


def test_votes_rank_the_models() -> None:
    """Each of the raters votes on forty pairs, of two different models, and two raters rank nobody."""
    votes = example_votes()
    few = allos.analysis.leaderboard(example_votes(raters=2))

    assert votes.groupby("rater").size().tolist() == [40] * 8
    assert (votes["model_a"] != votes["model_b"]).all()
    assert few["rank_low"].tolist() == [1] * 4
    with pytest.raises(ConfigurationError, match=r"raters= must be an integer >= 1, got 0"):
        example_votes(raters=0)
