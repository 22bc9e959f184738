from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import allos
import allos.log
from allos.log.store import search_index
from tests.support.log_rows import a_response, record


@pytest.fixture
def log(log_path: Path) -> Path:
    allos.log.open(log_path)
    record(
        a_response(1, content="Die Straße führt nach Łódź"),
        a_response(2, content="今天天气很好"),
        a_response(3, content="zq"),
    )
    return log_path


QUERIES = [
    *(
        "strasse",
        "lodz",
        "odz",
        "天气",
        "气很",
        "好",
        "zq",
        "question",
        "Question 2",
        "nowhere",
        "q",
        "1",
    ),
    *('"question 1"', '"uestion 1"', "o", "ch na", "nach-lo", "strasse, nowhere"),
]


@pytest.mark.parametrize("query", QUERIES)
def test_row_by_row_finds_the_same(log: Path, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the index cannot be used, rows are searched one by one, with the same result."""
    indexed = set(allos.search(query)["id"])

    def unusable(*_: object) -> None:
        raise search_index.CannotSearchError("no FTS5")

    monkeypatch.setattr("allos.log.store.search.SearchIndex", unusable)

    assert set(allos.search(query)["id"]) == indexed


def test_where_the_index_cannot_be_written(log: Path) -> None:
    """A folder that takes no new file, or something else in its place: the search goes on without."""
    log.with_name(log.name + search_index.SUFFIX).mkdir()

    assert len(allos.search("strasse")) == 1


def test_a_part_of_many_words(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of too many words is searched row by row."""
    monkeypatch.setattr(search_index, "_MOST_WORDS", 1)

    assert len(allos.search("o")) == 3


def test_of_many_matches_the_newest_come_first(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number of matches they are not ranked; filters still find older ones."""
    monkeypatch.setattr(search_index, "MOST_RANKED", 5)
    record(*(a_response(number, content="many") for number in range(10, 30)))
    newest = [f"01HF{number:022d}" for number in (29, 28, 27)]

    assert list(allos.search("many", limit=3)["id"]) == newest
    assert len(allos.search("many", limit=50)) == 20
    assert len(allos.search("many", until="2026-11-01T12:00:12+00:00")) == 2


def test_a_damaged_page_of_the_index(log: Path) -> None:
    """Damage that shows only while searching is answered by building the index again."""
    allos.search("question")
    path = log.with_name(log.name + search_index.SUFFIX)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA writable_schema = 1")
        db.execute("DELETE FROM texts_data WHERE id > 10")

    assert len(allos.search("question")) == 3


def test_a_sqlite_without_full_text_search(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says that the search takes longer, and it finds the same."""
    monkeypatch.setattr(search_index, "TOKENIZER", "nothing_like_it")
    with pytest.warns(UserWarning, match="no full-text search") as caught:
        found = allos.search("strasse")

    assert len(found) == 1
    assert "\n" not in str(caught[0].message)


def test_an_index_that_somebody_is_building_is_left_alone(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process holds its lock, rows are searched one by one, and its file stays."""
    monkeypatch.setattr(search_index, "BUSY_TIMEOUT_S", 0.01)
    allos.search("strasse")
    record(a_response(4, content="Straße"))
    path = log.with_name(log.name + search_index.SUFFIX)
    before = path.stat().st_ino
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        found = allos.search("strasse")

    assert len(found) == 2
    assert path.stat().st_ino == before
