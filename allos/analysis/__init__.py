"""Functions of a frame that return a frame: what calls were like, how good models are, how sure that is.

Nothing here reads or writes anything. Each name is imported when it is first used. The summaries are
also methods of a frame of responses: ``df.allos.summary()``.

Examples
--------
>>> import pandas as pd
>>> from allos.analysis import score_summary
>>> answers = pd.DataFrame({"model": ["a", "a"], "prompt": [1, 2], "score": [3.0, 5.0]})
>>> score_summary(answers, score="score")["mean"].item()
4.0
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allos.analysis.call_errors import errors as errors
    from allos.analysis.call_summary import summary as summary
    from allos.analysis.costs import cost_report as cost_report
    from allos.analysis.judge_correction import judge_corrected as judge_corrected
    from allos.analysis.judge_correction import label_next as label_next
    from allos.analysis.judge_flips import judge_reliability as judge_reliability
    from allos.analysis.model_drift import drift as drift
    from allos.analysis.model_settings import setting_labels as setting_labels
    from allos.analysis.paired_scores import compare_all as compare_all
    from allos.analysis.paired_scores import paired as paired
    from allos.analysis.pareto_front import pareto as pareto
    from allos.analysis.pass_rates import pass_all_k as pass_all_k
    from allos.analysis.pass_rates import pass_at_k as pass_at_k
    from allos.analysis.periods import timeline as timeline
    from allos.analysis.prompt_disagreement import disagreement as disagreement
    from allos.analysis.rankings import leaderboard as leaderboard
    from allos.analysis.raters import agreement as agreement
    from allos.analysis.sample_size import power as power
    from allos.analysis.scores import score_summary as score_summary
    from allos.analysis.style import style_effects as style_effects
    from allos.analysis.variance import variance_split as variance_split

# public name -> the module it is imported from when it is first used
_PUBLIC: dict[str, str] = {
    "agreement": "allos.analysis.raters",
    "compare_all": "allos.analysis.paired_scores",
    "cost_report": "allos.analysis.costs",
    "disagreement": "allos.analysis.prompt_disagreement",
    "drift": "allos.analysis.model_drift",
    "errors": "allos.analysis.call_errors",
    "judge_corrected": "allos.analysis.judge_correction",
    "judge_reliability": "allos.analysis.judge_flips",
    "label_next": "allos.analysis.judge_correction",
    "leaderboard": "allos.analysis.rankings",
    "paired": "allos.analysis.paired_scores",
    "pareto": "allos.analysis.pareto_front",
    "pass_all_k": "allos.analysis.pass_rates",
    "pass_at_k": "allos.analysis.pass_rates",
    "power": "allos.analysis.sample_size",
    "score_summary": "allos.analysis.scores",
    "setting_labels": "allos.analysis.model_settings",
    "style_effects": "allos.analysis.style",
    "summary": "allos.analysis.call_summary",
    "timeline": "allos.analysis.periods",
    "variance_split": "allos.analysis.variance",
}

__all__ = [
    "agreement",
    "compare_all",
    "cost_report",
    "disagreement",
    "drift",
    "errors",
    "judge_corrected",
    "judge_reliability",
    "label_next",
    "leaderboard",
    "paired",
    "pareto",
    "pass_all_k",
    "pass_at_k",
    "power",
    "score_summary",
    "setting_labels",
    "style_effects",
    "summary",
    "timeline",
    "variance_split",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'allos.analysis' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
