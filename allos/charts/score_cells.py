"""Heat map of a score: prompts by models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from allos.charts.chart import finish
from allos.charts.lazy_altair import alt
from allos.charts.words import AXIS_CHARS, WHOLE, figure, label, labels
from allos.errors import ConfigurationError

_MOST_PROMPTS = 60
_MOST_MODELS = 30
_PROMPT_CHARS = 48
_ROW_PX = 20
_PALE = "rgba(42,125,225,0.06)"
_STRONG = "rgba(42,125,225,0.95)"


def cells_chart(frame: pd.DataFrame, score: pd.Series[float], by: list[Any], prompt: Any) -> Any:
    """Chart of mean scores, the prompts with the lowest means first.

    Parameters
    ----------
    frame : pandas.DataFrame
        The answers.
    score : pandas.Series
        A number for each row; NaN where it is unknown.
    by : list
        Columns whose values are the columns of the map.
    prompt : object
        Column of the prompts.

    Raises
    ------
    ConfigurationError
        No score is known, or there are too many models.
    """
    values = score.to_numpy(dtype=float)
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        raise ConfigurationError("No score here is known, so there is nothing to draw.")
    part = frame.iloc[known]
    models: dict[Any, None] = {}
    rows: dict[tuple[Any, Any], list[int]] = {}
    keys = list(part[by].itertuples(index=False, name=None)) if by else [()] * len(part)
    asked = [label(value, WHOLE) for value in part[prompt]]
    for key, text, row in zip(keys, asked, known.tolist(), strict=True):
        name = tuple(label(each, WHOLE) for each in key)
        models.setdefault(name)
        rows.setdefault((name, text), []).append(row)
    if len(models) > _MOST_MODELS:
        raise ConfigurationError(
            f"A heat map has room for {_MOST_MODELS} models; these are {len(models):,}. Take a part of the rows."
        )
    means = {key: float(values[found].mean()) for key, found in rows.items()}
    by_prompt: dict[str, list[float]] = {}
    for (_, text), mean in means.items():
        by_prompt.setdefault(text, []).append(mean)
    order = sorted(by_prompt, key=lambda text: float(np.mean(by_prompt[text])))
    drawn = order[:_MOST_PROMPTS]
    short = dict(zip(drawn, labels(drawn, _PROMPT_CHARS), strict=True))
    columns = dict(zip(models, labels((name or "all" for name in models), AXIS_CHARS), strict=True))
    chosen = [key for key in rows if key[1] in short]
    chosen.sort(key=lambda key: drawn.index(key[1]))
    records = [
        {
            "mark": number,
            "about": f"{columns[name]}, {short[text]}: {figure(means[name, text])}"
            + (f", {len(rows[name, text])} answers" if len(rows[name, text]) > 1 else ""),
            "model": columns[name],
            "prompt": short[text],
            "mean": means[name, text],
        }
        for number, (name, text) in enumerate(chosen)
    ]
    subtitle = f"mean over repeats; {len(order):,} prompts, the lowest first"
    if len(order) > len(drawn):
        subtitle += f", {len(drawn)} of them shown"
    panel = _panel(records, list(columns.values()))
    title = f"{label(score.name).replace('_', ' ').capitalize()} by prompt and model"
    return finish([panel], frame, [rows[key] for key in chosen], title, subtitle)


def _panel(records: list[dict[str, Any]], columns: list[str]) -> Any:
    width = max(26, min(130, 620 // max(1, len(columns))))
    is_turned = max(map(len, columns)) * 7 > width
    cells = (
        alt.Chart(alt.InlineData(values=records))
        .mark_rect(cornerRadius=3)
        .encode(
            x=alt.X(
                "model:N",
                sort=columns,
                title=None,
                axis=alt.Axis(
                    orient="top",
                    labelAngle=-35 if is_turned else 0,
                    labelAlign="left" if is_turned else "center",
                ),
                scale=alt.Scale(paddingInner=0.06),
            ),
            y=alt.Y(
                "prompt:N",
                sort=None,
                title=None,
                axis=alt.Axis(labelLimit=330, labelFontSize=11.5),
                scale=alt.Scale(paddingInner=0.12),
            ),
            color=alt.Color(
                "mean:Q",
                scale=alt.Scale(range=[_PALE, _STRONG], interpolate="rgb"),
                legend=alt.Legend(
                    orient="right", gradientLength=96, gradientThickness=8, tickCount=3, columns=1
                ),
            ),
            description=alt.Description("about:N"),
            tooltip=alt.Tooltip("about:N"),
        )
    )
    return alt.layer(cells).properties(width=alt.Step(width), height=alt.Step(_ROW_PX))
