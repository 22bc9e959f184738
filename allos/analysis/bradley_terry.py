"""The Bradley-Terry model of votes, with intervals clustered by rater and prompt.

The chance that a model wins is the logistic function of the difference of two strengths; a tie is
half a win for each (Bradley and Terry 1952). Covariates, differences between the two answers, may be
fitted beside the strengths.

A weak prior keeps a model that always wins finite: each model has one virtual vote, a tie with an
opponent of average strength. It is counted as data in the variance too, so that the interval of such a model
is as wide as it should be. Effects have a weak normal prior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from allos.analysis.votes import Votes

PRIOR_VOTES = 1.0
"""Virtual ties of each model with an average opponent."""
EFFECT_PRECISION = 0.1
"""Of the normal prior of each effect, around 0: one that decides every vote stays finite."""
_CHUNK_CELLS = 4_000_000
"""Numbers in memory at once while residuals are summed by cluster."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Strengths of models, and what a covariate is worth."""

    strengths: np.ndarray
    """Log odds against an average opponent; their mean is 0."""
    effects: np.ndarray
    """Log odds for one unit of each covariate."""
    covariance: np.ndarray
    """Of strengths, then effects; cluster-robust."""
    naive: np.ndarray
    """The covariance as it would be with independent votes."""
    raters: int
    prompts: int
    """How many raters and prompts there are."""
    dof: float
    """Degrees of freedom for intervals."""


def fit(votes: Votes, covariates: np.ndarray | None = None) -> Fit:
    """Fit the model to votes.

    Parameters
    ----------
    votes : Votes
        At least one.
    covariates : numpy.ndarray, optional
        One row per vote, one column per difference between the two answers.

    Returns
    -------
    Fit
        The covariance is the sandwich of Cameron, Gelbach and Miller (2011), clustered by rater and by
        prompt at once.
    """
    count = len(votes.models)
    if covariates is None:
        # Votes between the same two models with the same outcome are alike.
        key = (votes.first * count + votes.second) * 3 + (votes.outcome * 2).astype(np.int64)
        weight = np.bincount(key, minlength=3 * count * count)
        cells = np.flatnonzero(weight)
        pair, double = np.divmod(cells, 3)
        parameters, hessian = _newton(
            pair // count, pair % count, double / 2, weight[cells].astype(float), count, None
        )
    else:
        ones = np.ones(len(votes))
        parameters, hessian = _newton(
            votes.first, votes.second, votes.outcome, ones, count, covariates
        )
    residual = votes.outcome - _chance(parameters, votes.first, votes.second, count, covariates)
    prior = _chance_of(parameters[:count])
    virtual = np.zeros(len(parameters))
    virtual[count:] = EFFECT_PRECISION
    virtual[:count] = PRIOR_VOTES * ((1 - prior) ** 2 + prior**2) / 2
    meat, dof = _two_way(votes, residual, covariates, count)
    # Strengths are compared with each other, not with the virtual opponent.
    inverse = np.linalg.inv(hessian)
    inverse[:count] -= inverse[:count].mean(axis=0)
    covariance = inverse @ (meat + np.diag(virtual)) @ inverse.T
    strengths = parameters[:count] - parameters[:count].mean()
    naive = inverse @ hessian @ inverse.T
    raters, prompts = int(votes.rater.max()) + 1, int(votes.prompt.max()) + 1
    return Fit(strengths, parameters[count:], covariance, naive, raters, prompts, dof)


