"""What the log needs of a database. `allos.log.store.opening` knows those that there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from allos.database_url import DatabaseURL
from allos.errors import LogError
from allos.log.blocks import Block


class DamagedStoreError(LogError):
    """A part of a database cannot be read: see `Store.salvage`."""


class Rating(NamedTuple):
    """What a rater said of a response: a rating, a note, tags; with none, the rater's are withdrawn."""

    response_id: str
    rating: int | None
    note: str | None
    created_at: int
    """Microseconds since 1970-01-01 UTC."""
    rater: str | None = None
    tags: str | None = None
    """JSON array."""
    undo: int | None = None
    """1: takes back what the rater said of the response last."""
    id: str | None = None
    """ULID. Ratings are appended as they come: who reads them counts each id once."""


class Vote(NamedTuple):
    """Which of two answers to one prompt a rater prefers."""

    id: str
    """ULID; one that is stored already is not stored again."""
    created_at: int
    """Microseconds since 1970-01-01 UTC."""
    rater: str | None
    prompt: str | None
    model_a: str | None
    """``provider/model``."""
    model_b: str | None
    response_a: str | None
    """`id` of the response."""
    response_b: str | None
    winner: str | None
    """``a``, ``b``, ``tie`` or ``bad`` (both are); None in a row that withdraws another."""
    shown_first: str | None = None
    """``a`` or ``b``: which one was on the left."""
    time_taken_s: float | None = None
    note: str | None = None
    tags: str | None = None
    """JSON array."""
    comparison_id: str | None = None
    withdraws: str | None = None
    """`id` of the vote that this row takes back."""


class RunRecord(NamedTuple):
    """What a batch is made of, so that another process can go on with it."""

    id: str
    """The `run_id` of its rows."""
    created_at: int
    """When it was started first, microseconds since 1970-01-01 UTC."""
    updated_at: int
    """When it was started last."""
    question: str
    """Hash of what every row is asked; batches with another one share no rows."""
    calls: int
    """How many calls it has, done or not."""
    request: bytearray
    """Prompts, models, parameters and options, as `allos.log.rows.pack` compresses JSON."""
    data: bytearray
    """The rows of the data, in the same way."""


class RawJson(NamedTuple):
    """Request body and reply of a response, as `allos.log.rows.pack` compresses them."""

    id: str
    request: bytearray | None
    reply: bytearray | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What is committed together."""

    rows: Sequence[tuple[Any, ...]] = ()
    """Values in the order of `allos.log.columns.STORED`."""
    raw: Sequence[RawJson] = ()
    ratings: Sequence[Rating] = ()
    runs: Sequence[RunRecord] = ()
    """Of a run that is stored already, all but `created_at` is replaced."""
    votes: Sequence[Vote] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which rows a query selects: those that meet every condition. ``Where()`` selects all."""

    any_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By column, the values of which a row must have one."""
    models: tuple[str, ...] | None = None
    """``model`` or ``provider/model``, of which a row must have one."""
    since: int | None = None
    """Earliest `created_at`, microseconds since 1970-01-01 UTC."""
    until: int | None = None
    """`created_at` is before this."""
    tags: tuple[str, ...] | None = None
    """A row has at least one of these tags."""
    texts: tuple[str, ...] | None = None
    """`prompt` or `content` contains at least one of these; A to Z match a to z."""


class Snapshot(Protocol):
    """The log at one moment. Belongs to the thread that opened it."""

    @property
    def damage(self) -> str | None:
        """What has turned out to be damaged so far, and was left out; None: nothing."""

    def scan(
        self, where: Where, columns: Sequence[str], limit: int | None = None
    ) -> Iterator[Block]:
        """Blocks of the selected rows, in the order in which they were committed.

        With `limit`, the newest rows by `created_at`, at most this many.
        """

    def ratings(self) -> Iterator[Rating]:
        """All ratings, oldest first."""

    def runs(self, run_id: str | None = None) -> Iterator[RunRecord]:
        """All batches, oldest first, or the one with this id; without an id, `data` is left empty."""

    def votes(self) -> Iterator[Vote]:
        """All votes, oldest first."""

    def raw(self, ids: Sequence[str]) -> Iterator[RawJson]:
        """Request bodies and replies of these responses, those that are stored."""


class Store(Protocol):
    """A database of responses.

    One thread at a time writes (`append`, `maintain`, `close`, `reset_after_fork`): the log's
    writer sees to that. Any thread may open snapshots meanwhile.
    """

    @property
    def address(self) -> Path | DatabaseURL:
        """The file, or the URL of the database."""

    @property
    def location(self) -> str:
        """File or URL, as messages show it; never holds a password."""

    @property
    def journal_mode(self) -> str | None:
        """How a file is written, see `LogInfo`; None: it is no file."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Limitations of this store, for ``%allos doctor``."""

    def append(self, batch: Batch) -> None:
        """Commit a batch, all or nothing; opens the database if it is closed.

        Rows whose `id` is stored already are left as they are, so a batch whose fate is unknown may
        be appended again. The exceptions are the database's own: see `is_locked`, `is_bad_value`.
        """

    def maintain(self) -> None:
        """Do what only saves time later; called after commits, never raises."""

    def close(self) -> None:
        """Close the database; `append` opens it again."""

    def reset_after_fork(self) -> None:
        """Drop the connection that a forked child inherited, without closing it."""

    def lease(self, run_id: str, holder: str, usd: float, limit_usd: float) -> float:
        """Take a part of a budget that several processes share; returns how much it is. Any thread.

        The parts of all holders together never exceed `limit_usd`. A negative `usd` gives back.

        Raises
        ------
        LogError
            The database cannot be written.
        """

    def leases(self, run_id: str) -> Mapping[str, float]:
        """US dollars that each holder has of a budget."""

    def set_run_note(self, run_id: str, name: str, value: bytes | None) -> None:
        """Commit what a run needs to know after a restart; None removes it. Any thread.

        Raises
        ------
        LogError
            The database cannot be written.
        """

    def run_notes(self, run_id: str) -> Mapping[str, bytes]:
        """What `set_run_note` has stored for a run, by name. Any thread."""

    def is_locked(self, error: Exception) -> bool:
        """Whether `append` failed because another process is writing: trying again soon helps."""

    def is_bad_value(self, error: Exception) -> bool:
        """Whether `append` failed because of a value in the batch, not because of the database."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Open the log for reading, as it is now.

        Raises
        ------
        LogError
            It cannot be read; `DamagedStoreError` where `salvage` may read the rest.
        """

    def salvage(self) -> AbstractContextManager[Snapshot]:
        """Open a damaged log for reading, with everything of it that can be read.

        Raises
        ------
        LogError
            Nothing can be read.
        """

    def search(
        self, words: Sequence[str], where: Where, columns: Sequence[str], limit: int
    ) -> Block:
        """Rows whose prompt or content has all the words, the best match first.

        `words` are split (`allos.log.text_folding.split_words`), and so is what they are compared with;
        several in one string follow each other.
        """

    def reopened(self) -> Store:
        """Return the same database on a connection of its own, for another thread that writes."""

    def sibling(self) -> Store | None:
        """Return a new store beside this one, for rows that this one cannot take; None: there is none."""
