from __future__ import annotations

import math

import numpy as np
import pytest

from allos.analysis.rank_tests import pairs, two_samples


def test_two_samples_as_in_a_reference() -> None:
    """As scipy.stats.mannwhitneyu(method="asymptotic") says, with ties."""
    first, second = np.array([1.0, 2, 2, 3, 4]), np.array([2.0, 4, 5, 6, 7, 7])

    assert two_samples(first, second) == pytest.approx(0.0417227100695434)
    assert two_samples(first, first) == 1.0
    assert math.isnan(two_samples(first[:2], second))


def test_pairs_as_in_a_reference() -> None:
    """As scipy.stats.wilcoxon(method="asymptotic", correction=True) says, with ties and zeros."""
    differences = np.array([1.0, 2, -1, 3, 0, 4, 2, 5])

    assert pairs(differences) == pytest.approx(0.0417851684039221)
    assert pairs(np.zeros(9)) == 1.0
    assert math.isnan(pairs(differences[:4]))


def test_few_false_alarms() -> None:
    """Of samples that do not differ, about one in twenty has a p-value below 0.05."""
    generator = np.random.default_rng(1)
    found = [two_samples(generator.normal(size=15), generator.normal(size=12)) for _ in range(600)]

    assert 0.02 < np.mean(np.array(found) < 0.05) < 0.08
