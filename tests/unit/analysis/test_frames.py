from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from allos import analysis
from allos.analysis.frames import by_names, costs, group, numbers
from allos.errors import ConfigurationError

SUMMARIES = ("cost_report", "disagreement", "errors", "pareto", "summary", "timeline")
FRAME = pd.DataFrame({"model": ["a"], "prompt": ["p"], "status": ["ok"], "content": ["x"]})


@pytest.mark.parametrize(
    ("call", "function"),
    [
        (lambda frame: analysis.summary(frame, by="modle"), "summary"),
        (lambda frame: analysis.cost_report(frame.assign(cost_usd=1), by="modle"), "cost_report"),
        (lambda frame: analysis.errors(frame.assign(error_type="E"), by="modle"), "errors"),
        (lambda frame: analysis.timeline(frame.assign(created_at=0), by="modle"), "timeline"),
        (lambda frame: analysis.drift(frame, frame, by="modle"), "drift"),
        (lambda frame: analysis.pareto(frame, by="modle"), "pareto"),
        (lambda frame: analysis.disagreement(frame, by="modle"), "disagreement"),
    ],
)
def test_a_missing_column_is_one_line(call: Any, function: str) -> None:
    """Every function names itself, the column, and the closest one that is there."""
    with pytest.raises(ConfigurationError) as caught:
        call(FRAME)

    message = str(caught.value)
    assert message.startswith(f"{function}() needs a column 'modle'")
    assert "Did you mean 'model'?" in message
    assert "\n" not in message


@pytest.mark.parametrize("function", [*SUMMARIES, "drift"])
def test_what_is_no_frame_is_one_line(function: str) -> None:
    """A list of responses, or a path, is answered with what is needed."""
    given = (["x"], FRAME) if function == "drift" else (["x"],)
    with pytest.raises(ConfigurationError, match=rf"^{function}\(\) needs a DataFrame"):
        getattr(analysis, function)(*given)


@pytest.mark.parametrize("function", SUMMARIES)
def test_no_rows_give_no_rows(function: str) -> None:
    """An empty log is no error; the columns are those of a full one."""
    full = FRAME.assign(
        created_at=pd.Timestamp("2026-11-01", tz="UTC"),
        status="error",
        error_type="E",
        cost_usd=1.0,
        rating=1,
        provider="p",
    )
    empty = getattr(analysis, function)(full.iloc[:0])

    assert len(empty) == 0
    assert list(empty.columns) == list(getattr(analysis, function)(full).columns)


def test_groups_hold_null_and_lists() -> None:
    """A null is a group like any other, and so is a value that cannot be hashed."""
    frame = pd.DataFrame({"a": ["x", None, "x", None], "b": [[1], [2], [1], [2]]})
    groups = group(frame, ["a", "b"])

    assert groups.codes.tolist() == [0, 1, 0, 1]
    assert groups.keys["b"].tolist() == [[1], [2]]
    assert groups.sizes().tolist() == [2, 2]


def test_numbers_are_known_or_nan() -> None:
    """Null, infinite, text and missing are unknown."""
    frame = pd.DataFrame({"x": [1, None, float("inf"), "2", "two"], "y": pd.array([True] * 5)})

    assert np.array_equal(numbers(frame, "x"), [1, np.nan, np.nan, 2, np.nan], equal_nan=True)
    assert numbers(frame, "y").tolist() == [1.0] * 5
    assert np.isnan(numbers(frame, "z")).all()


def test_what_costs_nothing() -> None:
    """Replayed and refused calls, and the embedded model, cost 0; any other null cost is unknown."""
    frame = pd.DataFrame(
        {
            "cost_usd": [None, 0.5, None, None],
            "replayed": [None, True, False, False],
            "attempts": [0, 1, 1, 1],
            "provider": ["groq", "groq", "local", None],
        }
    )

    assert np.array_equal(costs(frame), [0.0, 0.0, 0.0, np.nan], equal_nan=True)


def test_columns_are_named_once() -> None:
    """A column that is named twice is one column; a number is not a name."""
    assert by_names(FRAME, ["model", "model"], "f") == ["model"]
    with pytest.raises(ConfigurationError, match="by= must be the name"):
        by_names(FRAME, 3, "f")  # type: ignore[arg-type]
