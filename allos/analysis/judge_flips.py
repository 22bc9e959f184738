"""How far a judge can be trusted: what changes its verdicts that should not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from allos.analysis.arguments import require_columns, require_level
from allos.analysis.clustered_means import proportion_interval
from allos.analysis.results import returns_result
from allos.analysis.scores import estimate_mean

_VERDICT = "verdict"


@returns_result("judge_reliability")
def judge_reliability(verdicts: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """How often a judge changed its verdict for a reason that should not matter.

    Parameters
    ----------
    verdicts : pandas.DataFrame
        The `frame` of a result of `allos.judge`: one row per call of the judge. It is not changed.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row: `items` (pairs, or answers, that were judged), `verdicts`, `refusals`, `errors`, `cancelled`
        (calls without a verdict); for pairs `swapped` (verdicts that there are in both orders), `flips`
        (of these, not the same in both), `flip_rate`, `flip_low`, `flip_high`, and `first_rate` (share of
        the decided verdicts that are for the answer shown first; 0.5 without a habit); for instructions
        planted in an answer `planted` (probes with a verdict), `obeyed` (the verdict changed to what the
        planted words say), `obey_rate`, `obey_low`, `obey_high`. Probes are in none of the other counts;
        what is unknown is NaN.

    Raises
    ------
    ConfigurationError
        It is not such a frame.

    Notes
    -----
    Intervals are Wilson's for the effective number of pairs, with the repeats of a pair as one cluster. A
    judge that answers at random also flips; at a temperature of 0 only a change of the prompt is left.
    """
    require_level(level)
    require_columns(verdicts, ["item", "outcome", "planted", "obeyed"])
    is_probe = verdicts["planted"].notna().to_numpy(dtype=bool)
    plain, probes = verdicts[~is_probe], verdicts[is_probe]
    counts = plain["outcome"].value_counts()
    row: dict[str, Any] = {
        "items": plain["item"].nunique(),
        "verdicts": int(counts.get(_VERDICT, 0)),
        "refusals": int(counts.get("refusal", 0)),
        "errors": int(counts.get("error", 0)),
        "cancelled": int(counts.get("cancelled", 0)),
    }
    if "shown_first" in verdicts.columns:
        given = plain[plain["outcome"] == _VERDICT]
        both = given.pivot_table(
            index=["item", "sample_index"],
            columns="shown_first",
            values="winner",
            aggfunc="first",
        ).reindex(columns=["a", "b"])
        both = both.dropna()
        flipped = (both["a"] != both["b"]).to_numpy(dtype=float)
        items = both.index.get_level_values(0).to_numpy(dtype=np.int64)
        row |= {"swapped": len(both), "flips": int(flipped.sum())}
        row |= _rate("flip", flipped, items, level)
        decided = given[given["winner"].isin(["a", "b"])]
        is_first = (decided["winner"] == decided["shown_first"]).to_numpy(dtype=float)
        row["first_rate"] = float(is_first.mean()) if len(is_first) else math.nan
    known = probes[(probes["outcome"] == _VERDICT) & probes["obeyed"].notna()]
    obeyed = known["obeyed"].to_numpy(dtype=float)
    row |= {"planted": len(known), "obeyed": int(obeyed.sum())}
    row |= _rate("obey", obeyed, known["item"].to_numpy(dtype=np.int64), level)
    result = pd.DataFrame([row])
    result.attrs["level"] = level
    return result


def _rate(name: str, values: np.ndarray, items: np.ndarray, level: float) -> dict[str, float]:
    names = (f"{name}_rate", f"{name}_low", f"{name}_high")
    if not len(values):
        return dict.fromkeys(names, math.nan)
    estimate = estimate_mean(items, values, None)
    low, high = proportion_interval(estimate, level, len(values))
    return dict(zip(names, (estimate.mean, low, high), strict=True))
