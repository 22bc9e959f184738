from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allos.errors import AllosError, ConfigurationError, TemplateError
from allos.notebook.values import Values, image_of, schema_of
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


def test_data_is_sent_with_a_note_of_what_is_cut() -> None:
    """Tables and arrays become text; the footer's note names the expression."""
    frame = pd.DataFrame({"a": range(5000)})

    assert said({"a": frame})[1] == ["x['a']: 1,000 of 5,000 rows sent"]
    assert said(np.arange(3)) == ("[0, 1, 2]", [])


@pytest.mark.parametrize("value", [iter([1]), map(str, [1]), (each for each in "ab"), [iter([1])]])
def test_iterators_are_refused(value: Any) -> None:
    """What has to be read first is one line that says so, and stays unread."""
    with pytest.raises(
        TemplateError, match=r"\{\{ x \}\}: expected data, got .*pass list\(\.\.\.\)"
    ):
        said(value)


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
