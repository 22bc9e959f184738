from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allos.analysis import judge_corrected, label_next
from allos.errors import ConfigurationError


def judged(answers: int = 60, labels: int = 20) -> pd.DataFrame:
    """Two models; the judge likes the second one too much."""
    chooser = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "model": np.repeat(["a", "b"], answers),
            "prompt": np.tile(np.arange(answers), 2),
            "human": (chooser.random(2 * answers) < np.repeat([0.7, 0.5], answers)).astype(float),
        }
    )
    is_wrong = (chooser.random(2 * answers) < 0.5) & (frame["model"] == "b")
    frame["judge"] = frame["human"].where(~is_wrong, 1.0)
    frame["sure"] = ~is_wrong
    frame.loc[frame["prompt"] >= labels, "human"] = np.nan
    return frame


def test_people_decide() -> None:
    """The judge's favourite is put right; what each thinks, and how far they differ, stands beside."""
    frame = judged()
    before = frame.copy()
    found = judge_corrected(frame).set_index("model")

    assert found["judge_mean"].idxmax() == "b"
    assert found["mean"].idxmax() == "a"
    assert found["n_labelled"].tolist() == [20, 20]
    assert found.loc["a", ["bias", "weight"]].tolist() == [0, pytest.approx(0.75, abs=0.15)]
    assert found.loc["b", "bias"] > 0.15
    assert ((found["low"] <= found["mean"]) & (found["mean"] <= found["high"])).all()
    assert found["low"].min() >= 0
    assert found["high"].max() <= 1
    pd.testing.assert_frame_equal(frame, before)


def test_scores_that_are_words_and_unknown_ones() -> None:
    """Pass and fail are read; rows that the judge did not score are counted and left out."""
    frame = judged()
    frame["judge"] = frame["judge"].map({1.0: "pass", 0.0: "fail"})
    frame.loc[:2, "judge"] = None
    found = judge_corrected(frame).set_index("model")

    assert found["unknown"].to_dict() == {"a": 3, "b": 0}
    assert found["n_answers"].to_dict() == {"a": 57, "b": 60}
    frame.loc[frame["model"] == "a", "judge"] = None
    assert math.isnan(judge_corrected(frame).set_index("model").loc["a", "mean"])


def test_without_labels_nothing_is_claimed() -> None:
    """No human labels: no interval, and the judge's own mean is all there is."""
    found = judge_corrected(judged(labels=0))

    assert found[["mean", "low", "high", "human_mean", "bias"]].isna().all().all()
    assert found["judge_mean"].notna().all()
    assert label_next(judged(labels=0), n=5)["half_width"].isna().all()


def test_labels_go_where_they_help() -> None:
    """First where there are none, then where judge and people differ most, at random within."""
    frame = judged()
    found = label_next(frame, n=8)
    fewer = frame.assign(human=frame["human"].where(frame["model"] == "b"))

    assert found["model"].value_counts().idxmax() == "b"
    assert found["human"].isna().all()
    assert found["half_width"].iloc[-1] <= found["half_width"].iloc[0]
    assert found.index.tolist() != sorted(found.index)
    assert label_next(frame, n=8).equals(found)
    assert label_next(frame, n=8, seed=1).index.tolist() != found.index.tolist()
    assert label_next(fewer, n=3)["model"].tolist() == ["a"] * 3
    assert len(label_next(frame, n=1000)) == 80


def test_labels_go_to_the_stratum_where_the_judge_errs() -> None:
    """With strata, where the judge is not sure is asked first, and the correction knows it."""
    frame = judged()
    frame = frame[frame["model"] == "b"]
    found = label_next(frame, n=6, strata="sure")
    plain, by_stratum = judge_corrected(frame), judge_corrected(frame, strata="sure")

    assert not found["sure"].any()
    assert by_stratum["mean"].item() == pytest.approx(plain["mean"].item(), abs=0.15)


def test_groups_of_several_columns_and_clusters() -> None:
    """Pairs of models, of independent rows or of documents."""
    frame = judged().assign(other="c", document=lambda rows: rows["prompt"] // 5)
    alone = judge_corrected(frame, by=["model", "other"], prompt=None)
    documents = judge_corrected(frame, by=["model", "other"], cluster="document")

    assert alone[["model", "other"]].to_numpy().tolist() == [["a", "c"], ["b", "c"]]
    assert documents["mean"].tolist() == pytest.approx(alone["mean"].tolist())
    assert documents["low"].tolist() != alone["low"].tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"judge": "jugde"}, "Did you mean 'judge'"),
        ({"human": "judge"}, "name two different columns"),
        ({"level": 95}, "level must be a number between 0 and 1"),
        ({"by": "prompts"}, "Did you mean 'prompt'"),
    ],
)
def test_bad_input(changes: dict[str, Any], message: str) -> None:
    """One line says what is wrong."""
    for function in (judge_corrected, label_next):
        with pytest.raises(ConfigurationError, match=message):
            function(judged(), **changes)
    with pytest.raises(ConfigurationError, match="n must be an integer >= 1"):
        label_next(judged(), n=0)
