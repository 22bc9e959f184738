"""Prompts that leave out the data which was given with them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import allos
from allos.errors import TemplateError
from allos.testing import ScriptedProvider

DATA = pd.DataFrame({"text": ["late", "broken"], "label": ["shipping", "quality"]})


def _batch(prompt: str, data: pd.DataFrame = DATA) -> Any:
    return allos.batch(data, prompt, models=[ScriptedProvider(["x"] * 9)]).wait()


def _evaluate(prompt: str, data: pd.DataFrame = DATA) -> Any:
    models = [ScriptedProvider(["x"] * 9)]
    return allos.evaluate(data, prompt, models=models, scorers=["exact"], target="label").frame


def _compare(prompt: str, data: pd.DataFrame = DATA) -> Any:
    return allos.compare(prompt, models=[ScriptedProvider(["x"] * 9)], data=data).wait()


def _preview(prompt: str, data: pd.DataFrame = DATA) -> Any:
    return allos.preview(prompt, models=[ScriptedProvider(["x"])], data=data)


RUNS = pytest.mark.parametrize("run", [_batch, _evaluate, _compare, _preview])


@RUNS
@pytest.mark.parametrize("prompt", ["Classify {text}.", "Classify { text }.", "{label}?"])
def test_single_braces(run: Callable[..., Any], prompt: str) -> None:
    """They put nothing in, so every row would ask for the same: nothing is sent."""
    with pytest.raises(TemplateError, match=r"is plain text: write \{\{ (text|label) \}\}.*sent"):
        run(prompt)


@RUNS
def test_no_column(run: Callable[..., Any]) -> None:
    """All rows ask the same, which is said, and runs."""
    with pytest.warns(UserWarning, match=r"so all 2 rows ask the same; \{\{ text \}\} puts one in"):
        run("Say hello.")


@RUNS
@pytest.mark.parametrize(
    "prompt", ["{{ text }} as {label}", '{{ text }} as {"label": 1}', "{{text}} and {text}"]
)
def test_a_column_and_braces(run: Callable[..., Any], prompt: str) -> None:
    """Where a column is put in, single braces may be meant as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(prompt)


@RUNS
def test_one_row(run: Callable[..., Any]) -> None:
    """One row asks nothing twice."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run("Say hello.", DATA[:1])


def test_the_warning_names_the_line_that_asked() -> None:
    """Not one of the package."""
    for run in (_batch, _evaluate, _compare, _preview):
        with pytest.warns(UserWarning, match="ask the same") as found:
            run("Say hello.")
        assert found[0].filename == __file__, run


def test_data_behind_the_prompt() -> None:
    """Arguments the other way round are named."""
    with pytest.raises(allos.ConfigurationError, match="The data come before the prompt"):
        allos.batch("Classify {{ text }}", DATA, models=["local/smollm2"])  # type: ignore[arg-type]
