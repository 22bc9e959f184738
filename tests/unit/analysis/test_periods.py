from __future__ import annotations

import pandas as pd
import pytest

from allos.analysis import timeline
from allos.errors import ConfigurationError


def made_at(*times: str, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"created_at": pd.to_datetime([*times], utc=True), **columns})


def test_periods_without_calls_are_rows() -> None:
    """A gap is seen; with `by` only what is there is a row."""
    frame = made_at("2026-11-01 10:20", "2026-11-01 12:59", model=["a", "b"], cost_usd=[None, 1.0])
    found = timeline(frame, every="1h")

    assert found["calls"].tolist() == [1, 0, 1]
    assert found["unknown_costs"].tolist() == [1, 0, 0]
    assert found["period"].iloc[0] == pd.Timestamp("2026-11-01 10:00", tz="UTC")
    assert len(timeline(frame, every="1h", by="model")) == 2


@pytest.mark.parametrize(("last", "most"), [("2026-11-01 00:30", 60), ("2027-11-01 00:00", 60)])
def test_the_length_of_a_period_follows_from_the_times(last: str, most: int) -> None:
    """Half an hour and a year are both some dozens of periods."""
    assert 2 < len(timeline(made_at("2026-11-01 00:00", last))) <= most + 1


@pytest.mark.parametrize("every", ["often", "-1h", "0s", "1ns"])
def test_a_wrong_length_is_one_line(every: str) -> None:
    """No length of time, or so short a one that there would be too many periods."""
    with pytest.raises(ConfigurationError, match="every= must be a length of time"):
        timeline(made_at("2026-11-01", "2026-11-02"), every=every)
