"""pandas columns from rows and segments of the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from allos.dtypes import text_dtype
from allos.log.columns import DTYPES
from allos.log.segments import Piece, as_objects, decode, numbers_of

if TYPE_CHECKING:
    import sqlite3

    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from pandas.api.extensions import ExtensionArray

    from allos.response import ProviderResponse

_MOST_PLAIN_SHARE = 0.25  # rows whose text is not kept as a code, for a column made from codes


class Block(NamedTuple):
    """A stretch of rows, column by column; a column that is not there is all null."""

    row_count: int
    pieces: dict[str, Piece]


def row_block(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Block:
    """Block of rows as SQLite gives them; `names` may hold ``seq``."""
    if not rows:
        return Block(0, {"seq": Piece(None)})
    pieces = {
        name: _piece(values, DTYPES.get(name, "Int64"))
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }
    return Block(len(rows), pieces)


def _piece(values: tuple[Any, ...], dtype: str) -> Piece:
    if values.count(None) == len(values):
        return Piece(None)
    if dtype == "str":
        return Piece(as_objects(values))
    return Piece(*numbers_of(values, "<f8" if dtype == "Float64" else "<i8"))


def segment_blocks(
    db: sqlite3.Connection, names: Sequence[str]
) -> Iterator[tuple[int, int, Block]]:
    """First and last `seq` and the block of each segment, in order."""
    marks = ", ".join("?" * len(names))
    found = db.execute(
        "SELECT first_seq, last_seq, row_count FROM segments ORDER BY first_seq"
    ).fetchall()
    for first, last, count in found:
        columns = db.execute(
            f"SELECT name, data FROM segment_columns WHERE first_seq = ? AND name IN ({marks})",
            (first, *names),
        )
        pieces = {name: decode(data, count) for name, data in columns}
        yield first, last, Block(count, pieces)


def kept_rows(block: Block, seqs: Sequence[int]) -> Block:
    """The rows of a block whose `seq` is among `seqs`."""
    import numpy as np

    here = block.pieces["seq"].values
    if here is None:  # a block without rows
        return block
    keep = np.isin(here, np.asarray(seqs, dtype=np.int64), assume_unique=True)
    return Block(
        int(keep.sum()), {name: _kept(piece, keep) for name, piece in block.pieces.items()}
    )


def _kept(piece: Piece, keep: npt.NDArray[np.bool_]) -> Piece:
    if piece.values is None:
        return piece
    if piece.codes is not None:
        return piece._replace(codes=piece.codes[keep])
    return Piece(piece.values[keep], None if piece.nulls is None else piece.nulls[keep])


def column(blocks: Sequence[Block], name: str) -> ExtensionArray:
    """Column of the frame, with the dtype that the schema gives it."""
    import numpy as np
    import pandas as pd

    dtype = DTYPES.get(name, "str")  # raw_request and raw_reply are texts
    total = sum(block.row_count for block in blocks)
    pieces = [(block.row_count, block.pieces.get(name, Piece(None))) for block in blocks]
    if all(piece.values is None for _, piece in pieces):
        nothing = pd.array([None], dtype=text_dtype() if dtype == "str" else dtype)
        return nothing.take(np.zeros(total, dtype=np.intp))
    return _texts(pieces, total) if dtype == "str" else _numbers(pieces, total, dtype)


def _texts(pieces: Sequence[tuple[int, Piece]], total: int) -> ExtensionArray:
    import numpy as np
    import pandas as pd

    plain = sum(
        count for count, piece in pieces if piece.values is not None and piece.codes is None
    )
    if plain <= total * _MOST_PLAIN_SHARE:
        return _texts_by_code(pieces, total)
    texts = [
        np.full(count, None, dtype=object)
        if piece.values is None
        else piece.values
        if piece.codes is None
        else piece.values[piece.codes]
        for count, piece in pieces
    ]
    return pd.array(np.concatenate(texts), dtype=text_dtype())


def _texts_by_code(pieces: Sequence[tuple[int, Piece]], total: int) -> ExtensionArray:
    """Column with few different texts: each is checked and converted once."""
    import numpy as np
    import pandas as pd

    known: dict[str | None, int] = {None: 0}
    codes = np.zeros(total, dtype=np.intp)
    start = 0
    for count, piece in pieces:
        stop = start + count
        if piece.values is not None:
            local = [known.setdefault(text, len(known)) for text in piece.values]
            if piece.codes is None:
                codes[start:stop] = local
            else:  # "clip" never clips here; it spares numpy a copy
                np.take(np.array(local), piece.codes, out=codes[start:stop], mode="clip")
        start = stop
    return pd.array(as_objects(list(known)), dtype=text_dtype()).take(codes)


def _numbers(pieces: Sequence[tuple[int, Piece]], total: int, dtype: str) -> ExtensionArray:
    import numpy as np
    import pandas as pd

    values: npt.NDArray[Any] = np.zeros(total, dtype="<f8" if dtype == "Float64" else "<i8")
    nulls = np.zeros(total, dtype=bool)
    start = 0
    for count, piece in pieces:
        stop = start + count
        if piece.values is None:
            nulls[start:stop] = True
        else:
            values[start:stop] = piece.values
            if piece.nulls is not None:
                nulls[start:stop] = piece.nulls
        start = stop
    if dtype == "Float64":
        return pd.arrays.FloatingArray(values, nulls)
    if dtype == "Int64":
        return pd.arrays.IntegerArray(values, nulls)
    if dtype == "boolean":
        return pd.arrays.BooleanArray(values.astype(bool), nulls)
    times = values.view("M8[us]")
    times[nulls] = np.datetime64("NaT")
    return pd.Series(times).dt.tz_localize("UTC").array


def time_order(blocks: Sequence[Block]) -> npt.NDArray[np.intp] | None:
    """Positions of the rows by `created_at`, rows without one first; None: as they are."""
    import numpy as np

    times = np.concatenate([_times(block) for block in blocks])
    if bool(np.all(times[1:] >= times[:-1])):
        return None
    return np.argsort(times, kind="stable")


def _times(block: Block) -> npt.NDArray[np.int64]:
    import numpy as np

    lowest = np.iinfo(np.int64).min
    piece = block.pieces.get("created_at", Piece(None))
    if piece.values is None:
        return np.full(block.row_count, lowest)
    return piece.values if piece.nulls is None else np.where(piece.nulls, lowest, piece.values)


def frame_of(responses: Sequence[ProviderResponse]) -> pd.DataFrame:
    """Responses as a frame with the log's columns, logged or not; rows in the given order.

    Parameters
    ----------
    responses : sequence of ProviderResponse

    Returns
    -------
    pandas.DataFrame
        One row per response; columns and dtypes of ``docs/reference/log-schema.md``. `rating` and
        `note` live in the log alone and are null.
    """
    import pandas as pd

    from allos.log.columns import NAMES, STORED_NAMES
    from allos.log.provenance import process_facts
    from allos.log.rows import clean_row, row_of

    facts = process_facts()
    rows = [clean_row(row_of(response, facts)) for response in responses]
    blocks = [row_block(STORED_NAMES, rows)]
    return pd.DataFrame(
        {name: column(blocks, name) for name in NAMES}, index=pd.RangeIndex(len(rows)), copy=False
    )
