"""Settings of one model: never mixed up silently, and grouped by on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from allos import analysis
from allos.analysis.model_settings import compared_settings, setting_labels

SETTINGS = ["groq/a (temperature 0)", "groq/a (temperature 1)"]
NOTE = (
    'Settings of groq/a that differ in temperature are taken together: by="setting" separates them.'
)


def answers(run: str = "comparison_id", **columns: Any) -> pd.DataFrame:
    """Two settings of one model and another model, on six prompts."""
    rows = [
        {
            "provider": "groq",
            "model": model,
            "temperature": temperature,
            "params": None,
            run: "one",
            "prompt": f"p{prompt}",
            "content": f"{temperature} {prompt}",
            "status": "ok",
            "score": (prompt + 3 * temperature) % 5,
            "passed": bool((prompt + temperature) % 2),
            "cost_usd": 0.1 + temperature,
            "latency_s": 1.0,
            "created_at": pd.Timestamp("2026-11-01", tz="UTC"),
        }
        for prompt in range(6)
        for model, temperature in (("a", 0), ("a", 1), ("b", 1))
    ]
    return pd.DataFrame(rows).assign(**columns)


FUNCTIONS: dict[str, Callable[..., pd.DataFrame]] = {
    "summary": analysis.summary,
    "cost_report": analysis.cost_report,
    "pareto": lambda frame, by: analysis.pareto(frame, "score", by=by),
    "disagreement": analysis.disagreement,
    "drift": lambda frame, by: analysis.drift(frame, frame, by),
    "timeline": lambda frame, by: analysis.timeline(frame, by=by),
    "score_summary": lambda frame, by: analysis.score_summary(frame, score="score", by=by),
    "pass_at_k": lambda frame, by: analysis.pass_at_k(frame, score="passed", k=1, by=by),
    "pass_all_k": lambda frame, by: analysis.pass_all_k(frame, score="passed", k=1, by=by),
    "compare_all": lambda frame, by: analysis.compare_all(frame, score="score", by=by),
    "variance_split": lambda frame, by: analysis.variance_split(frame, score="score", by=by),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_settings_that_were_compared_are_named_in_a_note(name: str) -> None:
    """Of one comparison or of one batch; grouped by setting, each is a group and there is no note."""
    function = FUNCTIONS[name]
    for run in ("comparison_id", "run_id"):
        assert NOTE in function(answers(run), by="model").attrs["notes"]
    apart = function(answers(), by="setting")

    assert NOTE not in apart.attrs.get("notes", [])
    if "setting" in apart:
        assert {*SETTINGS, "groq/b"} == set(apart["setting"])


def test_two_settings_are_compared_on_the_same_prompts() -> None:
    """Like two models."""
    found = analysis.paired(answers(), score="score", a=SETTINGS[0], b=SETTINGS[1], by="setting")

    assert found["n_prompts"].tolist() == [6]
    assert "notes" not in found.attrs


@pytest.mark.parametrize(
    "frame",
    [
        answers(comparison_id=None),
        answers(comparison_id=[f"c{number}" for number in range(18)]),
        answers(temperature=1),
        answers().drop(columns="comparison_id"),
        answers().head(0),
        answers()[answers()["model"] == "b"],
    ],
    ids=["asked alone", "of several runs", "equal", "unknown", "empty", "one setting"],
)
def test_there_is_no_note_where_settings_were_not_compared(frame: pd.DataFrame) -> None:
    """Parameters of unrelated cells differ all the time."""
    assert compared_settings(frame) == {}
    assert "notes" not in analysis.cost_report(frame).attrs


def test_what_groups_by_the_parameter_says_nothing() -> None:
    """Nor what takes models together as well."""
    for by in (["model", "temperature"], "prompt", None):
        assert "notes" not in analysis.summary(answers(), by).attrs


def test_labels_are_of_the_whole_frame() -> None:
    """One setting has one name, whichever comparison it is of; a frame may have few columns, or its own."""
    frame = answers(comparison_id=[f"c{number % 3}" for number in range(18)])
    few = pd.DataFrame({"model": ["a", "b"], "params": ["not JSON", None]}, index=[7, 9])

    assert sorted(set(setting_labels(frame))) == [*SETTINGS, "groq/b"]
    assert setting_labels(few).to_dict() == {7: "a", 9: "b"}
    assert setting_labels(frame.head(0)).tolist() == []
    own = analysis.summary(frame.assign(setting="mine"), "setting")
    assert own["setting"].tolist() == ["mine"]
