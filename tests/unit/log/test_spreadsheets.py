from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.errors import ConfigurationError
from allos.log.frame import frame_of
from allos.log.spreadsheets import plain_text, write_csv, write_excel
from tests.support.log_rows import a_response

FORMULAS = [
    '=HYPERLINK("http://a.example","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+9)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\uff1d1+1",
    "\x00=1+1",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_formula_becomes_text(formula: str) -> None:
    """Whatever a program takes for a formula, skipped characters before it included."""
    assert plain_text(formula).startswith("'")


@pytest.mark.parametrize(
    "text", ["", "-5", "+1.5e-3", " -2 ", "-12,5 %", "2 + 2 = 4", "a-b", "'=1"]
)
def test_other_text_stays(text: str) -> None:
    """Numbers and ordinary sentences are not changed."""
    assert plain_text(text) == text


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "\n", "\r\n"])
@pytest.mark.parametrize("formula", ["=1+1", "@SUM(A1)", "+cmd|'x'!A", "-cmd|'x'!A"])
def test_no_formula_behind_another_separator(separator: str, formula: str) -> None:
    """A program that expects another separator begins a cell inside the text."""
    found = plain_text(f"Hello{separator}{formula}")

    assert f"{separator}'{formula}" in found


def test_lists_stay_lists() -> None:
    """The commonest form of an answer is left as it is."""
    text = "Three:\n- one\n- two\n\n--- \n-3 degrees"

    assert plain_text(text) == text


@given(st.text(alphabet="=+-@;,|\t\r\n'\" a1\ufeff\uff1d", max_size=12))
def test_no_cell_begins_with_a_formula_whatever_the_separator(text: str) -> None:
    """Read back with any separator, no cell is a formula that can act."""
    starts = ("=", "@", "\uff1d")
    buffer = io.StringIO()
    csv.writer(buffer).writerow(["id", plain_text(text)])
    for separator in ",;|\t":
        for row in csv.reader(io.StringIO(buffer.getvalue(), newline=""), delimiter=separator):
            assert not [cell for cell in row if cell.lstrip(" \ufeff").startswith(starts)]


def rows() -> pd.DataFrame:
    """One row for each formula, as answers."""
    return frame_of([a_response(n, content=formula) for n, formula in enumerate(FORMULAS)])


def test_csv(tmp_path: Path) -> None:
    """Answers are read back as text with an apostrophe; numbers and times as they were."""
    frame = rows()
    path = write_csv(frame, tmp_path / "answers.csv")
    back = pd.read_csv(path)

    assert list(back.columns) == list(frame.columns)
    assert back["content"].str.startswith("'").all()
    assert (back["latency_s"].fillna(-1) == frame["latency_s"].astype(float).fillna(-1)).all()
    assert (pd.to_datetime(back["created_at"]) == frame["created_at"]).all()
    assert frame["content"][0] == FORMULAS[0]


def test_csv_of_any_frame(tmp_path: Path) -> None:
    """Objects, categories, column names and the index are text too."""
    frame = pd.DataFrame(
        {
            "=1+1": [["=1"], None],
            "kind": pd.Categorical(["=2", "b"]),
            "n": [1, 2],
            "ok": [True, False],
        },
        index=pd.Index(["@a", "b"], name="+name"),
    )
    lines = write_csv(frame, tmp_path / "x.csv", index=True).read_text("utf-8-sig").splitlines()

    assert lines == ["'+name,'=1+1,kind,n,ok", "'@a,['=1'],'=2,1,True", "b,,b,2,False"]


def test_excel(tmp_path: Path) -> None:
    """In a workbook no cell is a formula, and the text is what the model wrote."""
    openpyxl = pytest.importorskip("openpyxl")
    path = write_excel(rows(), tmp_path / "answers.xlsx")
    sheet = openpyxl.load_workbook(path).active
    names = [cell.value for cell in sheet[1]]
    contents = [row[names.index("content")] for row in sheet.iter_rows(min_row=2)]

    assert {cell.data_type for cell in contents} == {"s"}
    assert contents[0].value == FORMULAS[0]
    assert "=f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}
    assert all(cell.quotePrefix for cell in contents)


def test_excel_takes_what_it_cannot_hold(tmp_path: Path) -> None:
    """Control characters, half characters and texts longer than a cell lose no row."""
    openpyxl = pytest.importorskip("openpyxl")
    contents = ["a\x00b\x1b", "\ud800", "x" * 40_000, None]
    frame = pd.DataFrame({"content": pd.Series(contents, dtype=object)})
    sheet = openpyxl.load_workbook(write_excel(frame, tmp_path / "x.xlsx")).active
    contents = [row[0].value for row in sheet.iter_rows(min_row=2)]

    assert contents[:2] == ["a\ufffdb\ufffd", "\ufffd"]
    assert len(contents[2]) == 32_767
    assert contents[2].endswith("holds no more)")
    assert contents[3] is None


def test_what_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is not there, another ending, a missing package."""
    frame = pd.DataFrame({"content": ["a"]})
    with pytest.raises(ConfigurationError, match=r"was not written: "):
        write_csv(frame, tmp_path / "nowhere" / "x.csv")
    with pytest.raises(ConfigurationError, match=r"name it x\.xlsx"):
        write_excel(frame, tmp_path / "x.csv")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'allos-jupyter\[excel\]'"):
        write_excel(frame, tmp_path / "x.xlsx")
