"""The table of ``df.allos.show()``: what goes to the page."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from allos.errors import ConfigurationError
from allos.notebook import frame_table
from allos.notebook.frame_table import make_table, plain_values
from tests.support.hostile import HOSTILE, MARK


def test_nothing_of_a_text_is_markup() -> None:
    """Cells, column names, labels and the caption of the whole corpus reach the page escaped."""
    texts = [text.encode(errors="ignore").decode() for _, text in HOSTILE]
    frame = pd.DataFrame({"prompt": texts, **dict.fromkeys(texts[:40], 1)}, index=texts)
    sent = make_table(frame.allos.show())._dt_args
    cells = [str(cell) for row in json.loads(sent["data_json"]) for cell in row]
    heads = set(re.findall(r"<(\w*)", sent["table_html"]))

    assert not [cell for cell in cells if "<" in cell or ">" in cell]
    assert heads <= {"", "table", "thead", "tbody", "tr", "th"}
    assert any(MARK in cell for cell in cells)


def test_values_can_be_sorted_and_texts_are_short() -> None:
    """Numbers stay numbers and are short; a long text is cut, null is empty, a time is readable."""
    frame = pd.DataFrame(
        {
            "n": pd.array([2, None], dtype="Int64"),
            "usd": pd.array([0.0000123456, None], dtype="Float64"),
            "s": [1.23456789, 123456.789],
            "k": [1, 30],
            "text": ["x" * 10_000, None],
            "lines": ['{\n  "a": 1\n}', ""],
            "when": [datetime(2026, 11, 2, 9, 30, tzinfo=UTC), pd.NaT],
            "nested": [{"a": [1]}, [1, 2]],
        }
    )
    shown = plain_values(frame)

    assert shown["n"].tolist() == ["2", ""]
    assert shown["usd"].tolist() == ["1.235e-05", ""]
    assert shown["s"].tolist() == [1.235, 123456.8]
    assert shown["k"].tolist() == [1, 30]
    assert [len(text) for text in shown["text"]] == [2_000, 0]
    assert shown["lines"].tolist() == ['{ "a": 1 }', ""]
    assert shown["when"].tolist() == ["2026-11-02 09:30:00", ""]
    assert shown["nested"].tolist() == ["{'a': [1]}", "[1, 2]"]


def test_many_long_texts_do_not_weigh_more_than_few() -> None:
    """A page gets about three million characters, however many rows there are."""
    frame = pd.DataFrame({"text": ["x" * 1_000] * 10_000})

    assert plain_values(frame)["text"].str.len().sum() <= 3_000_000


def test_selected_rows_come_back() -> None:
    """What is selected in the page are the view's rows."""
    view = pd.DataFrame({"a": [1, 2, 3]}).allos.show()
    table = make_table(view)
    table.selected_rows = [2]

    assert view.rows["a"].tolist() == [3]
    assert repr(table) == "FrameTable()"


@pytest.mark.parametrize(
    "frame", [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame(index=[1])]
)
def test_an_empty_frame_is_an_empty_table(frame: pd.DataFrame) -> None:
    """No rows or no columns are no error."""
    assert make_table(frame.allos.show()) is not None


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame itself is shown without it."""
    monkeypatch.setitem(sys.modules, "itables.widget", None)
    frame_table._table_class.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match=r"pip install 'allos-jupyter\[table\]'"):
            make_table(pd.DataFrame({"a": [1]}).allos.show())
    finally:
        frame_table._table_class.cache_clear()


def test_where_nobody_can_sort_the_static_table_is_shown(shell: Any) -> None:
    """A notebook that is run by a program has the table that it has without `show`."""
    frame = pd.DataFrame({"a": [1]})
    data = shell.display_formatter.format(frame.allos.show())[0]

    assert data["text/html"] == frame._repr_html_()  # type: ignore[operator]
