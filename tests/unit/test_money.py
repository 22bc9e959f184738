from __future__ import annotations

import math

import pytest

from allos.money import money


@pytest.mark.parametrize(
    ("amount_usd", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0, "$0"),
        (0.0012, "$0.0012"),
        (-3, "-$3.00"),
        (1e-10, "<$0.000000001"),
    ],
)
def test_unknown_and_extreme_amounts(amount_usd: float | None, text: str) -> None:
    """An unknown amount is a dash; every known one can be read."""
    assert money(amount_usd) == text
