"""Chart of what `drift` finds: each measure before and after."""

from __future__ import annotations

from typing import Any

import pandas as pd

from allos.charts import theme
from allos.charts.chart import finish
from allos.charts.intervals import ROW_PX
from allos.charts.lazy_altair import alt
from allos.charts.words import columns_before, figure, finite, label, labels

_SHARES = frozenset({"error_rate", "same_answer"})
_NAMED = frozenset({"response_model", "system_fingerprint"})
"""Measures that count names; which are new says more than how many."""
_NAMES = {
    "error_rate": "errors",
    "latency_s": "latency",
    "time_to_first_token_s": "time to first token",
    "tokens_per_second": "tokens per second",
    "cost_usd": "cost",
    "answer_chars": "length of the answer",
    "same_answer": "same answer",
    "response_model": "models served",
    "system_fingerprint": "system fingerprints",
}
_NO_SIGN_AT_0 = "datum.value ? datum.label : '0%'"
_NOTE_CHARS = 40
_FARTHEST = 4.0
"""A change by more than 400 % is drawn at the edge; the figures beside it are exact."""


def changes_chart(frame: pd.DataFrame) -> Any:
    """Measures by how far they moved; those that changed in colour."""
    names = columns_before(frame, "measure")
    keys = list(frame[names].itertuples(index=False, name=None)) if names else [()] * len(frame)
    one_group = len(set(keys)) <= 1
    shown = labels(
        _name(measure) if one_group else (*key, _name(measure))
        for key, measure in zip(keys, frame["measure"], strict=True)
    )
    records = []
    for number, row in enumerate(frame.to_dict("records")):
        before, after = finite(row["a"]), finite(row["b"])
        changed = row["changed"] is not pd.NA and bool(row["changed"])
        style = _style(str(row["measure"]))
        moved = _moved(before, after, style)
        p_value = finite(row["p_value"])
        figures = f"{figure(before, style)} → {figure(after, style)}"
        note = str(row["note"] or "") if isinstance(row["note"], str) else ""
        if note and row["measure"] in _NAMED:
            figures, note = label(note, _NOTE_CHARS), ""
        sure = "changed" if changed else "no change seen"
        about = f"{shown[number]}: {figures}, {sure}"
        if p_value is not None:
            about += f", p = {p_value:.2g}"
        records.append(
            {
                "mark": number,
                "about": about + (f", {label(note, 200)}" if note else ""),
                "label": shown[number],
                "moved": moved,
                "from": 0.0,
                "figures": figures,
                "colour": theme.BAD if changed else theme.LINE,
                "ink": theme.INK if changed else theme.QUIET,
            }
        )
    count = sum(each["colour"] == theme.BAD for each in records)
    which = labels([keys[0]])[0] if one_group and names and keys else ""
    title = f"Before and after{f': {which}' if which else ''}"
    subtitle = f"{count or 'none'} of {len(records)} measures changed (p below 0.05 after Holm's correction)"
    return finish([_panel(records)], frame, [[row] for row in range(len(frame))], title, subtitle)


def _name(measure: Any) -> str:
    return _NAMES.get(str(measure), label(measure).replace("_", " "))


def _style(measure: str) -> str:
    if measure in _SHARES:
        return "%"
    return "$" if measure.endswith("_usd") else "s" if measure.endswith("_s") else ""


def _moved(before: float | None, after: float | None, style: str) -> float | None:
    """Change relative to before; of a share, in points."""
    if before is None or after is None:
        return None
    if style == "%":
        return after - before
    if not before:
        return 0.0 if not after else _FARTHEST
    return max(-_FARTHEST, min(_FARTHEST, (after - before) / abs(before)))


def _panel(records: list[dict[str, Any]]) -> Any:
    base = alt.Chart(alt.InlineData(values=records)).encode(
        y=alt.Y("label:N", sort=None, title=None),
        color=alt.Color("colour:N", scale=None),
        description=alt.Description("about:N"),
        tooltip=alt.Tooltip("about:N"),
    )
    x = alt.X(
        "moved:Q",
        title="change: relative, of shares in points",
        scale=alt.Scale(padding=10),
        axis=alt.Axis(format="+%", tickCount=6, labelExpr=_NO_SIGN_AT_0),
    )
    ground = alt.Chart(alt.InlineData(values=[{"moved": 0}]))
    return alt.layer(
        ground.mark_rule(color=theme.QUIET, strokeWidth=1, aria=False).encode(x="moved:Q"),
        base.mark_bar(size=4, opacity=0.5, aria=False).encode(x=x, x2="from:Q"),
        base.mark_circle(size=95, opacity=1).encode(x=x),
        base.mark_text(align="left", fontSize=12, aria=False).encode(
            x=alt.value(theme.FIGURE_PX), text="figures:N", color=alt.Color("ink:N", scale=None)
        ),
    ).properties(width=theme.WIDTH, height=alt.Step(ROW_PX - 6))