def _newton(
    first: np.ndarray,
    second: np.ndarray,
    outcome: np.ndarray,
    weight: np.ndarray,
    count: int,
    covariates: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters of the largest likelihood, and the matrix of second derivatives there."""
    size = count + (0 if covariates is None else covariates.shape[1])
    parameters = np.zeros(size)
    best = _loss(parameters, first, second, outcome, weight, count, covariates)
    hessian = np.eye(size)
    for _ in range(100):
        chance = _chance(parameters, first, second, count, covariates)
        gradient = _sums(weight * (outcome - chance), first, second, count, covariates)
        prior = _chance_of(parameters[:count])
        gradient[:count] += PRIOR_VOTES * (0.5 - prior)
        gradient[count:] -= EFFECT_PRECISION * parameters[count:]
        hessian = _information(weight * chance * (1 - chance), first, second, count, covariates)
        hessian[np.arange(count), np.arange(count)] += PRIOR_VOTES * prior * (1 - prior)
        hessian[np.arange(count, size), np.arange(count, size)] += EFFECT_PRECISION
        step = np.linalg.solve(hessian, gradient)
        if np.abs(step).max() < 1e-9:
            break
        for _ in range(30):
            loss = _loss(parameters + step, first, second, outcome, weight, count, covariates)
            if loss <= best + 1e-12 * abs(best):
                break
            step = step / 2
        parameters, best = parameters + step, loss
    return parameters, hessian


def _chance_of(log_odds: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(log_odds / 2))


def _log_odds(
    parameters: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    count: int,
    covariates: np.ndarray | None,
) -> np.ndarray:
    odds: np.ndarray = parameters[first] - parameters[second]
    return odds if covariates is None else odds + covariates @ parameters[count:]


def _chance(
    parameters: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    count: int,
    covariates: np.ndarray | None,
) -> np.ndarray:
    return _chance_of(_log_odds(parameters, first, second, count, covariates))


def _loss(
    parameters: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    outcome: np.ndarray,
    weight: np.ndarray,
    count: int,
    covariates: np.ndarray | None,
) -> float:
    """Negative log-likelihood, the prior included."""
    odds = _log_odds(parameters, first, second, count, covariates)
    votes = weight @ (np.logaddexp(0, odds) - outcome * odds)
    strengths, effects = parameters[:count], parameters[count:]
    virtual = PRIOR_VOTES * (np.logaddexp(0, strengths) - strengths / 2).sum()
    return float(votes + virtual + EFFECT_PRECISION / 2 * (effects**2).sum())


def _sums(
    residual: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    count: int,
    covariates: np.ndarray | None,
) -> np.ndarray:
    """Derivative of the log-likelihood by each parameter."""
    strengths = np.bincount(first, residual, count) - np.bincount(second, residual, count)
    return strengths if covariates is None else np.concatenate([strengths, covariates.T @ residual])


def _information(
    weight: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    count: int,
    covariates: np.ndarray | None,
) -> np.ndarray:
    """Sum over votes of a weight times the square of the vote's row of the design."""
    between = np.bincount(first * count + second, weight, count * count).reshape(count, count)
    between = (between + between.T).astype(float)
    strengths = np.diag(between.sum(axis=1)) - between
    if covariates is None:
        return strengths
    crossed = np.column_stack(
        [_sums(weight * column, first, second, count, None) for column in covariates.T]
    )
    own = covariates.T @ (weight[:, None] * covariates)
    return np.block([[strengths, crossed], [crossed.T, own]])


def _two_way(
    votes: Votes, residual: np.ndarray, covariates: np.ndarray | None, count: int
) -> tuple[np.ndarray, float]:
    """Variance of the sum of derivatives, and degrees of freedom."""
    both = pd.factorize(
        votes.rater.astype(np.int64) * (int(votes.prompt.max()) + 1) + votes.prompt
    )[0]
    parts = [
        _clustered(grouping, votes, residual, covariates, count)
        for grouping in (votes.rater, votes.prompt, both)
    ]
    (by_rater, of_raters), (by_prompt, of_prompts), (by_both, _) = parts
    if of_raters == 0 or of_prompts == 0:
        # One rater, or one prompt, cannot tell how others would vote: the other way alone.
        known = by_prompt if of_raters == 0 else by_rater
        return (known, max(of_raters, of_prompts)) if of_raters or of_prompts else (by_both, 1.0)
    return _positive(by_rater + by_prompt - by_both), min(of_raters, of_prompts)


def _clustered(
    grouping: np.ndarray,
    votes: Votes,
    residual: np.ndarray,
    covariates: np.ndarray | None,
    count: int,
) -> tuple[np.ndarray, float]:
    """Sum over clusters of the square of their summed derivatives, and degrees of freedom.

    A cluster's residuals are scaled up by its share of the votes, as CR2 does for a mean.
    """
    size = np.bincount(grouping)
    groups = int((size > 0).sum())
    share = size / len(votes)
    alone = size[grouping] == 1
    residual = residual / np.sqrt(np.maximum(1 - share[grouping], 1 / len(votes)))
    single = residual[alone]
    meat = _information(
        single**2,
        votes.first[alone],
        votes.second[alone],
        count,
        None if covariates is None else covariates[alone],
    )
    rows = np.flatnonzero(~alone)
    # Clusters of several votes, numbered from 0. Votes of one chunk of them need not be next to each other.
    number = (np.cumsum(size > 1) - 1)[grouping[rows]]
    several = int((size > 1).sum())
    per_chunk = max(1, _CHUNK_CELLS // meat.shape[0])
    for start in range(0, several, per_chunk):
        inside = (number >= start) & (number < start + per_chunk)
        part = rows[inside] if several > per_chunk else rows
        sums = _sums_by_cluster(
            number[inside] - start if several > per_chunk else number,
            min(per_chunk, several - start),
            residual[part],
            votes.first[part],
            votes.second[part],
            count,
            None if covariates is None else covariates[part],
        )
        meat += sums.T @ sums
    return meat, float(groups - 1)


def _sums_by_cluster(
    cluster: np.ndarray,
    groups: int,
    residual: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    count: int,
    covariates: np.ndarray | None,
) -> np.ndarray:
    cells = groups * count
    sums = np.bincount(cluster * count + first, residual, cells)
    sums -= np.bincount(cluster * count + second, residual, cells)
    sums = sums.reshape(groups, count)
    if covariates is None:
        return sums
    own = [np.bincount(cluster, residual * column, groups) for column in covariates.T]
    return np.column_stack([sums, *own])


def _positive(matrix: np.ndarray) -> np.ndarray:
    """Nearest matrix without negative variances."""
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= 0:
        return matrix
    return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)
