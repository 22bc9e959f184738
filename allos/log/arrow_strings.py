"""Strings of a column as Arrow has them in memory: UTF-8 one after the other, and where each begins.

Columns that are stored so become columns of a frame without a Python object for each string, where pandas
keeps its strings in Arrow as well.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from allos.dtypes import text_dtype
from allos.log.blocks import ColumnChunk, as_objects

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_OFFSET_BYTES = 4
_MOST_BYTES = 2**31 - 1
"""Largest offset."""


class ArrowStrings:
    """Values of a chunk of strings, as an array of Arrow.

    Parameters
    ----------
    array : pyarrow.Array
        Of strings.
    """

    __slots__ = ("array",)

    def __init__(self, array: pa.Array) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[str | None]:
        return iter(self.tolist())

    def __getitem__(self, keep: npt.NDArray[np.bool_]) -> ArrowStrings:
        import pyarrow as pa

        return ArrowStrings(self.array.filter(pa.array(keep)))

    def tolist(self) -> list[str | None]:
        """Return the strings, None where null."""
        found: list[str | None] = self.array.to_pylist()
        return found


@lru_cache(maxsize=1)
def is_installed() -> bool:
    """Whether Arrow is there."""
    return find_spec("pyarrow") is not None


def is_storage() -> bool:
    """Whether pandas keeps its strings in Arrow here."""
    import pandas as pd

    return getattr(pd.api.types.pandas_dtype(text_dtype()), "storage", None) == "pyarrow"


def pack(values: Sequence[Any]) -> tuple[bytes, bytes, bytes] | None:
    """Offsets, a byte for each string (1 where null; nothing where none is), and the UTF-8 of all.

    Parameters
    ----------
    values : sequence of str or None

    Returns
    -------
    tuple of bytes, or None
        None where a value is no string, has no UTF-8 (a lone surrogate), or they are too long.

    Examples
    --------
    >>> pack(["ab", None, "c"])[1:]
    (b'\\x00\\x01\\x00', b'abc')
    """
    try:
        encoded = [b"" if value is None else str.encode(value) for value in values]
    except (TypeError, UnicodeEncodeError):
        return None
    text = b"".join(encoded)
    if len(text) > _MOST_BYTES:
        return None
    offsets = array("i", accumulate(map(len, encoded), initial=0))
    if sys.byteorder == "big":
        offsets.byteswap()
    nulls = bytes([value is None for value in values]) if None in values else b""
    return offsets.tobytes(), nulls, text


def unpack(blob: bytes, start: int, count: int, *, has_nulls: bool) -> ColumnChunk:
    """Chunk of `count` strings whose offsets begin at byte `start` of a blob; nulls and text follow.

    Raises
    ------
    ValueError
        The blob is damaged. (What Arrow raises is one.)
    """
    import numpy as np

    nulls_at = start + _OFFSET_BYTES * (count + 1)
    text_at = nulls_at + count * has_nulls
    offsets = np.frombuffer(blob, dtype="<i4", count=count + 1, offset=start)
    if offsets[0] != 0 or offsets[-1] != len(blob) - text_at:
        raise ValueError("offsets that do not fit the text")
    nulls = np.frombuffer(blob, dtype="u1", count=count * has_nulls, offset=nulls_at).astype(bool)
    if is_installed():
        import pyarrow as pa

        valid = pa.py_buffer(np.packbits(~nulls, bitorder="little")) if has_nulls else None
        buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(memoryview(blob)[text_at:])]
        found = pa.Array.from_buffers(pa.string(), count, buffers)
        found.validate(full=True)
        return ColumnChunk(ArrowStrings(found))
    text = memoryview(blob)[text_at:]
    if (offsets[1:] < offsets[:-1]).any():
        raise ValueError("offsets that fall")
    strings: list[str | None] = [
        str(text[begin:end], "utf-8") for begin, end in pairwise(offsets.tolist())
    ]
    for at in np.flatnonzero(nulls):
        strings[at] = None
    return ColumnChunk(as_objects(strings))


def repeated(value: str | None, count: int) -> pa.Array:
    """One string, or null, `count` times."""
    import pyarrow as pa

    return pa.repeat(pa.scalar(value, pa.large_string()), count)


def joined(chunks: Sequence[tuple[int, ColumnChunk]]) -> pa.Array | None:
    """One array of chunks of strings, each with its number of rows; None where a value is no string."""
    import pyarrow as pa

    # Each chunk is of strings with small offsets; the whole may be longer than these reach.
    kind = pa.string()
    try:
        arrays = [_array(count, chunk, kind) for count, chunk in chunks]
        if sum(array.nbytes for array in arrays) > _MOST_BYTES:
            arrays = [array.cast(pa.large_string()) for array in arrays]
        return pa.concat_arrays(arrays)
    except (pa.ArrowException, UnicodeEncodeError):
        return None


def _array(count: int, chunk: ColumnChunk, kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if chunk.values is None:
        return pa.nulls(count, kind)
    if isinstance(chunk.values, ArrowStrings):
        return chunk.values.array
    strings = pa.array(chunk.values, kind)
    return strings if chunk.codes is None else strings.take(pa.array(chunk.codes))
