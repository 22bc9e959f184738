from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.prompt_data import BUDGET_TOKENS, data_text


def said(value: Any, budget_tokens: int = BUDGET_TOKENS) -> tuple[str, list[str]]:
    data = data_text(value, budget_tokens)
    assert data is not None
    return data.text, data.notes("x")


def test_small_frame_goes_out_whole() -> None:
    """A frame within the budget is its shape, its columns with their types, and all its rows."""
    frame = pd.DataFrame({"name": ["Ada", None], "x": [1, 2], "y": [0.5, float("nan")]})
    text, notes = said(frame)

    assert notes == []
    assert text.splitlines() == [
        "DataFrame, 2 rows, 3 columns",
        "",
        "Columns:",
        f"- name: {frame['name'].dtype}",
        "- x: int64",
        "- y: float64",
        "",
        "All rows:",
        "name,x,y",
        "Ada,1,0.5",
        ",2,",
    ]


def test_long_frame_is_cut_and_says_so() -> None:
    """Rows beyond the budget stay here; the model and the note tell how many."""
    frame = pd.DataFrame({"number": range(48_210), "text": "some words"})
    text, notes = said(frame)
    lines = text.splitlines()
    sent = len(lines) - lines.index("number,text") - 1

    assert notes == [f"x: {sent:,} of 48,210 rows sent"]
    assert f"First {sent:,} of 48,210 rows:" in lines
    assert 3500 < len(text) <= BUDGET_TOKENS * 4 + 40
    assert lines[-1] == f"{sent - 1},some words"


def test_wide_frame_is_cut_and_says_so() -> None:
    """Columns beyond half the budget stay here, and some rows still fit."""
    frame = pd.DataFrame([["word " * 20] * 2000] * 3)
    text, notes = said(frame)

    assert len(text) < BUDGET_TOKENS * 4 * 1.5
    assert "of 2,000 columns sent" in notes[0]
    assert "texts cut to 12 characters" in notes[0]
    assert "more, left out here and below" in text


def test_long_texts_are_cut_and_say_so() -> None:
    """A cell that would fill the budget alone is cut."""
    text, notes = said(pd.DataFrame({"text": ["word " * 5000, "short"]}))

    assert notes == ["x: texts cut to 200 characters"]
    assert "…" in text
    assert "short" in text


@pytest.mark.parametrize(
    ("frame", "tail"),
    [
        (pd.DataFrame({"a": [1, 2]}).iloc[:0], ["- a: int64"]),
        (pd.DataFrame(), ["Columns:"]),
        (pd.DataFrame([[1, 2]], columns=["z", "z"]), ["z,z", "1,2"]),
        (pd.DataFrame({"a": [1]}, index=["k"]), [",a", "k,1"]),
        (
            pd.DataFrame(
                {"a": [1]}, index=pd.MultiIndex.from_tuples([("k", 3)], names=["one", "two"])
            ),
            ["one,two,a", "k,3,1"],
        ),
        (pd.DataFrame({("a", "b"): [1]}), ["\"('a', 'b')\"", "1"]),
        (pd.Series([1, 2], name="a").head(1), ["a", "1"]),
        (pd.DataFrame({"a": pd.array([None], dtype="Int64")}), ["a", '""']),
        (pd.DataFrame({"a": [[1, 2]]}), ["a", '"[1, 2]"']),
    ],
)
def test_odd_frames(frame: Any, tail: list[str]) -> None:
    """Empty frames, doubled names, any index, missing values and nested ones all have a text."""
    text, notes = said(frame)

    assert text.splitlines()[-len(tail) :] == tail
    assert notes == []


@settings(max_examples=settings.default.max_examples // 4)
@given(st.lists(st.text(max_size=30).filter(lambda text: "\0" not in text), min_size=1))
def test_rows_are_read_back(texts: list[str]) -> None:
    """What a model reads is CSV that any reader understands."""
    frame = pd.DataFrame({"k": range(len(texts)), "text": pd.Series(texts, dtype=object)})
    text, left_out = said(frame, budget_tokens=100_000)
    rows = text[text.index("k,text") :].split("\n", 1)[1]

    assert not left_out
    assert [row[1] for row in csv.reader(StringIO(rows, newline=""), strict=True)] == texts


def test_arrays_in_cells_are_their_values() -> None:
    """An array in a cell is no display text with its middle left out."""
    text, notes = said(pd.DataFrame({"a": [np.arange(40), np.arange(3)]}))

    assert notes == []
    assert f'"{list(range(40))}"' in text.splitlines()
    assert said(pd.DataFrame({"a": [np.arange(5000)]}))[1] == ["x: texts cut to 200 characters"]


def test_tables_and_columns_in_cells_are_their_values() -> None:
    """A table or a column in a cell is no display text either."""
    text, notes = said(pd.DataFrame({"a": [pd.Series(range(40)), [1, None]]}))

    assert notes == []
    assert text.splitlines()[-2:] == [f'"{list(range(40))}"', '"[1, None]"']
    assert said(pd.DataFrame({"a": [pd.DataFrame({"x": range(5000)})]}))[1] == [
        "x: texts cut to 200 characters"
    ]


def test_arrow_arrays_in_cells_are_their_values() -> None:
    arrow = pytest.importorskip("pyarrow")
    text, notes = said(pd.DataFrame({"a": [arrow.array([1, None]), arrow.array([2])]}))

    assert notes == []
    assert text.splitlines()[-2:] == ['"[1, None]"', "[2]"]


def test_cut_names_say_so() -> None:
    """A column's name that is cut is noted like any other text."""
    frame = pd.DataFrame({"n" * 300: [1]})

    assert said(frame)[1] == ["x: texts cut to 200 characters"]
