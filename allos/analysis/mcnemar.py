"""Two models that pass or fail the same prompts."""

from __future__ import annotations

import math

from allos.analysis.distributions import critical_value


def mid_p(only_first: int, only_second: int) -> float:
    """McNemar's test of equal pass rates, as mid-p value.

    Parameters
    ----------
    only_first, only_second : int
        Prompts that one of the two passes and the other fails.

    Returns
    -------
    float
        Two-sided p-value; 1 without such prompts.

    Notes
    -----
    The exact test is too careful and the asymptotic one too bold; the mid-p version is neither
    (Fagerland, Lydersen and Laake 2013, doi:10.1186/1471-2288-13-91).

    Examples
    --------
    >>> round(mid_p(1, 8), 4)
    0.0215
    """
    total, fewer = only_first + only_second, min(only_first, only_second)
    if only_first == only_second:
        return 1.0 if not total else 1 - 0.5 * _binomial(total, fewer)
    tail = 0.0
    for number in range(fewer, -1, -1):
        term = _binomial(total, number)
        tail += term if number != fewer else term / 2
        if term < 1e-17 * tail:
            break
    return min(1.0, 2 * tail)


def difference_interval(
    only_first: float, only_second: float, prompts: int, level: float
) -> tuple[float, float]:
    """Interval of the difference of two pass rates on the same prompts.

    Parameters
    ----------
    only_first, only_second : float
        Prompts that one of the two passes and the other fails.
    prompts : int
        All prompts.
    level : float
        Of confidence.

    Returns
    -------
    low, high : float
        Within -1 and 1.

    Notes
    -----
    The adjusted Wald interval of Bonett and Price (2012, doi:10.3102/1076998611411915), which also
    holds for few prompts and for models that hardly ever disagree.
    """
    first, second = (only_first + 1) / (prompts + 2), (only_second + 1) / (prompts + 2)
    error = math.sqrt((first + second - (first - second) ** 2) / (prompts + 2))
    reach = critical_value(level) * error
    return max(-1.0, first - second - reach), min(1.0, first - second + reach)


def _binomial(total: int, number: int) -> float:
    """Probability of `number` heads of `total` fair coins."""
    logarithm = math.lgamma(total + 1) - math.lgamma(number + 1) - math.lgamma(total - number + 1)
    return math.exp(logarithm - total * math.log(2))
