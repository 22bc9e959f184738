"""The mean of prompts, with an interval that knows which answers belong together.

The unit is the prompt: answers to one prompt are averaged, and prompts weigh the same. Standard
errors are cluster-robust with the bias correction CR2 (Bell and McCaffrey 2002), and intervals take
quantiles of Student's t with the degrees of freedom of Satterthwaite (Imbens and Kolesár 2016):
few clusters, or clusters of very different sizes, do not make an interval too short.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from allos.analysis.distributions import critical_value

_ROUNDING = 1e-12
"""Values that differ by less, of their size, are equal: 0.8 - 0.7 and 0.4 - 0.3 are not, as floats."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated mean."""

    mean: float
    variance: float
    """Of the estimate; NaN with fewer than two clusters."""
    dof: float
    """Degrees of freedom of the variance."""
    units: int
    """Units that were averaged: prompts."""
    clusters: int
    """Independent groups of units."""
    effective_clusters: float
    """As many clusters of equal size would weigh as much (Kish): fewer where one outweighs others."""

    @property
    def standard_error(self) -> float:
        """Square root of the variance."""
        return math.sqrt(self.variance) if self.variance >= 0 else math.nan

    def t_interval(self, level: float) -> tuple[float, float]:
        """Interval by Student's t."""
        if not self.dof > 0:
            return math.nan, math.nan
        reach = critical_value(level, self.dof) * self.standard_error
        return self.mean - reach, self.mean + reach


def unit_means(units: np.ndarray, values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and number of the values of each unit."""
    sizes = np.bincount(units, minlength=count)
    with np.errstate(invalid="ignore"):
        return np.bincount(units, values, minlength=count) / sizes, sizes


def clustered_mean(values: np.ndarray, clusters: np.ndarray | None = None) -> Estimate:
    """Mean of units, which are independent between clusters.

    Parameters
    ----------
    values : numpy.ndarray
        One value per unit, none unknown.
    clusters : numpy.ndarray, optional
        Integer from 0 per unit: which units belong together. Without, each unit is alone.

    Returns
    -------
    Estimate
        The mean and its variance.
    """
    count = len(values)
    mean = float(values.mean()) if count else math.nan
    if count and np.ptp(values) <= _ROUNDING * abs(mean):
        values = np.full(count, mean)
    if clusters is None:
        variance = float(values.var(ddof=1)) / count if count > 1 else math.nan
        return Estimate(mean, variance, count - 1, count, count, count)
    codes, sizes = np.unique(clusters, return_inverse=True, return_counts=True)[1:]
    groups = len(sizes)
    if groups < 2:
        return Estimate(mean, math.nan, 0, count, groups, groups)
    residuals = np.bincount(codes, values - mean)
    share = sizes / count
    variance = float((residuals**2 / (1 - share)).sum()) / count**2
    dof = _satterthwaite(values, residuals, sizes)
    return Estimate(mean, variance, dof, count, groups, 1 / float((share**2).sum()))


def _satterthwaite(values: np.ndarray, residuals: np.ndarray, sizes: np.ndarray) -> float:
    """Degrees of freedom of a CR2 variance of a mean, for a working model of equal correlation."""
    count = len(values)
    mean = values.mean()
    total = float(((values - mean) ** 2).sum())
    pairs = float((sizes * (sizes - 1.0)).sum())
    shared = float((residuals**2).sum()) - total
    correlation = min(1.0, max(0.0, shared / pairs * count / total)) if pairs and total else 0.0
    # The residual sums are W (I - n 1'/N) S with Var S = D; tr(M) and tr(M M) of their covariance M.
    size = sizes.astype(float)
    spread = size * (1 + correlation * (size - 1))
    weight = 1 / (1 - size / count)
    around = np.column_stack([size, spread]) * np.sqrt(weight)[:, None]
    mixed = np.array([[spread.sum() / count**2, -1 / count], [-1 / count, 0.0]])
    own = weight * spread
    inner = mixed @ (around.T @ around)
    trace = own.sum() + np.trace(inner)
    squared = (
        (own**2).sum() + 2 * np.trace(mixed @ ((around.T * own) @ around)) + np.trace(inner @ inner)
    )
    return float(trace**2 / squared)


def crossed_mean(
    values: np.ndarray, units: np.ndarray, clusters: np.ndarray, sizes: np.ndarray
) -> Estimate:
    """Mean of units whose answers are spread over clusters: two-way clustering.

    Parameters
    ----------
    values, units, clusters : numpy.ndarray
        One entry per answer: its score, its unit from 0, its cluster from 0.
    sizes : numpy.ndarray
        Answers of each unit.

    Returns
    -------
    Estimate
        The variance is that of Cameron, Gelbach and Miller (2011), units + clusters - both, and at
        least the larger of the first two; the degrees of freedom are the smaller ones.
    """
    count = len(sizes)
    weight = 1 / (count * sizes[units])
    mean = float((weight * values).sum())
    parts, fewest = [], math.inf
    groupings = (units, clusters, units.astype(np.int64) * (int(clusters.max()) + 1) + clusters)
    for grouping in groupings:
        codes = np.unique(grouping, return_inverse=True)[1]
        share = np.bincount(codes, weight)
        if len(share) < 2:
            return Estimate(mean, math.nan, 0, count, len(share), len(share))
        residuals = np.bincount(codes, weight * (values - mean))
        parts.append((float((residuals**2 / (1 - share)).sum()), len(share)))
        fewest = min(fewest, 1 / float((share**2).sum()))
    (by_unit, n_units), (by_cluster, n_clusters), (by_both, _) = parts
    variance = max(by_unit + by_cluster - by_both, by_unit, by_cluster)
    groups = min(n_units, n_clusters)
    return Estimate(mean, variance, groups - 1, count, groups, fewest)


def proportion_interval(estimate: Estimate, level: float, answers: int) -> tuple[float, float]:
    """Interval of a mean of pass/fail answers that also holds near 0 and 1.

    Parameters
    ----------
    estimate : Estimate
        Of values between 0 and 1.
    level : float
        Of confidence.
    answers : int
        How many answers there are.

    Returns
    -------
    low, high : float
        Within 0 and 1.

    Notes
    -----
    Wilson's interval (1927), whose number of answers is the effective one: that of independent
    answers with the same variance (Korn and Graubard 1998). Intervals by the central limit theorem
    are too short here (Bowyer, Aitchison and Ivanova 2025, arXiv:2503.01747). It is never longer than
    if all answers of a cluster were copies of one, which needs no estimate of a variance, nor shorter
    than with independent answers.
    """
    if not estimate.dof > 0:
        return math.nan, math.nan
    mean = min(1.0, max(0.0, estimate.mean))
    binomial = mean * (1 - mean)
    normal = critical_value(level) ** 2
    widening = normal / estimate.effective_clusters
    if binomial > 0 and estimate.variance > 0:
        # As if independent, the variance would have been estimated with N - 1.
        effective = binomial / estimate.variance + 1
        widening = min(widening, critical_value(level, estimate.dof) ** 2 / effective)
    widening = max(widening, normal / answers)
    centre = (mean + widening / 2) / (1 + widening)
    half = math.sqrt(widening * (binomial + widening / 4)) / (1 + widening)
    return max(0.0, centre - half), min(1.0, centre + half)
