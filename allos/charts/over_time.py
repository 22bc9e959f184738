"""Chart of calls, latency and cost over time."""

from __future__ import annotations

from typing import Any

import pandas as pd

from allos.charts import theme
from allos.charts.chart import finish
from allos.charts.lazy_altair import alt
from allos.charts.words import columns_before, figure, finite, row_labels
from allos.render.tokens import SLOT_COLOURS

_HEIGHT = 92
_MOST_GROUPS = len(SLOT_COLOURS)
_TIMES = {
    "minutes": "%H:%M",
    "hours": "%H:%M",
    "date": "%d %b",
    "day": "%d %b",
    "week": "%d %b",
    "month": "%b",
    "quarter": "%b",
    "year": "%Y",
}
"""Labels of the axis: of a day's first hour its date."""


def timeline_chart(frame: pd.DataFrame) -> Any:
    """One panel each for calls, latency and cost, as far as they are known."""
    names = columns_before(frame, "calls")[1:]
    groups = _groups(frame, names)
    starts = pd.to_datetime(frame["period"], utc=True)
    distinct = starts.drop_duplicates().sort_values()
    length = distinct.diff().min() if len(distinct) > 1 else pd.Timedelta("1D")
    records: list[dict[str, Any]] = []
    for number, (row, start, group) in enumerate(
        zip(frame.to_dict("records"), starts, groups, strict=True)
    ):
        failed = int(row["failed"] or 0)
        middle, slow = finite(row["latency_s_p50"]), finite(row["latency_s_p95"])
        cost = finite(row["cost_usd"])
        parts = [f"{int(row['calls']):,} calls, {failed:,} failed"]
        parts += [f"median {figure(middle, 's')}"] if middle is not None else []
        parts += [figure(cost, "$")] if cost is not None else []
        when = f"{start:%Y-%m-%d %H:%M} UTC{f', {group}' if names else ''}"
        records.append(
            {
                "mark": number,
                "about": f"{when}: {', '.join(parts)}",
                "start": start.isoformat(),
                "middle": (start + length / 2).isoformat(),
                "end": (start + length * 0.9).isoformat(),
                "group": group,
                "answered": int(row["calls"]) - failed,
                "failed": failed,
                "p50": middle,
                "p95": slow,
                "cost": cost,
            }
        )
    colour = _colour(list(dict.fromkeys(groups)), bool(names))
    panels = [_calls(records, colour)]
    if any(each["p50"] is not None for each in records):
        panels.append(_latency(records, colour, bool(names)))
    if any(each["cost"] for each in records):
        panels.append(_bars(records, colour, "cost", "cost, US dollars", "$,~r"))
    total = sum(int(value) for value in frame["calls"])
    failed = sum(int(value) for value in frame["failed"])
    subtitle = f"{total:,} calls, {failed:,} failed" + ("" if names else " (red)")
    return finish(panels, frame, [[row] for row in range(len(frame))], "Calls over time", subtitle)


def _groups(frame: pd.DataFrame, names: list[Any]) -> list[str]:
    """Label of the group of each row; the same for the same group, and one for those beyond ten."""
    if not names:
        return ["all"] * len(frame)
    keys = list(frame[names].itertuples(index=False, name=None))
    distinct = frame[names].drop_duplicates()
    shown = dict(
        zip(
            distinct.itertuples(index=False, name=None),
            row_labels(distinct, names),
            strict=True,
        )
    )
    order = frame.groupby(names, dropna=False, sort=False)["calls"].sum()
    if len(order) > _MOST_GROUPS:
        largest = order.sort_values(ascending=False).index[: _MOST_GROUPS - 1]
        kept = {key if isinstance(key, tuple) else (key,) for key in largest}
        return [shown[key] if key in kept else "all others" for key in keys]
    return [shown[key] for key in keys]


def _colour(groups: list[str], has_groups: bool) -> alt.Color:
    return alt.Color(
        "group:N",
        scale=alt.Scale(domain=groups, range=list(SLOT_COLOURS[: len(groups)])),
        legend=alt.Legend() if has_groups else None,
    )


def _base(records: list[dict[str, Any]], colour: alt.Color) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=records)).encode(
        color=colour,
        description=alt.Description("about:N"),
        tooltip=alt.Tooltip("about:N"),
    )


def _x(field: str, records: list[dict[str, Any]]) -> alt.X:
    ends = [each[name] for each in records for name in ("start", "end")]
    # Milliseconds; all panels have the same, so that they stand below each other.
    domain = [pd.Timestamp(end).timestamp() * 1000 for end in (min(ends), max(ends))]
    return alt.X(
        f"{field}:T",
        title=None,
        scale=alt.Scale(type="utc", domain=domain),
        axis=alt.Axis(grid=False, tickCount=8, format=_TIMES),
    )


def _calls(records: list[dict[str, Any]], colour: alt.Color) -> Any:
    base, x = _base(_stacked(records), colour), _x("start", records)
    y = alt.Y("low:Q", title="calls", axis=alt.Axis(tickCount=3, format=",~r"))
    bars = base.mark_bar(opacity=0.75).encode(x=x, x2="end:T", y=y, y2="high:Q")
    failed = base.mark_bar(aria=False, color=theme.BAD).encode(
        x=x, x2="end:T", y="high:Q", y2="top:Q", color=alt.value(theme.BAD)
    )
    return alt.layer(bars, failed).properties(width=theme.WIDTH + 80, height=_HEIGHT)


def _stacked(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where each bar stands: those of one period on each other."""
    at: dict[str, int] = {}
    placed = []
    for each in records:
        low = at.get(each["start"], 0)
        high = low + each["answered"]
        at[each["start"]] = high + each["failed"]
        placed.append(each | {"low": low, "high": high, "top": at[each["start"]]})
    return placed


def _latency(records: list[dict[str, Any]], colour: alt.Color, has_groups: bool) -> Any:
    base = _base([each for each in records if each["p50"] is not None], colour)
    x = _x("middle", records)
    y = alt.Y("p50:Q", title="latency, seconds", axis=alt.Axis(tickCount=3, format=",~r"))
    layers: list[Any] = [
        base.mark_line(strokeWidth=2, interpolate="monotone", aria=False).encode(x=x, y=y),
        base.mark_circle(size=36, opacity=1).encode(x=x, y=y),
    ]
    if not has_groups:
        layers.insert(
            0,
            base.mark_area(opacity=0.18, interpolate="monotone", aria=False).encode(
                x=x, y=y, y2="p95:Q"
            ),
        )
    return alt.layer(*layers).properties(
        width=theme.WIDTH + 80,
        height=_HEIGHT,
        title=_small("median" + ("" if has_groups else ", and up to the 95th percentile")),
    )


def _bars(
    records: list[dict[str, Any]], colour: alt.Color, field: str, title: str, form: str
) -> Any:
    at: dict[str, float] = {}
    placed = []
    for each in records:
        low = at.get(each["start"], 0.0)
        at[each["start"]] = low + (each[field] or 0.0)
        placed.append(each | {"low": low, "high": at[each["start"]]})
    base = _base(placed, colour)
    y = alt.Y("low:Q", title=title, axis=alt.Axis(tickCount=3, format=form))
    x = _x("start", records)
    bars = base.mark_bar(opacity=0.75).encode(x=x, x2="end:T", y=y, y2="high:Q")
    return alt.layer(bars).properties(width=theme.WIDTH + 80, height=_HEIGHT)


def _small(text: str) -> dict[str, Any]:
    return {"text": text, "fontSize": 11, "fontWeight": "normal", "color": theme.QUIET, "offset": 4}
