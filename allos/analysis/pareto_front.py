"""`pareto`: quality against cost or latency, and who is dominated by whom."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from allos.analysis.frames import (
    By,
    Floats,
    Groups,
    by_names,
    check_columns,
    compact,
    costs,
    equals,
    floats,
    group,
    integers,
    numbers,
    pair_codes,
    value_codes,
)
from allos.analysis.model_settings import groups_settings
from allos.analysis.results import returns_result


@returns_result("pareto")
@groups_settings("frame")
def pareto(
    frame: pd.DataFrame,
    quality: str = "rating",
    against: str = "cost_usd",
    by: By = "model",
    *,
    prompt: str = "prompt",
) -> pd.DataFrame:
    """Groups with their quality and what it takes; the ones that no other beats in both.

    One group dominates another when it is at least as good and takes at most as much, and one of
    these is better.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `allos.responses` with a column of scores.
    quality : str
        Column with a number or pass/fail per answer; more is better.
    against : str
        Column with what an answer takes: `cost_usd`, `latency_s`, `output_tokens`; less is better.
    by : str or iterable of str
        Columns whose values are compared.
    prompt : str
        Column that says which answers are repeats: they are averaged within their prompt first.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, `quality` and `against` (means over prompts, under their own names), `answers`
        (with a known quality), `unknown` (answers whose `against` is unknown), `on_front` (null where a
        mean is unknown, or left out some of its values) and `dominated_by` (the names). The front comes first, the
        cheapest of it on top.

    Raises
    ------
    ConfigurationError
        The frame has no such column.

    Notes
    -----
    The means are compared as they are, each over the prompts that its group has: a front has no intervals. Whether
    a lead is more than chance, on the same prompts, says `paired`.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"model": ["a", "b", "c"], "score": [0.9, 0.5, 0.4], "cost_usd": [2, 1, 3]})
    >>> found = pareto(df, quality="score")
    >>> found[["model", "on_front", "dominated_by"]].values.tolist()
    [['b', True, ''], ['a', True, ''], ['c', False, 'b, a']]
    """
    names = by_names(frame, by, "pareto")
    check_columns(frame, [*names, quality, against], "pareto")
    groups = group(frame, names)
    failed = equals(frame, "status", "error") | equals(frame, "status", "cancelled")
    scores = numbers(frame, quality)
    takes = costs(frame) if against == "cost_usd" else numbers(frame, against)
    takes = np.where(failed, np.nan, takes)
    prompts = value_codes(frame, prompt) if prompt in frame.columns else np.arange(len(frame))
    unknown = groups.sizes(~failed & np.isnan(takes))
    result = groups.keys.assign(
        **{
            quality: floats(_mean_over_prompts(groups, scores, prompts)),
            against: floats(_mean_over_prompts(groups, takes, prompts)),
        },
        answers=integers(groups.sizes(~np.isnan(scores))),
        unknown=integers(unknown),
    )
    result = result.sort_values([against, quality], ascending=[True, False], ignore_index=True)
    good, cost = result[quality].to_numpy(float, na_value=np.nan), numbers(result, against)
    labels = [" / ".join(map(str, key)) for key in result[names].itertuples(index=False)]
    comparable = ~np.isnan(good) & ~np.isnan(cost) & (result["unknown"] == 0).to_numpy(bool)
    dominated = [
        [
            label
            for label, other_good, other_cost, other in zip(
                labels, good, cost, comparable, strict=True
            )
            if other
            and known
            and (other_good >= one_good and other_cost <= one_cost)
            and (other_good > one_good or other_cost < one_cost)
        ]
        for one_good, one_cost, known in zip(good, cost, comparable, strict=True)
    ]
    front: list[Any] = [
        not by_whom if known else None for by_whom, known in zip(dominated, comparable, strict=True)
    ]
    result["on_front"] = pd.array(front, dtype="boolean")
    result["dominated_by"] = [", ".join(by_whom) for by_whom in dominated]
    order = np.argsort([0 if here else 1 if here is False else 2 for here in front], kind="stable")
    return result.iloc[order].reset_index(drop=True)


def _mean_over_prompts(groups: Groups, values: Floats, prompts: Any) -> Floats:
    """Mean of each group over its prompts, of the mean of each over its repeats."""
    known = ~np.isnan(values)
    if not known.any():
        return np.full(groups.count, np.nan)
    cells = compact(pair_codes(groups.codes, prompts)[known])
    weights = 1.0 / np.bincount(cells)[cells]
    codes = groups.codes[known]
    total = np.bincount(codes, weights, minlength=groups.count)
    weighted = np.bincount(codes, weights * values[known], minlength=groups.count)
    means: Floats = np.full(groups.count, np.nan)
    return np.divide(weighted, total, out=means, where=total > 0)
