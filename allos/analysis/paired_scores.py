"""Models compared on the same prompts."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from allos.analysis import mcnemar
from allos.analysis.arguments import require_level
from allos.analysis.clustered_means import Estimate, clustered_mean, unit_means
from allos.analysis.distributions import two_sided_p
from allos.analysis.model_settings import groups_settings
from allos.analysis.multiple_tests import holm
from allos.analysis.results import returns_result
from allos.analysis.scores import ScoredAnswers, scored_answers
from allos.errors import ConfigurationError, did_you_mean

_COLUMNS = [
    *("difference", "low", "high", "p_value"),
    *("n_prompts", "n_answers", "unpaired", "unknown", "test"),
]


@returns_result("paired")
@groups_settings("frame")
def paired(
    frame: pd.DataFrame,
    *,
    score: str,
    a: Any,
    b: Any,
    by: str = "model",
    prompt: str = "prompt",
    cluster: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """How much better `a` is than `b` on the prompts that both answered.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per answer. It is not changed.
    score : str
        Column with the score: numbers, booleans, or ``pass`` and ``fail``.
    a, b : object
        Two values of the column `by`, such as the names of two models.
    by : str
        Column that says whose answer it is.
    prompt : str
        Column that says which answers are to the same prompt; repeats are averaged.
    cluster : str, optional
        Column of what prompts share, such as a conversation or a document.
    level : float
        Of the interval.

    Returns
    -------
    pandas.DataFrame
        One row: `difference` (mean of a minus b, over prompts), `low`, `high`, `p_value` (of no
        difference, two-sided), `n_prompts` that both answered, `n_answers` to them, `unpaired` (prompts
        with a known score of one only, which are left out), `unknown` (answers of the two without a
        score) and `test`.

    Raises
    ------
    ConfigurationError
        A column or one of the two is missing, or they have no prompt in common.

    Notes
    -----
    The difference is taken within each prompt, so that hard prompts make neither look worse (Miller
    2024, arXiv:2411.00640). Pass or fail, once for each prompt: McNemar's mid-p test (Fagerland et al.
    2013) and the interval of Bonett and Price (2012). Anything else: Student's t on the differences,
    with `cluster` cluster-robust (CR2). A score that is not a number on a scale, such as a rank, is
    better compared by votes: `leaderboard`.

    Examples
    --------
    >>> answers = pd.DataFrame({
    ...     "model": ["a", "b"] * 6,
    ...     "prompt": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6],
    ...     "score": [7, 5, 8, 7, 5, 2, 9, 7, 6, 6, 8, 7],
    ... })
    >>> found = paired(answers, score="score", a="a", b="b")
    >>> found[["difference", "low", "high", "n_prompts"]].round(2)
       difference  low  high  n_prompts
    0         1.5  0.4   2.6          6
    """
    require_level(level)
    answers = scored_answers(frame, score, by, prompt, cluster)
    row = _compare(answers, a, b, by, level)
    if not row[_COLUMNS.index("n_prompts")]:
        raise _nothing_in_common(a, b)
    result = pd.DataFrame([row], columns=_COLUMNS)
    result.attrs.update(a=a, b=b, level=level)
    return result


@returns_result("compare_all")
@groups_settings("frame")
def compare_all(
    frame: pd.DataFrame,
    *,
    score: str,
    by: str = "model",
    prompt: str = "prompt",
    cluster: str | None = None,
    baseline: Any = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Every two models compared as by `paired`, with p-values corrected for how many they are.

    Parameters
    ----------
    frame, score, by, prompt, cluster, level
        As for `paired`.
    baseline : object, optional
        A value of `by`: compare the others with this one alone, which needs a smaller correction.

    Returns
    -------
    pandas.DataFrame
        One row per pair, the smallest p-value first: `a`, `b`, the columns of `paired`, and `p_adjusted`,
        Holm's: who claims a difference where it is below 0.05 makes any false claim with a chance of at most 5 %.
        Two models without a prompt in common have `n_prompts` 0, and the rest of the row is unknown.

    Raises
    ------
    ConfigurationError
        As `paired`; there are fewer than two models, or no two have a prompt in common.

    Notes
    -----
    Holm (1979), which needs no independence. The intervals are each for their own pair.

    Examples
    --------
    >>> answers = pd.DataFrame({
    ...     "model": ["a", "b", "c"] * 3,
    ...     "prompt": [1, 1, 1, 2, 2, 2, 3, 3, 3],
    ...     "score": [3, 2, 1, 5, 3, 2, 5, 4, 4],
    ... })
    >>> compare_all(answers, score="score")[["a", "b", "difference"]].round(2)
       a  b  difference
    0  a  b        1.33
    1  a  c        2.00
    2  b  c        0.67
    """
    require_level(level)
    answers = scored_answers(frame, score, by, prompt, cluster)
    models = list(answers.groups)
    if len(models) < 2:
        raise ConfigurationError(
            f"Comparing needs at least two values in {by!r}; the frame has only {models[0]!r}."
        )
    if baseline is None:
        pairs = list(combinations(models, 2))
    else:
        _code(answers, baseline, by)
        pairs = [(model, baseline) for model in models if model != baseline]
    rows = [(a, b, *_compare(answers, a, b, by, level)) for a, b in pairs]
    if not any(row[2 + _COLUMNS.index("n_prompts")] for row in rows):
        raise _nothing_in_common(*pairs[0])
    result = pd.DataFrame(rows, columns=["a", "b", *_COLUMNS])
    result.insert(6, "p_adjusted", holm(result["p_value"].to_numpy()))
    result = result.sort_values("p_value", kind="stable", ignore_index=True)
    result.attrs.update(level=level, correction="Holm")
    return result


