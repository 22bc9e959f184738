"""Charts of amounts: cost, failed calls, disagreement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from allos.charts import theme
from allos.charts.chart import finish
from allos.charts.lazy_altair import alt
from allos.charts.words import columns_before, figure, finite, label, labels, row_labels

_MOST = 25
_ROW_PX = 30


def cost_chart(frame: pd.DataFrame) -> Any:
    """Cost of each group."""
    shown = row_labels(frame, columns_before(frame, "calls"))
    values = [finite(value) for value in frame["cost_usd"]]
    beside = []
    for row in frame.to_dict("records"):
        unknown, share = int(row["unknown_costs"]), finite(row["share"])
        parts = [f"{share:.0%}"] if share is not None else []
        parts += [f"{int(row['calls']):,} calls"]
        parts += [f"{unknown:,} of unknown cost"] if unknown else []
        beside.append(", ".join(parts))
    unknown = sum(int(value) for value in frame["unknown_costs"])
    known = [value for value in values if value is not None]
    parts = [f"{figure(sum(known), '$')} in all"] if known else []
    parts += [f"{unknown:,} calls of unknown cost"] if unknown else []
    subtitle = ", and ".join(parts)
    return _bar_chart(
        frame, shown, values, beside, "What it cost", subtitle, "US dollars", "$", theme.ACCENT
    )


def errors_chart(frame: pd.DataFrame) -> Any:
    """Failed calls of each kind."""
    names = [name for name in columns_before(frame, "failed") if name != "http_status"]
    shown = row_labels(frame, names)
    values = [finite(value) for value in frame["failed"]]
    beside = [f"{float(part):.1%} of the calls" for part in frame["share"]]
    return _bar_chart(
        frame, shown, values, beside, "Failed calls", "by their kind", "calls", "", theme.BAD
    )


def disagreement_chart(frame: pd.DataFrame) -> Any:
    """Prompts by how much their answers differ."""
    shown = labels(frame.iloc[:, 0].tolist(), 48)
    values = [finite(value) for value in frame["disagreement"]]
    beside = [label(pair) for pair in frame["most_different"]]
    return _bar_chart(
        frame,
        shown,
        values,
        beside,
        "Where models disagree",
        "0: the same words; beside: the two that differ most",
        "disagreement",
        "",
        theme.ACCENT,
    )


def _bar_chart(
    frame: pd.DataFrame,
    shown: Sequence[str],
    values: Sequence[float | None],
    beside: Sequence[str],
    title: str,
    subtitle: str,
    axis: str,
    style: str,
    colour: str,
) -> Any:
    records = [
        {
            "mark": number,
            "about": f"{shown[number]}: {figure(values[number], style)}"
            + (f", {beside[number]}" if beside[number] else ""),
            "label": shown[number],
            "from": 0,
            "value": values[number],
            "figure": figure(values[number], style),
            "beside": beside[number],
        }
        for number in range(min(_MOST, len(frame)))
    ]
    if len(frame) > _MOST:
        subtitle += f"; {_MOST} of {len(frame):,} shown"
    form: dict[str, Any] = {"format": "$,~r"} if style == "$" else {}
    base = alt.Chart(alt.InlineData(values=records)).encode(
        y=alt.Y("label:N", sort=None, title=None),
        description=alt.Description("about:N"),
        tooltip=alt.Tooltip("about:N"),
    )
    x = alt.X("value:Q", title=axis, axis=alt.Axis(tickCount=5, **form))
    bars = base.mark_bar(size=14, cornerRadiusEnd=3, opacity=0.85, color=colour)
    panel = alt.layer(
        bars.encode(x=x, x2="from:Q"),
        base.mark_text(
            align="left", fontSize=12, fontWeight=600, color=theme.INK, aria=False
        ).encode(x=alt.value(theme.FIGURE_PX), text="figure:N"),
        base.mark_text(align="left", fontSize=11, color=theme.QUIET, aria=False, limit=260).encode(
            x=alt.value(theme.beside_px(figure(value, style) for value in values[:_MOST])),
            text="beside:N",
        ),
    ).properties(width=theme.WIDTH, height=alt.Step(_ROW_PX))
    return finish([panel], frame, [[row] for row in range(len(frame))], title, subtitle)
