from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allos.analysis import paired, power
from allos.errors import ConfigurationError

COLUMNS = ["n_prompts", "repeats", "n_answers", "difference", "power", "level"]


def test_both_directions() -> None:
    """The prompts that a difference needs can show just that difference."""
    shown = power(150, 2).iloc[0]
    needed = power(difference=shown["difference"], repeats=2).iloc[0]
    chance = power(150, 2, difference=shown["difference"]).iloc[0]

    assert needed["n_prompts"] == 150
    assert chance["power"] == pytest.approx(0.8, abs=1e-6)
    assert shown["n_answers"] == 600


def test_more_shows_less() -> None:
    """More prompts and more repeats show smaller differences; repeats help less and less."""
    found = power([50, 200], repeats=[1, 4, 1000])
    grid = found.pivot(index="n_prompts", columns="repeats", values="difference")

    assert found.columns.tolist() == COLUMNS
    assert (grid.diff(axis=1).iloc[:, 1:] < 0).all(axis=None)
    assert grid.loc[200, 1] == pytest.approx(grid.loc[50, 1] / 2, rel=0.05)
    assert grid.loc[50, 1000] > grid.loc[50, 1] / 2
    assert found.attrs["assumptions"].startswith("Pass/fail scores with a pass rate of 0.5")


def test_the_test_finds_what_was_promised() -> None:
    """In simulated studies of that size, the paired test finds the difference that often."""
    chooser = np.random.default_rng(0)
    promised = power(40, 2, prompt_sd=0.5, repeat_sd=1).iloc[0]
    hits = 0
    for _ in range(200):
        truth = promised["difference"] + chooser.normal(size=40) * 0.5
        base = chooser.normal(size=40) * 3
        frame = pd.DataFrame(
            {
                "model": np.repeat(["a", "b"], 80),
                "prompt": np.tile(np.arange(40), 4),
                "score": np.concatenate([base + truth] * 2 + [base] * 2) + chooser.normal(size=160),
            }
        )
        hits += paired(frame, score="score", a="a", b="b")["p_value"].item() < 0.05

    assert 0.7 < hits / 200 < 0.9


def test_pilot() -> None:
    """The standard deviations are those of the pilot, chance within a prompt taken away."""
    chooser = np.random.default_rng(1)
    prompts = np.repeat(np.arange(600), 2)
    rows = [
        pd.DataFrame(
            {"model": name, "prompt": prompts, "score": extra[prompts] + chooser.normal(size=1200)}
        )
        for name, extra in (("a", chooser.normal(size=600)), ("b", np.zeros(600)))
    ]
    pilot = pd.concat(rows)
    found = power(100, pilot=pilot, score="score", a="a", b="b")
    once = power(100, pilot=pilot.drop_duplicates(["model", "prompt"]), score="score", a="a", b="b")

    assert found.attrs["prompt_sd"] == pytest.approx(1, rel=0.15)
    assert found.attrs["repeat_sd"] == pytest.approx(1, rel=0.1)
    assert once.attrs["prompt_sd"] == pytest.approx(math.sqrt(3), rel=0.1)
    assert "no repeats" in once.attrs["assumptions"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "Give n_prompts="),
        ({"n_prompts": 1}, "n_prompts must be an integer >= 2"),
        ({"n_prompts": "10"}, "n_prompts must be an integer"),
        ({"n_prompts": 10.5}, "n_prompts must be an integer"),
        ({"n_prompts": 10, "repeats": 0}, "repeats must be an integer >= 1"),
        ({"difference": 0}, "difference must be a number other than 0"),
        ({"difference": math.nan}, "difference must be a number other than 0"),
        ({"difference": 1e-9}, "needs more than"),
        ({"n_prompts": 10, "power": 1}, "power must be a number between 0 and 1"),
        ({"n_prompts": 10, "pass_rate": 0}, "pass_rate must be a number between 0 and 1"),
        ({"n_prompts": 10, "pass_rate": "half"}, "pass_rate must be a number between 0 and 1"),
        ({"n_prompts": 10, "repeat_sd": "0.5"}, "repeat_sd must be a number >= 0; got '0.5'"),
        ({"n_prompts": pd.Series([10, 1])}, "n_prompts must be an integer >= 2; got 1"),
        ({"n_prompts": 10, "prompt_sd": -1}, "prompt_sd must be a number >= 0"),
        ({"n_prompts": 10, "pilot": pd.DataFrame()}, "With pilot=, score="),
    ],
)
def test_invalid(arguments: dict[str, Any], said: str) -> None:
    """A number out of its range is one line."""
    with pytest.raises(ConfigurationError, match=said):
        power(**arguments)
