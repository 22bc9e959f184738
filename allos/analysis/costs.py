"""`cost_report`: what calls cost, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from allos.analysis.frames import (
    By,
    by_names,
    check_columns,
    costs,
    equals,
    floats,
    group,
    integers,
    is_free,
    numbers,
)
from allos.analysis.model_settings import groups_settings
from allos.analysis.results import returns_result


@returns_result("cost_report")
@groups_settings("frame")
def cost_report(frame: pd.DataFrame, by: By = "model") -> pd.DataFrame:
    """Cost by group, the dearest first, with what it was spent on; unknown costs are counted.

    A replayed answer, a call that was not sent and the embedded model cost nothing.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `allos.responses`, or any frame with a column `cost_usd`.
    by : str, iterable of str or None
        Columns to group by, such as ``"model"``, ``["provider", "model"]`` or ``"notebook"``; None:
        one total.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, then

        - `calls`, `cost_usd` (null where no cost is known), `unknown_costs`, `share` (of all known
          costs, 0 to 1);
        - `cost_per_call_usd`: of the calls whose cost is known;
        - `input_cost_usd`, `output_cost_usd`, `input_tokens`, `cache_read_tokens`, `output_tokens`,
          `reasoning_tokens`: sums of what is known;
        - `unanswered_cost_usd`: spent on calls that failed or were stopped; `cut` counts answers that
          ended at `max_tokens`, `retried` calls that took more than one attempt, `free` those that
          cost nothing.

    Raises
    ------
    ConfigurationError
        The frame has no such column.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"model": ["a", "a", "b"], "cost_usd": [0.1, None, 0.3]})
    >>> cost_report(df)[["model", "calls", "cost_usd", "unknown_costs"]].values.tolist()
    [['b', 1, 0.3, 0], ['a', 2, 0.1, 1]]
    """
    names = by_names(frame, by, "cost_report")
    check_columns(frame, ["cost_usd"], "cost_report")
    groups = group(frame, names)
    cost = costs(frame)
    known = ~np.isnan(cost)
    attempts = numbers(frame, "attempts")
    free = is_free(frame)
    unanswered = equals(frame, "status", "error") | equals(frame, "status", "cancelled")
    totals, counted = groups.sums(cost), groups.sizes(known)
    everything = float(np.nansum(cost))
    paid = {
        name: np.where(free, 0.0, numbers(frame, name))
        for name in ("input_cost_usd", "output_cost_usd")
    }
    tokens = ("input_tokens", "cache_read_tokens", "output_tokens", "reasoning_tokens")
    lost = groups.sums(np.where(unanswered, cost, np.nan))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = totals / everything if everything else np.full(groups.count, np.nan)
        per_call = totals / counted
    result = pd.DataFrame(
        {
            "calls": integers(groups.sizes()),
            "cost_usd": floats(totals),
            "unknown_costs": integers(groups.sizes(~known)),
            "share": floats(share),
            "cost_per_call_usd": floats(per_call),
            **{name: floats(groups.sums(values)) for name, values in paid.items()},
            **{name: integers(groups.sums(numbers(frame, name))) for name in tokens},
            "unanswered_cost_usd": floats(lost),
            "cut": integers(groups.sizes(equals(frame, "finish_reason", "length"))),
            "retried": integers(groups.sizes(attempts > 1)),
            "free": integers(groups.sizes(free)),
        }
    )
    result = pd.concat([groups.keys, result], axis=1)
    return result.sort_values(["cost_usd", "calls"], ascending=False, ignore_index=True)
