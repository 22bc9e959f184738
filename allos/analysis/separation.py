"""Which model is better than all others, as scores come in: a test that holds however often one looks.

For every two models there is a game against the hypothesis that the first is not better than the second:
a part of the money is bet on each row's difference, and nobody gets rich at a game that is fair or worse. By
Ville's inequality (1939) the money ever reaches 1 / alpha with a chance of at most alpha, at whatever time one
looks or stops (Waudby-Smith and Ramdas 2023, "Estimating means of bounded random variables by betting",
arXiv:2010.09686; Ramdas, Grünwald, Vovk and Shafer 2023, arXiv:2210.01948). The bets are a mixture of
fixed shares, and rest while the first model is behind: so the game is also fair or worse where rows are
drawn from a finite table in random order, and not put back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

BETS = np.geomspace(0.03, 0.9, 12)
"""Shares of the money that are bet, side by side: small ones find small differences, large ones large ones."""


class Separation:
    """Looks for the model that is better than every other, row by row.

    Parameters
    ----------
    models : int
        How many models there are.
    level : float
        One minus the chance of a false verdict: that a model is named which is not better than all others.
    studies : int, optional
        So many independent ones at once, for simulations.

    Attributes
    ----------
    best : numpy.ndarray
        Number of the model that is better than all others, -1 while there is none; of each study.

    Notes
    -----
    It assumes scores from 0 to 1, and rows that are drawn at random: independent ones, or those of a table in
    random order. A verdict needs a game won against every other model; each of the `models` ones may be
    named wrongly with a chance of alpha / `models` (Bonferroni), so that all of them together are at alpha.

    Examples
    --------
    >>> found = Separation(2)
    >>> for _ in range(20):
    ...     found.add([1.0, 0.0])
    >>> int(found.best)
    0
    """

    def __init__(self, models: int, level: float = 0.95, studies: int | None = None) -> None:
        shape = (models, models) if studies is None else (studies, models, models)
        self._needed = math.log(models / (1 - level))
        self._money = np.zeros((*shape, len(BETS)))  # its logarithm
        self._most = np.full(shape, -np.inf)
        self._sum = np.zeros(shape)
        self._rows = np.zeros(shape)
        self._itself = np.eye(models, dtype=bool)
        self.best = np.full(shape[:-2], -1)

    @property
    def is_better(self) -> np.ndarray:
        """For each two models, whether the first was found to be better than the second."""
        return np.asarray(self._most >= self._needed)

    @property
    def differences(self) -> np.ndarray:
        """For each two models the mean difference so far; NaN where no row has a score of both."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self._sum / self._rows)

    def add(self, scores: Sequence[float] | np.ndarray) -> None:
        """Add the scores of a row, one for each model; NaN where one is unknown."""
        row = np.asarray(scores, dtype=float)
        difference = row[..., :, None] - row[..., None, :]
        known = ~np.isnan(difference)
        difference = np.where(known, difference, 0.0)
        staked = np.where(self._sum >= 0, difference, 0.0)
        self._money += np.log1p(BETS * staked[..., None])
        self._sum += difference
        self._rows += known
        self._most = np.maximum(self._most, _mean_of_logs(self._money))
        is_best = (self.is_better | self._itself).all(axis=-1)
        named = np.where(is_best.any(axis=-1), is_best.argmax(axis=-1), -1)
        self.best = np.where(self.best < 0, named, self.best)


def _mean_of_logs(values: np.ndarray) -> np.ndarray:
    """Logarithm of the mean of what these are the logarithms of, over the last axis."""
    most = values.max(axis=-1)
    return np.asarray(most + np.log(np.exp(values - most[..., None]).mean(axis=-1)))
