from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allos.analysis import score_summary
from allos.errors import ConfigurationError

COLUMNS = ["model", "n_prompts", "n_answers", "mean", "low", "high", "unknown"]


def answers(seed: int = 0, prompts: int = 30, repeats: int = 3) -> pd.DataFrame:
    """Scores of two models, repeats alike within a prompt."""
    chooser = np.random.default_rng(seed)
    hard = chooser.normal(size=prompts)
    rows = [
        {
            "model": model,
            "prompt": f"p{number}",
            "notebook": f"n{number % 5}",
            "score": hard[number] + better + chooser.normal() / 2,
        }
        for model, better in (("a", 0.0), ("b", 1.0))
        for number in range(prompts)
        for _ in range(repeats)
    ]
    return pd.DataFrame(rows)


def test_columns_and_order() -> None:
    """The best model is first; the frame that was given is not changed."""
    frame = answers()
    before = frame.copy(deep=True)
    found = score_summary(frame, score="score")

    assert found.columns.tolist() == COLUMNS
    assert found["model"].tolist() == ["b", "a"]
    assert found["n_prompts"].tolist() == [30, 30]
    assert found["n_answers"].tolist() == [90, 90]
    assert ((found["low"] < found["mean"]) & (found["mean"] < found["high"])).all()
    pd.testing.assert_frame_equal(frame, before)


def test_repeats_are_no_new_prompts() -> None:
    """Answers copied ten times make no interval shorter."""
    once = answers(repeats=1)
    copied = pd.concat([once] * 10)

    for scored in (once, copied):
        scored["ok"] = scored["score"] > 0
    for score in ("score", "ok"):
        one, ten = (score_summary(frame, score=score) for frame in (once, copied))
        assert (ten["high"] - ten["low"]).to_numpy() == pytest.approx(
            (one["high"] - one["low"]).to_numpy(), rel=0.07
        )


def test_unequal_repeats() -> None:
    """Each prompt weighs the same, however often it was answered."""
    frame = pd.DataFrame({"model": "a", "prompt": [1, 1, 1, 2], "score": [3.0, 3.0, 3.0, 5.0]})

    assert score_summary(frame, score="score")["mean"].item() == 4


def test_unknown_scores() -> None:
    """A score that is unknown is counted; a model without a known one has a row of its own, the last."""
    frame = pd.DataFrame(
        {"model": ["a", "a", "a", "b"], "prompt": [1, 2, 3, 1], "score": [1.0, None, 2.0, None]}
    )
    found = score_summary(frame, score="score")

    assert found["model"].tolist() == ["a", "b"]
    assert found["unknown"].tolist() == [1, 1]
    assert found["n_answers"].tolist() == [2, 0]
    assert found["mean"].isna().tolist() == [False, True]
    assert found["low"].isna().tolist() == [False, True]


def test_clusters_widen() -> None:
    """What prompts share is not taken as independent; nor where prompts are spread over clusters."""
    chooser = np.random.default_rng(1)
    document = np.repeat(np.arange(10), 8)
    frame = pd.DataFrame({"model": "a", "prompt": range(80), "document": document})
    frame["score"] = chooser.normal(size=10)[document] + chooser.normal(size=80) / 3
    rater = np.tile(np.arange(4), 40)
    spread = frame.loc[frame.index.repeat(2)].assign(rater=rater)
    spread["score"] += np.array([0.0, 1, 2, 3])[rater]

    def width(given: pd.DataFrame, cluster: str | None) -> float:
        found = score_summary(given, score="score", cluster=cluster)
        return float((found["high"] - found["low"]).item())

    assert width(frame, "document") > 1.8 * width(frame, None)
    assert width(spread, "rater") > 1.8 * width(spread, None)


def test_several_columns() -> None:
    """`by` may be several columns, and any column."""
    frame = answers().assign(temperature=[0.0, 1.0] * 90)
    found = score_summary(frame, score="score", by=["model", "temperature"])

    assert found.columns.tolist()[:3] == ["model", "temperature", "n_prompts"]
    assert len(found) == 4
    assert score_summary(frame, score="score", by="temperature").columns[0] == "temperature"


def test_pass_or_fail_stays_within_0_and_1() -> None:
    """Few answers that all pass have an interval, up to 1 and well below it."""
    frame = pd.DataFrame({"model": "a", "prompt": range(12), "score": [True] * 12})
    found = score_summary(frame, score="score")

    assert found["high"].item() == 1
    assert 0.7 < found["low"].item() < 0.8
    assert score_summary(frame, score="score", level=0.8)["low"].item() > found["low"].item()


def test_one_prompt() -> None:
    """One prompt says nothing about others, however often it is repeated."""
    frame = pd.DataFrame({"model": "a", "prompt": 1, "score": [1.0, 2.0, 3.0]})

    assert score_summary(frame, score="score")[["low", "high"]].isna().all(axis=None)


def test_prompts_as_clusters() -> None:
    """Prompts are the clusters anyway."""
    plain, named = (
        score_summary(answers(), score="score", cluster=name) for name in (None, "prompt")
    )

    pd.testing.assert_frame_equal(plain, named)


def test_missing_cluster() -> None:
    """A row without a cluster is refused: it might belong to any."""
    with pytest.raises(ConfigurationError, match="no 'notebook'"):
        score_summary(answers().assign(notebook=None), score="score", cluster="notebook")
