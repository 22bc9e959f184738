"""Axes of numbers."""

from __future__ import annotations

from allos.charts.axes import log_axis


def test_a_wide_logarithmic_axis_has_powers_alone() -> None:
    """Few ticks, none of which covers another."""
    assert log_axis(0.001, 100)[1] == [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]
