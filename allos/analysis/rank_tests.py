"""Rank tests with the normal approximation, for two samples and for pairs."""

from __future__ import annotations

import math

import numpy as np

from allos.analysis.frames import Floats


def two_samples(first: Floats, second: Floats) -> float:
    """p-value of the Mann-Whitney test, small where values of one sample tend to be larger.

    Normal approximation with ties and continuity correction (Hollander, Wolfe and Chicken,
    "Nonparametric Statistical Methods", 3rd ed., 2014, section 4.1). NaN below 3 values in either.
    """
    n, m = len(first), len(second)
    if min(n, m) < 3:
        return math.nan
    ranks, ties = _ranks(np.concatenate([first, second]))
    total = n + m
    statistic = ranks[:n].sum() - n * (n + 1) / 2
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    return _p_value(statistic - n * m / 2, variance)


def pairs(differences: Floats) -> float:
    """p-value of the Wilcoxon signed-rank test, small where differences tend to one side of 0.

    Differences of 0 are left out; normal approximation with ties and continuity correction (as
    above, section 3.1). NaN below 5 pairs; 1 where all differences are 0.
    """
    if len(differences) < 5:
        return math.nan
    nonzero = differences[differences != 0]
    n = len(nonzero)
    ranks, ties = _ranks(np.abs(nonzero))
    variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48
    return _p_value(ranks[nonzero > 0].sum() - n * (n + 1) / 4, variance)


def _ranks(values: Floats) -> tuple[Floats, float]:
    """Mean ranks from 1, and the sum of t³ - t over the sizes t of groups of ties."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse], float((counts.astype(float) ** 3 - counts).sum())


def _p_value(difference: float, variance: float) -> float:
    if variance <= 0:
        return 1.0
    distance = max(0.0, abs(difference) - 0.5) / math.sqrt(variance)
    return math.erfc(distance / math.sqrt(2))
