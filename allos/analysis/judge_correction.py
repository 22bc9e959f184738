"""Scores of a judge corrected by the human labels that exist, and which labels would help most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from allos.analysis.arguments import codes_of, require_columns, require_level, scores_of
from allos.analysis.distributions import critical_value
from allos.analysis.prediction_powered import (
    DISAGREEMENTS,
    FEWEST_LABELS,
    Cell,
    Corrected,
    corrected_mean,
    part_of,
    with_disagreements,
)
from allos.analysis.results import returns_result
from allos.analysis.scores import with_groups
from allos.errors import ConfigurationError

_SHARES = (0.0, 0.5, 1.0)
"""What a person says who passes an answer or chooses between two."""


class _Judged(NamedTuple):
    """Rows of a frame that a judge has scored, by group and stratum."""

    rows: np.ndarray
    """Positions in the frame."""
    groups: pd.Index
    group: np.ndarray
    stratum: np.ndarray
    cells: list[list[Cell]]
    """Of each group, one for each of its strata, in the order of their numbers."""
    unknown: np.ndarray
    """Of each group, the rows without a score of the judge."""
    is_share: bool
    """Whether all scores are shares of a point: pass or fail, or who won."""


@returns_result("judge_corrected")
def judge_corrected(
    frame: pd.DataFrame,
    *,
    judge: str = "judge",
    human: str = "human",
    by: str | Sequence[str] = "model",
    prompt: str | None = "prompt",
    cluster: str | None = None,
    strata: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean score that people would give, from a judge's scores and a few human labels.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per answer, or per pair of answers, that the judge has scored. It is not changed.
    judge : str
        Column with the judge's score: numbers, booleans, or ``pass`` and ``fail``.
    human : str
        Column with the score of a person, on the same scale; null where there is none.
    by : str or sequence of str
        Column or columns to group by.
    prompt : str, optional
        Column of the prompt: answers to one are not taken as independent. None: all are.
    cluster : str, optional
        Column of what prompts share, such as a document; it takes the place of `prompt`.
    strata : str, optional
        Column of kinds of rows that were labelled more, or less, often than others, such as whether the
        judge changed its verdict when the order was swapped.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per group, the best first: the columns of `by`, `n_answers`, `n_labelled`, `mean`, `low`
        and `high` (corrected; NaN with fewer than three labels, or fewer than three in a stratum),
        `judge_mean` (of all answers, uncorrected), `human_mean` (of the labelled ones), `bias` (judge minus
        human on the labelled ones), `weight` (of the judge, from 0: useless, to 1) and `unknown` (rows
        without a score of the judge, which are left out). ``attrs`` has the `level` and the `method`.

    Raises
    ------
    ConfigurationError
        A column is missing, or a score is not a number.

    Notes
    -----
    Prediction-powered inference (Angelopoulos et al. 2023, arXiv:2301.09633) with a weight of the judge that
    is chosen from the data (PPI++, arXiv:2311.01453), here for each label without that label, so that the
    mean is unbiased with few; with `strata` by Fisch et al. (2024, arXiv:2406.04291). Standard errors are
    clustered; the interval is Student's t with Satterthwaite's degrees of freedom. Where people give
    shares of a point (pass or fail, who of two won), it is that of the labels and two more, each half a
    point from the judge, as Agresti and Coull (1998) add two: a few labels that all agree prove little.

    It assumes that, within a group and a stratum, the labelled rows are a random sample: people who label
    what looks wrong make the judge look worse than it is. `label_next` chooses at random. It assumes
    nothing about the judge, whose errors may go in one direction and depend on anything; a bad one only
    helps less, and with few labels may help by nothing. With two labels or fewer nothing is claimed.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "model": "a", "prompt": range(12), "judge": [5, 4, 5, 5, 3, 5, 5, 4, 4, 5, 3, 5],
    ...     "human": [4, 3, 4, 4, 2, 3] + [None] * 6,
    ... })
    >>> found = judge_corrected(frame)
    >>> found[["n_answers", "n_labelled", "judge_mean", "human_mean", "bias"]].round(2)
       n_answers  n_labelled  judge_mean  human_mean  bias
    0         12           6        4.42        3.33  1.17
    >>> bool(found["high"].item() < found["judge_mean"].item())
    True
    """
    require_level(level)
    judged = _read(frame, judge, human, by, prompt, cluster, strata)
    rows = []
    for cells in judged.cells:
        found = corrected_mean(cells)
        low, high = _interval(cells, found, level, is_share=judged.is_share)
        scores = np.concatenate([np.empty(0), *(cell.judge for cell in cells)])
        labels = np.concatenate([np.empty(0), *(cell.human for cell in cells)])
        known = ~np.isnan(labels)
        some = bool(known.any())
        human_mean = float(labels[known].mean()) if some else math.nan
        rows.append(
            (
                *(len(scores), int(known.sum()), found.mean, low, high),
                float(scores.mean()) if len(scores) else math.nan,
                human_mean,
                float(scores[known].mean()) - human_mean if some else math.nan,
                found.weight,
            )
        )
    columns = ["n_answers", "n_labelled", "mean", "low", "high"]
    columns += ["judge_mean", "human_mean", "bias", "weight"]
    result = with_groups(judged.groups, by, pd.DataFrame(rows, columns=columns))
    result["unknown"] = judged.unknown
    result = result.sort_values("mean", ascending=False, kind="stable", ignore_index=True)
    result.attrs.update(level=level, method="prediction-powered inference (PPI++)")
    return result


