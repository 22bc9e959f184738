from __future__ import annotations

import math

import pytest

from allos.analysis.distributions import (
    critical_value,
    normal_quantile,
    t_cdf,
    t_quantile,
    two_sided_p,
)


@pytest.mark.parametrize(
    ("dof", "quantile"), [(1, 12.7062), (2, 4.30265), (5, 2.57058), (30, 2.04227), (1e8, 1.95996)]
)
def test_quantiles(dof: float, quantile: float) -> None:
    """The quantiles are those of printed tables, and the inverse of the distribution."""
    assert t_quantile(0.975, dof) == pytest.approx(quantile, rel=1e-5)
    assert t_quantile(0.025, dof) == pytest.approx(-quantile, rel=1e-5)
    assert t_cdf(t_quantile(0.9, dof), dof) == pytest.approx(0.9, abs=1e-9)


def test_ends() -> None:
    """The middle, infinity, and p-values of large statistics."""
    assert t_quantile(0.5, 3) == 0
    assert (t_cdf(-math.inf, 3), t_cdf(0, 3), t_cdf(math.inf, 3)) == (0, 0.5, 1)
    assert two_sided_p(0, 5) == 1
    assert 0 < two_sided_p(-60, 30) < 1e-25
    assert critical_value(0.95) == pytest.approx(normal_quantile(0.975))
