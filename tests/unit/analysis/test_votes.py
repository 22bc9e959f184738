from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from allos.analysis.votes import read_votes
from allos.errors import ConfigurationError

VOTES = pd.DataFrame(
    {
        "rater": ["ann", "ann", "bob", "bob"],
        "prompt": ["p", "q", "p", "q"],
        "model_a": ["x", "y", "x", "z"],
        "model_b": ["y", "x", "z", "x"],
        "winner": ["a", "b", "tie", "bad"],
    }
)


@pytest.mark.parametrize("dtype", ["str", object, "category", "string"])
def test_votes_as_numbers(dtype: Any) -> None:
    """Votes are the same in every dtype of text."""
    read = read_votes(VOTES.astype(dtype))

    assert read.models.tolist() == ["x", "y", "z"]
    assert read.first.tolist() == [0, 1, 0, 2]
    assert read.second.tolist() == [1, 0, 2, 0]
    assert read.outcome.tolist() == [1, 0, 0.5, 0.5]
    assert read.is_bad.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("winner", "A", r"A winner is 'A'.*Did you mean 'a'"),
        ("winner", "draw", "expected 'a', 'b', 'tie' or 'bad'"),
        ("winner", None, "A winner is missing"),
        ("winner", 1, "A winner is 1"),
        ("model_b", "x", "2 of 4 votes are between two answers of one model, such as 'x'"),
        ("rater", None, "4 rows have no 'rater'"),
        ("model_a", None, "4 rows have no 'model_a'"),
    ],
)
def test_invalid_votes(column: str, value: Any, said: str) -> None:
    """A vote that is not one is named in one line."""
    with pytest.raises(ConfigurationError, match=said):
        read_votes(VOTES.assign(**{column: value}))


@pytest.mark.parametrize("thumbs", ["rating", "thumb", "liked"])
def test_thumbs(thumbs: str) -> None:
    """Thumbs for single answers are refused, and told from a column that is missing."""
    with pytest.raises(ConfigurationError, match="Thumbs rate one answer alone and cannot rank"):
        read_votes(pd.DataFrame({"model": ["a"], "prompt": ["p"], thumbs: [1]}))
    with pytest.raises(ConfigurationError, match="no column 'winner'"):
        read_votes(VOTES.drop(columns="winner").assign(**{thumbs: 1}))
