from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from allos.errors import ConfigurationError, TemplateError
from allos.runs.batching.data_rows import DataRows, as_frame


def test_data_is_a_frame_of_its_own() -> None:
    """Later changes of the data are not seen; names of columns are strings."""
    data = pd.DataFrame({"a": [1, 2], 3: [4, 5]})
    frame = as_frame(data)
    data.loc[0, "a"] = 9

    assert list(frame.columns) == ["a", "3"]
    assert frame["a"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "a,b\n1,x\n2,y\n"),
        ("t.tsv", "a\tb\n1\tx\n2\ty\n"),
        ("t.jsonl", '{"a": 1, "b": "x"}\n\n{"a": 2, "b": "y"}\n'),
        ("t.NDJSON", '\ufeff{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}'),
    ],
)
def test_files(tmp_path: Path, name: str, text: str) -> None:
    """Paths go in as they are, as strings or as paths."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")

    for given in (path, str(path)):
        assert as_frame(given).to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


def test_tables_of_others() -> None:
    """Frames of polars, lazy ones too, and Arrow tables; a dataset's rows as well."""
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    values = {"a": [1, 2], "b": ["x", "y"]}

    for given in (pl.DataFrame(values), pl.DataFrame(values).lazy(), pa.table(values), values):
        assert as_frame(given).to_dict("list") == values


def test_of_several_tables_one_is_chosen_by_hand() -> None:
    """As of a dataset with its splits."""

    class Split:
        column_names = ("a",)

        def to_pandas(self) -> pd.DataFrame:
            return pd.DataFrame({"a": [1]})

    with pytest.raises(ConfigurationError, match=r"choose one of 'train', 'test', data\['train'\]"):
        as_frame({"train": Split(), "test": Split()})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.jsonl", '{"a": 1}\n{"a"\n', "as JSONL: line 2: "),
        ("t.jsonl", "[1]\n", "line 1 is not an object"),
        ("t.csv", "", "cannot be read as CSV"),
        ("t.parquet", "no", "cannot be read as Parquet"),
        ("t.xlsx", "no", "must end in .csv"),
        ("absent.csv", None, "cannot be read as CSV: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    """One line that says what is wrong with which line."""
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError, match=message) as raised:
        as_frame(tmp_path / name)

    assert "\n" not in str(raised.value)
    assert "Nothing was sent." in str(raised.value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "got NoneType"),
        (5, "got int"),
        ([], "no rows"),
        ([1, 2], "got list with int"),
        ({"a": [1], "b": [1, 2]}, "not a table"),
        (pd.DataFrame(), "no rows"),
        (pd.DataFrame(index=[1, 2]), "no columns"),
    ],
)
def test_what_is_no_table_is_refused(data: Any, says: str) -> None:
    """Each is one line that says what it got."""
    with pytest.raises(ConfigurationError, match=rf"{says}.*Nothing was sent"):
        as_frame(data)


def test_texts_of_values() -> None:
    """Numbers, dates and nested tables become text once; a text stays as it is."""
    text = "as it is"
    rows = DataRows(
        as_frame(
            pd.DataFrame(
                {
                    "text": [text, "b"],
                    "n": [1, 2],
                    "x": [0.5, 1.0],
                    "day": pd.to_datetime(["2026-01-02", "2026-01-03"]),
                    "list": [[1, 2], [3]],
                }
            )
        )
    )

    assert rows[0]["text"] == text
    assert [rows[1][name] for name in ("n", "x")] == ["2", "1.0"]
    assert rows[0]["day"].startswith("2026-01-02")
    assert rows[0]["list"] == "[1, 2]"
    assert (len(rows), len(rows[0])) == (2, 5)
    with pytest.raises(KeyError):
        rows[0]["absent"]


def test_only_columns_that_are_used_need_values() -> None:
    """A null is told with its number, index and what to do, when its column is read."""
    rows = DataRows(as_frame(pd.DataFrame({"a": ["x", "y", "z"], "b": ["x", None, None]})))

    assert rows.texts("a") == ["x", "y", "z"]
    with pytest.raises(TemplateError, match=r"2 rows have no value .* index 1\. .*subset=\['b'\]"):
        rows.texts("b")
