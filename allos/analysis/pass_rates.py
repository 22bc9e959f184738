"""How often a model passes when it may try, or must succeed, several times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from allos.analysis.arguments import require_level, values_of
from allos.analysis.clustered_means import clustered_mean, proportion_interval
from allos.analysis.model_settings import groups_settings
from allos.analysis.results import returns_result
from allos.analysis.scores import scored_answers, with_groups
from allos.errors import ConfigurationError


@returns_result("pass_at_k")
@groups_settings("frame")
def pass_at_k(
    frame: pd.DataFrame,
    *,
    score: str,
    k: int | Sequence[int] = 1,
    by: str | Sequence[str] = "model",
    prompt: str = "prompt",
    cluster: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Chance that at least one of `k` answers to a prompt passes.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per answer, at least `k` for each prompt. It is not changed.
    score : str
        Column with pass or fail: booleans, 0 and 1, or these words.
    k : int or sequence of int
        How many answers; several give a row each.
    by, prompt, cluster, level
        As for `score_summary`.

    Returns
    -------
    pandas.DataFrame
        One row per group and `k`: the columns of `by`, `k`, `n_prompts`, `n_answers`, `mean` (the
        chance, over prompts), `low`, `high`, `unknown` (answers without a score) and `too_few` (prompts
        with fewer than `k` known answers, which are left out).

    Raises
    ------
    ConfigurationError
        The scores are not pass or fail, or `k` is not an integer >= 1.

    Notes
    -----
    The unbiased estimate of Chen et al. (2021, arXiv:2107.03374), with the interval of `score_summary`.

    Examples
    --------
    >>> answers = pd.DataFrame({"model": "a", "prompt": [1, 1, 2, 2], "passed": [1, 0, 0, 0]})
    >>> pass_at_k(answers, score="passed", k=[1, 2])[["k", "mean"]]
       k  mean
    0  1  0.25
    1  2  0.50
    """
    return _over_prompts(frame, "at", score, k, by, prompt, cluster, level)


@returns_result("pass_all_k")
@groups_settings("frame")
def pass_all_k(
    frame: pd.DataFrame,
    *,
    score: str,
    k: int | Sequence[int] = 1,
    by: str | Sequence[str] = "model",
    prompt: str = "prompt",
    cluster: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Chance that all of `k` answers to a prompt pass: how reliable a model is.

    Parameters
    ----------
    frame, score, k, by, prompt, cluster, level
        As for `pass_at_k`.

    Returns
    -------
    pandas.DataFrame
        As `pass_at_k`.

    Raises
    ------
    ConfigurationError
        As `pass_at_k`.

    Notes
    -----
    The unbiased estimate of Yao et al. (2024, arXiv:2406.12045), who call it pass^k.

    Examples
    --------
    >>> answers = pd.DataFrame({"model": "a", "prompt": [1, 1, 2, 2], "passed": [1, 0, 1, 1]})
    >>> pass_all_k(answers, score="passed", k=[1, 2])[["k", "mean"]]
       k  mean
    0  1  0.75
    1  2  0.50
    """
    return _over_prompts(frame, "all", score, k, by, prompt, cluster, level)


def _over_prompts(
    frame: pd.DataFrame,
    kind: Literal["at", "all"],
    score: str,
    k: int | Sequence[int],
    by: str | Sequence[str],
    prompt: str,
    cluster: str | None,
    level: float,
) -> pd.DataFrame:
    require_level(level)
    counts = _counts(k)
    answers = scored_answers(frame, score, by, prompt, cluster)
    if not answers.is_pass_fail and len(answers.score):
        raise ConfigurationError(
            f"The scores in {score!r} are not pass or fail; say what passes, such as frame[{score!r}] >= 0.5."
        )
    rows, places = [], []
    for number in range(len(answers.groups)):
        prompts, scores, clusters = answers.of(number)
        codes, sizes = np.unique(prompts, return_inverse=True, return_counts=True)[1:]
        passed = np.bincount(codes, scores, minlength=len(sizes)).round()
        of_prompt = None
        if clusters is not None:
            of_prompt = np.zeros(len(sizes), dtype=np.int64)
            of_prompt[codes] = clusters
            if (of_prompt[codes] != clusters).any():
                raise ConfigurationError(
                    "A prompt belongs to more than one cluster; cluster= must be a column that prompts "
                    "share, such as a document."
                )
        for count in counts:
            enough = sizes >= count
            chosen = passed if kind == "all" else sizes - passed
            chance = _all_of(sizes[enough], chosen[enough], count)
            chance = chance if kind == "all" else 1 - chance
            estimate = clustered_mean(chance, None if of_prompt is None else of_prompt[enough])
            n_answers = int(sizes[enough].sum())
            low, high = proportion_interval(estimate, level, n_answers)
            few = int((~enough).sum())
            unknown = int(answers.unknown[number])
            rows.append((count, estimate.units, n_answers, estimate.mean, low, high, unknown, few))
            places.append(number)
    columns = ["k", "n_prompts", "n_answers", "mean", "low", "high", "unknown", "too_few"]
    result = with_groups(answers.groups[places], by, pd.DataFrame(rows, columns=columns))
    result.attrs.update(level=level, method="unbiased, with Wilson's interval")
    return result


def _counts(k: Any) -> list[int]:
    counts = values_of(k)
    for count in counts:
        valid = isinstance(count, int | np.integer) and not isinstance(count, bool)
        if not valid or count < 1:
            raise ConfigurationError(
                f"k must be an integer >= 1, or a list of them; got {count!r}."
            )
    return [int(count) for count in counts]


def _all_of(sizes: np.ndarray, chosen: np.ndarray, k: int) -> np.ndarray:
    """Chance that `k` answers, drawn of `sizes`, are all among the `chosen` ones."""
    steps = np.arange(k)
    left = np.maximum(chosen[:, None] - steps, 0)
    return np.asarray((left / (sizes[:, None] - steps)).prod(axis=1))
