"""Budgets that several processes share: each takes parts of them, in a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


def lease(db: sqlite3.Connection, run_id: str, holder: str, usd: float, limit_usd: float) -> float:
    """Take at most `usd` of what is left of a budget; a negative amount gives back."""
    db.execute("BEGIN IMMEDIATE")
    try:
        taken = sum(leases(db, run_id).values())
        granted = usd if usd < 0 else max(0.0, min(usd, limit_usd - taken))
        if granted:
            db.execute(
                "INSERT INTO leases VALUES (?, ?, ?)"
                " ON CONFLICT (run_id, holder) DO UPDATE SET usd = max(0, usd + excluded.usd)",
                (run_id, holder, granted),
            )
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return granted


def leases(db: sqlite3.Connection, run_id: str) -> Mapping[str, float]:
    """US dollars that each holder has of a budget."""
    return dict(db.execute("SELECT holder, usd FROM leases WHERE run_id = ?", (run_id,)).fetchall())
