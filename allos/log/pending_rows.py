"""Rows that are not committed yet, and what happens to them when a commit fails.

Used by one thread at a time: the writer's, or the one that closes it.
"""

from __future__ import annotations

import contextlib
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from allos.errors import LogError
from allos.ids import new_id
from allos.log.clean_values import clean_row
from allos.log.rows import raw_of, row_of
from allos.log.store.protocol import Batch, Rating, RawJson, RunRecord, Store, Vote
from allos.response import ProviderResponse

BATCH_ROWS = 1000
"""Most rows of one commit."""

MAX_ROWS = 50_000
"""Most rows kept in memory while commits fail; beyond it the oldest are discarded."""

RETRY_LOCKED_S = 0.05
RETRY_FAILED_S = 2.0


class Row(NamedTuple):
    """What becomes of a response."""

    values: tuple[Any, ...]
    """In the order of `allos.log.columns.STORED`."""
    raw: RawJson | None


def unchanged(item: Any) -> Any:
    """Return what is given."""
    return item


class PendingRows:
    """Builds rows, commits them, and keeps them while commits fail.

    Parameters
    ----------
    store : Store
        Where the rows are committed.
    process_facts : callable
        Facts of the process by column name, for each row.
    max_rows : int
        Most rows to keep in memory.
    redacted : callable
        ``redacted(item)`` changes a row, a rating or a vote before it is written.

    Attributes
    ----------
    error : str or None
        Why the last commit failed, in one line.
    locked : bool
        Whether it failed because another process is writing.
    """

    def __init__(
        self,
        store: Store,
        process_facts: Callable[[], Mapping[str, Any]],
        max_rows: int = MAX_ROWS,
        *,
        redacted: Callable[[Any], Any] = unchanged,
    ) -> None:
        self.error: str | None = None
        self.locked = False
        self._store = store
        self._process_facts = process_facts
        self._rows: deque[Row] = deque()
        self._ratings: deque[Rating] = deque()
        self._runs: deque[RunRecord] = deque()
        self._votes: deque[Vote] = deque()
        self._max_rows = max_rows
        self._redacted = redacted
        self._discarded = 0
        self._discard_reason = ""
        self._warned = False
        self._sibling: Store | None = None

    @property
    def retry_s(self) -> float | None:
        """Seconds until the next attempt; None when nothing is pending."""
        if not (self._rows or self._ratings or self._votes or self._runs):
            return None
        return RETRY_LOCKED_S if self.locked else RETRY_FAILED_S

    def add(self, response: ProviderResponse) -> None:
        """Build the row of a response."""
        try:
            if response.id is None:
                response = replace(response, id=new_id())
            row = self._redacted(Row(row_of(response, self._process_facts()), raw_of(response)))
        except Exception as error:  # noqa: BLE001  # one odd response must not stop the others
            self._discard(1, f"a response could not be turned into a row ({error!r})")
            return
        self._rows.append(row)

    def add_row(self, row: Row) -> None:
        """Add a row that was built elsewhere."""
        self._rows.append(self._redacted(row))

    def add_rating(self, rating: Rating) -> None:
        """Add a rating."""
        self._ratings.append(self._redacted(rating))

    def add_vote(self, vote: Vote) -> None:
        """Add a vote."""
        self._votes.append(self._redacted(vote))

    def add_run(self, run: RunRecord) -> None:
        """Add what a batch is made of."""
        self._runs.append(run)

    def commit(self) -> bool:
        """Try to commit everything; True when nothing is left."""
        try:
            while self._rows or self._ratings or self._votes or self._runs:
                batch = self._next_batch()
                try:
                    self._store.append(batch)
                except Exception as error:
                    if not self._store.is_bad_value(error):
                        raise
                    self._append_one_by_one(batch)
                for _ in batch.rows:
                    self._rows.popleft()
                self._ratings.clear()
                self._runs.clear()
                self._votes.clear()
        except Exception as error:  # noqa: BLE001  # whatever it is, the rows stay for a retry
            self._on_failure(error)
            return False
        self.error, self.locked, self._warned = None, False, False
        return True

    def rescue(self) -> str | None:
        """Commit what the store cannot take to a new one beside it, when nothing is tried again.

        Returns
        -------
        str or None
            Where the rows are; None when nothing was left, or could not be written there either.
        """
        if self.retry_s is None or self.locked:
            return None
        store, reason = self._store, self.error
        try:
            self._sibling = self._sibling or store.sibling()
        except LogError:
            return None
        if self._sibling is None:
            return None
        self._store = self._sibling
        try:
            is_written = self.commit()
        finally:
            self._sibling.close()
            self._store, self.error = store, reason
        where = self._sibling.location
        if not is_written:
            return None
        return f"its rows are in {where!r}: open that file with allos.log.open() to read them"

    def pop_error(self) -> str | None:
        """Return what has failed since the last call, in one line; None when nothing has."""
        if self._discarded:
            rows = "1 row was" if self._discarded == 1 else f"{self._discarded} rows were"
            message = f"{rows} not logged: {self._discard_reason}"
            self._discarded = 0
            return message
        return self.error

    def _next_batch(self) -> Batch:
        rows = list(islice(self._rows, BATCH_ROWS))
        return Batch(
            rows=[row.values for row in rows],
            raw=[row.raw for row in rows if row.raw is not None],
            ratings=list(self._ratings),
            runs=list(self._runs),
            votes=list(self._votes),
        )

    def _append_one_by_one(self, batch: Batch) -> None:
        """Commit row by row, with clean values: one bad value must not hold back its batch."""
        raw_by_id = {raw.id: raw for raw in batch.raw}
        for row in batch.rows:
            raw = raw_by_id.get(row[0])
            single = Batch(rows=[clean_row(row)], raw=[raw] if raw else [])
            self._append_or_discard(single, f"a value of response {row[0]}")
        for rating in batch.ratings:
            self._append_or_discard(
                Batch(ratings=[rating]), f"the rating of {rating.response_id!r}"
            )
        for run in batch.runs:
            self._append_or_discard(Batch(runs=[run]), f"the batch {run.id!r}")

        for vote in batch.votes:
            self._append_or_discard(Batch(votes=[vote]), f"the vote {vote.id!r}")

    def _append_or_discard(self, single: Batch, name: str) -> None:
        try:
            self._store.append(single)
        except Exception as error:
            if not self._store.is_bad_value(error):
                raise
            self._discard(1, f"the database cannot store {name} ({error})")

    def _on_failure(self, error: Exception) -> None:
        self.locked = self._store.is_locked(error)
        self.error = (
            str(error)
            if isinstance(error, LogError)
            else f"cannot write to the log {self._store.location!r}: {error}"
        )
        if not self.locked:
            self._store.close()  # the next attempt starts with a new connection
            self._warn(f"{self.error}; its rows are kept in memory and retried")
        surplus = len(self._rows) - self._max_rows
        if surplus > 0:
            for _ in range(surplus):
                self._rows.popleft()
            self._discard(surplus, f"{self.error}, and {self._max_rows} newer rows are pending")

    def _discard(self, count: int, reason: str) -> None:
        self._discarded += count
        self._discard_reason = reason
        self._warn(f"rows are not logged: {reason}")

    def _warn(self, message: str) -> None:
        """Warn once until a commit succeeds again."""
        if self._warned:
            return
        self._warned = True
        with contextlib.suppress(RuntimeWarning):  # where warnings are errors; flush raises as well
            warnings.warn(message, RuntimeWarning, stacklevel=2)
