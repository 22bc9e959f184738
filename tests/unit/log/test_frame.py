from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from allos import _process
from allos.dtypes import text_dtype
from allos.log.blocks import Block, ColumnChunk, as_objects
from allos.log.columns import DTYPES, NAMES
from allos.log.frame import column, frame_of
from allos.log.log import Log
from allos.log.store.segment_codec import decode, encode_strings
from tests.support.dtypes import named
from tests.support.log_rows import a_response


def test_responses_become_a_frame_in_their_order() -> None:
    """Responses that were never logged have the log's columns and dtypes; ratings are null."""
    frame = frame_of([a_response(2), a_response(1)])

    assert list(frame["content"]) == ["Answer 2", "Answer 1"]
    assert {name: str(frame[name].dtype) for name in NAMES} == named(DTYPES)
    assert frame[["rating", "note"]].isna().all(axis=None)


def test_an_empty_frame_has_the_dtypes() -> None:
    """Without responses the columns are the same."""
    frame = frame_of([])

    assert frame.empty
    assert {name: str(frame[name].dtype) for name in NAMES} == named(DTYPES)


def test_the_session_is_the_active_one() -> None:
    """Rows carry the session id of the session in which the frame is made."""
    session = SimpleNamespace(log=Log())
    with _process.active_session(session):
        frame = frame_of([a_response(1)])

    assert frame["session_id"][0] == session.log.session_id


def test_few_distinct_strings_are_converted_once() -> None:
    """A column built from codes equals one built from its values, nulls included."""
    frame = frame_of([a_response(n, reasoning="same" if n % 3 else None) for n in range(30)])

    expected = pd.array(
        [("same" if n % 3 else None) for n in range(30)], dtype=frame["reasoning"].dtype
    )
    pd.testing.assert_extension_array_equal(frame["reasoning"].array, expected)


@pytest.mark.parametrize(
    "parts",
    [
        (["a", "a"], ["a"]),
        ([None, None], [None]),
        (["a", "a"], ["b"]),
        (["a", None], ["a"]),
        (["a", "a"], [None]),
        ([None], ["a"]),
        (["", ""], [""]),
        ([], ["a"]),
    ],
)
def test_columns_of_one_string(parts: tuple[list[str | None], ...]) -> None:
    """Of stored codes, and of rows after them: the column has the strings of all, whether alike or not."""
    first, second = parts
    stored = decode(bytes(encode_strings(first)), len(first)) if first else ColumnChunk(None)
    rows = ColumnChunk(as_objects(second))
    for chunks in ([stored, rows], [rows, stored], [stored, stored], [rows]):
        values = [first if chunk is stored else second for chunk in chunks]
        blocks = [
            Block(len(some), {"host": chunk}) for some, chunk in zip(values, chunks, strict=True)
        ]

        found = column(blocks, "host")

        expected = pd.array([value for some in values for value in some], dtype=text_dtype())
        pd.testing.assert_extension_array_equal(found, expected)
