from __future__ import annotations

import csv
import subprocess
import sys
from io import StringIO
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.errors import AllosError, ConfigurationError
from allos.notebook.values import BUDGET_TOKENS, Values, image_of, schema_of, table_text
from allos.parts import File, Image
from tests.support.pictures import PNG


def said(value: Any) -> tuple[Any, list[str]]:
    values = Values()
    return values.convert("x", value), values.notes


@pytest.mark.parametrize("value", [1.5, None, [1, "a"], {"b": 2}, b"x"])
def test_plain_values_are_their_text(value: Any) -> None:
    """A value that is nothing special goes out as `str` shows it, without a note."""
    assert said(value) == (str(value), [])


def test_parts_stay_parts() -> None:
    """An image and a file stay what they are; a text stays a text, also one that names a file."""
    for value in (Image(data=PNG), File(data=b"a"), "chart.png"):
        assert said(value) == (value, [])


def test_object_says_itself_what_a_model_sees() -> None:
    """`_repr_llm_()` goes first, with a text, a picture or anything else."""

    class Told:
        def __init__(self, value: object) -> None:
            self.value = value

        def _repr_llm_(self) -> object:
            return self.value

    class Frame(pd.DataFrame):
        def _repr_llm_(self) -> str:
            return "a frame"

    assert said(Told("seen")) == ("seen", [])
    assert said(Told(Image(data=PNG))) == (Image(data=PNG), [])
    assert said(Told(7)) == ("7", [])
    assert said(Frame({"a": [1]})) == ("a frame", [])
    assert "Told" in said(Told)[0], "a class is not its object"


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
    text, left_out = table_text(frame, budget_tokens=100_000)
    rows = text[text.index("k,text") :].split("\n", 1)[1]

    assert not left_out
    assert [row[1] for row in csv.reader(StringIO(rows, newline=""), strict=True)] == texts


@pytest.mark.process
def test_pandas_is_not_loaded() -> None:
    """Asking whether a value is a table loads nothing."""
    code = (
        "import sys\n"
        "from allos.notebook.values import Values\n"
        "Values().convert('x', object())\n"
        "print([n for n in ('pandas', 'PIL', 'matplotlib') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("figg", "'figg' is not defined. Did you mean 'fig'"),
        ("charts/a.png", 'a path in quotes: --image "charts/a.png"'),
        ("path", "'path' is a str, not an image"),
        ("number", "'number' is a int, not an image"),
    ],
)
def test_what_no_variable_holds(name: str, words: str) -> None:
    """`--image` says in one line what it needs; a text in a variable is never a path."""
    with pytest.raises(ConfigurationError) as caught:
        image_of(name, {"fig": Image(data=PNG), "path": "a.png", "number": 3})

    assert words in str(caught.value)
    assert "Nothing was sent." in str(caught.value)
    assert image_of("fig", {"fig": Image(data=PNG)}) == Image(data=PNG)


@pytest.mark.parametrize(
    ("text", "schema"),
    [("City", dict), ("list[City]", list[dict]), ("int", int), ("str | None", str | None)],
)
def test_schema_is_a_name_or_a_type(text: str, schema: Any) -> None:
    """`--schema` takes a variable, a type of Python's own, or an expression that makes one."""
    assert schema_of(text, {"City": dict}) == schema


@pytest.mark.parametrize("text", ["Cty", "list[Cty]"])
def test_schema_that_does_not_exist(text: str) -> None:
    """A mistyped type is one line with the closest name."""
    with pytest.raises(AllosError, match=r"'Cty' is not defined\. Did you mean 'City'"):
        schema_of(text, {"City": dict})
