"""How far raters agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from allos.analysis.arguments import codes_of, require_columns, require_level
from allos.analysis.distributions import critical_value
from allos.analysis.results import returns_result
from allos.analysis.votes import read_votes
from allos.errors import ConfigurationError, did_you_mean

Scale = Literal["nominal", "ordinal", "interval", "ratio"]


@returns_result("agreement")
def agreement(
    frame: pd.DataFrame,
    *,
    value: str = "winner",
    rater: str = "rater",
    unit: str | Sequence[str] | None = None,
    scale: Scale = "nominal",
    level: float = 0.95,
) -> pd.DataFrame:
    """How far raters agree beyond chance: Krippendorff's alpha.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per judgement: votes as for `leaderboard`, or ratings of answers. It is not changed.
    value : str
        Column with the judgement; rows without one are left out and counted.
    rater : str
        Column that says who judged.
    unit : str or sequence of str, optional
        Columns that say what was judged. By default, for votes, the prompt and the two models in
        either order; else `prompt`.
    scale : str
        How far two values are apart: ``nominal`` (equal or not), ``ordinal``, ``interval`` or ``ratio``.
    level : float
        Of the interval.

    Returns
    -------
    pandas.DataFrame
        One row: `alpha` (1: agreement, 0: as by chance, below: worse), `low`, `high`, `n_units` that at
        least two raters judged, `n_raters`, `n_values` (judgements of these units), `single` (units
        that one rater judged, which say nothing), `unknown` (rows without a value).

    Raises
    ------
    ConfigurationError
        A column is missing, the scale is not one of the four or needs numbers, or no unit was judged twice.

    Notes
    -----
    Krippendorff (2011), "Computing Krippendorff's alpha-reliability". The interval is by the jackknife over units
    with Student's t: it is for other units like these, by these raters. NaN where all values are
    equal. From about 0.8 raters are interchangeable; below 0.67 conclusions are tentative.

    Examples
    --------
    >>> ratings = pd.DataFrame({
    ...     "prompt": [1, 1, 2, 2, 3, 3, 4, 4], "rater": ["ann", "bob"] * 4,
    ...     "rating": ["good", "good", "bad", "bad", "good", "bad", "good", "good"],
    ... })
    >>> agreement(ratings, value="rating")[["alpha", "n_units"]].round(3)
       alpha  n_units
    0  0.533        4
    """
    require_level(level)
    if scale not in get_args(Scale):
        raise ConfigurationError(
            f"{scale!r} is not a valid scale; expected {', '.join(get_args(Scale))}."
            + did_you_mean(str(scale), get_args(Scale))
        )
    require_columns(frame, list(dict.fromkeys([rater, value])))
    units, names = _units(frame, value, unit)
    require_columns(frame, names)
    judged, raters = frame[value], codes_of(frame, rater)[0]
    if units is None:
        units = codes_of(frame, names)[0]
    else:
        judged = _turned(frame)
    known = judged.notna().to_numpy()
    codes, distances = _values(judged[known], scale)
    units, raters = units[known], raters[known]
    sizes = np.bincount(units)
    paired = sizes[units] > 1
    if not paired.any():
        raise ConfigurationError("No unit was judged by two raters, so agreement is unknown.")
    single = int((sizes == 1).sum())
    unit_codes = np.unique(units[paired], return_inverse=True)[1]
    values = len(distances)
    counts = np.bincount(
        unit_codes * values + codes[paired], minlength=(unit_codes.max() + 1) * values
    )
    counts = counts.reshape(-1, values).astype(float)
    alpha, low, high = _alpha(counts, distances, scale, level)
    row = {
        "alpha": alpha,
        "low": low,
        "high": high,
        "n_units": len(counts),
        "n_raters": len(np.unique(raters[paired])),
        "n_values": int(paired.sum()),
        "single": single,
        "unknown": int((~known).sum()),
    }
    result = pd.DataFrame([row])
    result.attrs.update(
        level=level, scale=scale, method="Krippendorff's alpha, jackknife over units"
    )
    return result


def _units(
    frame: pd.DataFrame, value: str, unit: str | Sequence[str] | None
) -> tuple[np.ndarray | None, list[str]]:
    """Number of the unit of each row, for votes; else the columns that name the unit."""
    if unit is not None:
        return None, [unit] if isinstance(unit, str) else list(unit)
    if value != "winner" or "model_a" not in frame.columns:
        return None, ["prompt"]
    votes = read_votes(frame)
    count = len(votes.models)
    low, high = np.minimum(votes.first, votes.second), np.maximum(votes.first, votes.second)
    units = (votes.prompt.astype(np.int64) * count + low) * count + high
    return pd.factorize(units)[0], ["prompt"]


def _turned(frame: pd.DataFrame) -> pd.Series[Any]:
    """Winners of votes as if the two models stood in one order."""
    votes = read_votes(frame)
    winner = frame["winner"].to_numpy(dtype=object)
    swapped = {"a": "b", "b": "a"}
    turned = [
        swapped.get(said, said) if first > second else said
        for said, first, second in zip(winner, votes.first, votes.second, strict=True)
    ]
    return pd.Series(turned, index=frame.index, dtype=object)


def _values(judged: pd.Series[Any], scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    """Number of each judgement, in order of size, and the values."""
    if scale != "nominal":
        try:
            judged = judged.astype("Float64")
        except (TypeError, ValueError):
            raise ConfigurationError(
                f"The scale {scale!r} needs values that are numbers."
            ) from None
    codes, values = pd.factorize(judged, sort=scale != "nominal")
    return codes, np.arange(len(values)) if scale == "nominal" else np.asarray(values, dtype=float)


def _alpha(
    counts: np.ndarray, values: np.ndarray, scale: Scale, level: float
) -> tuple[float, float, float]:
    """Alpha of a table of units by values, with the interval of the jackknife."""
    size = counts.sum(axis=1)
    weighted = counts / (size - 1)[:, None]
    total, number = counts.sum(axis=0), float(size.sum())
    distance = _distance(total, values, scale)
    disagreement = np.einsum("uv,vw,uw->u", weighted, distance, counts, optimize=True)
    alpha = _ratio(disagreement.sum(), total @ distance @ total, number)
    units = len(counts)
    if units < 2 or math.isnan(alpha):
        return alpha, math.nan, math.nan
    without = np.empty(units)
    left_total, left_number = total - counts, number - size
    expected = np.einsum("uv,vw,uw->u", left_total, distance, left_total, optimize=True)
    left = disagreement.sum() - disagreement
    with np.errstate(divide="ignore", invalid="ignore"):
        without = 1 - (left_number - 1) * left / expected
    without[~np.isfinite(without)] = alpha
    variance = (units - 1) / units * ((without - without.mean()) ** 2).sum()
    reach = critical_value(level, units - 1) * math.sqrt(variance)
    return alpha, max(-1.0, alpha - reach), min(1.0, alpha + reach)


def _ratio(observed: float, expected: float, number: float) -> float:
    return float(1 - (number - 1) * observed / expected) if expected > 0 else math.nan


def _distance(total: np.ndarray, values: np.ndarray, scale: Scale) -> np.ndarray:
    """Squared distance of every two values."""
    if scale == "nominal":
        return 1 - np.eye(len(values))
    if scale == "ordinal":
        values = np.cumsum(total) - total / 2
    difference = values[:, None] - values
    if scale == "ratio":
        if (values < 0).any():
            raise ConfigurationError("The scale 'ratio' needs values that are not negative.")
        sums = values[:, None] + values
        difference = np.divide(difference, sums, out=np.zeros_like(difference), where=sums > 0)
    return np.asarray(difference**2)
