from __future__ import annotations

import sqlite3

import pytest

from allos.log.store.sqlite_connection import (
    has_wal_reset_bug,
    insert_many,
    insert_new,
    set_journal_mode,
)


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)
def test_the_wal_reset_bug_is_known_by_version(version: tuple[int, ...], wanted: bool) -> None:
    """Fixed in 3.51.3 and in two older branches."""
    assert has_wal_reset_bug(version) is wanted


def test_sqlites_own_journal_mode_is_accepted() -> None:
    """Where SQLite itself answers with another journal mode, that one is used."""
    db = sqlite3.connect(":memory:", isolation_level=None)  # SQLite has no WAL in memory
    mode = set_journal_mode(db, "WAL")
    db.close()

    assert mode == "memory"


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 100])
def test_many_rows_are_inserted_in_order(count: int) -> None:
    """As one by one, those that are stored already left out."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE votes (id INTEGER PRIMARY KEY, note TEXT)")
    db.execute("INSERT INTO votes VALUES (7, 'kept')")
    rows = [(number, f"({number}?, ?)") for number in range(count)]

    insert_many(db, insert_new("votes", ("id", "note")), rows)

    found = dict(db.execute("SELECT id, note FROM votes ORDER BY id").fetchall())
    assert found == {**dict(rows), 7: "kept"}
    db.close()
