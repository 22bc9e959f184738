"""Charts of how long calls took: percentiles of groups, and every call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from allos.charts import theme
from allos.charts.axes import number_axis
from allos.charts.chart import finish
from allos.charts.intervals import interval_panel
from allos.charts.lazy_altair import alt
from allos.charts.words import (
    AXIS_CHARS,
    WHOLE,
    columns_before,
    figure,
    finite,
    label,
    labels,
    row_labels,
)
from allos.errors import ConfigurationError
from allos.render.tokens import SLOT_COLOURS

_MEASURES = {"latency_s": "latency", "time_to_first_token_s": "time to first token"}
_MOST_CALLS = 1_500
"""Calls of one group that are drawn; of more, evenly chosen ones."""
_MOST_GROUPS = 20
_FAR = 30
"""From this ratio of the slowest to the fastest call on, the axis is logarithmic."""
_GOLDEN = 0.618034
_BAND_PX = 58


def percentiles(frame: pd.DataFrame) -> Any:
    """Median and 95th percentile of latency and of time to the first token, by group."""
    shown = row_labels(frame, columns_before(frame, "calls"))
    panels = []
    for measure, words in _MEASURES.items():
        records = []
        for number, row in enumerate(frame.to_dict("records")):
            middle, slow = finite(row[f"{measure}_p50"]), finite(row[f"{measure}_p95"])
            if middle is None:
                continue
            text = f"to {figure(slow, 's')} (p95)"
            records.append(
                {
                    "mark": number,
                    "about": f"{shown[number]}, {words}: median {figure(middle, 's')}, p95 {figure(slow, 's')}",
                    "label": shown[number],
                    "value": middle,
                    "low": middle,
                    "high": slow,
                    "colour": theme.ACCENT,
                    "figure": figure(middle, "s"),
                    "beside": text,
                }
            )
        if records:
            panels.append(interval_panel(records, axis=f"{words}, seconds", style="s"))
    if not panels:
        raise ConfigurationError(
            "No latency is known in this summary, so there is nothing to draw."
        )
    calls = sum(int(value) for value in frame["calls"])
    return finish(
        panels,
        frame,
        [[row] for row in range(len(frame))],
        "How fast",
        f"median, and up to the 95th percentile, of the answered ones of {calls:,} calls",
    )


def strips(frame: pd.DataFrame, by: list[Any], measure: str) -> Any:
    """Chart of every answered call as a dot, with median and 95th percentile of each group.

    Parameters
    ----------
    frame : pandas.DataFrame
        The calls, with the columns of `by` and `measure`.
    by : list
        Columns to group by.
    measure : str
        ``"latency_s"`` or ``"time_to_first_token_s"``.

    Raises
    ------
    ConfigurationError
        No value is known, or there are too many groups.
    """
    words = _MEASURES[measure]
    seconds = pd.to_numeric(frame[measure], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if "status" in frame.columns:
        seconds = np.where(frame["status"].isin(["error", "cancelled"]), np.nan, seconds)
    known = np.flatnonzero(np.isfinite(seconds))
    if not len(known):
        raise ConfigurationError(
            f"No answered call here has a known {words}, so there is nothing to draw."
        )
    keys = (
        list(frame.iloc[known][by].itertuples(index=False, name=None)) if by else [()] * len(known)
    )
    groups: dict[Any, list[int]] = {}
    for key, row in zip(keys, known.tolist(), strict=True):
        groups.setdefault(tuple(label(each, WHOLE) for each in key), []).append(row)
    if len(groups) > _MOST_GROUPS:
        raise ConfigurationError(
            f"A chart has room for {_MOST_GROUPS} groups; these are {len(groups):,}. Name fewer columns in by=, "
            "or take a part of the rows."
        )
    shown = labels((key if key else "all" for key in groups), AXIS_CHARS)
    dots, lines = _strips(groups, shown, seconds)
    is_log = seconds[known].min() > 0 and seconds[known].max() / seconds[known].min() > _FAR
    panel = _panel(dots, lines, f"{words}, seconds", is_log)
    title = words.capitalize()
    left_out = sum(map(len, groups.values())) - len(dots)
    subtitle = "a dot is a call; lines at the median and the 95th percentile"
    if left_out:
        subtitle = f"{len(dots):,} of {len(dots) + left_out:,} calls, evenly chosen; lines at the median and the 95th percentile"
    return finish([panel], frame, [[each["row"]] for each in dots], title, subtitle)


def _strips(
    groups: dict[Any, list[int]], shown: list[str], seconds: Any
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    dots: list[dict[str, Any]] = []
    lines = []
    for number, (rows, name) in enumerate(zip(groups.values(), shown, strict=True)):
        ordered = sorted(rows, key=lambda row: seconds[row])
        middle, slow = np.quantile(seconds[ordered], [0.5, 0.95])
        colour = SLOT_COLOURS[number % len(SLOT_COLOURS)]
        step = max(1.0, len(ordered) / _MOST_CALLS)
        chosen = [ordered[int(at * step)] for at in range(min(len(ordered), _MOST_CALLS))]
        for at, row in enumerate(chosen):
            dots.append(
                {
                    "mark": len(dots),
                    "about": f"{name}: {figure(float(seconds[row]), 's')}",
                    "label": name,
                    "seconds": float(seconds[row]),
                    # Spread evenly over the band, the same each time.
                    "spread": math.modf(at * _GOLDEN)[0],
                    "colour": colour,
                    "row": row,
                }
            )
        lines.append(
            {
                "label": name,
                "middle": float(middle),
                "slow": float(slow),
                "text": figure(float(middle), "s"),
                "beside": f"p95 {figure(float(slow), 's')}, {len(rows):,} calls",
                "colour": colour,
            }
        )
    return dots, lines


def _panel(dots: list[dict[str, Any]], lines: list[dict[str, Any]], axis: str, is_log: bool) -> Any:
    y = alt.Y("label:N", sort=None, title=None)
    x = alt.X(
        "seconds:Q",
        title=axis,
        **number_axis([each["seconds"] for each in dots], is_log=is_log),
    )
    own = alt.Color("colour:N", scale=None)
    marks = alt.Chart(alt.InlineData(values=dots)).mark_circle(size=26, opacity=0.45)
    ticks = alt.Chart(alt.InlineData(values=lines)).encode(y=y)
    return alt.layer(
        marks.encode(
            x=x,
            y=y,
            yOffset=alt.YOffset("spread:Q", scale=alt.Scale(domain=[-0.15, 1.15])),
            color=own,
            description=alt.Description("about:N"),
            tooltip=alt.Tooltip("about:N"),
        ),
        ticks.mark_tick(thickness=2.5, size=40, opacity=1, color=theme.INK, aria=False).encode(
            x="middle:Q"
        ),
        ticks.mark_tick(thickness=1.2, size=26, opacity=1, color=theme.QUIET, aria=False).encode(
            x="slow:Q"
        ),
        ticks.mark_text(
            align="left", fontSize=12, fontWeight=600, color=theme.INK, aria=False
        ).encode(x=alt.value(theme.FIGURE_PX), text="text:N"),
        ticks.mark_text(align="left", fontSize=11, color=theme.QUIET, aria=False).encode(
            x=alt.value(theme.beside_px(each["text"] for each in lines)), text="beside:N"
        ),
    ).properties(width=theme.WIDTH, height=alt.Step(_BAND_PX, **{"for": "position"}))
