from __future__ import annotations

import pandas as pd
import pytest

from allos.analysis import disagreement


def answers(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["prompt", "model", "content"])


def test_the_prompt_that_divides_comes_first() -> None:
    """Prompts are ordered by how much models differ; the pair that differs most is named."""
    found = disagreement(
        answers(
            ("sum", "a", "It is 4."),
            ("sum", "b", "it  is 4."),
            ("poem", "a", "The sea is blue"),
            ("poem", "b", "The sea is deep"),
            ("poem", "c", "Mountains rise"),
            ("alone", "a", "x"),
        )
    )

    assert found["prompt"].tolist() == ["poem", "sum"]
    assert found["disagreement"].tolist()[1] == 0.0
    assert found["most_different"].tolist()[0] == "a | c"
    assert found["distinct"].tolist() == [3, 1]


def test_repeats_of_one_model_are_not_compared() -> None:
    """A model that answers otherwise each time, alone, is no disagreement between models."""
    frame = answers(("p", "a", "x"), ("p", "a", "y"))

    assert len(disagreement(frame)) == 0
    assert len(disagreement(frame, by=None)) == 1


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("今天天气", "今天下雨", 0.5),  # signs are words where no spaces are written
        ("3.5 km", "3.6 km", 0.5),
        ("", "", 0.0),
        ("!", "?", 0.0),
        ("Rome", "rome", 0.0),
    ],
)
def test_words_in_common(one: str, other: str, expected: float) -> None:
    """Words count, in any script; case and punctuation do not."""
    found = disagreement(answers(("p", "a", one), ("p", "b", other)))

    assert found["disagreement"].tolist() == [pytest.approx(expected)]


def test_scores_are_compared_by_their_means() -> None:
    """With scores, prompts are ordered by the distance between the best and the worst mean."""
    frame = answers(
        ("p", "a", "x"), ("p", "a", "x"), ("p", "b", "x"), ("q", "a", "x"), ("q", "b", "y")
    )
    found = disagreement(frame.assign(score=[1, 0, 0, 1, 0]), score="score")

    assert found["prompt"].tolist() == ["q", "p"]
    assert found["disagreement"].tolist() == [1.0, 0.5]
    assert found["most_different"].tolist() == ["a | b", "a | b"]


def test_failed_calls_have_no_answer() -> None:
    """Errors and nulls are left out."""
    frame = answers(("p", "a", "x"), ("p", "b", None), ("p", "c", "y")).assign(
        status=["ok", "ok", "error"]
    )

    assert len(disagreement(frame)) == 0
