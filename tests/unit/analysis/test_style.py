from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allos.analysis import style_effects
from allos.errors import ConfigurationError


def votes(count: int = 800) -> pd.DataFrame:
    """Votes for the longer answer, of models that are alike."""
    chooser = np.random.default_rng(0)
    words = chooser.integers(5, 60, size=(count, 2))
    times = chooser.uniform(1, 9, size=(count, 2))
    texts = [[" ".join(["**word**"] * marks + ["word"] * n) for n, marks in zip(pair, (n % 3 for n in pair), strict=True)] for pair in words]  # fmt: skip
    lengths = np.array([[len(text) for text in pair] for pair in texts])
    gap = (lengths[:, 0] - lengths[:, 1]) / lengths.sum(axis=1)
    return pd.DataFrame(
        {
            "rater": chooser.integers(40, size=count),
            "prompt": chooser.integers(100, size=count),
            "model_a": "x",
            "model_b": "y",
            "winner": np.where(chooser.random(count) < 1 / (1 + np.exp(-3 * gap)), "a", "b"),
            "content_a": [pair[0] for pair in texts],
            "content_b": [pair[1] for pair in texts],
            "total_time_s_a": times[:, 0],
            "total_time_s_b": times[:, 1],
        }
    )


def test_effects() -> None:
    """What decides votes is found; what does not has an interval around 1."""
    found = style_effects(votes()).set_index("style")

    assert found.index.tolist() == ["length", "markdown", "speed"]
    assert found.loc["length", "low"] > 1.5
    assert found.loc["speed", "low"] < 1 < found.loc["speed", "high"]
    assert found.loc["speed", "p_value"] > 0.01


def test_faster_is_more_speed() -> None:
    """Votes for the faster answer have an odds ratio above 1, from times and from speeds."""
    given = votes()
    faster = given["total_time_s_a"] < given["total_time_s_b"]
    chooser = np.random.default_rng(1)
    given["winner"] = np.where(faster ^ (chooser.random(len(given)) < 0.2), "a", "b")
    times = style_effects(given, style=["speed"])
    given["speed_a"], given["speed_b"] = 1 / given["total_time_s_a"], 1 / given["total_time_s_b"]

    assert times["low"].item() > 1
    assert style_effects(given, style=["speed"])["low"].item() > 1


def test_style_that_decides_every_vote() -> None:
    """What always wins has a large effect, and a finite one; the same style twice shares it."""
    given = votes(200)
    longer = given["content_a"].str.len() > given["content_b"].str.len()
    given["winner"] = np.where(longer, "a", "b")
    for side in ("a", "b"):
        given[f"words_{side}"] = given[f"content_{side}"].str.len()
    found = style_effects(given, style=["length", "words"])

    assert np.isfinite(found[["odds_ratio", "low", "high"]]).all(axis=None)
    assert found["odds_ratio"].iloc[0] == pytest.approx(found["odds_ratio"].iloc[1])
    assert (found["odds_ratio"] > 2).all()


def test_markdown_is_counted() -> None:
    """Headings, lists, bold text, quotes, tables and code blocks are marks; prose is not."""
    from allos.analysis.style import _MARKS

    text = "# Title\n\n- one\n- **two**\n1. three\n> said\n| a | b |\n```py\nx = 2 * 3 * 4\n```\nplain - text"

    assert len(_MARKS.findall(text)) == 9
    assert _MARKS.findall("Plain words, 2 * 3, a-b, #1.") == []


@pytest.mark.parametrize(
    ("change", "style", "said"),
    [
        ({}, ["emoji"], "no column 'emoji_a'"),
        ({"content_a": "x", "content_b": "x"}, ["length"], "equal in both answers"),
        ({"total_time_s_a": -1}, ["speed"], "negative or unknown"),
        ({"total_time_s_a": None}, ["speed"], "negative or unknown"),
        ({"total_time_s_a": "fast"}, ["speed"], "must have numbers"),
        ({}, "length", "must be a list"),
        ({}, [], "must be a list"),
    ],
)
def test_invalid(change: dict[str, object], style: list[str], said: str) -> None:
    """A style that cannot be measured is one line."""
    with pytest.raises(ConfigurationError, match=said):
        style_effects(votes(20).assign(**change), style=style)
