"""Models ranked by votes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from allos.analysis.arguments import require_level
from allos.analysis.bradley_terry import Fit, fit
from allos.analysis.distributions import critical_value
from allos.analysis.results import returns_result
from allos.analysis.style import covariates_of
from allos.analysis.votes import Votes, read_votes_between_models, votes_that_count
from allos.errors import ConfigurationError

CENTRE = 1000.0
"""Rating of a model of average strength."""
SCALE = 400 / math.log(10)
"""Points of rating for one unit of log odds: 400 points are odds of 10 to 1, as in chess."""
FEW_VOTES = 30
"""Below so many votes of a model, a difference that is not seen says nothing."""
_MOST_MORE = 10_000
_MANY_CLUSTERS = 200
"""From here more raters make Student's t no smaller to speak of."""


@returns_result("leaderboard")
def leaderboard(
    votes: pd.DataFrame,
    level: float = 0.95,
    *,
    style: Sequence[str] | None = None,
    rater: str | None = None,
) -> pd.DataFrame:
    """Models ranked by votes between two answers, with intervals of ratings and of ranks.

    Parameters
    ----------
    votes : pandas.DataFrame
        One row per vote, columns `rater`, `prompt`, `model_a`, `model_b` and `winner`: ``a``, ``b``,
        ``tie``, or ``bad`` where both answers are. It is not changed. Votes of judges (`rater` begins with
        ``judge:``) are left out where people voted as well, and so are votes between two answers of one
        model; the notes say so.
    level : float
        Of the intervals.
    style : sequence of str, optional
        Differences in style that the ratings leave out, such as ``["length", "markdown", "speed"]``; see
        `style_effects` for the columns that they need.
    rater : str, optional
        Rank by the votes of this rater alone: a person's name, or a judge such as
        ``"judge:openai/gpt-5.4-mini"``.

    Returns
    -------
    pandas.DataFrame
        One row per model, the best first: `model`, `rating` (1000 is the average of these models; 400
        points more are odds of 10 to 1), `low`, `high`, `rank_low` and `rank_high` (the best and the
        worst rank that the votes allow), `votes`, and of these `wins`, `losses`, `ties` and `both_bad`
        (which the rating takes as ties). With `style` also `without_style`: how many points of the rating go
        away once style is left out. ``attrs["notes"]`` says what these votes cannot tell, and about how
        many more would, if the models differ as much as it seems so far.

    Raises
    ------
    ConfigurationError
        These are not votes between two answers: a column is missing, a winner is not one of the four,
        or there is one model only. Thumbs for single answers are not votes and cannot rank models.

    Notes
    -----
    Bradley-Terry, a tie as half a win for each. Votes of one rater, and votes on one prompt, are not
    independent: standard errors are clustered by both (the sandwich of Cameron, Gelbach and Miller 2011),
    with Student's t for the smaller of the two numbers. A rank is a set (Mogstad, Romano, Shaikh and
    Wilhelm 2024): a model is placed above another only where the interval of their difference, widened
    for the number of models (Bonferroni), excludes 0. Each model has one virtual tie with an average
    opponent, so that one that always wins has a finite rating.

    It assumes that strength is one number (no circles such as a > b > c > a), and that raters and prompts
    are like those that you care for.

    Examples
    --------
    >>> votes = pd.DataFrame({
    ...     "rater": ["ann", "bob", "eve"] * 4,
    ...     "prompt": range(12),
    ...     "model_a": "red",
    ...     "model_b": "blue",
    ...     "winner": ["a", "a", "tie", "b"] * 3,
    ... })
    >>> ranked = leaderboard(votes)
    >>> ranked[["model", "rank_low", "rank_high", "votes", "ties"]]
      model  rank_low  rank_high  votes  ties
    0   red         1          2     12     3
    1  blue         1          2     12     3
    """
    require_level(level)
    votes, left_out = votes_that_count(votes, rater)
    votes, read, same_model = read_votes_between_models(votes)
    if len(read.models) < 2:
        raise ConfigurationError("A ranking needs votes between at least two models.")
    covariates = covariates_of(votes, style)[0] if style else None
    fitted = fit(read, covariates)
    errors = pairwise_errors(read, fitted)
    better = _separated(fitted.strengths, errors, level, fitted.dof)
    rating = CENTRE + SCALE * fitted.strengths
    variances = np.maximum(np.diag(fitted.covariance)[: len(rating)], 0)
    reach = SCALE * critical_value(level, fitted.dof) * np.sqrt(variances)
    result = pd.DataFrame(
        {
            "model": read.models,
            "rating": rating,
            "low": rating - reach,
            "high": rating + reach,
            "rank_low": 1 + better.sum(axis=0),
            "rank_high": len(rating) - better.sum(axis=1),
            **_tally(read),
        }
    )
    if covariates is not None:
        result["without_style"] = CENTRE + SCALE * fit(read).strengths - rating
    order = np.argsort(-rating, kind="stable")
    result = result.iloc[order].reset_index(drop=True)
    result.attrs.update(
        level=level,
        method="Bradley-Terry, clustered by rater and prompt",
        notes=[*left_out, *same_model, *_notes(read, fitted, errors, order, level)],
    )
    return result


