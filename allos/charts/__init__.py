"""Altair charts of what `allos.analysis` finds, with a static picture and the rows behind each mark.

Altair and vl-convert come with the extra ``[plot]`` and are imported for the first chart. A chart's data
have names of columns that are ours, and every text in it is text: nothing in a chart is a link, an image
or an expression that a prompt or a model's name could reach.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal

from allos.charts import lazy_altair
from allos.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

_MISSING = (
    "Charts need Altair and vl-convert: run pip install 'allos-jupyter[plot]'. The DataFrame itself is "
    "complete without them."
)
# Result of a function of `allos.analysis` -> the module and function that draws it.
_DRAWN = {
    "leaderboard": ("intervals", "ratings"),
    "score_summary": ("intervals", "scores"),
    "pass_at_k": ("intervals", "scores"),
    "pass_all_k": ("intervals", "scores"),
    "paired": ("intervals", "differences"),
    "compare_all": ("intervals", "differences"),
    "judge_corrected": ("intervals", "corrected_scores"),
    "summary": ("speeds", "percentiles"),
    "pareto": ("pareto_line", "pareto_chart"),
    "drift": ("changes", "changes_chart"),
    "timeline": ("over_time", "timeline_chart"),
    "cost_report": ("bars", "cost_chart"),
    "errors": ("bars", "errors_chart"),
    "disagreement": ("bars", "disagreement_chart"),
}


def draw(frame: pd.DataFrame, result_of: str) -> Any:
    """Chart of a result.

    Parameters
    ----------
    frame : pandas.DataFrame
    result_of : str
        Name of the function of `allos.analysis` that returned it.

    Raises
    ------
    ConfigurationError
        Altair is not installed, the result has no rows, or there is no chart of it.
    """
    if result_of not in _DRAWN:
        raise ConfigurationError(
            f"{result_of}() has no chart of its own. pandas draws its columns: .plot.bar(x=..., y=...). "
            f"There are charts of {', '.join(sorted(_DRAWN))}."
        )
    if not len(frame):
        raise ConfigurationError(f"{result_of}() found no rows, so there is nothing to draw.")
    module, function = _DRAWN[result_of]
    return getattr(_module(module), function)(frame)


def latencies(
    frame: pd.DataFrame, by: list[Any], measure: Literal["latency_s", "time_to_first_token_s"]
) -> Any:
    """Chart of how long each call took; see `allos.charts.speeds`."""
    return _module("speeds").strips(frame, by, measure)


def heat_map(frame: pd.DataFrame, score: pd.Series[float], by: list[Any], prompt: str) -> Any:
    """Chart of a score, prompts by models; see `allos.charts.score_cells`."""
    return _module("score_cells").cells_chart(frame, score, by, prompt)


def _module(name: str) -> Any:
    try:
        lazy_altair.load()
    except ImportError:
        raise ConfigurationError(_MISSING) from None
    return importlib.import_module(f"allos.charts.{name}")
