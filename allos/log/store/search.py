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
    NoFullTextError,
    SearchIndex,
    remove_index,
)
from allos.log.store.sqlite_connection import is_damage
from allos.log.store.sqlite_snapshot import SQLiteSnapshot
from allos.log.text_folding import has_words, split_words

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
    """`seq` of the newest rows that have all the words; where there is none, parts of words count."""
    whole: list[int] = []
    parts: list[int] = []
    for seq, *texts in snapshot.texts_newest_first(where):
        split = [split_words(text) for text in texts if isinstance(text, str)]
        if _have_all(split, words, inside=False):
            whole.append(seq)
            if len(whole) >= limit:
                break
        elif len(parts) < limit and not whole and _have_all(split, words, inside=True):
            parts.append(seq)
    return whole or parts


def _have_all(texts: Sequence[str], words: Sequence[str], *, inside: bool) -> bool:
    return all(any(has_words(text, word, inside=inside) for text in texts) for word in words)
