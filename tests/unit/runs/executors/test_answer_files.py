"""Answers of workers as Parquet files, in a folder and in an object store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from allos.errors import ConfigurationError, LogError
from allos.log.columns import STORED_NAMES
from allos.runs.executors import stop_marks
from allos.runs.executors.answer_files import AnswerFiles, checked_address

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")


@pytest.fixture(params=["folder", "object store"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "folder":
        yield checked_address(tmp_path / "team")
        return
    import fsspec

    yield checked_address("memory://bucket/team")
    fsspec.filesystem("memory").rm("/bucket", recursive=True)


def row(**values: Any) -> tuple[Any, ...]:
    known = {"id": "01X", "run_id": "bat_x", "created_at": 1_700_000_000_000_001, "replayed": 1}
    known |= {
        "cost_usd": 0.5,
        "input_tokens": 7,
        "content": "Grüße 😀",
        **values,
    }
    return tuple(known.get(name) for name in STORED_NAMES)


def test_rows_come_back_as_they_were(address: str) -> None:
    """Each file is there as a whole or not at all; those of a partition are found by its name."""
    files = AnswerFiles(address, "bat_x")
    assert files.names() == []
    first = files.write("P1", [row(), row(id="01Y", content=None, replayed=0, cost_usd=None)])
    second = files.write("P2", [row(id="01Z")])
    elsewhere = AnswerFiles(address, "../bat_x")
    elsewhere.write("P1", [row(run_id="../bat_x")])

    assert files.names() == [first, second]
    assert files.names("P2") == [second]
    assert files.read(first) == [row(), row(id="01Y", content=None, replayed=0, cost_usd=None)]
    assert len(elsewhere.names()) == 1
    assert elsewhere.read(elsewhere.names()[0])[0][STORED_NAMES.index("run_id")] == "../bat_x"


def test_others_read_them(tmp_path: Path) -> None:
    """Times, truth values and numbers have types; the names are those of the log."""
    name = AnswerFiles(str(tmp_path), "bat_x").write("P1", [row()])
    frame = pd.read_parquet(tmp_path / "bat_x" / name)

    assert list(frame.columns) == list(STORED_NAMES)
    assert str(frame["created_at"][0]) == "2023-11-14 22:13:20.000001+00:00"
    assert bool(frame["replayed"][0]) is True
    assert [path.name for path in (tmp_path / "bat_x").iterdir()] == [name]


def test_what_is_no_file_of_answers(tmp_path: Path) -> None:
    """Rows of another batch and without an id are left out, other columns ignored, anything else is one line."""
    files = AnswerFiles(str(tmp_path), "bat_x")
    name = files.write("P1", [row(run_id="bat_y"), row(id=None), row(id="01A")])
    frame = pd.DataFrame({"id": ["01B"], "run_id": ["bat_x"], "of_tomorrow": [1]})
    frame.to_parquet(tmp_path / "bat_x" / "P2-a.parquet")
    (tmp_path / "bat_x" / "P3-a.parquet").write_bytes(b"nothing")
    (tmp_path / "bat_x" / "P4-a.parquet.part").write_bytes(b"half")

    assert [each[0] for each in files.read(name)] == ["01A"]
    assert files.read("P2-a.parquet")[0][0] == "01B"
    assert files.names() == [name, "P2-a.parquet", "P3-a.parquet"]
    with pytest.raises(LogError, match=r"'P3-a.parquet' in the store .* is not a file of answers"):
        files.read("P3-a.parquet")
    with pytest.raises(LogError, match="cannot read the store"):
        files.read("P5-a.parquet")


def test_marks(address: str) -> None:
    """They stop workers as those in a log do, and are no files of answers."""
    files = AnswerFiles(address, "bat_x")
    first = stop_marks.next_number(files, "bat_x")
    stop_marks.leave(files, "bat_x", first)

    assert stop_marks.is_stopped(files, "bat_x", first)
    assert not stop_marks.is_stopped(files, "bat_x", stop_marks.next_number(files, "bat_x"))
    assert files.names() == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (5, "store must be a folder or a URL"),
        ("", "store must be a folder or a URL"),
        ("postgresql://db/team", "allos.log.open"),
        ("ftp://ann:very-secret@host/team", "without keys or passwords"),
        ("s3://bucket/team?secret_key=x", "without keys or passwords"),
        ("nosuch://bucket", "nosuch"),
    ],
)
def test_what_is_no_store(wrong: Any, message: str) -> None:
    """One line that shows no password."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        checked_address(wrong)

    assert "very-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["memory://c@account.example/team", "memory://bucket/a b", "team"])
def test_what_is_a_store(url: str) -> None:
    """A name before an at sign is no password; a path is that of this computer, wherever a worker runs."""
    found = checked_address(url)

    assert found == url or Path(found).is_absolute()


def test_without_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line to install them."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'allos-jupyter\[object-store\]'"):
        checked_address("memory://x")
