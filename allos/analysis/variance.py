"""Where the spread of scores comes from: prompts, repeats, judges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from allos.analysis.arguments import (
    codes_of,
    names_of,
    require_columns,
    require_positive,
    scores_of,
)
from allos.analysis.model_settings import groups_settings
from allos.analysis.results import returns_result
from allos.analysis.scores import with_groups
from allos.errors import ConfigurationError

_COLUMNS = [
    *("n_prompts", "n_answers", "prompt_variance", "repeat_variance", "judge_variance"),
    *("prompt_share", "repeat_share", "judge_share", "best_spent_on", "unknown", "advice"),
]


@returns_result("variance_split")
@groups_settings("frame")
def variance_split(
    frame: pd.DataFrame,
    *,
    score: str,
    by: str | Sequence[str] = "model",
    prompt: str = "prompt",
    answer: str | None = None,
    judge: str | None = None,
    row_cost: float = 1.0,
) -> pd.DataFrame:
    """How much of the spread of scores is between prompts, between repeats, and between judges.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per score. It is not changed.
    score : str
        Column with the score: numbers, booleans, or ``pass`` and ``fail``.
    by : str or sequence of str
        Column or columns to group by.
    prompt : str
        Column that says which answers are repeats of one prompt.
    answer : str, optional
        Column that says which scores are of one answer, such as ``"id"``: needed with `judge`.
    judge : str, optional
        Column that says who gave the score.
    row_cost : float
        What a new prompt costs to write and label, in answers.

    Returns
    -------
    pandas.DataFrame
        One row per group: the columns of `by`, `n_prompts`, `n_answers`, `prompt_variance`,
        `repeat_variance`, `judge_variance` (NaN where these rows cannot tell), their shares of the sum,
        `best_spent_on` (``rows`` or ``repeats``; None if unknown), `unknown` (rows without a score) and `advice`,
        a sentence.

    Raises
    ------
    ConfigurationError
        A column is missing; `judge` is given without `answer`.

    Notes
    -----
    Each component is estimated without bias from the squared differences of two scores that share, or do
    not share, prompt, answer and judge; negative estimates are 0. `judge_variance` is half the mean squared
    difference of two judges on one answer: their strictness and their noise. With P prompts of K answers
    the variance of a mean is (prompt + repeat / K) / P, so that the best K for a budget is
    sqrt(row_cost * repeat / prompt): with fewer repeats than that they pay more than rows do (Cochran 1977,
    "Sampling Techniques", section 10.6).

    Examples
    --------
    >>> answers = pd.DataFrame({"model": "a", "prompt": [1, 1, 2, 2, 3, 3], "score": [1, 2, 5, 5, 9, 8]})
    >>> print(variance_split(answers, score="score")["advice"].item())
    The next dollar is best spent on rows: 97 % of the variance is between prompts.
    """
    if judge is not None and answer is None:
        raise ConfigurationError(
            "With judge=, answer= must name the column that says which scores are of one answer, such as 'id'."
        )
    require_positive("row_cost", row_cost)
    names = names_of(by)
    extra = [name for name in (answer, judge) if name is not None]
    require_columns(frame, names)
    require_columns(frame, list(dict.fromkeys([score, prompt, *extra])))
    group, groups = codes_of(frame, names)
    prompts = codes_of(frame, prompt)[0]
    answers = np.arange(len(frame)) if answer is None else codes_of(frame, answer)[0]
    judges = np.zeros(len(frame), np.int64) if judge is None else codes_of(frame, judge)[0]
    scores = scores_of(frame, score)[0]
    known = ~np.isnan(scores)
    rows = []
    for number in range(len(groups)):
        chosen = np.flatnonzero((group == number) & known)
        unknown = int(((group == number) & ~known).sum())
        codes = (prompts[chosen], answers[chosen], judges[chosen])
        rows.append(_row(scores[chosen], *codes, row_cost, unknown, judge is not None))
    result = with_groups(groups, by, pd.DataFrame(rows, columns=_COLUMNS))
    result.attrs["advice"] = result["advice"].tolist()
    return result


def variance_components(
    scores: np.ndarray, prompts: np.ndarray, answers: np.ndarray, judges: np.ndarray
) -> tuple[float, float, float]:
    """Variance between prompts, between repeats of a prompt, and between judges of an answer.

    Parameters
    ----------
    scores, prompts, answers, judges : numpy.ndarray
        One entry per score: itself, and the numbers of its prompt, answer and judge.

    Returns
    -------
    prompt, repeat, judge : float
        At least 0; NaN where no two scores tell.
    """
    if not len(scores):
        return math.nan, math.nan, math.nan
    scores = scores - scores.mean()
    of_prompt, of_answer, of_judge = (_numbered(codes) for codes in (prompts, answers, judges))
    everything = _Pairs(scores, np.zeros(len(scores), dtype=np.int64))
    prompt, answer = _Pairs(scores, of_prompt), _Pairs(scores, _both(of_prompt, of_answer))
    judge, prompt_judge = _Pairs(scores, of_judge), _Pairs(scores, _both(of_prompt, of_judge))
    answer_judge = _Pairs(scores, _both(_both(of_prompt, of_answer), of_judge))
    # What the half squared difference of two scores is made of: prompt, answer, judge, noise.
    kinds = [
        (answer - answer_judge, [0, 0, 1, 1]),
        (prompt_judge - answer_judge, [0, 1, 0, 1]),
        (judge - prompt_judge, [1, 1, 0, 1]),
        (prompt - answer - prompt_judge + answer_judge, [0, 1, 1, 1]),
        (everything - judge - prompt + prompt_judge, [1, 1, 1, 1]),
    ]
    found = [(pairs, made_of) for pairs, made_of in kinds if pairs.count > 0.5]
    if not found:
        return math.nan, math.nan, math.nan
    design = np.array([made_of for _, made_of in found], dtype=float)
    values = np.array([pairs.half_mean_square for pairs, _ in found])
    root = np.sqrt([pairs.count for pairs, _ in found])
    solved = np.linalg.lstsq(design * root[:, None], values * root, rcond=None)[0]

    def estimable(contrast: list[int]) -> float:
        rows = np.vstack([design, contrast])
        if np.linalg.matrix_rank(rows) > np.linalg.matrix_rank(design):
            return math.nan
        return max(0.0, float(np.dot(contrast, solved)))

    of_judges = estimable([0, 0, 1, 1])
    # Without a second judge the noise of one cannot be separated from repeats.
    repeat = estimable([0, 1, 0, 0]) if answer.count > answer_judge.count else math.nan
    return (
        estimable([1, 0, 0, 0]),
        estimable([0, 1, 0, 1]) if math.isnan(repeat) else repeat,
        of_judges,
    )


class _Pairs:
    """Pairs of scores that share a label: their number and the sum of their squared differences."""

    def __init__(self, scores: np.ndarray, labels: np.ndarray) -> None:
        size = np.bincount(labels).astype(float)
        total, squares = np.bincount(labels, scores), np.bincount(labels, scores**2)
        self.count = float((size * (size - 1)).sum() / 2)
        self.squares = float((size * squares - total**2).sum())

    @property
    def half_mean_square(self) -> float:
        return max(0.0, self.squares / self.count / 2)

    def __add__(self, other: _Pairs) -> _Pairs:
        return self._with(other, 1)

    def __sub__(self, other: _Pairs) -> _Pairs:
        return self._with(other, -1)

    def _with(self, other: _Pairs, sign: int) -> _Pairs:
        result = _Pairs.__new__(_Pairs)
        result.count = self.count + sign * other.count
        result.squares = self.squares + sign * other.squares
        return result


def _numbered(codes: np.ndarray) -> np.ndarray:
    return np.asarray(np.unique(codes, return_inverse=True)[1])


def _both(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return _numbered(first.astype(np.int64) * (int(second.max(initial=0)) + 1) + second)


def _row(
    scores: np.ndarray,
    prompts: np.ndarray,
    answers: np.ndarray,
    judges: np.ndarray,
    row_cost: float,
    unknown: int,
    judged: bool,
) -> tuple[Any, ...]:
    """One row of `variance_split`."""
    prompt, repeat, judge = variance_components(scores, prompts, answers, judges)
    if not judged:
        judge = math.nan
    n_prompts = len(np.unique(prompts))
    n_answers = len(np.unique(_both(prompts, answers))) if len(scores) else 0
    parts = np.array([prompt, repeat, judge])
    total = np.nansum(parts)
    shares = parts / total if total > 0 else np.full(3, math.nan)
    spent, advice = _advice(prompt, repeat, shares, n_answers / max(n_prompts, 1), row_cost)
    return (n_prompts, n_answers, *parts, *shares, spent, unknown, advice)


def _advice(
    prompt: float, repeat: float, shares: np.ndarray, repeats: float, row_cost: float
) -> tuple[str | None, str]:
    """What the next dollar is best spent on, and the sentence that says so."""
    if math.isnan(prompt) or math.isnan(repeat):
        missing = "prompts" if math.isnan(prompt) and not math.isnan(repeat) else "repeats"
        return None, f"The split is unknown: it needs {missing} of at least two for some rows."
    if prompt + repeat == 0:
        return None, "All scores are equal: there is no spread to split."
    if repeats < math.sqrt(row_cost * repeat / prompt) if prompt else row_cost > 0:
        share = f"{shares[1]:.0%}".replace("%", " %")
        return (
            "repeats",
            f"The next dollar is best spent on repeats: {share} of the variance is between repeats of a prompt.",
        )
    share = f"{shares[0]:.0%}".replace("%", " %")
    return (
        "rows",
        f"The next dollar is best spent on rows: {share} of the variance is between prompts.",
    )
