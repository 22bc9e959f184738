from __future__ import annotations

import pandas as pd
import pytest

from allos.analysis import pareto


def test_the_dominated_name_who_beats_them() -> None:
    """Equal in one and better in the other dominates; equal in both does not."""
    frame = pd.DataFrame(
        {
            "model": ["cheap", "good", "same", "worse", "dear"],
            "score": [0.5, 0.9, 0.9, 0.9, 0.5],
            "cost_usd": [1.0, 2.0, 2.0, 3.0, 1.5],
        }
    )
    found = pareto(frame, quality="score").set_index("model")

    assert found["on_front"].to_dict() == {
        "cheap": True,
        "good": True,
        "same": True,
        "worse": False,
        "dear": False,
    }
    assert found["dominated_by"].to_dict()["worse"] == "good, same"
    assert found["dominated_by"].to_dict()["dear"] == "cheap"


def test_repeats_are_averaged_within_their_prompt() -> None:
    """An easy prompt that was repeated often does not lift the quality."""
    frame = pd.DataFrame(
        {
            "model": "m",
            "prompt": ["easy"] * 9 + ["hard"],
            "passed": [True] * 9 + [False],
            "latency_s": 1.0,
        }
    )

    found = pareto(frame, quality="passed", against="latency_s")["passed"].tolist()

    assert found == [pytest.approx(0.5)]


def test_an_unknown_cost_is_no_place_on_the_front() -> None:
    """A model with unknown costs is neither on the front nor dominates."""
    frame = pd.DataFrame(
        {
            "model": ["a", "b", "b"],
            "score": [0.1, 0.9, 0.9],
            "cost_usd": [1.0, 0.1, None],
        }
    )
    found = pareto(frame, quality="score").set_index("model")

    assert found["on_front"].to_dict()["a"] is True
    assert pd.isna(found["on_front"]["b"])
    assert found["unknown"]["b"] == 1
