"""Rows that are not committed yet, and what to do when the disk says no.

Runs on one thread at a time: the writer's, or the one that closes it.
"""

from __future__ import annotations

import contextlib
import warnings
from collections import deque
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from allos.errors import LogError
from allos.ids import new_id
from allos.log.provenance import process_facts
from allos.log.rows import clean_row, raw_of, row_of
from allos.log.store.sqlite import Batch, Store, is_locked
from allos.response import ProviderResponse

BATCH_ROWS = 1000
"""Most rows of one commit."""

KEPT_ROWS = 50_000
"""Most rows kept in memory while the disk fails; beyond it the oldest are given up."""

RETRY_LOCKED_S = 0.05
RETRY_FAILED_S = 2.0


class _Row(NamedTuple):
    values: tuple[Any, ...]
    raw: tuple[Any, ...] | None


class PendingRows:
    """Builds rows, commits them, and keeps them while that fails.

    Parameters
    ----------
    store : Store
        Where the rows go.
    kept_rows : int
        Most rows to keep.

    Attributes
    ----------
    problem : str or None
        Why the last commit failed, in one line.
    locked : bool
        Whether it failed because another process has the file for the moment.
    """

    def __init__(self, store: Store, kept_rows: int = KEPT_ROWS) -> None:
        self.store = store
        self.problem: str | None = None
        self.locked = False
        self._rows: deque[_Row] = deque()
        self._ratings: deque[tuple[Any, ...]] = deque()
        self._kept_rows = kept_rows
        self._given_up = 0
        self._given_up_why = ""
        self._warned = False

    @property
    def retry_s(self) -> float | None:
        """Seconds until the next try; None when nothing waits."""
        if not self._rows and not self._ratings:
            return None
        return RETRY_LOCKED_S if self.locked else RETRY_FAILED_S

    def add(self, response: ProviderResponse) -> None:
        """Build the row of a response."""
        try:
            if response.id is None:
                response = replace(response, id=new_id())
            row = _Row(row_of(response, process_facts()), raw_of(response))
        except Exception as error:  # noqa: BLE001  # a strange response must not stop the others
            self._give_up(1, f"a response could not be turned into a row ({error!r})")
            return
        self._rows.append(row)

    def add_rating(self, row: tuple[Any, ...]) -> None:
        """Add a row of the table `ratings`."""
        self._ratings.append(row)

    def commit(self) -> bool:
        """Try to commit everything; True when nothing is left."""
        import sqlite3

        # Values that SQLite cannot take; what is wrong with the file is an sqlite3 error of
        # another class.
        refusals = (
            OverflowError,
            TypeError,
            ValueError,
            sqlite3.ProgrammingError,
            sqlite3.InterfaceError,
            sqlite3.DataError,
        )
        try:
            while self._rows or self._ratings:
                batch = self._next_batch()
                try:
                    self.store.insert(batch)
                except refusals:
                    self._insert_one_by_one(batch, refusals)
                for _ in batch.rows:
                    self._rows.popleft()
                self._ratings.clear()
        except Exception as error:  # noqa: BLE001  # whatever it is, the rows stay for the next try
            self._failed(error)
            return False
        self.problem, self.locked, self._warned = None, False, False
        return True

    def pop_error(self) -> str | None:
        """Return what went wrong since the last report, in one line; None when all is well."""
        if self._given_up:
            rows = "1 row" if self._given_up == 1 else f"{self._given_up} rows"
            lost = f"{rows} of the log were given up: {self._given_up_why}"
            self._given_up = 0
            return lost
        return self.problem

    def _next_batch(self) -> Batch:
        rows = list(islice(self._rows, BATCH_ROWS))
        return Batch(
            rows=[row.values for row in rows],
            raws=[row.raw for row in rows if row.raw is not None],
            ratings=list(self._ratings),
        )

    def _insert_one_by_one(self, batch: Batch, refusals: tuple[type[Exception], ...]) -> None:
        """Commit row by row, with clean values: one bad value must not hold back its batch."""
        raws = {raw[0]: raw for raw in batch.raws}
        for row in batch.rows:
            raw = raws.get(row[0])
            try:
                self.store.insert(Batch(rows=[clean_row(row)], raws=[raw] if raw else []))
            except refusals as error:
                self._give_up(1, f"SQLite cannot take a value of response {row[0]} ({error})")
        for rating in batch.ratings:
            try:
                self.store.insert(Batch(ratings=[rating]))
            except refusals as error:
                self._give_up(1, f"SQLite cannot take the rating of {rating[0]!r} ({error})")

    def _failed(self, error: Exception) -> None:
        self.locked = is_locked(error)
        reason = str(error)
        self.problem = (
            reason
            if isinstance(error, LogError)
            else f"the log {str(self.store.path)!r} cannot be written: {reason}"
        )
        if not self.locked:
            self.store.close()  # the next try starts with a fresh connection
            self._warn(f"{self.problem}; its rows wait in memory and are tried again")
        surplus = len(self._rows) - self._kept_rows
        if surplus > 0:
            for _ in range(surplus):
                self._rows.popleft()
            self._give_up(surplus, f"{self.problem}, and {self._kept_rows} newer ones wait")

    def _give_up(self, count: int, why: str) -> None:
        self._given_up += count
        self._given_up_why = why
        self._warn(f"rows of the log are given up: {why}")

    def _warn(self, message: str) -> None:
        """Warn once until things go well again."""
        if self._warned:
            return
        self._warned = True
        with contextlib.suppress(RuntimeWarning):  # where warnings are errors; flush tells as well
            warnings.warn(message, RuntimeWarning, stacklevel=2)