@returns_result("label_next")
def label_next(
    frame: pd.DataFrame,
    *,
    judge: str = "judge",
    human: str = "human",
    by: str | Sequence[str] = "model",
    prompt: str | None = "prompt",
    cluster: str | None = None,
    strata: str | None = None,
    n: int = 10,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Rows whose human label narrows the intervals of `judge_corrected` most.

    Parameters
    ----------
    frame, judge, human, by, prompt, cluster, strata, level
        As for `judge_corrected`.
    n : int
        How many rows; fewer where fewer are without a label.
    seed : int
        Of the random choice within a group.

    Returns
    -------
    pandas.DataFrame
        Rows of the frame, with its index, the most useful first, and a column `half_width`: half of the
        interval of the row's group once this row and those above are labelled, if labels go on differing
        from the judge as they do; NaN while that is unknown.

    Raises
    ------
    ConfigurationError
        As `judge_corrected`; `n` is not an integer >= 1.

    Notes
    -----
    Groups, and strata of them, with fewer than three labels come first; then each label goes where it
    makes half an interval shorter by most. Within a stratum of a group the choice is random: labels must be
    a random sample of it, and whoever picks the rows that look wrong biases the correction. To ask more
    often where the judge is unsure, name that as `strata`, here and in `judge_corrected`.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "model": ["a"] * 40 + ["b"] * 40, "prompt": [*range(40)] * 2, "judge": [1, 0, 1, 1] * 20,
    ...     "human": [1, 0, 1, 1] * 3 + [None] * 28 + [0, 1, 1, 0] * 3 + [None] * 28,
    ... })
    >>> label_next(frame, n=3)["model"].tolist()  # where judge and people differ
    ['b', 'b', 'b']
    """
    require_level(level)
    if type(n) is not int or n < 1:
        raise ConfigurationError(f"n must be an integer >= 1, got {n!r:.80}.")
    judged = _read(frame, judge, human, by, prompt, cluster, strata)
    open_rows: dict[tuple[int, int], list[int]] = {}
    chooser = np.random.default_rng(seed)
    has_label = ~np.isnan(scores_of(frame, human)[0])
    for at in chooser.permutation(len(judged.rows)):
        row = int(judged.rows[at])
        if not has_label[row]:
            key = (int(judged.group[at]), int(judged.stratum[at]))
            open_rows.setdefault(key, []).append(row)
    plans = [_Plan(cells, level, is_share=judged.is_share) for cells in judged.cells]
    chosen: list[int] = []
    widths: list[float] = []
    while len(chosen) < n and open_rows:
        key = max(open_rows, key=lambda key: (plans[key[0]].gain(key[1]), -key[0], -key[1]))
        chosen.append(open_rows[key].pop())
        if not open_rows[key]:
            del open_rows[key]
        plans[key[0]].add(key[1])
        widths.append(plans[key[0]].half_width())
    result = frame.iloc[chosen].copy()
    result["half_width"] = widths
    return result


class _Plan:
    """How wide the interval of a group becomes with more labels."""

    def __init__(self, cells: Sequence[Cell], level: float, *, is_share: bool) -> None:
        self._level = level
        total = sum(len(cell.judge) for cell in cells)
        self._shares = [len(cell.judge) / total for cell in cells]
        self._sizes = [len(cell.judge) for cell in cells]
        self._labels = [cell.labels for cell in cells]
        self._added = DISAGREEMENTS if is_share else 0
        parts = [part_of(with_disagreements(cell) if is_share else cell) for cell in cells]
        # What one label adds to the variance, and what the answers without one do.
        self._spread = [
            math.nan if part is None else part.from_labels * (labels + self._added)
            for part, labels in zip(parts, self._labels, strict=True)
        ]
        self._rest = [0.0 if part is None else part.from_judge for part in parts]

    def half_width(self, more: int | None = None) -> float:
        """Half of the interval, with one label more in a stratum; NaN while that is unknown."""
        labels = [count + (at == more) for at, count in enumerate(self._labels)]
        if min(labels) < FEWEST_LABELS:
            return math.nan
        variance = sum(
            share**2 * (spread / (count + self._added) + (0.0 if count >= size else rest))
            for share, spread, count, rest, size in zip(
                *(self._shares, self._spread, labels, self._rest, self._sizes), strict=True
            )
        )
        dof = max(1, sum(labels) - len(labels))
        return critical_value(self._level, dof) * math.sqrt(variance)

    def gain(self, stratum: int) -> float:
        """By how much one label more makes the interval shorter; infinite where it is needed first."""
        if self._labels[stratum] < FEWEST_LABELS:
            return math.inf
        now, then = self.half_width(), self.half_width(stratum)
        return 0.0 if math.isnan(now) or math.isnan(then) else now - then

    def add(self, stratum: int) -> None:
        """Count a label in."""
        self._labels[stratum] += 1


def _interval(
    cells: Sequence[Cell], found: Corrected, level: float, *, is_share: bool
) -> tuple[float, float]:
    if not is_share or not found.dof > 0:
        return found.interval(level)
    wider = [with_disagreements(cell, number) for number, cell in enumerate(cells)]
    low, high = corrected_mean(wider).interval(level)
    return max(0.0, low), min(1.0, high)


def _read(
    frame: pd.DataFrame,
    judge: str,
    human: str,
    by: str | Sequence[str],
    prompt: str | None,
    cluster: str | None,
    strata: str | None,
) -> _Judged:
    names = [by] if isinstance(by, str) else list(by)
    require_columns(frame, names)
    together = cluster if cluster is not None else prompt
    more = [name for name in (together, strata) if name is not None]
    require_columns(frame, list(dict.fromkeys([judge, human, *more])))
    if judge == human:
        raise ConfigurationError(
            f"judge and human are both {judge!r}; name two different columns: the judge's scores and "
            "those of people."
        )
    scores, labels = scores_of(frame, judge)[0], scores_of(frame, human)[0]
    groups, values = codes_of(frame, names if len(names) > 1 else names[0])
    clusters = np.arange(len(frame)) if together is None else codes_of(frame, together)[0]
    kinds = np.zeros(len(frame), np.int64) if strata is None else codes_of(frame, strata)[0]
    is_known = ~np.isnan(scores)
    rows = np.flatnonzero(is_known)
    group, kind = groups[rows], kinds[rows]
    pairs = group.astype(np.int64) * (int(kinds.max()) + 1) + kind
    cells: list[list[Cell]] = [[] for _ in range(len(values))]
    stratum = np.zeros(len(rows), np.int64)
    order = np.argsort(pairs, kind="stable")
    for inside in np.split(order, np.flatnonzero(np.diff(pairs[order])) + 1):
        if not len(inside):
            continue
        place, own = rows[inside], cells[int(group[inside[0]])]
        stratum[inside] = len(own)
        own.append(Cell(scores[place], labels[place], clusters[place]))
    known = labels[rows][~np.isnan(labels[rows])]
    judged = scores[rows]
    is_share = bool(len(known)) and bool(np.isin(known, _SHARES).all())
    is_share = is_share and bool(((judged >= 0) & (judged <= 1)).all())
    return _Judged(
        *(rows, values, group, stratum, cells),
        np.bincount(groups[~is_known], minlength=len(values)),
        is_share,
    )
