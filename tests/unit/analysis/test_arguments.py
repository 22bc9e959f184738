from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from allos.analysis import (
    agreement,
    leaderboard,
    paired,
    pass_at_k,
    score_summary,
    summary,
    variance_split,
)
from allos.analysis.arguments import codes_of, scores_of
from allos.errors import ConfigurationError

FRAME = pd.DataFrame({"model": ["a", "b"], "prompt": ["p", "p"], "score": [1.0, 2.0]})


@pytest.mark.parametrize(
    "values",
    [
        [True, False, None],
        ["pass", "fail", None],
        ["Pass", " FAIL ", pd.NA],
        [1, 0, np.nan],
        pd.array([True, False, None], dtype="boolean"),
        pd.array([1, 0, None], dtype="Int64"),
        pd.Categorical(["pass", "fail", None]),
    ],
)
def test_pass_and_fail(values: Any) -> None:
    """Booleans, 0 and 1, and the words are pass or fail, in every dtype; unknown stays unknown."""
    scores, is_pass_fail = scores_of(pd.DataFrame({"score": values}), "score")

    assert is_pass_fail
    np.testing.assert_array_equal(scores, [1, 0, np.nan])


@pytest.mark.parametrize("values", [[0.5, 1], [1, 2], [None, None], [-1, 1]])
def test_numbers(values: Any) -> None:
    """Other numbers are not pass or fail; nor are scores that are all unknown."""
    assert not scores_of(pd.DataFrame({"score": values}), "score")[1]


@pytest.mark.parametrize("values", [["good", "bad"], [[1], [2]], [1.0, np.inf], [1j, 2]])
def test_no_scores(values: Any) -> None:
    """What is not a score is one line that says what is, or why not."""
    with pytest.raises(ConfigurationError, match=r"score") as caught:
        scores_of(pd.DataFrame({"score": values}), "score")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("call", [score_summary, variance_split, pass_at_k])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.drop(columns="prompt"), "no column 'prompt'"),
        (lambda frame: frame.rename(columns={"score": "scores"}), "Did you mean 'scores'"),
        (lambda frame: frame.iloc[:0], "no rows"),
        (lambda frame: frame.assign(prompt=None), "2 rows have no 'prompt'"),
        (lambda frame: frame.assign(model=["a", None]), "1 row has no 'model'"),
        (lambda frame: frame.assign(score="great"), "'great' is not a valid score"),
        (lambda frame: frame.assign(prompt=[["x"], ["y"]]), "cannot be grouped"),
        (lambda frame: frame.to_dict(), "Expected a pandas DataFrame, got dict"),
    ],
)
def test_invalid_frames(call: Any, change: Any, said: str) -> None:
    """Every function of scores says in one line what the frame lacks."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        call(change(FRAME), score="score")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, True, "0.95", None, float("nan")])
def test_levels(level: Any) -> None:
    """A level that is not between 0 and 1 is refused everywhere."""
    votes = pd.DataFrame(
        {"rater": "r", "prompt": "p", "model_a": ["a"], "model_b": "b", "winner": "a"}
    )
    for call in (
        lambda: score_summary(FRAME, score="score", level=level),
        lambda: paired(FRAME, score="score", a="a", b="b", level=level),
        lambda: pass_at_k(FRAME, score="score", level=level),
        lambda: leaderboard(votes, level),
        lambda: agreement(votes, level=level),
    ):
        with pytest.raises(ConfigurationError, match="level must be a number between 0 and 1"):
            call()


@pytest.mark.parametrize("call", [score_summary, pass_at_k, variance_split])
@pytest.mark.parametrize("by", [None, 3])
def test_what_names_no_columns(call: Any, by: Any) -> None:
    """by= is a name or several."""
    with pytest.raises(ConfigurationError, match=f"by must be the name of a column.*got {by}"):
        call(FRAME.assign(score=1), score="score", by=by)


@pytest.mark.parametrize("name", ["n_prompts", "unknown"])
def test_groups_that_are_named_as_a_result_is(name: str) -> None:
    """No column of the result is there twice, or instead of another."""
    with pytest.raises(
        ConfigurationError, match=f"by='{name}' is the name of a column of the result"
    ):
        score_summary(FRAME.rename(columns={"model": name}), score="score", by=name)


def test_frames_of_others_say_how_to_convert_them() -> None:
    """A frame of polars, or a table of Arrow, has a method that makes one of pandas."""
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"model": ["a"], "prompt": [1], "score": [1.0]})
    for call in (lambda: score_summary(frame, score="score"), lambda: summary(frame)):
        with pytest.raises(
            ConfigurationError, match=r"got polars.DataFrame: its method to_pandas\(\)"
        ):
            call()


@pytest.mark.parametrize("by", [[], ["model", "model"], ["model", "twice"]])
def test_columns_that_are_not_one(by: list[str]) -> None:
    """No column, one named twice, and two of one name."""
    frame = FRAME.assign(twice=1, other=2).rename(columns={"other": "twice"})
    with pytest.raises(ConfigurationError, match=r"different columns|more than one column 'twice'"):
        score_summary(frame, score="score", by=by)


def test_codes_of_several_columns() -> None:
    """Rows that agree in all columns have one number; categories that do not occur have none."""
    frame = pd.DataFrame({"x": pd.Categorical(["b", "a", "b"], categories=list("abc")), "y": 1})
    codes, values = codes_of(frame, ["x", "y"])
    alone, names = codes_of(frame, "x")

    assert codes.tolist() == alone.tolist() == [0, 1, 0]
    assert values.tolist() == [("b", 1), ("a", 1)]
    assert names.tolist() == ["b", "a"]
