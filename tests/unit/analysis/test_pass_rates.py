from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from allos.analysis import pass_all_k, pass_at_k
from allos.errors import ConfigurationError


def answers(repeats: int = 5) -> pd.DataFrame:
    chooser = np.random.default_rng(0)
    chance = chooser.random(20)
    passed = chooser.random((20, repeats)) < chance[:, None]
    return pd.DataFrame(
        {"model": "a", "prompt": np.repeat(np.arange(20), repeats), "ok": passed.ravel()}
    )


@pytest.mark.parametrize("k", [1, 2, 5])
def test_every_choice_of_answers(k: int) -> None:
    """The estimates are the mean over all ways to choose k answers of a prompt."""
    frame = answers()
    drawn = [
        [(any(some), all(some)) for some in combinations(group["ok"], k)]
        for _, group in frame.groupby("prompt")
    ]
    any_passes, all_pass = np.array([np.mean(each, axis=0) for each in drawn]).mean(axis=0)

    assert pass_at_k(frame, score="ok", k=k)["mean"].item() == pytest.approx(any_passes)
    assert pass_all_k(frame, score="ok", k=k)["mean"].item() == pytest.approx(all_pass)


def test_several_k() -> None:
    """More tries help, more demands do not; the interval contains the mean."""
    at, every = (call(answers(), score="ok", k=[1, 2, 4]) for call in (pass_at_k, pass_all_k))

    assert at["k"].tolist() == [1, 2, 4]
    assert at["mean"].is_monotonic_increasing
    assert every["mean"].is_monotonic_decreasing
    assert ((at["low"] < at["mean"]) & (at["mean"] <= at["high"])).all()


def test_prompts_with_too_few_answers() -> None:
    """They are left out and counted; unknown scores as well."""
    frame = answers().iloc[:-3].copy()
    frame["ok"] = frame["ok"].astype("boolean")
    frame.loc[0, "ok"] = pd.NA
    found = pass_at_k(frame, score="ok", k=[4, 5, 6])

    assert found["too_few"].tolist() == [1, 2, 20]
    assert found["n_prompts"].tolist() == [19, 18, 0]
    assert found["unknown"].tolist() == [1, 1, 1]
    assert np.isnan(found["mean"].iloc[2])


def test_clusters() -> None:
    """Clusters of prompts widen the interval; one that cuts through a prompt is refused."""
    frame = answers().assign(document=lambda rows: rows["prompt"] // 10, repeat=list(range(5)) * 20)
    alone = pass_at_k(frame, score="ok", k=2).iloc[0]
    shared = pass_at_k(frame, score="ok", k=2, cluster="document").iloc[0]

    assert shared["high"] - shared["low"] > alone["high"] - alone["low"]
    with pytest.raises(ConfigurationError, match="more than one cluster"):
        pass_at_k(frame, score="ok", k=2, cluster="repeat")


@pytest.mark.parametrize("k", [0, -1, 1.5, "2", True, [1, 0], None])
def test_invalid_k(k: object) -> None:
    """Anything but integers from 1 is refused."""
    with pytest.raises(ConfigurationError, match="k must be an integer >= 1"):
        pass_at_k(answers(), score="ok", k=k)  # type: ignore[arg-type]


def test_scores_that_do_not_pass() -> None:
    """Numbers need a bar."""
    with pytest.raises(ConfigurationError, match="not pass or fail"):
        pass_all_k(answers().assign(ok=0.3), score="ok")
