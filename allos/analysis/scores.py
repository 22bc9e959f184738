"""Scores of answers, summarised with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from allos.analysis.arguments import codes_of, names_of, require_columns, require_level, scores_of
from allos.analysis.clustered_means import (
    Estimate,
    clustered_mean,
    crossed_mean,
    proportion_interval,
    unit_means,
)
from allos.analysis.model_settings import groups_settings
from allos.analysis.results import returns_result
from allos.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class ScoredAnswers:
    """Answers with a score, by group; rows of unknown score are left out and counted."""

    groups: pd.Index
    """What the answers are grouped by."""
    start: np.ndarray
    """Where the answers of each group begin; they stand together. One entry more: the end."""
    prompt: np.ndarray
    score: np.ndarray
    cluster: np.ndarray | None
    """Number of the prompt and cluster of each answer, from 0, and its score."""
    unknown: np.ndarray
    """Answers of each group whose score is unknown."""
    is_pass_fail: bool
    """Whether every score is 0 or 1."""

    def of(self, group: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Prompt, score and cluster of each answer of a group."""
        rows = slice(self.start[group], self.start[group + 1])
        cluster = None if self.cluster is None else self.cluster[rows]
        return self.prompt[rows], self.score[rows], cluster


def scored_answers(
    frame: pd.DataFrame, score: str, by: str | Sequence[str], prompt: str, cluster: str | None
) -> ScoredAnswers:
    """Read scores from a frame, which is checked and not changed."""
    names = names_of(by)
    clusters = [] if cluster is None else [cluster]
    require_columns(frame, names)
    require_columns(frame, list(dict.fromkeys([score, prompt, *clusters])))
    group, groups = codes_of(frame, names)
    prompts, _ = codes_of(frame, prompt)
    cluster_codes = None if cluster is None else codes_of(frame, cluster)[0]
    scores, is_pass_fail = scores_of(frame, score)
    known = ~np.isnan(scores)
    unknown = np.bincount(group[~known], minlength=len(groups))
    rows = np.argsort(group.astype(np.min_scalar_type(len(groups))), kind="stable")
    rows = rows if known.all() else rows[known[rows]]
    start = np.concatenate([[0], np.cumsum(np.bincount(group[known], minlength=len(groups)))])
    cluster_codes = None if cluster_codes is None else cluster_codes[rows]
    return ScoredAnswers(
        groups, start, prompts[rows], scores[rows], cluster_codes, unknown, is_pass_fail
    )


def estimate_mean(prompts: np.ndarray, scores: np.ndarray, cluster: np.ndarray | None) -> Estimate:
    """Mean over prompts, whose answers are averaged."""
    codes, sizes = np.unique(prompts, return_inverse=True, return_counts=True)[1:]
    means, _ = unit_means(codes, scores, len(sizes))
    if cluster is None:
        return clustered_mean(means)
    first = np.zeros(len(sizes), dtype=np.int64)
    first[codes] = cluster
    if (first[codes] == cluster).all():
        of_prompt = np.unique(first, return_inverse=True)[1]
        return clustered_mean(means, of_prompt)
    own = np.unique(cluster, return_inverse=True)[1]
    return crossed_mean(scores, codes, own, sizes)


@returns_result("score_summary")
@groups_settings("frame")
def score_summary(
    frame: pd.DataFrame,
    *,
    score: str,
    by: str | Sequence[str] = "model",
    prompt: str = "prompt",
    cluster: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean score of each model, with an interval for prompts like these.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per answer. It is not changed.
    score : str
        Column with the score: numbers, booleans, or ``pass`` and ``fail``.
    by : str or sequence of str
        Column or columns to group by.
    prompt : str
        Column that says which answers are repeats of one prompt.
    cluster : str, optional
        Column of what prompts share, such as a conversation, a document or a notebook: answers of one
        cluster are not taken as independent. Prompts may also be spread over clusters.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per group, the best first: the columns of `by`, `n_prompts`, `n_answers` (with a known
        score), `mean`, `low`, `high`, and `unknown`: answers whose score is unknown, which no mean
        includes. ``attrs`` has the `level` and the `method`.

    Raises
    ------
    ConfigurationError
        A column is missing, a score is not a number, or a row has no prompt or group.

    Notes
    -----
    Repeats are averaged within a prompt, and prompts weigh the same; the standard error is that of
    prompts (Miller 2024, "Adding error bars to evals", arXiv:2411.00640) or, with `cluster`, is
    cluster-robust (CR2; Bell and McCaffrey 2002), with Student's t. Scores that are all 0 or 1 get
    Wilson's interval for the effective number of answers, which holds with few prompts and near 0 or 1
    (Bowyer, Aitchison and Ivanova 2025, arXiv:2503.01747).

    It assumes that the prompts, or the clusters, are a random sample of those that you care for, and
    that which scores are unknown has nothing to do with how good the answers are.

    Examples
    --------
    >>> answers = pd.DataFrame({"model": ["a"] * 4, "prompt": [1, 1, 2, 3], "correct": [1, 0, 1, None]})
    >>> score_summary(answers, score="correct")[["model", "n_prompts", "n_answers", "mean", "unknown"]]
      model  n_prompts  n_answers  mean  unknown
    0     a          2          3  0.75        1
    """
    require_level(level)
    answers = scored_answers(frame, score, by, prompt, cluster)
    rows = []
    for number in range(len(answers.groups)):
        prompts, scores, clusters = answers.of(number)
        estimate = estimate_mean(prompts, scores, clusters)
        low, high = (
            proportion_interval(estimate, level, len(scores))
            if answers.is_pass_fail
            else estimate.t_interval(level)
        )
        rows.append((estimate.units, len(scores), estimate.mean, low, high))
    columns = ["n_prompts", "n_answers", "mean", "low", "high"]
    facts = pd.DataFrame(rows, columns=columns).assign(unknown=answers.unknown)
    result = with_groups(answers.groups, by, facts)
    result = result.sort_values("mean", ascending=False, kind="stable", ignore_index=True)
    method = "Wilson's interval for the effective number of answers"
    result.attrs["method"] = method if answers.is_pass_fail else "Student's t, CR2"
    result.attrs["level"] = level
    return result


def with_groups(groups: pd.Index, by: str | Sequence[str], facts: pd.DataFrame) -> pd.DataFrame:
    """Put the columns that were grouped by before the facts of each group."""
    names = [by] if isinstance(by, str) else list(by)
    for name in names:
        if name in facts.columns:
            raise ConfigurationError(
                f"by={name!r} is the name of a column of the result; rename the one that you group by."
            )
    columns = groups.to_frame(index=False)
    columns.columns = pd.Index(names)
    return pd.concat([columns, facts], axis=1)
