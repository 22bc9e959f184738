"""Which objects are tables, arrays or sequences of values, whatever library they are of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from allos.prompt_data import arrays
from allos.prompt_data.tables import MAX_ROWS, Table, table_text
from allos.prompt_data.text import DataText, value_text

Writer = Callable[[Any, int], DataText]
"""Returns the text of an object within a budget of tokens."""


def writer_of(value: Any) -> Writer | None:
    """Return what writes an object's data; None where `str` says all.

    Examples
    --------
    >>> import numpy
    >>> writer_of(numpy.arange(3))(numpy.arange(3), 100).text
    '[0, 1, 2]'
    >>> writer_of([0, 1, 2]) is None
    True
    """
    kind = type(value)
    if kind in _PLAIN or isinstance(value, type):
        return None
    for base in kind.__mro__:
        writer = _WRITERS.get((base.__module__.partition(".")[0], base.__name__))
        if writer is not None:
            return None if is_object_array(value) and _holds_data(value) else writer
    if callable(getattr(kind, "tocoo", None)):
        return _write_sparse
    if callable(getattr(kind, "__array__", None)) and hasattr(value, "shape"):
        return _write_array
    if all(hasattr(value, name) for name in ("head", "columns", "dtypes")):
        return _write_partitioned
    return None


def is_object_array(value: Any) -> bool:
    """Whether a value is a NumPy array of any objects: these may be arrays and tables in turn."""
    return (
        type(value).__module__ == "numpy"
        and bool(getattr(value, "ndim", 0))
        and value.dtype == object
    )


def _holds_data(array: Any) -> bool:
    return any(writer_of(item) is not None for item in array.reshape(-1)[:MAX_ROWS])


def _write_scalar(value: Any, budget: int) -> DataText:
    return DataText(value_text(value))


# ---- pandas --------------------------------------------------------------------------------------


def _write_frame(frame: Any, budget: int) -> DataText:
    return table_text(_pandas_table(frame), budget)


def _write_series(series: Any, budget: int) -> DataText:
    return _write_frame(series.to_frame(), budget)


def _write_pandas_values(values: Any, budget: int) -> DataText:
    head = values[: arrays.possible_values(budget)]
    return arrays.values_text(list(head), len(values), budget)


def _write_styler(styler: Any, budget: int) -> DataText:
    return _write_frame(styler.data, budget)


def _pandas_table(frame: Any) -> Table:
    # A RangeIndex holds no information.
    has_labels = type(frame.index).__name__ != "RangeIndex"
    names = ["" if name is None else name for name in frame.index.names] if has_labels else []

    def rows(count: int, columns: int) -> list[Sequence[Any]]:
        head = frame.iloc[:count, :columns]  # by position, since names may repeat
        known = head.notna().to_numpy()
        values = head.itertuples(index=False, name=None)
        labels = map(_label, head.index) if has_labels else ((),) * len(head)
        return [
            (*label, *(each if ok else None for each, ok in zip(row, mask, strict=True)))
            for label, row, mask in zip(labels, values, known, strict=True)
        ]

    return Table(
        kind="DataFrame",
        names=list(frame.columns),
        dtypes=list(map(str, frame.dtypes)),
        row_count=len(frame),
        rows=rows,
        label_names=names,
    )


def _label(label: Any) -> tuple[Any, ...]:
    return label if isinstance(label, tuple) else (label,)


# ---- NumPy, and whatever is an array for it ------------------------------------------------------


def _write_array(array: Any, budget: int) -> DataText:
    names = getattr(getattr(array, "dtype", None), "names", None)
    if names and array.shape:
        return table_text(_structured_table(array.reshape(-1), names), budget)
    return arrays.array_text(array, budget)


def _structured_table(array: Any, names: Sequence[str]) -> Table:
    return Table(
        kind="structured array",
        names=names,
        dtypes=[str(array.dtype[name]) for name in names],
        row_count=len(array),
        rows=lambda count, columns: _transposed(
            [arrays.nested_list(array[name][:count]) for name in names[:columns]]
        ),
    )


def _write_memory(memory: memoryview, budget: int) -> DataText:
    return arrays.values_text(
        memory[: arrays.possible_values(budget)].tolist(), len(memory), budget
    )


def _write_sparse(matrix: Any, budget: int) -> DataText:
    entries = matrix.tocoo()
    parts = {"row": entries.row, "column": entries.col, "value": entries.data}
    table = Table(
        kind=f"sparse matrix of shape {tuple(matrix.shape)}, its stored values",
        names=list(parts),
        dtypes=[str(part.dtype) for part in parts.values()],
        row_count=len(entries.data),
        rows=lambda count, columns: _transposed(
            [arrays.nested_list(part[:count]) for part in [*parts.values()][:columns]]
        ),
    )
    return table_text(table, budget)


def _transposed(columns: list[Any]) -> list[Sequence[Any]]:
    return list(zip(*columns, strict=True))


# ---- polars, Arrow, xarray, and others -----------------------------------------------------------


def _write_polars_frame(frame: Any, budget: int) -> DataText:
    return table_text(_polars_table(frame, "DataFrame", frame.height), budget)


def _write_lazy_frame(frame: Any, budget: int) -> DataText:
    head = frame.head(MAX_ROWS + 1).collect()  # the rest is never computed
    count = head.height if head.height <= MAX_ROWS else None
    return table_text(_polars_table(head, "LazyFrame", count), budget)


def _polars_table(frame: Any, kind: str, row_count: int | None) -> Table:
    return Table(
        kind=kind,
        names=frame.columns,
        # An Enum's own text lists some of its categories.
        dtypes=["Enum" if type(each).__name__ == "Enum" else str(each) for each in frame.dtypes],
        row_count=row_count,
        rows=lambda count, columns: frame.head(count).select(frame.columns[:columns]).rows(),
    )


def _write_polars_series(series: Any, budget: int) -> DataText:
    head = series.head(arrays.possible_values(budget)).to_list()
    return arrays.values_text(head, len(series), budget)


def _write_arrow_table(table: Any, budget: int) -> DataText:
    return table_text(_arrow_table(table, table.num_rows), budget)


def _write_arrow_dataset(dataset: Any, budget: int) -> DataText:
    return table_text(_arrow_table(dataset.head(MAX_ROWS + 1), dataset.count_rows()), budget)


def _arrow_table(table: Any, row_count: int) -> Table:
    return Table(
        kind="Table",
        names=table.schema.names,
        dtypes=[str(each) for each in table.schema.types],
        row_count=row_count,
        rows=lambda count, columns: _transposed(
            [table.column(at).slice(0, count).to_pylist() for at in range(columns)]
        ),
    )


def _write_arrow_array(array: Any, budget: int) -> DataText:
    head = array.slice(0, arrays.possible_values(budget)).to_pylist()
    return arrays.values_text(head, len(array), budget)


def _write_arrow_scalar(scalar: Any, budget: int) -> DataText:
    return DataText(str(scalar.as_py()))


def _write_data_array(array: Any, budget: int) -> DataText:
    if not array.ndim:
        return DataText(str(array.item()))
    return _write_frame(array.rename(array.name or "value").to_dataframe(), budget)


def _write_partitioned(table: Any, budget: int) -> DataText:
    """Write a table that is computed in parts, or elsewhere: Dask, Modin, Ibis."""
    head = table.head(MAX_ROWS + 1)
    for name in ("compute", "to_pandas", "toPandas", "execute"):
        if type(head).__module__.partition(".")[0] != "pandas" and hasattr(head, name):
            head = getattr(head, name)()
    if type(head).__module__.partition(".")[0] != "pandas":
        writer = writer_of(head) if head is not table else None
        return (
            DataText(str(table)) if writer in (None, _write_partitioned) else writer(head, budget)
        )
    count = len(head) if len(head) <= MAX_ROWS else None
    return table_text(replace(_pandas_table(head), row_count=count), budget)


PLAIN_SCALARS = frozenset({str, bytes, int, float, bool, complex, type(None)})
_PLAIN = PLAIN_SCALARS | {list, tuple, dict, set}
_WRITERS: dict[tuple[str, str], Writer] = {
    ("pandas", "DataFrame"): _write_frame,
    ("pandas", "Series"): _write_series,
    ("pandas", "Index"): _write_pandas_values,
    ("pandas", "ExtensionArray"): _write_pandas_values,
    ("pandas", "Styler"): _write_styler,
    ("builtins", "memoryview"): _write_memory,
    ("numpy", "ndarray"): _write_array,
    ("numpy", "generic"): _write_scalar,
    ("polars", "DataFrame"): _write_polars_frame,
    ("polars", "LazyFrame"): _write_lazy_frame,
    ("polars", "Series"): _write_polars_series,
    ("pyarrow", "Table"): _write_arrow_table,
    ("pyarrow", "RecordBatch"): _write_arrow_table,
    ("pyarrow", "Dataset"): _write_arrow_dataset,
    ("pyarrow", "Array"): _write_arrow_array,
    ("pyarrow", "ChunkedArray"): _write_arrow_array,
    ("pyarrow", "Scalar"): _write_arrow_scalar,
    ("xarray", "DataArray"): _write_data_array,
}
"""By the package and the name of a class or of one of its bases."""
