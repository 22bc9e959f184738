"""How much of a vote is style: length, Markdown, speed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from allos.analysis.arguments import require_columns, require_level
from allos.analysis.bradley_terry import fit
from allos.analysis.distributions import critical_value, two_sided_p
from allos.analysis.results import returns_result
from allos.analysis.votes import read_votes_between_models, votes_that_count
from allos.errors import ConfigurationError

STYLE = ("length", "markdown", "speed")
"""What is measured where no columns are named."""
_SOURCES = {"length": "content", "markdown": "content", "speed": "total_time_s"}
_MARKS = re.compile(
    r"^ {0,3}(?:#{1,6} |[-*+] |\d+[.)] |>|```)|\*\*[^*\n]+\*\*|^\|.*\|[ \t]*$", re.M
)


@returns_result("style_effects")
def style_effects(
    votes: pd.DataFrame,
    *,
    style: Sequence[str] = STYLE,
    level: float = 0.95,
    rater: str | None = None,
) -> pd.DataFrame:
    """What differences in style are worth in votes, models being equal.

    Parameters
    ----------
    votes : pandas.DataFrame
        Votes as for `leaderboard`, with two more columns for each kind of style, one for each answer.
        It is not changed.
    style : sequence of str
        ``"length"`` (characters), ``"markdown"`` (headings, list items, bold text, quotes, tables and
        code blocks), ``"speed"``; each from its own columns, such as `length_a` and `length_b`, or else
        from `content_a` and `content_b` (length and Markdown) and `total_time_s_a` and `total_time_s_b`
        (speed). Any other name is a pair of columns of numbers, such as `emoji_a` and `emoji_b`.
    level : float
        Of the intervals.
    rater : str, optional
        As in `leaderboard`: of a judge it says whether that judge likes long answers.

    Returns
    -------
    pandas.DataFrame
        One row per kind: `style`, `odds_ratio` (how the odds of winning change with a difference of one
        standard deviation), `low`, `high`, `p_value`, and `difference_sd` (that standard deviation, of
        (a - b) / (a + b)).

    Raises
    ------
    ConfigurationError
        A column is missing, or its values are negative or unknown.

    Notes
    -----
    Bradley-Terry with covariates (Li, Angelopoulos and Chiang 2024, "Does style matter?"). A style that
    goes with a model in every vote cannot be separated from the model.

    Examples
    --------
    >>> votes = pd.DataFrame({
    ...     "rater": ["ann", "bob"] * 4, "prompt": range(8), "model_a": "red", "model_b": "blue",
    ...     "winner": ["a", "b", "a", "b", "a", "a", "b", "b"],
    ...     "length_a": [9, 3, 8, 5, 5, 7, 4, 6], "length_b": [5, 6, 4, 6, 7, 3, 5, 8],
    ... })
    >>> found = style_effects(votes, style=["length"])
    >>> bool(found["odds_ratio"].item() > 1)
    True
    """
    require_level(level)
    votes, read, _ = read_votes_between_models(votes_that_count(votes, rater)[0])
    covariates, spreads = covariates_of(votes, style)
    fitted = fit(read, covariates)
    count = len(read.models)
    errors = np.sqrt(np.maximum(np.diag(fitted.covariance)[count:], 0))
    reach = critical_value(level, fitted.dof) * errors
    result = pd.DataFrame(
        {
            "style": list(style),
            "odds_ratio": np.exp(fitted.effects),
            "low": np.exp(fitted.effects - reach),
            "high": np.exp(fitted.effects + reach),
            "p_value": [
                two_sided_p(effect / error, fitted.dof) if error else math.nan
                for effect, error in zip(fitted.effects, errors, strict=True)
            ],
            "difference_sd": spreads,
        }
    )
    result.attrs.update(level=level, method="Bradley-Terry with style as covariates")
    return result


def covariates_of(votes: pd.DataFrame, style: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Differences in style, one column each in standard deviations, and these."""
    if isinstance(style, str) or not len(style):
        raise ConfigurationError(f"style must be a list of names, such as {list(STYLE)}.")
    columns = np.column_stack([_difference(votes, name) for name in style])
    spreads = columns.std(axis=0)
    for name, spread in zip(style, spreads, strict=True):
        if not spread > 0:
            raise ConfigurationError(
                f"{name!r} is equal in both answers of every vote, so nothing depends on it."
            )
    return columns / spreads, spreads


def _difference(votes: pd.DataFrame, name: str) -> np.ndarray:
    """Difference of a style between the answers of each vote, from -1 to 1."""
    first, second = _measure(votes, name, "a"), _measure(votes, name, "b")
    if name == "speed" and "speed_a" not in votes.columns:
        first, second = second, first  # less time is faster
    total = first + second
    return np.asarray(np.divide(first - second, total, out=np.zeros_like(total), where=total > 0))


def _measure(votes: pd.DataFrame, name: str, side: str) -> np.ndarray:
    own = f"{name}_{side}"
    source = own if own in votes.columns or name not in _SOURCES else f"{_SOURCES[name]}_{side}"
    column = require_columns(votes, [source])[source]
    if source.startswith("content_"):
        texts = column.fillna("").astype(str)
        column = (
            texts.str.len()
            if name == "length"
            else texts.map(lambda text: len(_MARKS.findall(text)))
        )
    try:
        values = column.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise ConfigurationError(f"The column {source!r} must have numbers.") from None
    if not (values >= 0).all():
        raise ConfigurationError(
            f"The column {source!r} has negative or unknown values; leave those votes out."
        )
    return values
