"""Rows of the log column by column: what a store returns and what a frame is built from."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from allos.log.columns import DTYPES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Objects = npt.NDArray[np.object_]

INT64_LIMIT = 2**63


class ColumnChunk(NamedTuple):
    """Values of one column in a block."""

    values: Any
    """An array; None: all null. Strings are objects, None where null, or `ArrowStrings`."""
    mask: npt.NDArray[np.bool_] | None = None
    """True where a number is null; None: nowhere."""
    codes: npt.NDArray[np.integer[Any]] | None = None
    """For each row the position of its string in `values`, which then holds each string once."""


NULLS = ColumnChunk(None)
"""A chunk in which every value is null."""


class Block(NamedTuple):
    """A run of consecutive rows, column by column; a column that is missing is all null."""

    row_count: int
    columns: Mapping[str, ColumnChunk]


def block_from_rows(
    names: Sequence[str], rows: Sequence[tuple[Any, ...]], kinds: Mapping[str, str] = DTYPES
) -> Block:
    """Block of rows with values in the order of `names`; `kinds` has the dtypes of columns."""
    if not rows:
        return Block(0, {})
    columns = {
        name: _chunk(values, kinds.get(name, "Int64"))
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }
    return Block(len(rows), columns)


def _chunk(values: tuple[Any, ...], dtype: str) -> ColumnChunk:
    if values.count(None) == len(values):
        return NULLS
    if dtype == "str":
        return ColumnChunk(as_objects(values))
    return ColumnChunk(*as_numbers(values, "<f8" if dtype == "Float64" else "<i8"))


def select_rows(block: Block, name: str, wanted: Sequence[int]) -> Block:
    """Rows of a block whose value in the integer column `name` is among `wanted`."""
    import numpy as np

    found = block.columns.get(name, NULLS).values
    if found is None:  # a block without rows
        return block
    keep = np.isin(found, np.asarray(wanted, dtype=np.int64), assume_unique=True)
    columns = {name: _select(chunk, keep) for name, chunk in block.columns.items()}
    return Block(int(keep.sum()), columns)


def _select(chunk: ColumnChunk, keep: npt.NDArray[np.bool_]) -> ColumnChunk:
    if chunk.values is None:
        return chunk
    if chunk.codes is not None:
        return chunk._replace(codes=chunk.codes[keep])
    return ColumnChunk(chunk.values[keep], None if chunk.mask is None else chunk.mask[keep])


def as_objects(values: Sequence[Any]) -> Objects:
    """Array of the objects themselves; numpy infers no dtype and no second dimension."""
    import numpy as np

    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects


def as_numbers(
    values: Sequence[Any], dtype: str
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """Array of numbers and the mask of its nulls; a value that is not a number is null."""
    import numpy as np

    with contextlib.suppress(TypeError, ValueError, OverflowError):
        if None not in values:
            return np.array(values, dtype=dtype), None
    convert = int if dtype == "<i8" else float
    numbers = [as_number(value, convert) for value in values]
    filled = np.array([0 if number is None else number for number in numbers], dtype=dtype)
    return filled, np.array([number is None for number in numbers])


def as_number(value: Any, convert: type[int] | type[float]) -> int | float | None:
    """Value as a 64-bit number, else None: SQLite stores a string in a column of any type."""
    if value is None:
        return None
    try:
        number = convert(value)
    except (TypeError, ValueError, OverflowError):
        return None
    in_range = isinstance(number, float) or -INT64_LIMIT <= number < INT64_LIMIT
    return number if in_range else None
