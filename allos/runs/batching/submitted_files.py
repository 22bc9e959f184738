"""Which calls of a batch are at their service, as the log keeps it: committed before anything is submitted.

A process that is killed at any moment leaves enough to find again what the service has accepted, so that it
is not paid twice.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from allos.log.rows import pack, unpack

if TYPE_CHECKING:
    from allos.log.store.protocol import Store

_PREFIX = "file "
"""Begins the name of the note of a file."""
_FROM_KEY = str.maketrans(".~", "_-")
_TO_KEY = str.maketrans("_-", ".~")


@dataclass(slots=True, kw_only=True)
class SubmittedFile:
    """Calls that are handed over together."""

    name: str
    """Our name of it, which the service keeps where it can."""
    service: str
    keys: Sequence[str]
    """Task keys of the calls."""
    created_at: float
    """Seconds since 1970."""
    headers: Mapping[str, str] | None = None
    """Headers of the requests."""
    id: str | None = None
    """The service's id; None: nobody knows yet whether the service has accepted it."""
    positions: set[int] = field(default_factory=set, compare=False)
    """Of those calls that are in the plan and not answered yet; not stored."""


class SubmittedFiles:
    """The files of a batch in the log that were not read to their end. Any thread; what it does blocks.

    Parameters
    ----------
    store : Store
    run_id : str
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id

    def load(self) -> list[SubmittedFile]:
        """All of them, oldest first."""
        notes = self._store.run_notes(self._run_id)
        files = [_unpacked(value) for name, value in notes.items() if name.startswith(_PREFIX)]
        return sorted(files, key=lambda file: file.created_at)

    def save(self, file: SubmittedFile) -> None:
        """Commit a file."""
        facts = {name: value for name, value in asdict(file).items() if name != "positions"}
        packed = pack({**facts, "keys": list(file.keys)})
        assert packed is not None
        self._store.set_run_note(self._run_id, _PREFIX + file.name, bytes(packed))

    def is_shared(self, file: SubmittedFile, known: Container[str]) -> bool:
        """Whether a file of another process, whose name is not `known`, has some of the calls of a saved one.

        Of two processes that save their files and then ask, at least one learns of the other, and neither sends what
        the other one does.
        """
        keys = set(file.keys)
        return any(
            each.name not in known and not keys.isdisjoint(each.keys) for each in self.load()
        )

    def remove(self, file: SubmittedFile) -> None:
        """Forget a file: its rows are committed, or the service has none of it."""
        self._store.set_run_note(self._run_id, _PREFIX + file.name, None)


def _unpacked(value: bytes) -> SubmittedFile:
    return SubmittedFile(**json.loads(unpack(bytearray(value)) or "{}"))


def custom_id(key: str) -> str:
    """Name of a call in a file: its task key, in characters that every service takes.

    Examples
    --------
    >>> custom_id("0f~2.ab.1"), task_key("0f-2_ab_1")
    ('0f-2_ab_1', '0f~2.ab.1')
    """
    return key.translate(_FROM_KEY)


def task_key(name: str) -> str:
    """Task key of a call, from its name in a file."""
    return name.translate(_TO_KEY)
