from __future__ import annotations

import pytest

from allos.analysis.mcnemar import difference_interval, mid_p


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (0, 0, 1),
        (5, 5, 0.7539 + 0.2461 / 2 - 0.0),
        (1, 8, 0.02148),
        (8, 1, 0.02148),
        (0, 6, 0.015625),
    ],
)
def test_mid_p(first: int, second: int, expected: float) -> None:
    """The values of the binomial distribution; equal numbers tell nothing."""
    assert mid_p(first, second) == pytest.approx(min(expected, 1), abs=1e-3)


def test_large_numbers() -> None:
    """Many prompts neither overflow nor take long."""
    assert 0 < mid_p(400_000, 402_000) < 0.1
    assert mid_p(0, 900_000) < 1e-100


def test_intervals() -> None:
    """The interval contains the difference, stays within -1 and 1, and is not empty without one."""
    low, high = difference_interval(9, 3, 50, 0.95)

    assert low < 6 / 50 < high
    assert difference_interval(0, 0, 10, 0.95)[1] > 0.2
    assert difference_interval(5, 0, 5, 0.95)[1] == 1
