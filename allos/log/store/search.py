"""Searching a SQLite log: in its index, and where that cannot be used, row by row."""

from __future__ import annotations

import contextlib
import sqlite3
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from allos.log.blocks import Block, block_from_rows
from allos.log.store.protocol import Where
from allos.log.store.search_index import (
    CannotSearchError,
    NoTrigramsError,
    SearchIndex,
    remove_index,
)
from allos.log.store.sqlite_connection import is_damage
from allos.log.store.sqlite_snapshot import SQLiteSnapshot
from allos.log.text_folding import fold

_AT_ONCE = 500
"""Matches that are looked up in the log at once, until enough of them meet the filters."""


def find(
    snapshot: SQLiteSnapshot,
    path: Path,
    words: Sequence[str],
    where: Where,
    columns: Sequence[str],
    limit: int,
) -> Block:
    """Rows whose prompt or content has all the words, the best match first.

    Parameters
    ----------
    snapshot : SQLiteSnapshot
    path : Path
        The log's file; its index is beside it.
    words : sequence of str
        Folded words.
    where, columns, limit
        Which rows, which of their columns, how many at most.
    """
    try:
        seqs = _indexed(snapshot, path, words, limit if where == Where() else None)
    except CannotSearchError as error:
        if isinstance(error, NoTrigramsError):
            warnings.warn(
                f"SQLite {sqlite3.sqlite_version} cannot index trigrams (FTS5 of 3.34 or newer): the log is "
                "searched row by row, newest first, which takes longer",
                UserWarning,
                stacklevel=2,
            )
        seqs = _scanned(snapshot, words, where, limit)
    rows: list[tuple[Any, ...]] = []
    for start in range(0, len(seqs), _AT_ONCE):
        some = seqs[start : start + max(_AT_ONCE if where != Where() else 0, limit - len(rows))]
        found = snapshot.rows(some, where, columns)
        rows += [found[seq] for seq in some if seq in found]
        if len(rows) >= limit:
            break
    return block_from_rows(columns, rows[:limit])


def _indexed(
    snapshot: SQLiteSnapshot, path: Path, words: Sequence[str], limit: int | None
) -> list[int]:
    for attempt in range(2):
        index = SearchIndex(path)
        try:
            with contextlib.closing(index):
                index.update(snapshot)
                return index.find(words, limit)
        except sqlite3.Error as error:
            if attempt or not is_damage(error):
                raise CannotSearchError(str(error)) from error
            with contextlib.suppress(OSError):
                remove_index(index.path)
    raise CannotSearchError


def _scanned(snapshot: SQLiteSnapshot, words: Sequence[str], where: Where, limit: int) -> list[int]:
    """`seq` of the newest rows that have all the words."""
    found: list[int] = []
    for seq, *texts in snapshot.texts_newest_first(where):
        folded = [fold(text) for text in texts if isinstance(text, str)]
        if all(any(word in text for text in folded) for word in words):
            found.append(seq)
            if len(found) >= limit:
                break
    return found
