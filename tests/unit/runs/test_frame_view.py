"""A frame to sort and filter: which rows and columns of it are shown."""

from __future__ import annotations

import pandas as pd
import pytest

from allos.errors import ConfigurationError
from allos.log.columns import SUMMARY
from allos.log.frame import frame_of
from allos.runs.frame_view import MOST_ROWS, FrameView
from tests.support.log_rows import a_response


def test_of_the_log_the_columns_read_first() -> None:
    """A user's own columns come behind them; the selected rows have all columns."""
    frame = frame_of([a_response(number) for number in range(3)]).assign(score=[1, 2, 3])
    view = frame.allos.show()
    view.selected = frozenset({1, 99, -1})

    assert list(view.shown.columns) == [*SUMMARY, "score"]
    assert view.note == f"11 of {len(frame.columns)} columns"
    assert view.rows["score"].tolist() == [2]
    assert list(view.rows.columns) == list(frame.columns)


def test_why_a_call_failed_is_beside_its_status() -> None:
    """Its content is empty; where none failed there is no such column. What is named is shown as it is."""
    failed = a_response(
        1, content="", metadata={"status": "error", "error_message": "Too many requests."}
    )
    frame = frame_of([a_response(0), failed])
    names = list(frame.allos.show().shown.columns)

    assert names[names.index("status") + 1] == "error_message"
    assert "error_message" not in frame.head(1).allos.show().shown
    assert list(frame.allos.show(["status"]).shown.columns) == ["status"]


def test_of_a_batch_the_data_and_the_answers() -> None:
    """The data's columns first, also one named as the log's; scores last."""
    frame = frame_of([a_response(0), a_response(1)]).rename(columns={"status": "status_log"})
    frame = pd.concat([pd.DataFrame({"ticket": ["a", "b"], "status": "open"}), frame], axis=1)
    view = frame.assign(exact=[1.0, 0.0]).allos.show()

    assert list(view.shown.columns) == [
        *("ticket", "status", "provider", "model", "content", "status_log"),
        *("output_tokens", "cost_usd", "latency_s", "exact"),
    ]


def test_any_frame_is_shown_as_it_is() -> None:
    """All of its columns, or those that are named; a page gets so many rows."""
    frame = pd.DataFrame({"a": range(MOST_ROWS + 1), "b": 1})

    assert list(FrameView(frame).shown.columns) == ["a", "b"]
    assert list(FrameView(frame, "b").shown.columns) == ["b"]
    assert FrameView(frame).note == "the first 10,000 of 10,001 rows"
    assert FrameView(frame.head()).note == ""
    assert FrameView(frame.head()).rows.empty


@pytest.mark.parametrize(
    ("frame", "columns", "says"),
    [
        (pd.DataFrame({"prompt": [1]}), ["promt"], "no column 'promt'.*'prompt'"),
        (pd.DataFrame({"prompt": [1]}), 5, "no column 5"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), None, "more than one column 'a'"),
    ],
)
def test_columns_that_are_not_there(frame: pd.DataFrame, columns: list[str], says: str) -> None:
    """One line with the closest name."""
    with pytest.raises(ConfigurationError, match=says):
        frame.allos.show(columns)
