"""`timeline`: calls, failures, latency and cost over time."""

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
    numbers,
)
from allos.analysis.group_quantiles import group_quantiles
from allos.analysis.model_settings import groups_settings
from allos.analysis.results import returns_result
from allos.errors import ConfigurationError

_STEPS = ("1min", "5min", "15min", "1h", "6h", "1D", "7D", "28D")
_MOST_PERIODS = 60
_LONGEST = 100_000


@returns_result("timeline")
@groups_settings("frame")
def timeline(frame: pd.DataFrame, every: str | None = None, by: By = None) -> pd.DataFrame:
    """Calls by period of time, oldest first.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `allos.responses`; `created_at` is needed.
    every : str, optional
        Length of a period: ``"15min"``, ``"1h"``, ``"1D"``, ``"7D"``. By default the shortest of a few that
        makes no more than 60 periods. Periods start at midnight UTC or at multiples since then.
    by : str, iterable of str or None
        Columns to split each period by.

    Returns
    -------
    pandas.DataFrame
        `period` (its start), the columns of `by`, `calls`, `failed`, `latency_s_p50`, `latency_s_p95` (of
        answered calls), `output_tokens`, `cost_usd` and `unknown_costs`. Without `by`, periods without
        calls are rows as well.

    Raises
    ------
    ConfigurationError
        The frame has no such column, or `every` is no length of time.

    Examples
    --------
    >>> import pandas as pd
    >>> times = pd.to_datetime(["2026-11-01 09:10", "2026-11-01 11:00"], utc=True)
    >>> timeline(pd.DataFrame({"created_at": times}), every="1h")["calls"].tolist()
    [1, 0, 1]
    """
    names = by_names(frame, by, "timeline")
    check_columns(frame, ["created_at"], "timeline")
    frame = frame[frame["created_at"].notna()]
    times = pd.to_datetime(frame["created_at"], utc=True)
    periods = times.dt.floor(_step(times, every))
    frame = frame.assign(period=periods)
    groups = group(frame, ["period", *names])
    failed = equals(frame, "status", "error")
    answered = ~(failed | equals(frame, "status", "cancelled"))
    latency = np.where(answered, numbers(frame, "latency_s"), np.nan)
    middle, slow = group_quantiles(groups, latency, (0.5, 0.95))
    cost = costs(frame)
    result = groups.keys.assign(
        calls=integers(groups.sizes()),
        failed=integers(groups.sizes(failed)),
        latency_s_p50=floats(middle),
        latency_s_p95=floats(slow),
        output_tokens=integers(groups.sums(numbers(frame, "output_tokens"))),
        cost_usd=floats(groups.sums(cost)),
        unknown_costs=integers(groups.sizes(np.isnan(cost))),
    ).sort_values(["period", *names], ignore_index=True)
    if names or not len(result):
        return result
    step = _step(times, every)
    whole = pd.date_range(result["period"].iloc[0], result["period"].iloc[-1], freq=step)
    whole = whole.as_unit(result["period"].dt.unit)
    filled = result.set_index("period").reindex(whole).rename_axis("period").reset_index()
    counts = ["calls", "failed", "unknown_costs"]
    filled[counts] = filled[counts].fillna(0)
    return filled


def _step(times: pd.Series[pd.Timestamp], every: str | None) -> str:
    span = times.max() - times.min() if len(times) else pd.Timedelta(0)
    if every is None:
        fits = (step for step in _STEPS if span / pd.Timedelta(step) <= _MOST_PERIODS)
        return next(fits, _STEPS[-1])
    try:
        length = pd.Timedelta(every)
    except (ValueError, TypeError):
        length = pd.Timedelta(0)
    if not length > pd.Timedelta(0) or span / length > _LONGEST:
        raise ConfigurationError(
            f"timeline(): every= must be a length of time such as '15min', '1h' or '1D', that makes at "
            f"most {_LONGEST:,} periods, got {every!r:.80}"
        )
    return every
