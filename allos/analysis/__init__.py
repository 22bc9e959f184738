"""Functions of a frame that return a frame: how good models are, and how sure that is.

Each name is imported when it is first used.

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
    from allos.analysis.paired_scores import compare_all, paired
    from allos.analysis.pass_rates import pass_all_k, pass_at_k
    from allos.analysis.rankings import leaderboard
    from allos.analysis.raters import agreement
    from allos.analysis.sample_size import power
    from allos.analysis.scores import score_summary
    from allos.analysis.style import style_effects
    from allos.analysis.variance import variance_split

# public name -> the module it is imported from when it is first used
_PUBLIC: dict[str, str] = {
    "agreement": "allos.analysis.raters",
    "compare_all": "allos.analysis.paired_scores",
    "leaderboard": "allos.analysis.rankings",
    "paired": "allos.analysis.paired_scores",
    "pass_all_k": "allos.analysis.pass_rates",
    "pass_at_k": "allos.analysis.pass_rates",
    "power": "allos.analysis.sample_size",
    "score_summary": "allos.analysis.scores",
    "style_effects": "allos.analysis.style",
    "variance_split": "allos.analysis.variance",
}

__all__ = [
    "agreement",
    "compare_all",
    "leaderboard",
    "paired",
    "pass_all_k",
    "pass_at_k",
    "power",
    "score_summary",
    "style_effects",
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
