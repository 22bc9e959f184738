"""Chart of quality against cost or latency, with the Pareto line."""

from __future__ import annotations

import math
from typing import Any, Literal

import pandas as pd

from allos.charts import theme
from allos.charts.axes import number_axis
from allos.charts.chart import finish
from allos.charts.lazy_altair import alt
from allos.charts.words import columns_before, figure, finite, label, row_labels
from allos.errors import ConfigurationError

_HEIGHT = 300
_FAR = 50
"""Where the dearest takes so many times what the cheapest does, the axis is logarithmic."""
_STYLES = {"cost_usd": "$", "latency_s": "s", "time_to_first_token_s": "s", "total_time_s": "s"}
_TITLES = {"cost_usd": "cost of an answer, US dollars", "latency_s": "latency, seconds"}
_LINE_PX = 15


def pareto_chart(frame: pd.DataFrame) -> Any:
    """Groups by quality and what it takes; the ones that no other beats are joined by a line."""
    before = columns_before(frame, "answers")
    quality, against = before[-2], before[-1]
    shown = row_labels(frame, before[:-2])
    style = _STYLES.get(str(against), "")
    records: list[dict[str, Any]] = []
    for number, row in enumerate(frame.to_dict("records")):
        good, cost = finite(row[quality]), finite(row[against])
        on_front = row["on_front"] is not pd.NA and bool(row["on_front"])
        by = label(row["dominated_by"] or "", 200)
        state = (
            "on the Pareto line"
            if on_front
            else f"dominated by {by}"
            if row["dominated_by"]
            else "not comparable"
        )
        about = f"{shown[number]}: {figure(good)} for {figure(cost, style)}, {state}"
        if good is not None and cost is not None:
            records.append(
                {
                    "mark": number,
                    "about": about,
                    "label": shown[number],
                    "good": good,
                    "cost": cost,
                    "front": on_front,
                }
            )
    if not records:
        raise ConfigurationError(
            f"No {_words(quality)} with its {_words(against)} is known here, so there is nothing to draw."
        )
    left_out = len(frame) - len(records)
    subtitle = "on the line: no other is at least as good for less"
    if left_out:
        subtitle += (
            f"; {left_out} with an unknown value {'is' if left_out == 1 else 'are'} left out"
        )
    values = [each["cost"] for each in records]
    is_log = bool(values) and min(values) > 0 and max(values) / min(values) > _FAR
    _place_labels(records, is_log)
    panel = _panel(
        records, is_log, _words(quality), _TITLES.get(str(against), _words(against)), style
    )
    title = f"{_words(quality).capitalize()} against {_words(against)}"
    return finish([panel], frame, [[row] for row in range(len(frame))], title, subtitle)


def _words(name: Any) -> str:
    return label(name).removesuffix("_usd").removesuffix("_s").replace("_", " ")


def _panel(
    records: list[dict[str, Any]], is_log: bool, quality: str, against: str, style: str
) -> Any:
    base = alt.Chart(alt.InlineData(values=records)).encode(
        x=alt.X(
            "cost:Q",
            title=against,
            **number_axis(
                [each["cost"] for each in records],
                is_log=is_log,
                number_format="$,~r" if style == "$" else ",~r",
                padding=24,
            ),
        ),
        y=alt.Y("good:Q", title=quality, scale=alt.Scale(zero=False, padding=24)),
        description=alt.Description("about:N"),
        tooltip=alt.Tooltip("about:N"),
    )
    front = alt.Chart(alt.InlineData(values=[each for each in records if each["front"]])).mark_line(
        interpolate="step-after", color=theme.ACCENT, strokeWidth=2, opacity=0.45, aria=False
    )
    layers: list[Any] = [
        front.encode(x="cost:Q", y="good:Q"),
        base.mark_circle(size=110, opacity=1).encode(
            color=alt.Color(
                "front:N",
                legend=None,
                scale=alt.Scale(domain=[True, False], range=[theme.ACCENT, theme.LINE]),
            )
        ),
    ]
    sides: tuple[tuple[int, Literal["left", "right"]], ...] = ((1, "left"), (-1, "right"))
    for side, align in sides:
        for is_front, ink in ((True, theme.INK), (False, theme.QUIET)):
            part = [each for each in records if (each["side"], each["front"]) == (side, is_front)]
            layers += [
                alt.Chart(alt.InlineData(values=[each for each in part if each["dy"] == dy]))
                .mark_text(
                    align=align,
                    dx=8 * side,
                    dy=dy,
                    fontSize=12,
                    fontWeight=600 if is_front else 400,
                    color=ink,
                    aria=False,
                )
                .encode(x="cost:Q", y="good:Q", text="label:N")
                for dy in sorted({each["dy"] for each in part})
            ]
    return alt.layer(*layers).properties(width=theme.WIDTH + 80, height=_HEIGHT)


def _place_labels(records: list[dict[str, Any]], is_log: bool) -> None:
    """Give each label a side, and a shift where it would cover another one."""
    if not records:
        return
    across = [math.log(each["cost"]) if is_log else each["cost"] for each in records]
    up = [each["good"] for each in records]
    placed: list[tuple[float, int]] = []
    for each, x, y in sorted(
        zip(records, across, up, strict=True), key=lambda found: (-found[2], found[1])
    ):
        at = (x - min(across)) / ((max(across) - min(across)) or 1)
        height = _HEIGHT * (1 - (y - min(up)) / ((max(up) - min(up)) or 1))
        each["side"] = -1 if at > 0.6 else 1
        each["dy"] = -10
        while any(
            abs(height + each["dy"] - other) < _LINE_PX and side == each["side"]
            for other, side in placed
        ):
            each["dy"] += 3
        placed.append((height + each["dy"], each["side"]))
