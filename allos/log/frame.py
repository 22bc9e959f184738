"""pandas columns from blocks of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from allos import _process
from allos.dtypes import text_dtype
from allos.log import arrow_strings
from allos.log.blocks import NULLS, Block, ColumnChunk, as_objects, block_from_rows
from allos.log.columns import DTYPES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from pandas.api.extensions import ExtensionArray

    from allos.log.log import Log
    from allos.response import ProviderResponse

_MAX_PLAIN_SHARE = (
    0.25  # of rows whose string has no code, up to which a column is built from codes
)


def column(blocks: Sequence[Block], name: str, kinds: Mapping[str, str] = DTYPES) -> ExtensionArray:
    """Column of the frame, with its dtype in the schema, or in other `kinds`."""
    dtype = kinds.get(name, "str")  # raw_request and raw_reply are strings
    total = sum(block.row_count for block in blocks)
    chunks = [(block.row_count, block.columns.get(name, NULLS)) for block in blocks]
    return _strings(chunks, total) if dtype == "str" else _numbers(chunks, total, dtype)


def _strings(chunks: Sequence[tuple[int, ColumnChunk]], total: int) -> ExtensionArray:
    import numpy as np
    import pandas as pd

    value = _one_value(chunks[0][1]) if chunks else None
    if value is not _SEVERAL and all(_one_value(chunk) == value for _, chunk in chunks):
        return _repeated(value, total)
    plain = sum(
        count for count, chunk in chunks if chunk.values is not None and chunk.codes is None
    )
    if plain <= total * _MAX_PLAIN_SHARE:
        return _strings_from_codes(chunks, total)
    if arrow_strings.is_storage() and (array := arrow_strings.joined(chunks)) is not None:
        column: ExtensionArray = pd.array(array, dtype=text_dtype())
        return column
    strings = [
        np.full(count, None, dtype=object)
        if chunk.values is None
        else as_objects(list(chunk.values))
        if chunk.codes is None
        else chunk.values[chunk.codes]
        for count, chunk in chunks
    ]
    return pd.array(np.concatenate(strings), dtype=text_dtype())


_SEVERAL = object()


def _one_value(chunk: ColumnChunk) -> Any:
    """The string that all rows of a chunk have, None where all are null; else `_SEVERAL`."""
    if chunk.values is None:
        return None
    if isinstance(chunk.values, arrow_strings.ArrowStrings):
        return _SEVERAL  # what has few values has codes
    values = iter(chunk.values)
    first = next(values, _SEVERAL)
    if chunk.codes is not None:  # first is null
        first = next(values, None)
        return first if len(chunk.values) == 2 and chunk.codes.all() else _SEVERAL
    is_one = isinstance(first, str) and all(value == first for value in values)
    return first if is_one else _SEVERAL


def _repeated(value: str | None, count: int) -> ExtensionArray:
    import numpy as np
    import pandas as pd

    if arrow_strings.is_storage():
        column: ExtensionArray = pd.array(arrow_strings.repeated(value, count), dtype=text_dtype())
        return column
    one: ExtensionArray = pd.array([value], dtype=text_dtype())
    return one.take(np.zeros(count, dtype=np.intp))


def _strings_from_codes(chunks: Sequence[tuple[int, ColumnChunk]], total: int) -> ExtensionArray:
    """Column with few distinct strings: pandas checks and converts each of them once."""
    import numpy as np
    import pandas as pd

    known: dict[str | None, int] = {None: 0}
    codes = np.zeros(total, dtype=np.intp)
    start = 0
    for count, chunk in chunks:
        stop = start + count
        if chunk.values is not None:
            local = [known.setdefault(string, len(known)) for string in chunk.values]
            if chunk.codes is None:
                codes[start:stop] = local
            else:  # mode "clip" saves numpy a copy; no code is out of range
                np.take(np.array(local), chunk.codes, out=codes[start:stop], mode="clip")
        start = stop
    return pd.array(as_objects(list(known)), dtype=text_dtype()).take(codes)


def _numbers(chunks: Sequence[tuple[int, ColumnChunk]], total: int, dtype: str) -> ExtensionArray:
    import numpy as np
    import pandas as pd

    values: npt.NDArray[Any] = np.zeros(total, dtype="<f8" if dtype == "Float64" else "<i8")
    mask = np.zeros(total, dtype=bool)
    start = 0
    for count, chunk in chunks:
        stop = start + count
        if chunk.values is None:
            mask[start:stop] = True
        else:
            values[start:stop] = chunk.values
            if chunk.mask is not None:
                mask[start:stop] = chunk.mask
        start = stop
    if dtype == "Float64":
        return pd.arrays.FloatingArray(values, mask)
    if dtype == "Int64":
        return pd.arrays.IntegerArray(values, mask)
    if dtype == "boolean":
        return pd.arrays.BooleanArray(values.astype(bool), mask)
    times = values.view("M8[us]")
    times[mask] = np.datetime64("NaT")
    return pd.Series(times).dt.tz_localize("UTC").array


ROWS = "responses"
"""Value of ``frame.attrs["allos_rows"]``: what the rows are; pandas keeps it where rows or columns are chosen."""


def assemble(columns: Mapping[str, ExtensionArray], row_count: int) -> pd.DataFrame:
    """Frame of these columns."""
    import pandas as pd

    return pd.DataFrame(columns, index=pd.RangeIndex(row_count), copy=False)


def responses_frame(columns: Mapping[str, ExtensionArray], row_count: int) -> pd.DataFrame:
    """Frame of these columns of responses, which says so."""
    frame = assemble(columns, row_count)
    frame.attrs["allos_rows"] = ROWS
    return frame


def typed_frame(kinds: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Frame of rows with values in the order of `kinds`, the dtypes of its columns."""
    names = tuple(kinds)
    blocks = [block_from_rows(names, rows, kinds)]
    return assemble({name: column(blocks, name, kinds) for name in names}, len(rows))


def time_order(blocks: Sequence[Block]) -> npt.NDArray[np.intp] | None:
    """Positions that sort the rows by `created_at`, nulls first; None when they are sorted."""
    import numpy as np

    times = np.concatenate([_times(block) for block in blocks])
    if bool(np.all(times[1:] >= times[:-1])):
        return None
    return np.argsort(times, kind="stable")


def _times(block: Block) -> npt.NDArray[np.int64]:
    import numpy as np

    lowest = np.iinfo(np.int64).min
    chunk = block.columns.get("created_at", NULLS)
    if chunk.values is None:
        return np.full(block.row_count, lowest)
    return chunk.values if chunk.mask is None else np.where(chunk.mask, lowest, chunk.values)


def frame_of(responses: Sequence[ProviderResponse]) -> pd.DataFrame:
    """Responses as a frame with the log's columns, logged or not, in the given order.

    Parameters
    ----------
    responses : sequence of ProviderResponse

    Returns
    -------
    pandas.DataFrame
        One row per response; columns and dtypes of ``docs/reference/log-schema.md``. `rating` and
        `note` are stored in the log only, and are null.
    """
    from allos.log.clean_values import clean_row
    from allos.log.columns import FRAME_NAMES, STORED_NAMES
    from allos.log.rows import row_of

    log: Log = _process.current_session().log
    facts = log.process_facts()
    rows = [clean_row(row_of(response, facts)) for response in responses]
    blocks = [block_from_rows(STORED_NAMES, rows)]
    return responses_frame({name: column(blocks, name) for name in FRAME_NAMES}, len(rows))
