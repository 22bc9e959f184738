from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import allos.log
from allos.log.store.search_index import SUFFIX, SearchIndex
from allos.log.store.sqlite import SQLiteStore
from tests.support.log_rows import a_response, record

ROWS = 50


@pytest.fixture
def store(log_path: Path) -> SQLiteStore:
    """A log of some rows that has no index yet."""
    allos.log.open(log_path)
    record(*(a_response(number) for number in range(ROWS)))
    allos.log.close()
    return SQLiteStore(log_path, for_reading=True)


def found(store: SQLiteStore, *words: str) -> list[int]:
    index = SearchIndex(store.path)
    try:
        with store.snapshot() as snapshot:
            index.update(snapshot)
        return sorted(index.find(words, None))
    finally:
        index.close()


def delete(store: SQLiteStore, condition: str) -> None:
    with closing(sqlite3.connect(store.path)) as db, db:
        db.execute(f"DELETE FROM responses WHERE {condition}")


def test_an_older_log_is_indexed_at_its_first_search(store: SQLiteStore) -> None:
    """And what is new since then at the next one; the file can be read by its owner alone."""
    first = found(store, "answer 4")
    allos.log.open(store.path)
    record(a_response(ROWS, content="Answer 4 again"))
    allos.log.close()

    assert len(first) == 11
    assert found(store, "answer 4") == [*first, ROWS + 1]
    assert (
        os.name != "posix"
        or (store.path.parent / (store.path.name + SUFFIX)).stat().st_mode & 0o077 == 0
    )


def test_another_log_in_its_place_is_noticed(store: SQLiteStore) -> None:
    """Where the newest rows are gone, and others have their numbers, the index is built again."""
    found(store, "answer")
    delete(store, f"seq > {ROWS - 10}")
    allos.log.open(store.path)
    record(*(a_response(100 + number, content=f"New {number}") for number in range(10)))
    allos.log.close()

    assert len(found(store, "answer")) == ROWS - 10
    assert len(found(store, "new ")) == 10


def test_a_damaged_index_is_built_again(store: SQLiteStore) -> None:
    """The index is a cache: whatever is in its file, a search finds what is in the log."""
    path = store.path.with_name(store.path.name + SUFFIX)
    found(store, "answer")
    path.write_bytes(b"SQLite format 3\0" + os.urandom(5000))

    assert len(found(store, "answer")) == ROWS


def test_an_index_of_another_version_is_built_again(store: SQLiteStore) -> None:
    """A file of an older or newer version of allos is replaced."""
    path = store.path.with_name(store.path.name + SUFFIX)
    found(store, "answer")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA user_version = 99")

    assert len(found(store, "answer")) == ROWS


@pytest.mark.process
def test_killed_in_the_middle_of_building(store: SQLiteStore, script: Callable[..., Any]) -> None:
    """What was indexed stays, the rest is added by the next search, and no row of the log is lost."""
    code = (
        "import signal\n"
        "from allos.log.store import search_index\n"
        "from allos.log.store.sqlite import SQLiteStore\n"
        "from pathlib import Path\n"
        "search_index.BATCH_ROWS = 10\n"
        "folds = 0\n"
        "split = search_index.split_words\n"
        "def counted(text):\n"
        "    global folds\n"
        "    folds += 1\n"
        "    if folds > 50:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return split(text)\n"
        "search_index.split_words = counted\n"
        f"store = SQLiteStore(Path({str(store.path)!r}), for_reading=True)\n"
        "index = search_index.SearchIndex(store.path)\n"
        "with store.snapshot() as snapshot:\n"
        "    index.update(snapshot)\n"
    )
    process = script(code)
    process.communicate(timeout=60)
    with closing(sqlite3.connect(store.path.with_name(store.path.name + SUFFIX))) as db, db:
        (done,) = db.execute("SELECT seq FROM state").fetchone()

    assert process.returncode != 0
    assert 0 < done < ROWS
    assert len(found(store, "answer")) == ROWS


@pytest.mark.process
def test_two_processes_search_at_once(store: SQLiteStore, script: Callable[..., Any]) -> None:
    """Both build the one index, and both find every row."""
    code = (
        "from allos.log.store import search_index\n"
        "search_index.BATCH_ROWS = 3\n"
        "import allos\n"
        f"print(len(allos.search('answer', limit={ROWS + 9})))\n"
    )
    processes = [script(code) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in processes]

    assert [out for out, _ in outputs] == [f"{ROWS}\n"] * 2, outputs
    assert len(found(store, "answer")) == ROWS
