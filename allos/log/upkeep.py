"""`allos.log.merge`, `backup`, `prune`, `vacuum` and `to_parquet`: the log as a file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError, LogError
from allos.log.filters import build_where, utc_now
from allos.log.query import open_store, responses
from allos.log.store.protocol import Where

if TYPE_CHECKING:
    from allos.log.store.protocol import Store
    from allos.log.store.upkeep import Pruned

MAX_BYTES = 4 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What came of a merge."""

    path: Path
    """The log that was read."""
    responses: int
    """New rows."""
    known: int
    """Rows that were there already."""
    feedback: int
    """New ratings and votes."""
    skipped: int
    """Rows that were not what a log holds."""
    newer: bool
    """Whether a newer version of allos wrote it, so that some columns may be left out."""

    def __str__(self) -> str:
        parts = [f"{self.responses:,} new responses from {str(self.path)!r}"]
        parts += [f"{self.feedback:,} new ratings and votes"] if self.feedback else []
        parts += [f"{self.known:,} responses were there already"] if self.known else []
        parts += [f"{self.skipped:,} rows were not valid"] if self.skipped else []
        parts += ["it is of a newer version of allos"] if self.newer else []
        return ", ".join(parts)


def merge(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Merged:
    """Add the responses, ratings and votes of another log to this one.

    The other file is only read, and not trusted: no view, trigger or function of it runs. Rows keep their
    ids, times, users and hosts, so that merging twice adds nothing.

    Parameters
    ----------
    path : str or path-like
        A log of allos, of an older or newer version as well.
    max_bytes : int
        Largest file to read.

    Returns
    -------
    Merged

    Raises
    ------
    LogError
        It is not a log, too large or damaged, or this log cannot be written. What was merged until then
        stays.

    Examples
    --------
    ::

        allos.log.merge("from-ann.sqlite")
        allos.responses().groupby("user").size()
    """
    import sqlite3

    from allos.log.store.foreign_log import open_foreign_log

    other = _path("merge", path)
    own = _own_store()
    if other.exists() and isinstance(own.address, Path) and other.samefile(own.address):
        raise LogError(f"{str(other)!r} is this log: there is nothing to merge")
    store = own.reopened()  # the other connection belongs to the writer
    added = known = feedback = 0
    try:
        with store.snapshot() as snapshot:
            there = {each.id for each in snapshot.ratings()}
            there |= {each.id for each in snapshot.votes()}
        with open_foreign_log(other, max_bytes) as log:
            for batch in log.batches():
                found = _known_ids(store, [row[0] for row in batch.rows])
                new = replace(
                    batch,
                    rows=[row for row in batch.rows if row[0] not in found],
                    ratings=[each for each in batch.ratings if each.id not in there],
                    votes=[each for each in batch.votes if each.id not in there],
                )
                store.append(new)
                ids = list(dict.fromkeys(row[0] for row in new.rows))
                # Only of rows that came with it: nobody else says what a call of one's own was.
                for raw in log.raw_batches(ids):
                    store.append(raw)
                store.maintain()
                added += len(ids)
                known += len(batch.rows) - len(new.rows)
                feedback += len(new.ratings) + len(new.votes)
            return Merged(
                path=other,
                responses=added,
                known=known,
                feedback=feedback,
                skipped=log.skipped,
                newer=log.is_newer,
            )
    except sqlite3.Error as error:
        raise LogError(f"cannot write to the log {own.location!r}: {error}") from None
    finally:
        store.close()


def _known_ids(store: Store, ids: Sequence[str]) -> set[str]:
    """Those of the ids that the log has."""
    from allos.log.frame import column

    found: set[str] = set()
    with store.snapshot() as snapshot:
        for block in snapshot.scan(Where(any_of={"id": tuple(ids)}), ["id"]):
            found.update(column([block], "id"))
    return found


def backup(path: str | os.PathLike[str]) -> Path:
    """Copy the log to a new file, also while notebooks write to it.

    Returns
    -------
    Path
        The copy; only you can read it.

    Raises
    ------
    LogError
        The file exists, or cannot be written.
    """
    from allos.log.store import upkeep

    target = _path("backup", path)
    upkeep.backup(_own_path("allos.log.backup()"), target)
    return target


def prune(
    before: Any = None, *, raw_only: bool = False, dry_run: bool = False, **filters: Any
) -> Pruned:
    """Delete responses from the log for good, with their ratings, votes and raw texts.

    Parameters
    ----------
    before : str, datetime, date or timedelta, optional
        Those made before this: ``"90d"``, ``"2026-01-01"``.
    raw_only : bool
        Delete only requests and replies as they were sent and received, which are most of the file; the rows
        stay.
    dry_run : bool
        Only count.
    **filters
        Of `allos.responses`: `provider`, `model`, `status`, `tags`, `notebook`, `comparison_id` ... All must match.

    Returns
    -------
    Pruned
        Numbers of `responses` and of `raw` texts.

    Raises
    ------
    ConfigurationError
        Neither a time nor a filter, or one that is not valid.
    LogError
        The log cannot be written; nothing was deleted.

    Examples
    --------
    ::

        allos.log.prune("90d", raw_only=True)
        allos.log.prune(notebook="private.ipynb", dry_run=True)
    """
    from allos.log.store import upkeep

    known = responses.__kwdefaults__ or {}
    for name in filters:
        if name not in known or name in ("limit", "raw", "columns", "until", "format"):
            raise ConfigurationError(f"prune() has no filter {name!r}; a time is before=")
    if before is None and not any(value is not None for value in filters.values()):
        raise ConfigurationError(
            "prune() needs to know what to delete: a time (before='90d') or a filter"
        )
    others = {name: filters.pop(name, None) for name in ("model", "since", "tags", "text")}
    where = build_where(filters, now=utc_now(), until=before, **others)
    return upkeep.prune(_own_path("allos.log.prune()"), where, raw_only=raw_only, dry_run=dry_run)


def vacuum() -> int:
    """Give the space of deleted rows back to the disk; needs as much again while it runs.

    Returns
    -------
    int
        How many bytes smaller the file is.

    Raises
    ------
    LogError
        Another process is writing to the log, or the disk is full.
    """
    from allos.log.store import upkeep

    return upkeep.vacuum(_own_path("allos.log.vacuum()"))


def to_parquet(path: str | os.PathLike[str], **filters: Any) -> Path:
    """Write responses to a Parquet file, which pandas, polars, DuckDB and R read.

    Parameters
    ----------
    path : str or path-like
        The file; one that exists is replaced.
    **filters
        Those of `allos.responses`, `columns` and `raw` as well.

    Raises
    ------
    ConfigurationError
        pyarrow is not installed, or a filter is not valid.
    LogError
        The log cannot be read, or the file not written.
    """
    target = _path("to_parquet", path)
    if "format" in filters:
        raise ConfigurationError("to_parquet() takes no format=: it is Parquet")
    frame = responses(**filters)
    with _replacing(target) as part:
        try:
            frame.to_parquet(part, engine="pyarrow", index=False)
        except ImportError:
            raise ConfigurationError(
                "to_parquet() needs pyarrow: python -m pip install pyarrow"
            ) from None
    return target


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Write to a file beside the target, which takes its place when it is complete."""
    from allos.ids import new_id

    part = target.with_name(f"{target.name}.{new_id()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield part
        part.replace(target)
    except OSError as error:
        raise LogError(f"cannot write {str(target)!r}: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def _path(function: str, path: Any) -> Path:
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise ConfigurationError(f"{function}() needs the path of a file, got {path!r:.80}")
    return Path(os.path.abspath(Path(os.fspath(path)).expanduser()))


def _own_store() -> Store:
    """Store of the current log, with everything that was logged in it."""
    store, unwritten = open_store()
    if unwritten is not None:
        raise unwritten
    return store


def _own_path(what: str) -> Path:
    """File of the current log, for a function that works on files alone."""
    from allos.log.store.opening import file_of

    return file_of(_own_store(), what)
