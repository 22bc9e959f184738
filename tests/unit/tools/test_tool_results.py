from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allos.tools.tool_results import result_text


@dataclass
class Found:
    name: str
    values: Any


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        ({"a": 1}, '{"a":1}'),
        (np.arange(3), "[0,1,2]"),
        (np.ma.array([1.5, 2], mask=[0, 1]), "[1.5,null]"),
        (np.int64(3), "3"),
        (Found("x", np.eye(1)), '{"name":"x","values":[[1.0]]}'),
        ({"n": [np.float32(0.1)], "i": pd.Index([1])}, '{"n":[0.1],"i":[1]}'),
    ],
)
def test_values_are_json(value: Any, text: str) -> None:
    """Numbers and arrays of NumPy and pandas are numbers and lists, wherever they are."""
    assert result_text(value) == text


def test_tables_and_long_arrays_say_what_is_cut() -> None:
    """The model reads the true size, never a display text with its middle left out."""
    assert result_text(pd.DataFrame({"a": [1]})).endswith("All rows:\na\n1")
    assert "First 1,000 of 5,000 rows:" in result_text(pd.DataFrame({"a": range(5000)}))
    assert result_text(np.arange(5000)).startswith("First 822 of 5,000 values (int64, ")
    nested = json.loads(result_text({"a": np.arange(5000)}))
    assert nested["a"].startswith("First 822 of 5,000 values")
