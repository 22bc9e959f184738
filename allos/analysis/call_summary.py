"""`summary`: what calls were like, by model or by any columns."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from allos.analysis.frames import (
    Bools,
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
from allos.analysis.group_quantiles import group_quantiles
from allos.analysis.model_settings import groups_settings
from allos.analysis.results import returns_result
from allos.errors import ConfigurationError


@returns_result("summary")
@groups_settings("frame")
def summary(
    frame: pd.DataFrame,
    by: By = "model",
    *,
    per: Literal["call", "prompt"] = "call",
    prompt: str = "prompt",
) -> pd.DataFrame:
    """Calls in one row per group: how many, how many failed, how fast, how many tokens, what cost.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `allos.responses`, or any frame with some of its columns.
    by : str, iterable of str or None
        Columns to group by; None: everything is one group.
    per : {'call', 'prompt'}
        What counts once in the error rate and the percentiles: every call; or every prompt, where
        its repeats share its weight, so that a prompt that was repeated a hundred times is not a
        hundred prompts.
    prompt : str
        Column that says which calls are repeats: those of one group with the same value.

    Returns
    -------
    pandas.DataFrame
        One row per group, those with the most calls first: the columns of `by`, then

        - `calls`, `prompts` (distinct ones), `repeats` (calls per prompt, the mean);
        - `failed`, `cancelled`, `error_rate` (failed calls / all calls, 0 to 1);
        - `latency_s_p50`, `latency_s_p95`, `time_to_first_token_s_p50`, `time_to_first_token_s_p95`
          (seconds) and `tokens_per_second_p50`, of the calls that were answered;
        - `input_tokens`, `output_tokens`, `cost_usd`: sums of what is known, null where nothing is;
        - `unknown_latencies`, `unknown_tokens`, `unknown_costs`: calls that those figures leave out. Time to
          the first token and speed are known of streamed answers only: `streamed` counts those that have
          the former.

    Raises
    ------
    ConfigurationError
        The frame has no such column.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"model": ["a", "a", "b"], "prompt": ["p", "q", "p"], "cost_usd": [1, None, 2]})
    >>> summary(df)[["model", "calls", "cost_usd", "unknown_costs"]].values.tolist()
    [['a', 2, 1.0, 1], ['b', 1, 2.0, 0]]
    """
    names = by_names(frame, by, "summary")
    if per not in ("call", "prompt"):
        raise ConfigurationError(f"summary(): per= must be 'call' or 'prompt', got {per!r}")
    if per == "prompt" or prompt != "prompt":
        check_columns(frame, [prompt], "summary")
    groups = group(frame, names)
    calls = groups.sizes()
    failed, cancelled = equals(frame, "status", "error"), equals(frame, "status", "cancelled")
    answered = ~(failed | cancelled)
    weights, prompts = None, np.full(groups.count, np.nan)
    if prompt in frame.columns:
        codes = value_codes(frame, prompt)
        prompts = groups.distinct(codes).astype(float)
        if per == "prompt":
            cells = compact(pair_codes(groups.codes, codes))
            weights = 1.0 / np.bincount(cells)[cells]

    def percentiles(name: str) -> tuple[Floats, list[Floats]]:
        values = np.where(answered, numbers(frame, name), np.nan)
        return values, group_quantiles(groups, values, (0.5, 0.95), weights)

    latency, latencies = percentiles("latency_s")
    first_token, first_tokens = percentiles("time_to_first_token_s")
    speeds = percentiles("tokens_per_second")[1]
    tokens = {name: numbers(frame, name) for name in ("input_tokens", "output_tokens")}
    unknown_tokens = np.isnan(tokens["input_tokens"]) | np.isnan(tokens["output_tokens"])
    cost = costs(frame)
    with np.errstate(invalid="ignore", divide="ignore"):
        repeats = calls / prompts
    result = pd.DataFrame(
        {
            "calls": integers(calls),
            "prompts": integers(prompts),
            "repeats": floats(repeats),
            "failed": integers(groups.sizes(failed)),
            "cancelled": integers(groups.sizes(cancelled)),
            "error_rate": floats(_rate(groups, failed, weights)),
            "latency_s_p50": floats(latencies[0]),
            "latency_s_p95": floats(latencies[1]),
            "time_to_first_token_s_p50": floats(first_tokens[0]),
            "time_to_first_token_s_p95": floats(first_tokens[1]),
            "tokens_per_second_p50": floats(speeds[0]),
            **{name: integers(groups.sums(values)) for name, values in tokens.items()},
            "cost_usd": floats(groups.sums(cost)),
            "streamed": integers(groups.sizes(~np.isnan(first_token))),
            "unknown_latencies": integers(groups.sizes(answered & np.isnan(latency))),
            "unknown_tokens": integers(groups.sizes(unknown_tokens)),
            "unknown_costs": integers(groups.sizes(np.isnan(cost))),
        }
    )
    result = pd.concat([groups.keys, result], axis=1)
    return result.sort_values("calls", ascending=False, kind="stable", ignore_index=True)


def _rate(groups: Groups, where: Bools, weights: Floats | None) -> Floats:
    """Share of the rows that meet a condition."""
    if weights is None:
        weights = np.ones(len(where))
    total = np.bincount(groups.codes, weights, minlength=groups.count)
    part = np.bincount(groups.codes[where], weights[where], minlength=groups.count)
    rates: Floats = np.full(groups.count, np.nan)
    return np.divide(part, total, out=rates, where=total > 0)
