"""Axes of numbers: linear, or logarithmic with few ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from allos.charts.lazy_altair import alt


def number_axis(
    values: Sequence[float], *, is_log: bool, number_format: str = ",~r", padding: float = 6
) -> dict[str, Any]:
    """Scale and axis for these values, as options of a channel.

    Parameters
    ----------
    values : sequence of float
    is_log : bool
        All values are above 0 then.
    number_format : str
        Of the ticks, see d3-format.
    padding : float
        Pixels beside the lowest and the highest value, on a linear axis.
    """
    if not is_log:
        return {
            "scale": alt.Scale(zero=False, nice=True, padding=padding),
            "axis": alt.Axis(tickCount=6, format=number_format),
        }
    domain, ticks = log_axis(min(values), max(values))
    return {
        "scale": alt.Scale(type="log", domain=domain, nice=False),
        "axis": alt.Axis(values=ticks, format=number_format),
    }


def log_axis(low: float, high: float) -> tuple[list[float], list[float]]:
    """Domain of a logarithmic axis, and its ticks: 1, 2 and 5 of each power of ten, or 1 alone.

    Examples
    --------
    >>> log_axis(0.5, 30)[1]
    [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
    """
    low, high = low * 0.8, high * 1.25
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(powers) <= 4 else (1,)
    ticks = [float(f"{step}e{power}") for power in powers for step in steps]
    return [low, high], [tick for tick in ticks if low <= tick <= high]
