from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allos.analysis import compare_all, paired
from allos.errors import ConfigurationError

COLUMNS = ["difference", "low", "high", "p_value", "n_prompts", "n_answers", "unpaired", "unknown"]


def answers(seed: int = 0, prompts: int = 40) -> pd.DataFrame:
    chooser = np.random.default_rng(seed)
    hard = chooser.normal(size=prompts) * 3
    rows = [
        {"model": model, "prompt": number, "score": hard[number] + better + chooser.normal() / 2}
        for model, better in (("a", 0.5), ("b", 0.0), ("c", 0.1))
        for number in range(prompts)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(ok=frame["score"] > 0, document=frame["prompt"] // 4)


def test_pairing_removes_how_hard_prompts_are() -> None:
    """A difference far below the spread of prompts is found; the order of a and b is its sign."""
    frame = answers()
    before = frame.copy(deep=True)
    found, other = (paired(frame, score="score", a=a, b=b) for a, b in (("a", "b"), ("b", "a")))

    assert found.columns.tolist() == [*COLUMNS, "test"]
    assert found["low"].item() > 0
    assert found["p_value"].item() < 1e-4
    assert other["difference"].item() == pytest.approx(-found["difference"].item())
    assert other["low"].item() == pytest.approx(-found["high"].item())
    pd.testing.assert_frame_equal(frame, before)


def test_pass_or_fail() -> None:
    """One answer each is McNemar's test; with repeats or clusters it is that of mean differences."""
    frame = answers()

    assert paired(frame, score="ok", a="a", b="b")["test"].item() == "McNemar mid-p"
    repeated = paired(pd.concat([frame] * 2), score="ok", a="a", b="b")
    assert repeated["test"].item() == "paired t"
    assert paired(frame, score="ok", a="a", b="b", cluster="document")["test"].item() == "paired t"


def test_prompts_that_one_did_not_answer() -> None:
    """They are left out and counted, and so are unknown scores."""
    frame = answers()
    frame.loc[(frame["model"] == "a") & (frame["prompt"] < 3), "score"] = None
    frame = frame[~((frame["model"] == "b") & (frame["prompt"] == 39))]
    found = paired(frame, score="score", a="a", b="b").iloc[0]

    assert (found["n_prompts"], found["n_answers"]) == (36, 72)
    assert (found["unpaired"], found["unknown"]) == (4, 3)


def test_equal_answers() -> None:
    """That two models never differed has a p-value of 1, and for pass and fail still an interval."""
    frame = pd.concat([answers().assign(model=name) for name in ("x", "y")])
    one, ok = (paired(frame, score=score, a="x", b="y").iloc[0] for score in ("score", "ok"))

    assert one["p_value"] == ok["p_value"] == 1
    assert ok["low"] < 0 < ok["high"]


@pytest.mark.parametrize(("passed", "prompts"), [((2, 0), 2), ((2, 1), 30), ((1, 2), 5)])
def test_pass_rates_that_always_differ_alike(passed: tuple[int, int], prompts: int) -> None:
    """Equal differences of pass rates are no certainty: the interval has a width, and stays within -1 and 1."""
    rows = [
        {"model": model, "prompt": prompt, "ok": number < count}
        for model, count in zip("ab", passed, strict=True)
        for prompt in range(prompts)
        for number in range(2)
    ]
    found = paired(pd.DataFrame(rows), score="ok", a="a", b="b").iloc[0]

    assert found["difference"] == (passed[0] - passed[1]) / 2
    assert -1 <= found["low"] < found["high"] <= 1
    assert found["low"] <= found["difference"] <= found["high"]


def test_differences_that_are_equal_but_for_rounding() -> None:
    """0.8 - 0.7 and 0.4 - 0.3 are the same difference, not a tiny spread and a huge t."""
    rows = [
        {"model": model, "prompt": prompt, "score": score}
        for prompt, scores in enumerate([(0.8, 0.7), (0.4, 0.3), (0.6, 0.5)])
        for model, score in zip("ab", scores, strict=True)
    ]

    assert paired(pd.DataFrame(rows), score="score", a="a", b="b")["p_value"].item() == 0.25


def test_equal_differences() -> None:
    """Without spread the p-value is that of so many equal signs, not 0."""
    frame = pd.DataFrame(
        {"model": ["a", "b"] * 3, "prompt": [1, 1, 2, 2, 3, 3], "score": [2.5, 1.5] * 3}
    )

    assert paired(frame, score="score", a="a", b="b")["p_value"].item() == 0.25


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"a": "A", "b": "b"}, "has no 'A'"),
        ({"a": "a", "b": "a"}, "name two different"),
        ({"a": "a", "b": ["b"]}, "has no"),
    ],
)
def test_invalid_models(names: dict[str, object], said: str) -> None:
    """A model that is not there, or the same one twice, is one line."""
    with pytest.raises(ConfigurationError, match=said):
        paired(answers(), score="score", **names)  # type: ignore[arg-type]


def test_no_prompt_in_common() -> None:
    """Models that answered different prompts are not compared."""
    frame = pd.DataFrame({"model": ["a", "b"], "prompt": [1, 2], "score": [1.0, 2.5]})
    with pytest.raises(ConfigurationError, match="no prompt in common"):
        paired(frame, score="score", a="a", b="b")


def test_a_model_without_scores_hinders_no_others() -> None:
    """Its pairs are unknown, last, and count for no correction."""
    frame = answers().assign(score=lambda each: each["score"].mask(each["model"] == "c"))
    found = compare_all(frame, score="score")

    assert found["n_prompts"].tolist() == [40, 0, 0]
    assert found["p_adjusted"][0] == found["p_value"][0]
    assert found[["difference", "low", "high", "p_value"]].tail(2).isna().all(axis=None)
    with pytest.raises(ConfigurationError, match="no prompt in common"):
        compare_all(frame[frame["model"] != "a"], score="score")


def test_one_prompt() -> None:
    """One prompt has a difference, and neither an interval nor a p-value."""
    frame = pd.DataFrame({"model": ["a", "b"], "prompt": 1, "score": [1.0, 2.5]})
    found = paired(frame, score="score", a="a", b="b").iloc[0]

    assert found["difference"] == -1.5
    assert found[["low", "high", "p_value"]].isna().all()


def test_clusters_across_prompts() -> None:
    """A cluster that cuts through a prompt, such as the rater, is refused."""
    with pytest.raises(ConfigurationError, match="more than one cluster"):
        paired(answers(), score="score", a="a", b="b", cluster="model")


def test_all_pairs() -> None:
    """Every two models, or all against one; corrected p-values are no smaller."""
    found = compare_all(answers(), score="score")
    against = compare_all(answers(), score="score", baseline="b")

    assert found.columns.tolist() == ["a", "b", *COLUMNS[:4], "p_adjusted", *COLUMNS[4:], "test"]
    assert len(found) == 3
    assert (found["p_adjusted"] >= found["p_value"]).all()
    assert set(against["a"]) == {"a", "c"}
    assert set(against["b"]) == {"b"}
    with pytest.raises(ConfigurationError, match="has no 'z'"):
        compare_all(answers(), score="score", baseline="z")
    with pytest.raises(ConfigurationError, match="at least two"):
        compare_all(answers().query("model == 'a'"), score="score")
