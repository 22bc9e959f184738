"""A segment's columns as bytes: encoded without numpy, decoded by numpy and a JSON parser.

The first byte of a blob names its encoding, and everything is little-endian.

===== ==========================================================================================
``u`` three bytes of padding, then strings as `allos.log.arrow_strings.pack` gives them, none null
``U`` the same with nulls
``t`` JSON array of strings and nulls, where they cannot be packed
``c`` a 16-bit code for each row, then the JSON array of the strings; 0 is null, 1 the first string
``i`` 64-bit integers
``f`` 64-bit floats
``I`` a byte for each row, 1 where null, then 64-bit integers
``F`` a byte for each row, 1 where null, then 64-bit floats
===== ==========================================================================================
"""

from __future__ import annotations

import contextlib
import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from allos.log.arrow_strings import pack, unpack
from allos.log.blocks import ColumnChunk, as_number, as_objects
from allos.log.columns import STORED

_NUMBERS = (b"i", b"f", b"I", b"F")

_OFFSETS_AT = 4
"""Where the offsets of packed strings begin: aligned in memory, as Arrow wants them."""

MAX_DISTINCT = 512
"""A string column with more distinct values is stored as it is, with fewer as codes."""


def encode(seqs: Sequence[int], rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, bytearray]]:
    """Yield name and blob of `seq` and of each column that is not all null.

    Parameters
    ----------
    seqs : sequence of int
        `seq` of each row.
    rows : sequence of tuple
        Values in the order of `allos.log.columns.STORED`.
    """
    yield "seq", encode_numbers(seqs, "i")
    for column, values in zip(STORED, zip(*rows, strict=True), strict=True):
        if values.count(None) == len(values):
            continue
        if column.sql_type == "TEXT":
            yield column.name, encode_strings(values)
        else:
            kind = "i" if column.sql_type == "INTEGER" else "f"
            yield column.name, encode_numbers(values, kind)


def encode_strings(values: Sequence[Any]) -> bytearray:
    """Blob of kind ``u``, ``U``, ``t`` or ``c``."""
    from allos.log.json_text import to_json_bytes

    distinct = [value for value in dict.fromkeys(values) if value is not None]
    if len(distinct) > MAX_DISTINCT:
        packed = pack(values)
        if packed is None:
            return bytearray(b"t") + to_json_bytes(values)
        offsets, nulls, text = packed
        kind = b"U" if nulls else b"u"
        return bytearray(b"").join((kind.ljust(_OFFSETS_AT, b"\0"), offsets, nulls, text))
    codes: dict[Any, int] = {None: 0}
    codes.update((value, code) for code, value in enumerate(distinct, 1))
    numbers = array("h", [codes[value] for value in values])
    return bytearray(b"c") + _little_endian(numbers) + to_json_bytes(distinct)


def encode_numbers(values: Sequence[Any], kind: str) -> bytearray:
    """Blob of kind `kind` (``i`` or ``f``), in upper case when a value is null or not a number."""
    # The array module, not numpy: the writer may run before anything has loaded numpy.
    code, convert = ("q", int) if kind == "i" else ("d", float)
    if None not in values:
        with contextlib.suppress(TypeError, OverflowError):
            return bytearray(kind.encode()) + _little_endian(array(code, values))
    numbers = [as_number(value, convert) for value in values]
    nulls = bytes([number is None for number in numbers])
    filled = array(code, [0 if number is None else number for number in numbers])
    return bytearray(kind.upper().encode()) + nulls + _little_endian(filled)


def _little_endian(numbers: array[Any]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def decode(data: bytes, row_count: int) -> ColumnChunk:
    """Values of a blob of `encode`.

    Raises
    ------
    ValueError, TypeError, LookupError
        It is none, or damaged.
    """
    import numpy as np
    from jiter import from_json

    kind = data[:1]
    if kind in (b"u", b"U"):
        return unpack(data, _OFFSETS_AT, row_count, has_nulls=kind == b"U")
    if kind == b"t":
        strings = from_json(data[1:], cache_mode="none")
        if len(strings) != row_count:
            raise ValueError("another number of rows")
        return ColumnChunk(as_objects(strings))
    if kind == b"c":
        codes = np.frombuffer(data, dtype="<i2", count=row_count, offset=1)
        distinct = from_json(data[1 + 2 * row_count :], cache_mode="none")
        if codes.view("<u2").max() > len(distinct):
            raise LookupError("a code without a string")
        return ColumnChunk(as_objects([None, *distinct]), codes=codes)
    if kind not in _NUMBERS:
        raise ValueError("an unknown encoding")
    dtype = "<i8" if kind in b"iI" else "<f8"
    if kind in b"if":
        return ColumnChunk(np.frombuffer(data, dtype=dtype, count=row_count, offset=1))
    mask = np.frombuffer(data, dtype="u1", count=row_count, offset=1).astype(bool)
    return ColumnChunk(
        np.frombuffer(data, dtype=dtype, count=row_count, offset=1 + row_count), mask
    )
