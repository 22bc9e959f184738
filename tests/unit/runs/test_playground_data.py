"""Rows of a playground's data, chosen and as code."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

from allos.runs.data import data_rows
from allos.runs.playground_data import columns_of, kind_of, literal_rows, rows_source, take

ROWS = [{"text": f"t{at}", "at": at} for at in range(9)]
KINDS: list[Any] = [ROWS, pd.DataFrame(ROWS)]


@pytest.mark.parametrize("data", KINDS, ids=["list", "frame"])
@pytest.mark.parametrize("which", ["all", "first", "sample", "row"])
def test_the_code_takes_the_same_rows(which: str, data: Any) -> None:
    """What runs and what is written down are the same rows, in the same order."""
    source = rows_source("data", which, 4, kind=kind_of(data))
    written = eval(source, {"data": data, "random": random})

    assert data_rows(written) == data_rows(take(data, which, 4))
    assert len(data_rows(written) or ()) == {"all": 9, "row": 1}.get(which, 4)


@pytest.mark.parametrize("data", KINDS, ids=["list", "frame"])
def test_columns(data: Any) -> None:
    """Names that every row has."""
    assert columns_of(data) == ["text", "at"]
    assert columns_of(None) is None
    assert columns_of([{"a": 1, "b": 2}, {"b": 3}]) == ["b"]


def test_rows_without_a_name_are_written_out() -> None:
    """Numbers of NumPy as Python's; what has no literal is not written."""
    rows = pd.DataFrame(ROWS).to_dict("records")[:1]

    assert literal_rows(rows, ["at"]) == '[\n        {"at": 0},\n    ]'
    assert literal_rows([{"a": object()}], ["a"]) is None
