from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from allos.prompt_data import data_text


def said(value: Any) -> tuple[str, list[str]]:
    data = data_text(value)
    assert data is not None
    return data.text, data.notes("x")


def rows(value: Any) -> list[str]:
    """The CSV of a table that is whole."""
    text, notes = said(value)
    assert notes == []
    return text.partition("All rows:\n")[2].splitlines()


@pytest.mark.parametrize(
    "value",
    [None, 1, "a", b"a", [1, "a"], {"a": 1}, (1,), {1}, range(9), object(), int, pd.DataFrame],
)
def test_what_str_says_whole(value: Any) -> None:
    """Plain values and classes are left to `str`."""
    assert data_text(value) is None


# ---- pandas


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pd.Index([1, 2]), "[1, 2]"),
        (pd.Index(["a", None], dtype=object), "['a', None]"),
        (pd.MultiIndex.from_tuples([(1, "a")]), "[(1, 'a')]"),
        (pd.Categorical(["a", "b"]), "['a', 'b']"),
        (pd.array([1, None], dtype="Int64"), "[1, <NA>]"),
        (pd.interval_range(0, 2), "[(0, 1], (1, 2]]"),
        (pd.date_range("2026-01-01", periods=1), "[2026-01-01 00:00:00]"),
    ],
)
def test_pandas_values(value: Any, text: str) -> None:
    """An index, a categorical and an array are their values."""
    assert said(value) == (text, [])


@pytest.mark.parametrize(
    "value", [pd.RangeIndex(9000), pd.Categorical(["a", "b"] * 4500), pd.array(range(9000))]
)
def test_long_pandas_values_are_cut(value: Any) -> None:
    """A long one says how many values were sent."""
    text, notes = said(value)

    assert text.startswith("First ")
    assert "of 9,000 values sent" in notes[0]


def test_pandas_styler_and_groups() -> None:
    """A styled table is its table; a group has none of its own, which is said."""
    frame = pd.DataFrame({"a": [1, 2]})

    assert rows(pytest.importorskip("jinja2") and frame.style) == ["a", "1", "2"]
    with pytest.raises(Exception, match="got DataFrameGroupBy, which shows none"):
        data_text(frame.groupby("a"))


# ---- NumPy


def test_structured_arrays_are_tables() -> None:
    """Their fields are columns."""
    array = np.array([(1, "x"), (2, "y")], dtype=[("n", "i4"), ("s", "U3")])

    assert rows(array) == ["n,s", "1,x", "2,y"]
    assert rows(array.view(np.recarray)) == ["n,s", "1,x", "2,y"]
    assert "structured array, 9,000 rows" in said(np.zeros(9000, dtype=array.dtype))[0]


def test_arrays_of_objects() -> None:
    """Their items may be arrays and tables in turn."""
    nested = np.empty(2, dtype=object)
    nested[:] = [np.arange(3), pd.DataFrame({"a": range(5000)})]
    text, notes = said(nested)

    assert text.startswith("[[0, 1, 2], <[1], below>]\n\n[1]:\nDataFrame, 5,000 rows")
    assert notes == ["x[1]: 512 of 5,000 rows sent"] or notes[0].startswith("x[1]: ")


def test_scalars_of_numpy() -> None:
    """A number of NumPy is shown without its type."""
    assert said([np.float64(1.5), np.str_("s"), np.bool_(True)]) == ("[1.5, 's', True]", [])


class Sparse:
    """Stands in for a sparse matrix of SciPy."""

    shape = (3, 3)

    def __init__(self) -> None:
        self.row, self.col, self.data = np.array([0, 2]), np.array([1, 2]), np.array([5.0, 6.0])

    def tocoo(self) -> Sparse:
        return self


def test_sparse_matrices_are_their_stored_values() -> None:
    """One row for each."""
    assert "sparse matrix of shape (3, 3), its stored values, 2 rows" in said(Sparse())[0]
    assert rows(Sparse()) == ["row,column,value", "0,1,5.0", "2,2,6.0"]


# ---- polars and Arrow, the real libraries


def test_polars_tables() -> None:
    """A frame is whole or cut with a note; of a lazy one no more is computed than may be sent."""
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": range(100), "b": [[1, 2], None] * 50})
    text, notes = said(frame)

    assert text.startswith(
        "DataFrame, 100 rows, 2 columns\n\nColumns:\n- a: Int64\n- b: List(Int64)\n"
    )
    assert notes == []
    assert rows(frame)[1:3] == ['0,"[1, 2]"', "1,"]
    assert said(frame.lazy())[0] == text.replace("DataFrame", "LazyFrame")
    assert said(pl.DataFrame({"a": range(9000)}))[1] == ["x: 1,000 of 9,000 rows sent"]
    assert said(pl.LazyFrame({"a": range(9000)}))[1] == ["x: first 1,000 rows sent"]
    assert (
        "…"
        not in said(pl.DataFrame({"e": pl.Series(["1"], dtype=pl.Enum(map(str, range(99))))}))[0]
    )


def test_polars_series() -> None:
    """A series is its values."""
    pl = pytest.importorskip("polars")

    assert said(pl.Series("s", [1, None])) == ("[1, None]", [])
    assert said(pl.Series("s", range(5000)))[1] == ["x: 822 of 5,000 values sent"]


def test_arrow() -> None:
    """Tables, batches and arrays of Arrow, also with names that repeat."""
    pa = pytest.importorskip("pyarrow")
    twice = pa.Table.from_arrays([pa.array([1]), pa.array(["x"])], names=["a", "a"])

    assert rows(twice) == ["a,a", "1,x"]
    assert rows(pa.record_batch({"a": [1, None]})) == ["a", "1", '""']
    assert said(pa.table({"a": range(9000)}))[1] == ["x: 1,000 of 9,000 rows sent"]
    assert said(pa.array([1, None])) == ("[1, None]", [])
    assert said(pa.chunked_array([[1], [2]])) == ("[1, 2]", [])
    assert said(pa.array(range(5000)))[1] == ["x: 822 of 5,000 values sent"]
    assert said(pa.scalar("x")) == ("x", [])


# ---- libraries that are known by what they can do


class Partitioned:
    """Stands in for a DataFrame of Dask or Ibis."""

    columns, dtypes = ("a",), ("int64",)

    def __init__(self, count: int) -> None:
        self._frame = pd.DataFrame({"a": range(count)})

    def head(self, count: int) -> Partitioned:
        return Partitioned(min(count, len(self._frame)))

    def to_pandas(self) -> Any:
        return self._frame


def test_tables_that_are_computed_elsewhere() -> None:
    """Only the first rows are computed."""
    assert rows(Partitioned(2)) == ["a", "0", "1"]
    assert said(Partitioned(9000))[1] == ["x: first 1,000 rows sent"]


class DataArray:
    """Stands in for the class of xarray, which is known by its name."""

    __module__ = "xarray.core.dataarray"
    name, ndim = None, 1

    def rename(self, name: str) -> DataArray:
        assert name == "value"
        return self

    def to_dataframe(self) -> Any:
        return pd.DataFrame({"value": [1.5]}, index=pd.Index([10], name="time"))


def test_labelled_arrays_keep_their_coordinates() -> None:
    """An array of xarray is a table with its coordinates."""
    assert rows(DataArray()) == ["time,value", "10,1.5"]
