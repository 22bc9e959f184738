"""The table `runs`: what batches are made of, and the leases of their budgets, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from allos.log.store.protocol import RunRecord

if TYPE_CHECKING:
    import sqlite3

_PARTS = RunRecord._fields[1:]
_LEASE = "lease "
"""Begins the name of the part that a holder has of a budget."""

_SAVE = (
    "INSERT INTO runs VALUES (?, ?, ?) ON CONFLICT (id, part) DO UPDATE SET value = excluded.value"
    " WHERE part <> 'created_at'"
)
_TAKE = (
    "INSERT INTO runs VALUES (?, ?, ?)"
    " ON CONFLICT (id, part) DO UPDATE SET value = max(0, value + excluded.value)"
)


def save(db: sqlite3.Connection, runs: Sequence[RunRecord]) -> None:
    """Store or replace runs, inside a transaction."""
    for run in runs:
        parts = zip(_PARTS, run[1:], strict=True)
        db.executemany(_SAVE, [(run.id, part, value) for part, value in parts])


def read(db: sqlite3.Connection, run_id: str | None) -> Iterator[RunRecord]:
    """Runs, oldest first, without their `data`; or the whole one with this id."""
    where, values = ("part <> 'data'", ()) if run_id is None else ("id = ?", (run_id,))
    found: dict[str, dict[str, Any]] = {}
    for each, part, value in db.execute(f"SELECT id, part, value FROM runs WHERE {where}", values):
        if part in _PARTS:
            found.setdefault(each, {"data": bytearray()})[part] = value
    # A run has leases only where its record was not written yet.
    whole = [RunRecord(each, **parts) for each, parts in found.items() if len(parts) == len(_PARTS)]
    yield from sorted(whole, key=lambda run: run.created_at)


def lease(db: sqlite3.Connection, run_id: str, holder: str, usd: float, limit_usd: float) -> float:
    """Take at most `usd` of what is left of a budget; a negative amount gives back."""
    db.execute("BEGIN IMMEDIATE")
    try:
        taken = sum(leases(db, run_id).values())
        granted = usd if usd < 0 else max(0.0, min(usd, limit_usd - taken))
        if granted:
            db.execute(_TAKE, (run_id, _LEASE + holder, granted))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return granted


def mark(db: sqlite3.Connection, run_id: str, word: str) -> None:
    """Leave a word about a run, as a holder of nothing."""
    db.execute("INSERT OR IGNORE INTO runs VALUES (?, ?, 0.0)", (run_id, _LEASE + word))


def leases(db: sqlite3.Connection, run_id: str) -> Mapping[str, float]:
    """US dollars that each holder has of a budget."""
    found = db.execute("SELECT part, value FROM runs WHERE id = ?", (run_id,)).fetchall()
    return {part.removeprefix(_LEASE): value for part, value in found if part.startswith(_LEASE)}
