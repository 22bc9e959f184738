from __future__ import annotations

import math

import numpy as np
import pytest

from allos.analysis.clustered_means import clustered_mean, crossed_mean, proportion_interval

VALUES = np.random.default_rng(0).normal(size=24)


def test_each_unit_alone() -> None:
    """Without clusters the standard error is the textbook one; clusters of one are the same."""
    plain, alone = clustered_mean(VALUES), clustered_mean(VALUES, np.arange(24))

    assert plain.standard_error == pytest.approx(VALUES.std(ddof=1) / math.sqrt(24))
    assert alone.variance == pytest.approx(plain.variance)
    assert alone.dof == pytest.approx(23)


def test_equal_clusters() -> None:
    """With clusters of one size the interval is that of the clusters' means."""
    clusters = np.repeat(np.arange(6), 4)
    means = VALUES.reshape(6, 4).mean(axis=1)
    found = clustered_mean(VALUES, clusters)

    assert found.standard_error == pytest.approx(means.std(ddof=1) / math.sqrt(6))
    assert found.dof == pytest.approx(5)
    assert found.effective_clusters == pytest.approx(6)


def test_one_large_cluster() -> None:
    """A cluster that outweighs the others leaves few degrees of freedom."""
    clusters = np.array([0] * 18 + [1, 2, 3, 4, 5, 6])

    assert clustered_mean(VALUES, clusters).dof < 3


def test_crossed() -> None:
    """Two-way clustering of clusters that hold whole units is no less than the one-way variance."""
    units, clusters = np.repeat(np.arange(12), 2), np.tile([0, 1, 2], 8)
    found = crossed_mean(VALUES, units, clusters, np.full(12, 2))

    assert found.mean == pytest.approx(VALUES.mean())
    assert found.dof == 2
    assert found.variance >= clustered_mean(VALUES.reshape(12, 2).mean(axis=1)).variance * 0.99


@pytest.mark.parametrize("clusters", [None, np.zeros(1, dtype=int)])
def test_one_unit(clusters: np.ndarray | None) -> None:
    """One prompt says nothing about others."""
    found = clustered_mean(np.array([0.5]), clusters)

    assert math.isnan(found.t_interval(0.95)[0])
    assert math.isnan(proportion_interval(found, 0.95, 1)[1])


def test_all_passed() -> None:
    """Without a failure the interval is Wilson's; answers of one cluster count as one."""
    plain = clustered_mean(np.ones(20))
    clustered = clustered_mean(np.ones(20), np.repeat(np.arange(5), 4))

    assert proportion_interval(plain, 0.95, 20) == pytest.approx((0.8389, 1), abs=1e-4)
    assert proportion_interval(clustered, 0.95, 20) == pytest.approx((0.5655, 1), abs=1e-4)
