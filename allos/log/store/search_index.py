"""The search index of a log: an FTS5 table of words, in a file beside the log.

The log's file is the truth; the index can be deleted at any time. It is brought up to date when someone
searches, so that writing a row costs nothing more, and in a file of its own, so that building it never
holds the log's lock and no damage to it is damage to the log. Texts are folded and split into words here
(`allos.log.text_folding`), so that every SQLite splits them alike, also scripts without spaces. An index
of trigrams would find parts of words as well, and takes ten times as long to build and five times the
space; here parts of words are looked up in a list of all words.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from allos.errors import LogError
from allos.log.log_file import create_file
from allos.log.store.sqlite_connection import BUSY_TIMEOUT_S, is_damage
from allos.log.store.sqlite_snapshot import SQLiteSnapshot
from allos.log.text_folding import split_words

APPLICATION_ID = 0x616C6F74
VERSION = 2
SUFFIX = "-search"
"""What the name of the index has more than the log's."""

BATCH_ROWS = 2000
MOST_RANKED = 1000
"""Matches up to which all are ranked; of more, the newest are given, newest first."""

TOKENIZER = "ascii"
"""Splits at spaces: all other ASCII signs that could split a word are gone by then."""
_MOST_WORDS = 300
_LONGEST_TEXT = 200_000
"""Characters of a prompt or an answer that are indexed."""


class CannotSearchError(Exception):
    """The index cannot be used here: the rows themselves have to be searched."""


class NoFullTextError(CannotSearchError):
    """SQLite has no FTS5 here."""


class SearchIndex:
    """The index of one log, open in one thread.

    Parameters
    ----------
    log : Path
        The log's file.

    Raises
    ------
    CannotSearchError
        It cannot be opened here, or this SQLite has no FTS5.
    """

    def __init__(self, log: Path) -> None:
        self.path = log.with_name(log.name + SUFFIX)
        self._db = self._opened()

    def _opened(self) -> sqlite3.Connection:
        try:
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                # Not where it is locked, or the disk is full: somebody may be building it.
                if isinstance(error, sqlite3.OperationalError) and not is_damage(error):
                    raise
            remove_index(self.path)  # damaged, or of another version
            return self._connect()
        except (sqlite3.Error, OSError, LogError) as error:
            is_old = "no such tokenizer" in str(error) or "no such module" in str(error)
            raise (NoFullTextError if is_old else CannotSearchError)(str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        create_file(self.path)
        db = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            if self.path.stat().st_mode & 0o077 and os.name == "posix":
                self.path.chmod(0o600)
            db.execute("PRAGMA synchronous = OFF")  # it can be built again
            if _facts(db) != (APPLICATION_ID, VERSION):
                db.execute("BEGIN IMMEDIATE")
                if _facts(db) != (APPLICATION_ID, VERSION):  # another process may have been first
                    if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                        raise sqlite3.DatabaseError("not the search index of this version")
                    _create(db)
                db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def update(self, snapshot: SQLiteSnapshot) -> None:
        """Add the rows that are new since the last time.

        A process that is killed meanwhile loses nothing: each batch is a transaction with the place
        up to which it goes.
        """
        db = self._db
        while True:
            last, last_id = db.execute("SELECT seq, id FROM state").fetchone()
            is_known = last == 0 or snapshot.id_of(last) == last_id
            if is_known and not snapshot.texts_after(last, 1):
                return
            db.execute("BEGIN IMMEDIATE")
            try:
                if (last, last_id) != db.execute("SELECT seq, id FROM state").fetchone():
                    db.execute("ROLLBACK")  # another process was first
                    continue
                if not is_known:  # another log, or one that has lost its newest rows
                    db.execute("INSERT INTO texts (texts) VALUES ('delete-all')")
                    db.execute("DELETE FROM words")
                    last = 0
                rows = snapshot.texts_after(last, BATCH_ROWS)
                split = [(seq, _split(prompt), _split(text)) for seq, _, prompt, text in rows]
                db.executemany("INSERT INTO texts (rowid, prompt, content) VALUES (?, ?, ?)", split)
                words = {word for _, *texts in split for text in texts for word in text.split(" ")}
                db.executemany(
                    "INSERT OR IGNORE INTO words VALUES (?)", ((word,) for word in sorted(words))
                )
                newest = rows[-1][:2] if rows else (0, "")
                db.execute("UPDATE state SET seq = ?, id = ?", newest)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def find(self, words: Sequence[str], limit: int | None) -> list[int]:
        """`seq` of the rows with all the split words, the best match first.

        With `limit`, at least so many, where there are. Words match words that begin so; where there is no
        row with all of them, also parts of words.

        Raises
        ------
        CannotSearchError
            A word is a part of too many words.
        """
        found = self._find([f"{_quoted(word)} *" for word in words], limit)
        if found:
            return found
        expressions = [self._parts(word) for word in words]
        return [] if None in expressions else self._find(list(map(str, expressions)), limit)

    def _find(self, expressions: Sequence[str], limit: int | None) -> list[int]:
        query = " AND ".join(expressions)
        select = "SELECT rowid FROM texts WHERE texts MATCH ?"
        newest = self._db.execute(
            f"{select} ORDER BY rowid DESC LIMIT ?", (query, MOST_RANKED + 1)
        ).fetchall()
        if len(newest) > MOST_RANKED:
            if limit is not None and limit <= MOST_RANKED:
                return [seq for (seq,) in newest]
            everything = self._db.execute(f"{select} ORDER BY rowid DESC", (query,))
            return [seq for (seq,) in everything]
        ranked = self._db.execute(f"{select} ORDER BY rank, rowid DESC", (query,))
        return [seq for (seq,) in ranked]

    def _parts(self, word: str) -> str | None:
        """FTS5 expression for a part of a word, or for words that follow each other; None: no row has it."""
        if " " in word:
            return f"{_quoted(word)} *"
        found = self._db.execute(
            "SELECT word FROM words WHERE instr(word, ?) LIMIT ?", (word, _MOST_WORDS + 1)
        ).fetchall()
        if len(found) > _MOST_WORDS:
            raise CannotSearchError(word)
        if not found:
            return None
        return f"({' OR '.join(_quoted(each) for (each,) in found)})"


def remove_index(path: Path) -> None:
    """Delete an index; where it is used, it is built again."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _facts(db: sqlite3.Connection) -> tuple[int, int]:
    names = ("application_id", "user_version")
    app, version = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    return app, version


def _create(db: sqlite3.Connection) -> None:
    db.execute(
        f"CREATE VIRTUAL TABLE texts USING fts5(prompt, content, content='', tokenize='{TOKENIZER}')"
    )
    db.execute("CREATE TABLE words (word TEXT PRIMARY KEY) WITHOUT ROWID")
    db.execute("CREATE TABLE state (seq INTEGER NOT NULL, id TEXT NOT NULL)")
    db.execute("INSERT INTO state VALUES (0, '')")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


def _split(text: str | None) -> str:
    return split_words(text[:_LONGEST_TEXT]) if isinstance(text, str) and text else ""


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'
