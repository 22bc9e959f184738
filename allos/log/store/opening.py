"""Which store there is at an address: a file of SQLite, or a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from allos.database_url import DatabaseURL
from allos.errors import LogError

if TYPE_CHECKING:
    from allos.log.store.protocol import Store


def open_store(
    address: Path | DatabaseURL, *, for_reading: bool = False, raw_days: float | None = None
) -> Store:
    """Open a store for writing.

    Parameters
    ----------
    address : Path or DatabaseURL
    for_reading : bool
        Open nothing yet: it may be one that cannot be written.
    raw_days : float, optional
        How many days raw JSON is kept; None: for ever.

    Raises
    ------
    LogError
        It cannot be used as a log; the message is one line.
    """
    if isinstance(address, DatabaseURL):
        from allos.log.store.postgres import PostgresStore

        return PostgresStore(address, for_reading=for_reading, raw_days=raw_days)
    from allos.log.store.sqlite import SQLiteStore

    return SQLiteStore(address, for_reading=for_reading, raw_days=raw_days)


def file_of(store: Store, what: str) -> Path:
    """Path of a store that is a file.

    Raises
    ------
    LogError
        It is not: `what` works with files alone.
    """
    if isinstance(store.address, Path):
        return store.address
    raise LogError(
        f"{what} works on a log in a file, and this one is in the database {store.location}: use the "
        "tools of PostgreSQL, on the tables of the schema allos"
    )
