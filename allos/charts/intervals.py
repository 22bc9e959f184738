"""Charts of values with their intervals: scores, ratings, differences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from allos.charts import theme
from allos.charts.chart import finish
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

ROW_PX = 34
_AXES: dict[str, dict[str, Any]] = {
    "%": {"format": "%"},
    "s": {"format": ",~r"},
    "$": {"format": "$,~r"},
    "": {},
    "+": {},
}
SIGNIFICANT = 0.05
_SCORER_CHARS = 14
_TWO_LINES = f"length(datum.label) > {AXIS_CHARS} ? split(replace(datum.label, ' − ', '\\n− '), '\\n') : datum.label"
"""A long pair has a line for each of the two."""


def ratings(frame: pd.DataFrame) -> Any:
    """Models by their rating."""
    abouts = [
        _ranks(low, high) for low, high in zip(frame["rank_low"], frame["rank_high"], strict=True)
    ]
    return _interval_chart(
        frame,
        row_labels(frame, ["model"]),
        value="rating",
        title="Ranking by votes",
        subtitle=f"rating with its {_level(frame)} interval; 1000 is the average of these models",
        beside=abouts,
    )


def _ranks(low: int, high: int) -> str:
    return f"rank {low}" if low == high else f"rank {low} to {high}"


def scores(frame: pd.DataFrame) -> Any:
    """Groups by their mean score."""
    is_rate = "k" in frame.columns
    names, of_scorer = _without_scorer(
        frame, columns_before(frame, "k" if is_rate else "n_prompts")
    )
    has_ks = is_rate and frame["k"].nunique() > 1
    shown = row_labels(frame, [*names, "k"] if has_ks else names)
    if has_ks:
        shown = [
            f"{each.rpartition(' / ')[0]}, k = {k}"
            for each, k in zip(shown, frame["k"], strict=True)
        ]
    style = "%" if is_rate or "Wilson" in str(frame.attrs.get("method")) else ""
    return _interval_chart(
        frame,
        shown,
        value="mean",
        title=f"{'Pass rate' if style else 'Mean score'}{of_scorer}",
        subtitle=f"mean over prompts with its {_level(frame)} interval",
        style=style,
        beside=[
            f"{int(count):,} prompt{'' if count == 1 else 's'}" for count in frame["n_prompts"]
        ],
    )


def _without_scorer(frame: pd.DataFrame, names: Sequence[str]) -> tuple[list[str], str]:
    """Names of the columns that tell rows apart, and what the title says of a scorer that all have."""
    if "scorer" not in frame.columns or frame["scorer"].nunique() != 1:
        return list(names), ""
    return [name for name in names if name != "scorer"], f", {label(frame['scorer'].iloc[0])}"


def corrected_scores(frame: pd.DataFrame) -> Any:
    """Groups by what people would give them, with what the judge alone gave beside."""
    is_known = frame["mean"].notna()
    if not is_known.any():
        raise ConfigurationError("There are too few labels of people: nothing is claimed yet.")
    left_out = int((~is_known).sum())
    without = f"; {left_out:,} with too few labels left out" if left_out else ""
    frame = frame[is_known]
    return _interval_chart(
        frame,
        row_labels(frame, columns_before(frame, "n_answers")),
        value="mean",
        title="Scores of a judge, corrected by people",
        subtitle=f"mean that people would give, with its {_level(frame)} interval{without}",
        beside=[
            f"{int(count):,} label{'' if count == 1 else 's'}, the judge alone {figure(finite(alone), '')}"
            for count, alone in zip(frame["n_labelled"], frame["judge_mean"], strict=True)
        ],
    )


def _pair_label(a: Any, b: Any, chars: int = AXIS_CHARS) -> str:
    """Both names, so long at most; of two settings of one model its name once, so that what differs has room.

    Examples
    --------
    >>> _pair_label("local/smollm2 (temperature=0)", "local/smollm2 (temperature=1)")
    'local/smollm2: temperature=0 − 1'
    >>> _pair_label("local/smollm2 (temperature 0)", "local/smollm2 (temperature 1)")
    'local/smollm2: temperature 0 − 1'
    """
    first, second = label(a, WHOLE), label(b, WHOLE)
    name, _, setting = first.partition(" (")
    other_name, _, other = second.partition(" (")
    if name == other_name and setting and other:
        setting, other = setting.removesuffix(")"), other.removesuffix(")")
        key = re.match(r"\w+[= ]", setting)
        if key and "," not in setting + other:
            other = other.removeprefix(key[0])
        name = label(f"{name} ({setting})", chars).partition(" (")[0]
        return f"{name}: {setting} − {other}"
    return f"{label(a, chars)} − {label(b, chars)}"


def differences(frame: pd.DataFrame) -> Any:
    """Pairs by their difference; those that are distinguished in colour."""
    names, of_scorer = _without_scorer(frame, [name for name in frame.columns if name == "scorer"])
    of_each = [f"{label(of, _SCORER_CHARS)}: " if names else "" for of in frame.iloc[:, 0]]
    pairs = [
        before + _pair_label(a, b, AXIS_CHARS - len(before))
        for before, (a, b) in zip(
            of_each,  # where there are several scorers
            zip(frame["a"], frame["b"], strict=True)
            if "a" in frame.columns
            else [(frame.attrs.get("a", "a"), frame.attrs.get("b", "b"))] * len(frame),
            strict=True,
        )
    ]
    pairs = labels(pairs, 3 * AXIS_CHARS)
    name = "p_adjusted" if "p_adjusted" in frame.columns else "p_value"
    p_values = [finite(value) for value in frame[name]]
    colours = [
        theme.QUIET
        if p_value is None or p_value >= SIGNIFICANT
        else theme.GOOD
        if difference > 0
        else theme.BAD
        for p_value, difference in zip(p_values, frame["difference"], strict=True)
    ]
    corrected = " after Holm's correction" if name == "p_adjusted" else ""
    return _interval_chart(
        frame,
        pairs,
        value="difference",
        title=f"Differences on the same prompts{of_scorer}",
        subtitle=f"with {_level(frame)} intervals; in colour: p below 0.05{corrected}",
        style="+",
        colours=colours,
        beside=["p unknown" if value is None else _p(value) for value in p_values],
        zero=True,
    )


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"


def _level(frame: pd.DataFrame) -> str:
    return f"{100 * float(frame.attrs.get('level', 0.95)):g} %"


def _interval_chart(
    frame: pd.DataFrame,
    shown: Sequence[str],
    *,
    value: str,
    title: str,
    subtitle: str,
    style: str = "",
    colours: Sequence[str] | None = None,
    beside: Sequence[str],
    zero: bool = False,
) -> Any:
    records: list[dict[str, Any]] = [
        {
            "mark": number,
            "label": shown[number],
            "value": finite(row[value]),
            "low": finite(row["low"]),
            "high": finite(row["high"]),
            "colour": colours[number] if colours else theme.ACCENT,
            "figure": figure(finite(row[value]), style),
            "beside": beside[number],
        }
        for number, row in enumerate(frame.to_dict("records"))
    ]
    for each in records:
        low, high = figure(each["low"], style), figure(each["high"], style)
        each["about"] = f"{each['label']}: {each['figure']} ({low} to {high}), {each['beside']}"
    panel = interval_panel(records, axis=value.replace("_", " "), style=style, zero=zero)
    return finish([panel], frame, [[row] for row in range(len(frame))], title, subtitle)


def interval_panel(
    records: list[dict[str, Any]], *, axis: str, style: str = "", zero: bool = False
) -> Any:
    """Panel with a row for each record: a dot at `value`, a bar from `low` to `high`, and text beside."""
    base = alt.Chart(alt.InlineData(values=records)).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelExpr=_TWO_LINES)),
        color=alt.Color("colour:N", scale=None),
        description=alt.Description("about:N"),
        tooltip=alt.Tooltip("about:N"),
    )
    x = alt.X(
        "value:Q",
        title=axis,
        scale=alt.Scale(zero=False, nice=True, padding=8),
        axis=alt.Axis(tickCount=6, **_AXES[style]),
    )
    layers: list[Any] = []
    if zero:
        ground = alt.Chart(alt.InlineData(values=[{"value": 0}]))
        layers.append(
            ground.mark_rule(color=theme.QUIET, strokeWidth=1, aria=False).encode(x="value:Q")
        )
    layers += [
        base.mark_bar(size=9, cornerRadius=4.5, opacity=0.3).encode(
            x=alt.X("low:Q", title=axis), x2="high:Q"
        ),
        base.mark_circle(size=95, opacity=1).encode(x=x),
        base.mark_text(align="left", fontSize=12, fontWeight=600, aria=False).encode(
            x=alt.value(theme.FIGURE_PX), text="figure:N", color=alt.value(theme.INK)
        ),
        base.mark_text(align="left", fontSize=11, aria=False).encode(
            x=alt.value(theme.beside_px(each["figure"] for each in records)),
            text="beside:N",
            color=alt.value(theme.QUIET),
        ),
    ]
    return alt.layer(*layers).properties(width=theme.WIDTH, height=alt.Step(ROW_PX))