def pairwise_errors(votes: Votes, fitted: Fit) -> np.ndarray:
    """Standard error of each difference of two strengths; infinite where no vote links the two."""
    count = len(votes.models)
    covariance = fitted.covariance[:count, :count]
    variance = np.diag(covariance)
    errors = np.sqrt(np.maximum(variance[:, None] + variance - 2 * covariance, 0))
    linked = _components(votes)
    errors[linked[:, None] != linked] = np.inf
    return np.asarray(errors)


def _separated(strengths: np.ndarray, errors: np.ndarray, level: float, dof: float) -> np.ndarray:
    """Whether each model (row) is distinguished from, and above, each other one (column)."""
    others = len(strengths) - 1
    reach = critical_value(1 - (1 - level) / others, dof)
    difference = strengths[:, None] - strengths
    with np.errstate(invalid="ignore"):
        return np.asarray((difference > reach * errors) & (difference > 0))


def _components(votes: Votes) -> np.ndarray:
    """Number of the group of models that votes link, for each model."""
    count = len(votes.models)
    met = np.zeros((count, count), dtype=bool)
    met[votes.first, votes.second] = True
    met |= met.T
    group = np.arange(count)
    while True:
        lowest = np.minimum(group, np.where(met, group, count).min(axis=1))
        if (lowest == group).all():
            return group
        group = lowest


def _tally(votes: Votes) -> dict[str, np.ndarray]:
    """Votes of each model, by outcome."""
    count = len(votes.models)

    def of(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.bincount(votes.first[first], minlength=count) + np.bincount(
            votes.second[second], minlength=count
        )

    every = np.ones(len(votes), dtype=bool)
    won, lost = votes.outcome == 1, votes.outcome == 0
    tied = ~won & ~lost & ~votes.is_bad
    return {
        "votes": of(every, every),
        "wins": of(won, lost),
        "losses": of(lost, won),
        "ties": of(tied, tied),
        "both_bad": of(votes.is_bad, votes.is_bad),
    }


def _notes(
    votes: Votes, fitted: Fit, errors: np.ndarray, order: np.ndarray, level: float
) -> list[str]:
    """What these votes cannot tell, in sentences."""
    notes = []
    linked = _components(votes)
    if len(set(linked.tolist())) > 1:
        names = [
            str(votes.models[place])
            for place in np.flatnonzero(linked != linked[order[0]]).tolist()
        ]
        notes.append(
            f"No vote links {', '.join(names)} with {votes.models[int(order[0])]}, not even by way of others: "
            "which is better is unknown."
        )
    for name, number in (("rater", fitted.raters), ("prompt", fitted.prompts)):
        if number == 1:
            notes.append(f"All votes are of one {name}: the intervals say nothing about others.")
    counts = _tally(votes)["votes"]
    reach = critical_value(1 - (1 - level) / (len(order) - 1), fitted.dof)
    for above, below in pairwise(order.tolist()):
        difference = fitted.strengths[above] - fitted.strengths[below]
        error = errors[above, below]
        if difference > reach * error or math.isinf(error):
            continue
        more = _more_votes(fitted, above, below, level, len(votes))
        pair = f"{votes.models[above]} and {votes.models[below]}"
        few = "Too few votes: " if counts[[above, below]].min() < FEW_VOTES else ""
        if more is None:
            notes.append(
                f"{few}{pair} are as good as equal so far; no likely number separates them."
            )
        else:
            about = "about" if few else "About"
            notes.append(f"{few}{about} {more:,} more would separate {pair}.")
    return notes


def _more_votes(fitted: Fit, above: int, below: int, level: float, votes: int) -> int | None:
    """How many votes between two models would separate them, if they differ as they seem to."""
    count = len(fitted.strengths)
    contrast = np.zeros(count)
    contrast[above], contrast[below] = 1, -1
    robust = contrast @ fitted.covariance[:count, :count] @ contrast
    naive = contrast @ fitted.naive[:count, :count] @ contrast
    difference = fitted.strengths[above] - fitted.strengths[below]
    if difference <= 0 or robust <= 0:
        return None
    chance = 1 / (1 + math.exp(-difference))
    per_vote = chance * (1 - chance) * min(1.0, naive / robust)
    more = 0.0
    for _ in range(30):
        # More votes come from more raters, on more prompts.
        dof = fitted.dof * (1 + more / votes)
        reach = critical_value(1 - (1 - level) / (count - 1), dof)
        needed = max(0.0, ((reach / difference) ** 2 - 1 / robust) / per_vote)
        before, more = more, (more + needed) / 2 if more else needed
        if fitted.dof > _MANY_CLUSTERS or abs(more - before) < 0.01 * more:
            break
    return max(1, math.ceil(more)) if more <= _MOST_MORE else None
