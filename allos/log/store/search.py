"""Searching a SQLite log: in its index, and where that cannot be used, row by row."""

from __future__ import annotations

import contextlib
import sqlite3
import warnings
from collections.abc import Sequence
from pathlib import Path

from allos.log.blocks import Block
from allos.log.store.protocol import Where
from allos.log.store.row_search import block_of, scanned
from allos.log.store.search_index import (
    CannotSearchError,
    NoFullTextError,
    SearchIndex,
    remove_index,
)
from allos.log.store.sqlite_connection import is_damage
from allos.log.store.sqlite_snapshot import SQLiteSnapshot


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
        Words as `split_words` splits them: several in one string follow each other.
    where, columns, limit
        Which rows, which of their columns, how many at most.
    """
    try:
        seqs = _indexed(snapshot, path, words, limit if where == Where() else None)
    except CannotSearchError as error:
        if isinstance(error, NoFullTextError):
            warnings.warn(
                "this SQLite has no full-text search (FTS5): the log is searched row by row, newest first, "
                "which takes longer",
                UserWarning,
                stacklevel=2,
            )
        seqs = scanned(snapshot, words, where, limit)
    return block_of(snapshot, seqs, where, columns, limit)


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
