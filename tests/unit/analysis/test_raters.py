from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allos.analysis import agreement
from allos.errors import ConfigurationError

# The example of Krippendorff (2011): four observers, twelve units, values missing.
TABLE = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
RATINGS = pd.DataFrame(
    [
        {"rater": rater, "prompt": unit, "rating": value}
        for rater, row in enumerate(TABLE)
        for unit, value in enumerate(row)
    ]
)


@pytest.mark.parametrize(
    ("scale", "alpha"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_published_values(scale: str, alpha: float) -> None:
    """The values that Krippendorff gives for his example."""
    found = agreement(RATINGS, value="rating", scale=scale).iloc[0]  # type: ignore[arg-type]

    assert found["alpha"] == pytest.approx(alpha, abs=6e-4)
    assert found["low"] < found["alpha"] < found["high"]
    assert (found["n_units"], found["single"], found["n_raters"]) == (11, 1, 4)
    assert (found["n_values"], found["unknown"]) == (40, 7)


def test_votes() -> None:
    """Votes agree also where the two answers stand in the other order."""
    votes = pd.DataFrame(
        {
            "rater": ["ann", "bob"] * 3,
            "prompt": [1, 1, 2, 2, 3, 3],
            "model_a": ["x", "y"] * 3,
            "model_b": ["y", "x"] * 3,
            "winner": ["a", "b", "b", "a", "tie", "tie"],
        }
    )

    assert agreement(votes)["alpha"].item() == 1
    assert agreement(votes, unit="prompt")["alpha"].item() < 0.5


def test_chance() -> None:
    """Raters who guess agree as by chance, and the interval says so."""
    chooser = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "rater": ["a", "b"] * 300,
            "prompt": np.repeat(range(300), 2),
            "label": chooser.choice(list("xyz"), 600),
        }
    )
    found = agreement(frame, value="label").iloc[0]

    assert found["low"] < 0 < found["high"]
    assert found["high"] - found["low"] < 0.25


def test_without_spread() -> None:
    """Where all values are equal, alpha is unknown."""
    assert agreement(RATINGS.assign(rating=1), value="rating")["alpha"].isna().all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"scale": "ordinary"}, "not a valid scale.*Did you mean 'ordinal'"),
        ({"value": "stars"}, "no column 'stars'"),
        ({"value": "rater", "rater": "rating"}, "no 'rating'"),
        ({"unit": "id"}, "no column 'id'"),
    ],
)
def test_invalid(arguments: dict[str, str], said: str) -> None:
    """What cannot be read is one line."""
    with pytest.raises(ConfigurationError, match=said):
        agreement(RATINGS, **{"value": "rating", **arguments})  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="needs values that are numbers"):
        agreement(RATINGS.assign(rating="good"), value="rating", scale="interval")
    with pytest.raises(ConfigurationError, match="No unit was judged by two"):
        agreement(RATINGS.assign(prompt=range(len(RATINGS))), value="rating")
