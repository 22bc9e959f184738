"""Merging, copying, pruning and exporting a log."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
import allos.log
from allos.errors import ConfigurationError, LogError
from allos.log.store.search_index import SUFFIX
from tests.support.log_rows import START, a_response, record


@pytest.fixture
def log(log_path: Path) -> Path:
    allos.log.open()
    record(*(a_response(number) for number in range(6)))
    allos.log.flush()
    return log_path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A colleague's log: two of our rows, two of their own, a rating and a vote."""
    path = tmp_path / "ann.sqlite"
    allos.log.open(path)
    record(*(a_response(number, content=f"Ann's {number}") for number in (4, 5, 10, 11)))
    allos.rate(a_response(10), 1, rater="ann")
    allos.vote(a_response(10), a_response(11), "a", rater="ann")
    allos.log.close()
    return path


def test_merging_adds_what_is_new(other: Path, log: Path) -> None:
    """Rows keep their ids and raters, ours stay ours, and a second time adds nothing."""
    found = allos.log.merge(other)
    again = allos.log.merge(other)
    frame = allos.responses()

    assert (found.responses, found.known, found.feedback) == (2, 2, 2)
    assert (again.responses, again.known, again.feedback) == (0, 4, 0)
    assert str(found) == (
        f"2 new responses from {str(other)!r}, 2 new ratings and votes, 2 responses were there already"
    )
    assert len(frame) == frame["id"].nunique() == 8
    assert frame["content"].tolist()[4:] == ["Answer 4", "Answer 5", "Ann's 10", "Ann's 11"]
    assert frame["rater"].tolist()[6] == "ann"
    assert allos.votes()["rater"].tolist() == ["ann"]
    assert len(allos.ratings()) == 1
    assert len(allos.search("ann's")) == 2


def test_raw_texts_come_with_their_rows_alone(other: Path, log: Path) -> None:
    """Another log says what was sent for its own rows, and nothing of ours."""
    with closing(sqlite3.connect(other)) as db, db:
        db.execute("DELETE FROM raw")
        db.executemany(
            "INSERT INTO raw VALUES (?, ?, NULL)",
            [(a_response(4).id, b'"ours"'), (a_response(10).id, b'"theirs"')],
        )
    with closing(sqlite3.connect(log)) as db, db:
        db.execute("DELETE FROM raw")
    allos.log.merge(other)
    raw = allos.responses(raw=True).set_index("id")["raw_request"].dropna()

    assert raw.to_dict() == {a_response(10).id: '"theirs"'}


@pytest.mark.parametrize("name", ["log.sqlite", "./log.sqlite"])
def test_merging_a_log_with_itself(log: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to merge, however the file is named."""
    monkeypatch.chdir(log.parent)
    with pytest.raises(LogError, match="is this log"):
        allos.log.merge(name)


def test_a_copy_is_a_log(log: Path, tmp_path: Path) -> None:
    """It has every row, can be opened, is private, and never replaces a file."""
    copy = allos.log.backup(tmp_path / "copy.sqlite")
    with pytest.raises(LogError, match="exists: nothing was copied"):
        allos.log.backup(copy)
    with pytest.raises(LogError, match="cannot copy the log"):
        allos.log.backup(tmp_path / "no folder" / "copy.sqlite")
    with pytest.raises(ConfigurationError, match="needs the path of a file"):
        allos.log.backup("")
    allos.log.open(copy)

    assert len(allos.responses()) == 6
    assert copy.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir() if "part" in path.name) == []


def test_pruning_deletes_for_good(log: Path) -> None:
    """Rows with their ratings, votes, raw texts and index are gone, from the file's bytes as well."""
    allos.rate(a_response(1), 1, note="a note on one")
    allos.rate(a_response(5), 1, note="a note on five")
    allos.vote(a_response(1), a_response(5), "a")
    allos.search("answer")
    cutoff = START + timedelta(seconds=3)
    counted = allos.log.prune(cutoff, dry_run=True)
    deleted = allos.log.prune(cutoff)
    allos.log.close()
    data = log.read_bytes()

    assert counted == deleted
    assert deleted.responses == 3
    assert allos.responses()["content"].tolist() == ["Answer 3", "Answer 4", "Answer 5"]
    assert allos.responses(columns="content")["content"].tolist()[0] == "Answer 3"
    assert len(allos.ratings()) == 1
    assert len(allos.votes()) == 0
    assert b"a note on one" not in data
    assert b"a note on five" in data
    assert not log.with_name(log.name + SUFFIX).exists()
    assert len(allos.search("answer")) == 3


def test_pruning_raw_texts_alone(log: Path) -> None:
    """The rows stay, what was sent and received goes."""
    with closing(sqlite3.connect(log)) as db, db:
        (before,) = db.execute("SELECT count(*) FROM raw").fetchone()
    deleted = allos.log.prune(provider="groq", raw_only=True)

    assert (deleted.responses, deleted.raw) == (0, before)
    assert len(allos.responses()) == 6
    assert allos.responses(raw=True)["raw_request"].isna().all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "needs to know what to delete"),
        ({"provider": None}, "needs to know what to delete"),
        ({"limit": 5}, "no filter 'limit'"),
        ({"modle": "x"}, "no filter 'modle'"),
        ({"before": "someday"}, "someday"),
    ],
)
def test_pruning_needs_a_condition(log: Path, given: dict[str, Any], message: str) -> None:
    """Nothing is deleted by mistake."""
    with pytest.raises(ConfigurationError, match=message):
        allos.log.prune(**given)

    assert len(allos.responses()) == 6


def test_space_is_given_back(log: Path) -> None:
    """A log that lost its rows is smaller afterwards, and whole."""
    record(*(a_response(number, content="long " * 2000) for number in range(10, 200)))
    allos.log.flush()
    allos.log.prune(status="ok")
    allos.log.vacuum()
    with closing(sqlite3.connect(log)) as db:
        (state,) = db.execute("PRAGMA integrity_check").fetchone()

    assert log.stat().st_size < 100_000
    assert state == "ok"
    record(a_response(500))
    assert len(allos.responses()) == 1


def test_parquet_has_the_frame(log: Path, tmp_path: Path) -> None:
    """The file reads back as the frame was, filters and all, and has the accessor."""
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    path = allos.log.to_parquet(tmp_path / "rows.parquet", limit=4)
    back = pd.read_parquet(path)

    assert back["id"].tolist() == allos.responses(limit=4)["id"].tolist()
    assert back.allos.summary()["calls"].tolist() == [4]
    with pytest.raises(LogError, match="cannot write"):
        allos.log.to_parquet(tmp_path / "none" / "rows.parquet")


def test_parquet_without_pyarrow(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says what to install, and nothing half is left behind."""

    def missing(*_: object, **__: object) -> None:
        raise ImportError("no pyarrow")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", missing)
    with pytest.raises(ConfigurationError, match="pip install pyarrow"):
        allos.log.to_parquet(tmp_path / "rows.parquet")

    assert [path for path in tmp_path.iterdir() if "parquet" in path.name] == []


@pytest.mark.process
def test_two_processes_merge_and_write_at_once(
    other: Path, log: Path, script: Callable[..., Any]
) -> None:
    """Both merge the same log while this one writes: each row and rating is there once."""
    code = f"allos.log.open(); print(allos.log.merge({str(other)!r}).known)"
    processes = [script(code) for _ in range(2)]
    record(*(a_response(number) for number in range(20, 60)))
    outputs = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], outputs
    assert len(allos.responses()) == allos.responses()["id"].nunique() == 48
    assert len(allos.ratings()) == 1
