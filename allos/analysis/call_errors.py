"""`errors`: what failed, how often, and what to do about it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from allos.analysis.frames import (
    By,
    by_names,
    check_columns,
    equals,
    floats,
    group,
    integers,
)
from allos.analysis.model_settings import groups_settings
from allos.analysis.results import returns_result

_KINDS = ("error_type", "http_status")


@returns_result("errors")
@groups_settings("frame")
def errors(frame: pd.DataFrame, by: By = ("provider", "model")) -> pd.DataFrame:
    """Failed calls by their kind, the most frequent first.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `allos.responses`; `status` and `error_type` are needed.
    by : str, iterable of str or None
        Columns to group by, beside the kind of error; None: by kind alone.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, `error_type` and `http_status`, then `failed` (calls), `share` (of all
        calls with these values of `by`, 0 to 1), `first` and `last` (`created_at`), and `message`: the
        newest error's. Empty where nothing failed.

    Raises
    ------
    ConfigurationError
        The frame has no such column.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"model": "m", "status": ["ok", "error"], "error_type": [None, "RateLimitError"]})
    >>> errors(df, by="model")[["model", "error_type", "failed", "share"]].values.tolist()
    [['m', 'RateLimitError', 1, 0.5]]
    """
    names = by_names(frame, by, "errors")
    check_columns(frame, ["status", "error_type"], "errors")
    kinds = [*names, *(name for name in _KINDS if name in frame.columns and name not in names)]
    is_failed = equals(frame, "status", "error")
    failed = frame[is_failed]
    # The group of `by` that each failed call belongs to, of all calls.
    codes = group(frame, names).codes
    totals = np.bincount(codes)[codes[is_failed]] if len(codes) else codes
    if "created_at" in frame.columns:
        order = np.argsort(failed["created_at"].to_numpy(), kind="stable")
        failed, totals = failed.iloc[order], totals[order]
    groups = group(failed, kinds)
    rows = failed.groupby(groups.codes)
    result = groups.keys
    result["failed"] = integers(groups.sizes())
    result["share"] = floats(groups.sizes() / pd.Series(totals).groupby(groups.codes).first())
    if "created_at" in frame.columns:
        result["first"], result["last"] = rows["created_at"].min(), rows["created_at"].max()
    if "error_message" in frame.columns:
        result["message"] = rows["error_message"].last()
    return result.sort_values("failed", ascending=False, kind="stable", ignore_index=True)
