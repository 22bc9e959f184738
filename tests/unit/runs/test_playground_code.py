"""The cell that does the same as a playground."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from allos.runs.playground_code import comparison_code, is_literal, text_source
from tests.support.hostile import HOSTILE

TEXTS = [
    "Hi",
    'say "hi"',
    "it's",
    "a\nb",
    'a\n"""b"""',
    "back\\slash\n\\",
    "\u202e\nx",
    'ends with\n"',
    "",
]


@pytest.mark.parametrize("text", [*TEXTS, *(text for _, text in HOSTILE[:150])])
def test_a_text_is_a_literal(text: str) -> None:
    """Whatever stands in it, its source is that text and nothing else."""
    assert ast.literal_eval(text_source(text)) == text


def test_several_lines_stay_readable() -> None:
    """As they were typed, between three quotes."""
    assert text_source("one\ntwo") == '"""one\ntwo"""'
    assert text_source('say "hi"') == "'say \"hi\"'"


@pytest.mark.parametrize("text", [text for _, text in HOSTILE[:60]])
def test_the_cell_is_one_call(text: str) -> None:
    """No text of the user's, and no name of a model, becomes a statement."""
    models: list[Any] = [text or "m", {"model": text or "m", "stop": text or "."}]
    source = comparison_code({"prompt": text, "models": models, "system": text, "n": 3}, "df")
    tree = ast.parse(source)

    assert [type(each) for each in tree.body] == [ast.Import, ast.Expr]
    call = tree.body[1]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    keywords = {each.arg: ast.unparse(each.value) for each in call.value.keywords}
    assert ast.literal_eval(keywords["models"]) == models
    assert ast.literal_eval(keywords["system"]) == text
    assert keywords["data"] == "df"


def test_literals() -> None:
    """What cannot be written out is not."""
    assert is_literal({"a": [1, None, "x"]})
    assert not any(map(is_literal, (object(), float("nan"), print)))
