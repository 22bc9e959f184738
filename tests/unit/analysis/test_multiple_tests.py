from __future__ import annotations

import math

import pytest

from allos.analysis.multiple_tests import holm


def test_holm_keeps_unknown_ones() -> None:
    """An unknown p-value is none of those that are corrected for."""
    adjusted = holm([0.02, math.nan, 0.9])

    assert adjusted[0] == pytest.approx(0.04)
    assert math.isnan(adjusted[1])
