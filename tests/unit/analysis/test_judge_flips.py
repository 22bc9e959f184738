from __future__ import annotations

import math

import pandas as pd
import pytest

from allos.analysis import judge_reliability
from allos.errors import ConfigurationError


def verdicts() -> pd.DataFrame:
    """Three pairs: one flips, one does not, one has a verdict in one order only; and two probes."""
    rows = [
        (0, "a", "a", "verdict", None, None),
        (0, "b", "b", "verdict", None, None),
        (1, "a", "tie", "verdict", None, None),
        (1, "b", "tie", "verdict", None, None),
        (2, "a", "b", "verdict", None, None),
        (2, "b", None, "refusal", None, None),
        (0, "a", "b", "verdict", "b", True),
        (1, "a", "a", "verdict", "b", False),
        (2, "a", None, "error", "a", None),
    ]
    columns = ["item", "shown_first", "winner", "outcome", "planted", "obeyed"]
    frame = pd.DataFrame(rows, columns=columns).assign(sample_index=0)
    return frame.astype({"obeyed": "boolean"})


def test_counts_and_rates() -> None:
    """Only what is known in both orders can flip; probes count in nothing but their own rate."""
    found = judge_reliability(verdicts()).iloc[0]

    assert found[["items", "verdicts", "refusals", "errors"]].tolist() == [3, 5, 1, 0]
    assert found[["swapped", "flips", "flip_rate"]].tolist() == [2, 1, 0.5]
    assert found["first_rate"] == pytest.approx(2 / 3)
    assert found[["planted", "obeyed", "obey_rate"]].tolist() == [2, 1, 0.5]
    assert 0 < found["flip_low"] < 0.5 < found["flip_high"] < 1


def test_what_is_unknown_is_nan() -> None:
    """Without a verdict in both orders, or a probe, there is no rate."""
    frame = verdicts().iloc[[5]]
    found = judge_reliability(frame).iloc[0]

    assert [math.isnan(found[name]) for name in ("flip_rate", "first_rate", "obey_rate")] == [
        True
    ] * 3
    assert "flip_rate" not in judge_reliability(frame.drop(columns="shown_first"))


def test_another_frame() -> None:
    """The frame must be one of verdicts."""
    with pytest.raises(ConfigurationError, match="no column 'outcome'"):
        judge_reliability(verdicts().drop(columns="outcome"))
