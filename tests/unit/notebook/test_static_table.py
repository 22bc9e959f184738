"""The static table of an output: when it is made anew."""

from __future__ import annotations

from typing import Any

import pytest

import allos
from allos.notebook import static_table
from allos.testing import Answer, Hold, ScriptedProvider


@pytest.mark.parametrize(("large", "while_it_runs"), [(0, False), (100, True)])
def test_the_table_of_a_large_comparison_is_made_at_its_end(
    monkeypatch: pytest.MonkeyPatch, large: int, while_it_runs: bool
) -> None:
    """Made for each of ten thousand answers it would take all of the time."""
    monkeypatch.setattr(static_table, "_LARGE", large)
    hold = Hold()
    models: list[Any] = [
        ScriptedProvider("Hi", model="quick"),
        ScriptedProvider(Answer(["some", hold, "more"]), model="slow"),
    ]
    comparison = allos.compare("Go", models=models)
    table = static_table.StaticTable(None, comparison, lambda: ({}, {}))
    hold.wait_until_reached()
    comparison.cells[0].wait(10)
    running = table._is_stale()
    hold.release()
    comparison.wait(10)

    assert running is while_it_runs
    assert table._is_stale()
