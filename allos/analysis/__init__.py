"""Functions of a frame of responses that return frames; nothing here reads or writes anything.

Each summary is also a method of the frame: ``df.allos.summary()``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allos.analysis.call_errors import errors as errors
    from allos.analysis.call_summary import summary as summary
    from allos.analysis.costs import cost_report as cost_report
    from allos.analysis.model_drift import drift as drift
    from allos.analysis.pareto_front import pareto as pareto
    from allos.analysis.periods import timeline as timeline
    from allos.analysis.prompt_disagreement import disagreement as disagreement

# public name -> the module it is imported from when it is first used
_PUBLIC: dict[str, str] = {
    "cost_report": "allos.analysis.costs",
    "disagreement": "allos.analysis.prompt_disagreement",
    "drift": "allos.analysis.model_drift",
    "errors": "allos.analysis.call_errors",
    "pareto": "allos.analysis.pareto_front",
    "summary": "allos.analysis.call_summary",
    "timeline": "allos.analysis.periods",
}

__all__ = [
    "cost_report",
    "disagreement",
    "drift",
    "errors",
    "pareto",
    "summary",
    "timeline",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'allos.analysis' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
