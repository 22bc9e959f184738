"""Marks in the log by which workers learn that a batch was paused, cancelled, or started anew.

Every start of a batch has a number, one more than those before. The mark of a number stops the workers of
all starts up to it: of this start where it is paused, of earlier ones where somebody starts the batch again,
whose process may have been killed while workers went on.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from allos.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Mapping

_STOP = "stop "


class Notes(Protocol):
    """Where marks are: the log, or the files of the batch."""

    def set_run_note(self, run_id: str, name: str, value: bytes | None) -> None:
        """Keep what is known of a run."""

    def run_notes(self, run_id: str) -> Mapping[str, bytes]:
        """All that is kept of a run, by name."""


def next_number(store: Notes | None, run_id: str) -> int:
    """Number of a start that no mark stops; without a log there are none."""
    return 1 if store is None else _largest(store, run_id) + 2


def leave(store: Notes | None, run_id: str, number: int) -> None:
    """Stop the workers of all starts up to a number; without a log they end what they have."""
    if store is not None:
        with suppress(LogError):
            store.set_run_note(run_id, f"{_STOP}{number}", b"")


def is_stopped(store: Notes | None, run_id: str, number: int) -> bool:
    """Whether workers of this start are to make no more calls."""
    if store is None:
        return False
    with suppress(LogError):
        return _largest(store, run_id) >= number
    return False


def _largest(store: Notes, run_id: str) -> int:
    words = store.run_notes(run_id)
    return max((int(word[len(_STOP) :]) for word in words if word.startswith(_STOP)), default=-1)
