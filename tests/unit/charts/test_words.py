"""Labels and figures."""

from __future__ import annotations

import pandas as pd
import pytest

from allos.charts.words import AXIS_CHARS, figure, finite, label, labels, row_labels


def test_labels_are_distinct_and_short() -> None:
    """Two models whose names look the same have two lines of a chart."""
    assert labels(["x" * 100, "x" * 101]) == ["x" * 59 + "…", "x" * 59 + "… (2)"]
    assert labels([None, pd.NA, ""]) == ["none", "none (2)", "(empty)"]
    assert label(("groq", None, 3)) == "groq / none / 3"
    assert label("a\nb\u202e") == "a b⟦U+202E⟧"
    assert label("toString") == "toString\xa0"


@pytest.mark.parametrize(
    ("value", "style", "shown"),
    [
        (None, "", "unknown"),
        (0.256, "%", "26%"),
        (0.00217, "$", "$0.00217"),
        (1234.5, "$", "$1,234.50"),
        (0.0, "$", "$0.00"),
        (1.234, "s", "1.23 s"),
        (-0.175, "+", "−0.17"),
        (1161.2, "", "1,161"),
    ],
)
def test_figures_are_short(value: float | None, style: str, shown: str) -> None:
    """Three digits, and the unit."""
    assert figure(value, style) == shown


def test_what_cannot_be_drawn_is_none() -> None:
    """Null and infinity have no place on an axis."""
    assert [finite(value) for value in (None, pd.NA, float("nan"), float("inf"), 2)] == [
        *[None] * 4,
        2.0,
    ]


def test_two_settings_of_a_long_name_do_not_look_alike() -> None:
    """The name gives way in its middle; without room for it the end does."""
    frame = pd.DataFrame(
        {"scorer": "exact", "model": [f"groq/{'x' * 40} (temperature={n})" for n in (0, 1)]}
    )
    shown = row_labels(frame, ["scorer", "model"])

    assert [len(each) for each in shown] == [AXIS_CHARS] * 2
    assert [each.rpartition(" (")[2] for each in shown] == ["temperature=0)", "temperature=1)"]
    assert shown[0].startswith("exact / ")
    assert labels(["m (" + "y" * 80 + ")"])[0].endswith("…")
