from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from allos.prompt_data.arrays import array_text, nested_list, values_text


@given(
    arrays_of.arrays(
        st.sampled_from(["i8", "f8", "f4", "f2", "u1", "?", "U5"]),
        arrays_of.array_shapes(min_dims=1, max_dims=3, max_side=6),
        elements=None,
    )
)
def test_what_fits_is_whole(array: Any) -> None:
    """Every value stands in the text, nested like the array, as Python reads it."""
    data = array_text(array, 10_000)
    names = {"nan": float("nan"), "inf": float("inf")}
    read = np.array(eval(data.text, {"__builtins__": {}}, names), dtype=array.dtype)

    assert data.left_out == ()
    assert read.shape == array.shape
    np.testing.assert_array_equal(read, array)


@given(st.integers(1, 4000), st.integers(1, 60), st.integers(10, 300))
def test_what_does_not_fit_says_so(rows: int, columns: int, budget: int) -> None:
    """A cut array holds its first values, whole rows of them where one fits, and the true counts."""
    array = np.arange(rows * columns).reshape(rows, columns)
    data = array_text(array, budget)
    values = np.ravel(ast.literal_eval(data.text.rpartition("\n")[2]))

    assert values.tolist() == list(range(len(values)))
    assert len(data.text) <= budget * 4 + 100
    if len(values) < array.size:
        assert data.left_out == (f"{len(values):,} of {array.size:,} values sent",)
        assert data.text.startswith(
            f"First {len(values):,} of {array.size:,} values (int64, shape "
        )
    else:
        assert data.left_out == ()


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array(5), "5"),
        (np.array("a"), "'a'"),
        (np.zeros((0, 3)), "[] (shape (0, 3))"),
        (np.zeros(0), "[]"),
        (np.array([0.1, 1e30], "f4"), "[0.1, 1e+30]"),
        (np.array(["2026-01-02"], "M8[D]"), "['2026-01-02']"),
        (np.array([5], "m8[s]"), "['5 seconds']"),
        (np.ma.array([1, 2], mask=[0, 1]), "[1, None]"),
        (np.ma.array([1, 2], mask=[0, 1], dtype="f4"), "[1.0, None]"),
        (np.array([1 + 2j]), "[(1+2j)]"),
        (np.array([{"a": 1}, None]), "[{'a': 1}, None]"),
    ],
)
def test_kinds_of_values(array: Any, text: str) -> None:
    """Times keep their unit, small floats their digits, and a masked value is None."""
    assert array_text(array, 100).text == text


@pytest.mark.parametrize("array", [np.ones((2, 900)), np.ma.ones((2, 900))])
def test_one_row_is_too_long(array: Any) -> None:
    """Then its first values are sent."""
    data = array_text(array, 50)

    assert data.left_out == ("40 of 1,800 values sent",)
    assert data.text.endswith("1.0]")


class Tensor:
    """Stands in for a tensor of PyTorch that has a gradient and is on a GPU."""

    def __init__(self, values: Any) -> None:
        self._values = values
        self.shape, self.dtype = values.shape, "torch.float32"

    def __getitem__(self, at: Any) -> Tensor:
        return Tensor(self._values[at])

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("use detach() and cpu()")

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Any:
        return self._values


def test_tensors() -> None:
    """A tensor is detached and copied to the CPU, and only as much of it as may be sent."""
    assert nested_list(Tensor(np.arange(3))) == [0, 1, 2]
    data = array_text(Tensor(np.arange(5000.0)), 100)
    assert data.text.startswith(
        "First 68 of 5,000 values (torch.float32, shape (5000,)):\n[0.0, 1.0,"
    )


def test_one_value_is_too_long() -> None:
    """A single value that fills the budget is cut, and that is said."""
    data = values_text(["word " * 1000], 7, 100)

    assert data.left_out == ("a part of 1 of 7 values sent",)
    assert data.text.startswith("Beginning of the first of 7 values:\n'word word")
    assert len(data.text) < 500
