from __future__ import annotations

import numpy as np
import pandas as pd

from allos.analysis.frames import group
from allos.analysis.group_quantiles import group_quantiles


def test_equal_weights_change_nothing() -> None:
    """With equal weights a weighted quantile is the usual one."""
    generator = np.random.default_rng(2)
    groups = group(pd.DataFrame({"g": generator.choice(["a", "b"], 41)}), ["g"])
    values = generator.normal(size=41)
    plain = group_quantiles(groups, values, (0.1, 0.5, 0.9))
    weighted = group_quantiles(groups, values, (0.1, 0.5, 0.9), np.full(41, 0.25))

    np.testing.assert_allclose(plain, weighted)


def test_a_heavy_value_pulls_the_median() -> None:
    """Unknown values have no weight, a group without known values has no quantile."""
    groups = group(pd.DataFrame({"g": ["a", "a", "a", "a", "b"]}), ["g"])
    values = np.array([1.0, 2.0, 9.0, np.nan, np.nan])
    (median,) = group_quantiles(groups, values, (0.5,), np.array([1.0, 1.0, 8.0, 99.0, 1.0]))

    assert 2.0 < median[0] < 9.0
    assert np.isnan(median[1])
