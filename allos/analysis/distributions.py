"""Student's t and the normal distribution, as far as intervals and p-values need them.

SciPy has them as well; it is larger than all of allos and takes a tenth of a second to import.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_NORMAL = NormalDist()
_NORMAL_FROM = 1e7
"""Degrees of freedom from which Student's t is the normal distribution to eight digits."""


def normal_cdf(value: float) -> float:
    """Probability that a standard normal variable is at most `value`."""
    return _NORMAL.cdf(value)


def normal_quantile(probability: float) -> float:
    """Value that a standard normal variable stays below with this probability."""
    return _NORMAL.inv_cdf(probability)


def t_cdf(value: float, dof: float) -> float:
    """Probability that a variable of Student's t distribution is at most `value`.

    Parameters
    ----------
    value : float
        May be infinite.
    dof : float
        Degrees of freedom, greater than 0; need not be an integer.

    Returns
    -------
    float
        Between 0 and 1.

    Notes
    -----
    By the regularised incomplete beta function (Abramowitz and Stegun, 26.7.1).

    Examples
    --------
    >>> round(t_cdf(2.228, 10), 4)
    0.975
    """
    if math.isinf(value):
        return float(value > 0)
    if dof > _NORMAL_FROM:
        return normal_cdf(value)
    tail = 0.5 * _incomplete_beta(dof / 2, 0.5, dof / (dof + value * value))
    return 1 - tail if value > 0 else tail


@lru_cache(maxsize=4096)
def t_quantile(probability: float, dof: float) -> float:
    """Value that a variable of Student's t distribution stays below with this probability.

    Parameters
    ----------
    probability : float
        Between 0 and 1, exclusive.
    dof : float
        Degrees of freedom, greater than 0.

    Returns
    -------
    float
        The quantile, to about ten digits.

    Examples
    --------
    >>> round(t_quantile(0.975, 10), 3)
    2.228
    """
    if dof > _NORMAL_FROM:
        return normal_quantile(probability)
    if probability == 0.5:
        return 0.0
    if probability < 0.5:
        return -t_quantile(1 - probability, dof)
    low, high = 0.0, 2.0
    while t_cdf(high, dof) < probability:
        low, high = high, high * 2
    value = min(max(normal_quantile(probability), low), high)
    for _ in range(200):
        error = t_cdf(value, dof) - probability
        low, high = (low, value) if error > 0 else (value, high)
        step = value - error / _t_density(value, dof)
        following = step if low < step < high else (low + high) / 2
        if abs(following - value) <= 1e-9 * (1 + abs(value)):
            return following
        value = following
    return value


def two_sided_p(statistic: float, dof: float) -> float:
    """Probability of a statistic at least this far from 0, in either direction."""
    return min(1.0, 2 * t_cdf(-abs(statistic), dof))


def critical_value(level: float, dof: float = math.inf) -> float:
    """How many standard errors an interval of this level reaches to each side."""
    return t_quantile(0.5 + level / 2, dof)


def _t_density(value: float, dof: float) -> float:
    constant = math.lgamma((dof + 1) / 2) - math.lgamma(dof / 2) - 0.5 * math.log(dof * math.pi)
    return math.exp(constant - (dof + 1) / 2 * math.log1p(value * value / dof))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function (a continued fraction, DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    # Lentz's algorithm, as modified by Thompson and Barnett.
    numerator, denominator, fraction = 1.0, 0.0, 1.0
    for index in range(2000):
        half = index // 2
        if index == 0:
            term = 1.0
        elif index % 2:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        denominator = 1 / _away_from_zero(1 + term * denominator)
        numerator = _away_from_zero(1 + term / numerator)
        change = numerator * denominator
        fraction *= change
        if abs(change - 1) < 1e-14:
            break
    return front * (fraction - 1) / a


def _away_from_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
