from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from allos.errors import ConfigurationError
from allos.runs.judging.human_labels import labels_of_answers, labels_of_pairs

PAIRS = pd.DataFrame(
    {
        "prompt": ["p", "q"],
        "model_a": "x",
        "model_b": "y",
        "response_a": ["1", "3"],
        "response_b": ["2", "4"],
    }
)
VOTE = {"rater": "ann", "prompt": "p", "model_a": "x", "model_b": "y", "winner": "a"}
ANSWERS = pd.DataFrame({"response_id": ["1", "2", None]})


def votes(*changes: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([{**VOTE, **each} for each in changes], columns=[*VOTE, *_IDS])


_IDS = ("response_a", "response_b")


@pytest.mark.parametrize(
    ("cast", "expected"),
    [
        ([], [None, None]),
        ([{}, {"winner": "b"}], [0.5, None]),
        ([{"model_a": "y", "model_b": "x"}], [0.0, None]),
        ([{"response_a": "4", "response_b": "3", "winner": "b"}], [None, 1.0]),
        ([{"response_a": "8", "response_b": "9"}], [None, None]),
        ([{"rater": "judge:m/x"}, {"winner": "bad", "prompt": "q"}], [None, 0.5]),
    ],
)
def test_votes_find_their_pair(cast: list[dict[str, Any]], expected: list[float | None]) -> None:
    """By the ids of the responses in either order, else by prompt and models; judges do not count."""
    assert labels_of_pairs(PAIRS, votes(*cast)) == expected


def test_ratings_find_their_answer() -> None:
    """The mean of what people said; those of other answers are nothing to do with these."""
    said = pd.DataFrame(
        {
            "rater": ["ann", "bob", "judge:m/x", "ann"],
            "response_id": ["1", "1", "2", "77"],
            "rating": [4, 5, 1, -1],
        }
    )

    assert labels_of_answers(ANSWERS, said, (1, 5), "judge:m") == [4.5, None, None]
    assert labels_of_answers(ANSWERS, said.iloc[:0], (1, 5), "judge:m") == [None] * 3


@pytest.mark.parametrize(
    ("human", "message"),
    [
        ([1], "human= must be a DataFrame"),
        (votes({}).drop(columns="winner"), "needs a column 'winner'"),
        (votes({"winner": "A"}), "A winner is 'A'"),
    ],
)
def test_other_frames(human: Any, message: str) -> None:
    """One line says what is missing."""
    with pytest.raises(ConfigurationError, match=message):
        labels_of_pairs(PAIRS, human)
