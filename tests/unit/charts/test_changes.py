"""Before and after."""

from __future__ import annotations

import pandas as pd

from allos.charts import theme
from allos.charts.changes import changes_chart
from tests.unit.charts.test_intervals import records


def test_changes_are_relative_and_shares_in_points() -> None:
    """Figures beside the marks are exact, in the unit of the measure."""
    frame = pd.DataFrame(
        {
            "model": "m",
            "measure": ["latency_s", "error_rate", "cost_usd", "response_model"],
            "a": [1.0, 0.1, 0.0, 1],
            "b": [1.5, 0.3, 0.1, 2],
            "difference": [0.5, 0.2, 0.1, 1],
            "p_value": [0.01, 0.4, None, None],
            "changed": pd.array([True, False, None, True], dtype="boolean"),
            "note": ["", "", None, "new: m-2"],
        }
    )
    found = records(changes_chart(frame))

    assert [round(each["moved"], 3) for each in found] == [0.5, 0.2, 4.0, 1.0]
    assert [each["figures"] for each in found][:3] == ["1 s → 1.5 s", "10% → 30%", "$0.00 → $0.1"]
    assert [each["colour"] == theme.BAD for each in found] == [True, False, False, True]
    assert found[3]["figures"] == "new: m-2", "which, not how many"
