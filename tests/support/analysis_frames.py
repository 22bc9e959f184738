"""A made-up log, scores and votes, and a result of each function that has a chart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from allos import analysis

_SECONDS = {"groq/llama-3.1-8b": 0.4, "openai/gpt-5-mini": 1.8, "local/smollm2": 3.0}
_COSTS = {"groq/llama-3.1-8b": 0.00004, "openai/gpt-5-mini": 0.0021, "local/smollm2": 0.0}
_SKILLS = {"groq/llama-3.1-8b": 0.5, "openai/gpt-5-mini": 0.9, "local/smollm2": 0.2}


def log(calls: int = 120) -> pd.DataFrame:
    """Calls of three models to ten prompts in three days, rated 0 or 1; some failed, some unrated."""
    chooser = np.random.default_rng(11)
    model = chooser.choice(list(_SECONDS), calls)
    seconds = np.array([_SECONDS[name] for name in model]) * np.exp(chooser.normal(0, 0.4, calls))
    status = np.where(np.arange(calls) % 17 == 3, "error", "ok")
    rating = [float(chooser.random() < _SKILLS[name]) for name in model]
    hours = np.sort(chooser.uniform(0, 72, calls)).round(3)
    return pd.DataFrame(
        {
            "created_at": pd.Timestamp("2026-11-02", tz="UTC")
            + pd.to_timedelta(hours * 3600, unit="s").floor("s"),
            "model": model,
            "prompt": [f"prompt {number}" for number in chooser.integers(0, 10, calls)],
            "status": status,
            "content": chooser.choice(["yes it is", "no", "maybe so"], calls),
            "error_type": np.where(status == "error", "RateLimitError", None),
            "latency_s": seconds,
            "time_to_first_token_s": seconds * 0.3,
            "output_tokens": chooser.integers(20, 300, calls),
            "cost_usd": [_COSTS[name] for name in model],
            "rating": np.where(np.arange(calls) % 13 == 5, np.nan, rating),
        }
    )


def votes(number: int = 120) -> pd.DataFrame:
    """Votes of ten raters on twenty prompts between three models."""
    chooser = np.random.default_rng(5)
    names = list(_SKILLS)
    rows = []
    for at in range(number):
        a, b = chooser.choice(names, size=2, replace=False)
        wins = chooser.random() < 0.5 + 0.5 * (_SKILLS[a] - _SKILLS[b])
        rows.append((f"rater {at % 10}", f"prompt {at % 20}", a, b, "a" if wins else "b"))
    return pd.DataFrame(rows, columns=["rater", "prompt", "model_a", "model_b", "winner"])


def _rated() -> pd.DataFrame:
    return log().dropna(subset=["rating"])


def judged() -> pd.DataFrame:
    """Scores of a judge that is too kind, and of people on a third of the answers."""
    frame = _rated()
    kind = np.where(np.arange(len(frame)) % 4 == 0, 1.0, frame["rating"])
    human = np.where(np.arange(len(frame)) % 3 == 0, frame["rating"], np.nan)
    return frame.assign(judge=kind, human=human)


RESULTS: dict[str, Callable[[], Any]] = {
    "leaderboard": lambda: analysis.leaderboard(votes()),
    "score_summary": lambda: analysis.score_summary(_rated(), score="rating"),
    "pass_at_k": lambda: analysis.pass_at_k(_rated(), score="rating", k=[1, 2]),
    "pass_all_k": lambda: analysis.pass_all_k(_rated(), score="rating", k=1),
    "paired": lambda: analysis.paired(
        _rated(), score="rating", a="openai/gpt-5-mini", b="local/smollm2"
    ),
    "compare_all": lambda: analysis.compare_all(_rated(), score="rating"),
    "judge_corrected": lambda: analysis.judge_corrected(judged()),
    "summary": lambda: analysis.summary(log()),
    "pareto": lambda: analysis.pareto(log()),
    "drift": lambda: analysis.drift(log().iloc[:60], log().iloc[60:].assign(latency_s=9.0)),
    "timeline": lambda: analysis.timeline(log(), by="model"),
    "cost_report": lambda: analysis.cost_report(log()),
    "errors": lambda: analysis.errors(log(), by="model"),
    "disagreement": lambda: analysis.disagreement(log()),
}
"""By the name of the function."""
