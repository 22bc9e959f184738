"""The mean of human labels, with a judge's scores of all answers to make its interval shorter.

Prediction-powered inference: the judge's mean over the answers that nobody labelled, corrected by how
far the judge is off where there are labels (Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023,
arXiv:2301.09633), with a weight for the judge that is chosen from the data (PPI++: Angelopoulos, Duchi
and Zrnic 2023, arXiv:2311.01453). The judge may be as wrong as it likes: then its weight is small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allos.analysis.distributions import critical_value

FEWEST_LABELS = 3
"""Labels without which a variance, and a weight for the judge, cannot be estimated."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Answers of one group, and of one stratum of it."""

    judge: np.ndarray
    """The judge's score of each answer; none is unknown."""
    human: np.ndarray
    """The human label of each answer; NaN where there is none."""
    cluster: np.ndarray
    """Number of the cluster of each answer, such as its prompt; the same numbers in all cells."""

    @property
    def is_labelled(self) -> np.ndarray:
        """Whether each answer has a label."""
        return np.asarray(~np.isnan(self.human))

    @property
    def labels(self) -> int:
        """How many answers have a label."""
        return int(self.is_labelled.sum())


@dataclass(frozen=True, slots=True)
class Part:
    """What one cell says of its mean."""

    mean: float
    weight: float
    """Of the judge, from 0 to 1."""
    errors: np.ndarray
    """By how much each answer, labels first, moves the mean: their squares add up to its variance."""
    clusters: np.ndarray
    """Of each of these answers."""
    from_labels: float
    """Part of the variance that is due to the labels; it shrinks with each further one."""
    from_judge: float
    """Part that is due to the answers that only the judge has seen."""
    labels_dof: float
    judge_dof: float


@dataclass(frozen=True, slots=True)
class Corrected:
    """A corrected mean with its interval."""

    mean: float
    variance: float
    dof: float
    weight: float
    """Of the judge, averaged over strata."""

    def interval(self, level: float) -> tuple[float, float]:
        """Interval by Student's t; NaN where there are too few labels."""
        if not self.dof > 0:
            return math.nan, math.nan
        reach = critical_value(level, self.dof) * math.sqrt(self.variance)
        return self.mean - reach, self.mean + reach


_NO_WEIGHT = 1e-9
"""Less than this is rounding."""

DISAGREEMENTS = 2
"""Labels that `with_disagreements` adds."""

UNKNOWN = Corrected(math.nan, math.nan, 0.0, math.nan)


def with_disagreements(cell: Cell, number: int = 0) -> Cell:
    """Return a cell of scores from 0 to 1 with two labels more, half a point off in each direction.

    As Agresti and Coull (1998) and, for differences, Bonett and Price (2012) do with whole points: labels
    that all agree with the judge are no proof that the next one will. `number` is that of the stratum.
    """
    first = -1 - DISAGREEMENTS * number
    return Cell(
        np.concatenate([cell.judge, [0.25, 0.75]]),
        np.concatenate([cell.human, [0.75, 0.25]]),
        np.concatenate([cell.cluster, [first, first - 1]]),
    )


def judge_weights(cell: Cell) -> np.ndarray:
    """Weight of the judge for each label, from 0 to 1, found without that label.

    With it the variance is smallest (PPI++). That a label has no part in its own weight keeps the mean
    unbiased with few labels.
    """
    known = cell.is_labelled
    judge, human = cell.judge[known], cell.human[known]
    labels, rest = len(judge), len(known) - len(judge)
    spread = float(cell.judge.var(ddof=1)) if len(known) > 1 else 0.0
    if not rest or labels < FEWEST_LABELS or spread == 0:
        return np.zeros(labels)
    products = (judge - judge.mean()) * (human - human.mean())
    without = (products.sum() - labels / (labels - 1) * products) / (labels - 2)
    weights: np.ndarray = np.clip(without / spread / (1 + labels / rest), 0.0, 1.0)
    weights[weights < _NO_WEIGHT] = 0.0
    return weights


def part_of(cell: Cell) -> Part | None:
    """What a cell says of its mean; None with too few labels."""
    known = cell.is_labelled
    if known.sum() < FEWEST_LABELS:
        return None
    weights = judge_weights(cell)
    weight, unseen = float(weights.mean()), cell.judge[~known]
    centre = float(unseen.mean()) if len(unseen) else 0.0
    corrected = cell.human[known] - weights * (cell.judge[known] - centre)
    off, labels_dof = _errors(corrected, cell.cluster[known])
    if not labels_dof > 0:
        return None
    more, judge_dof = _errors(weight * unseen, cell.cluster[~known])
    return Part(
        mean=float(corrected.mean()),
        weight=weight,
        errors=np.concatenate([off, more]),
        clusters=np.concatenate([cell.cluster[known], cell.cluster[~known]]),
        from_labels=_variance(off, cell.cluster[known]),
        from_judge=_variance(more, cell.cluster[~known]),
        labels_dof=labels_dof,
        judge_dof=judge_dof,
    )


def corrected_mean(cells: Sequence[Cell]) -> Corrected:
    """Mean of a group from its strata, which weigh as many answers as they have.

    Parameters
    ----------
    cells : sequence of Cell
        One per stratum.

    Returns
    -------
    Corrected
        `UNKNOWN` where a stratum has too few labels.

    Notes
    -----
    Stratified prediction-powered inference: Fisch et al. 2024, arXiv:2406.04291. Degrees of freedom are
    Satterthwaite's, of labels and unlabelled answers of all strata.
    """
    total = sum(len(cell.judge) for cell in cells)
    parts = [part_of(cell) for cell in cells]
    if not parts or any(part is None for part in parts):
        return UNKNOWN
    known = [part for part in parts if part is not None]
    shares = [len(cell.judge) / total for cell in cells]
    errors = np.concatenate([s * part.errors for s, part in zip(shares, known, strict=True)])
    variance = _variance(errors, np.concatenate([part.clusters for part in known]))
    pieces = [
        (share**2 * piece, dof)
        for share, part in zip(shares, known, strict=True)
        for piece, dof in (
            (part.from_labels, part.labels_dof),
            (part.from_judge, part.judge_dof),
        )
        if piece > 0
    ]
    apart = sum(piece for piece, _ in pieces)
    squares = sum(piece**2 / dof for piece, dof in pieces)
    return Corrected(
        mean=sum(share * part.mean for share, part in zip(shares, known, strict=True)),
        variance=variance,
        dof=apart**2 / squares if squares else 0.0,
        weight=sum(share * part.weight for share, part in zip(shares, known, strict=True)),
    )


def _errors(values: np.ndarray, cluster: np.ndarray) -> tuple[np.ndarray, float]:
    """By how much each value moves their mean (CR2), and the degrees of freedom that are left.

    Clusters of very different sizes count as fewer of equal size (Kish).
    """
    codes, sizes = np.unique(cluster, return_inverse=True, return_counts=True)[1:]
    if len(sizes) < 2:
        return np.zeros(len(values)), 0.0
    share = sizes / len(values)
    scale = 1 / np.sqrt(1 - share) / len(values)
    dof = 1 / float((share**2).sum()) - 1
    return (values - values.mean()) * scale[codes], dof


def _variance(errors: np.ndarray, cluster: np.ndarray) -> float:
    """Sum of the squares of the errors of each cluster."""
    if not len(errors):
        return 0.0
    codes = np.unique(cluster, return_inverse=True)[1]
    return float((np.bincount(codes, errors) ** 2).sum())
