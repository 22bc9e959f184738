"""Quantiles by group, weighted where repeats must not outweigh prompts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from allos.analysis.frames import Floats, Groups


def group_quantiles(
    groups: Groups, values: Floats, shares: Sequence[float], weights: Floats | None = None
) -> list[Floats]:
    """Quantiles of each group's known values; NaN where none is known.

    Parameters
    ----------
    groups : Groups
    values : ndarray
        One value per row; NaN is unknown and left out.
    shares : sequence of float
        0.5 is the median.
    weights : ndarray, optional
        How much each row counts, > 0.

    Returns
    -------
    list of ndarray
        For each share, one value per group.

    Notes
    -----
    Linear interpolation between the sorted values, as `numpy.quantile` does by default (type 7 of
    Hyndman and Fan 1996, "Sample quantiles in statistical packages", The American Statistician 50).
    With weights, value k of n stands at the middle of its weight, stretched so that the first stands
    at 0 and the last at 1; with equal weights that is type 7 again.
    """
    known = ~np.isnan(values)
    codes, values = groups.codes[known], values[known]
    order = np.argsort(codes, kind="stable")  # a radix sort for the few groups there are
    codes, values = codes[order], values[order]
    bounds = np.searchsorted(codes, np.arange(groups.count + 1))
    ordered_weights = None if weights is None else weights[known][order]
    result = [np.full(groups.count, np.nan) for _ in shares]
    for number, (start, stop) in enumerate(pairwise(bounds)):
        if start == stop:
            continue
        part = values[start:stop]
        if ordered_weights is None:
            found = np.quantile(part, shares)
        else:
            found = _weighted(part, ordered_weights[start:stop], shares)
        for into, value in zip(result, found, strict=True):
            into[number] = value
    return result


def _weighted(values: Floats, weights: Floats, shares: Sequence[float]) -> Floats:
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    middles = np.cumsum(weights) - weights / 2
    span = middles[-1] - middles[0]
    if span == 0:
        return np.full(len(shares), values[0])
    return np.interp(shares, (middles - middles[0]) / span, values)