def _code(answers: ScoredAnswers, model: Any, by: str) -> int:
    try:
        return list(answers.groups).index(model)
    except ValueError:
        known = [str(value) for value in answers.groups]
        raise ConfigurationError(
            f"The column {by!r} has no {model!r}.{did_you_mean(str(model), known)} "
            f"It has {', '.join(repr(value) for value in answers.groups[:12].tolist())}."
        ) from None


def _nothing_in_common(a: Any, b: Any) -> ConfigurationError:
    return ConfigurationError(
        f"{a!r} and {b!r} have no prompt in common with known scores; paired() compares answers to "
        "the same prompts. score_summary() describes each alone."
    )


def _compare(answers: ScoredAnswers, a: Any, b: Any, by: str, level: float) -> tuple[Any, ...]:
    """One row of `paired`."""
    first, second = _code(answers, a, by), _code(answers, b, by)
    if first == second:
        raise ConfigurationError(f"a and b are both {a!r}; name two different values of {by!r}.")
    (a_prompt, a_score, a_cluster), (b_prompt, b_score, b_cluster) = (
        answers.of(first),
        answers.of(second),
    )
    count = int(answers.prompt.max(initial=-1)) + 1
    a_mean, a_size = unit_means(a_prompt, a_score, count)
    b_mean, b_size = unit_means(b_prompt, b_score, count)
    both = np.flatnonzero((a_size > 0) & (b_size > 0))
    unpaired = int(((a_size > 0) ^ (b_size > 0)).sum())
    unknown = int(answers.unknown[[first, second]].sum())
    if not len(both):
        return (*[math.nan] * 4, 0, 0, unpaired, unknown, None)
    differences = a_mean[both] - b_mean[both]
    clusters = None
    if a_cluster is not None and b_cluster is not None:
        of_prompt = np.zeros(count, dtype=np.int64)
        of_prompt[a_prompt], together = a_cluster, np.concatenate([a_prompt, b_prompt])
        of_prompt[b_prompt] = b_cluster
        if (of_prompt[together] != np.concatenate([a_cluster, b_cluster])).any():
            raise ConfigurationError(
                "A prompt belongs to more than one cluster. paired() compares within a prompt, so cluster= "
                "must be a column that prompts share, such as a document; or leave it out."
            )
        clusters = np.unique(of_prompt[both], return_inverse=True)[1]
        if int(clusters.max()) + 1 == len(both):
            clusters = None
    estimate = clustered_mean(differences, clusters)
    once = bool((a_size[both] == 1).all() and (b_size[both] == 1).all())
    only_a, only_b = int((differences > 0).sum()), int((differences < 0).sum())
    if answers.is_pass_fail and once and clusters is None:
        low, high = mcnemar.difference_interval(only_a, only_b, len(both), level)
        p_value, test = mcnemar.mid_p(only_a, only_b), "McNemar mid-p"
    else:
        low, high = estimate.t_interval(level)
        p_value, test = _t_test(estimate), "paired t"
        if answers.is_pass_fail and estimate.variance == 0:
            # That each prompt had the same difference is no proof that the next one has.
            only = estimate.mean * estimate.clusters
            low, high = mcnemar.difference_interval(
                max(0.0, only), max(0.0, -only), estimate.clusters, level
            )
        if answers.is_pass_fail:
            low, high = max(low, -1.0), min(high, 1.0)
    sizes = int(a_size[both].sum() + b_size[both].sum())
    return (estimate.mean, low, high, p_value, len(both), sizes, unpaired, unknown, test)


def _t_test(estimate: Estimate) -> float:
    error = estimate.standard_error
    if not estimate.dof > 0 or math.isnan(error):
        return math.nan
    if error == 0:
        # Equal differences have no spread to go by: how likely is one sign in all clusters?
        return 1.0 if estimate.mean == 0 else min(1.0, 2.0 ** (1 - estimate.clusters))
    return two_sided_p(estimate.mean / error, estimate.dof)
