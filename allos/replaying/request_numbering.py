"""Which of the equal requests of a run a request is.

A run begins when a replay file is opened. The k-th request with a hash has the number k. A cell that is
executed again gets the numbers that it had before, so whoever re-runs one cell gets that cell's answers,
and recording it anew replaces them. A number whose call gave no complete answer is free again.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from allos.context import RunContext
from allos.replaying.replay_file import Key

_Numbers = defaultdict[str, deque[int]]


def _numbers() -> _Numbers:
    return defaultdict(deque)


@dataclass(slots=True)
class _Cell:
    """The numbers of one cell of a notebook."""

    execution_count: int | None
    before: _Numbers = field(default_factory=_numbers)
    """Left over from the executions before this one."""
    taken: _Numbers = field(default_factory=_numbers)
    """Given to this execution."""


class RequestNumbering:
    """The numbers given out since a replay file was opened. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards everything here: a number is given once
        self._next: defaultdict[str, int] = defaultdict(int)
        self._free: defaultdict[str, set[int]] = defaultdict(set)
        self._cells: dict[str, _Cell] = {}
        self._open: _Numbers = _numbers()
        self._groups: dict[str, int] = {}
        self.order: dict[Key, tuple[Any, ...]] = {}
        """Sorts the keys of this run: by first use; the calls of one comparison, which start all at
        once, by what they ask."""

    def number(self, digest: str, here: RunContext, about: tuple[Any, ...] = ()) -> int:
        """Number of a request that is about to be made.

        Parameters
        ----------
        digest : str
            Its hash.
        here : RunContext
            Where it comes from.
        about : tuple of str
            What it asks, to order the calls of one comparison.
        """
        with self._lock:
            number = self._number(digest, here)
            key = digest, number
            if key not in self.order:
                group = here.comparison_id or f"#{len(self.order)}"
                place = self._groups.setdefault(group, len(self._groups))
                self.order[key] = (place, *about, number)
            return number

    def _number(self, digest: str, here: RunContext) -> int:
        cell = self._cell(here)
        free = self._free[digest]
        if cell is not None and cell.before[digest]:
            number = cell.before[digest].popleft()
            free.discard(number)
        elif free:
            number = min(free)
            free.discard(number)
        else:
            number = self._next[digest]
            self._next[digest] += 1
        if cell is not None:
            cell.taken[digest].append(number)
        return number

    def _cell(self, here: RunContext) -> _Cell | None:
        if here.cell_id is None or here.execution_count is None:
            return None
        cell = self._cells.get(here.cell_id)
        if cell is None:
            cell = self._cells[here.cell_id] = _Cell(here.execution_count)
        elif cell.execution_count is not None and cell.execution_count < here.execution_count:
            again = _Cell(here.execution_count)
            for numbers in (cell.taken, cell.before):
                for digest, given in numbers.items():
                    again.before[digest].extend(given)
            cell = self._cells[here.cell_id] = again
        elif cell.execution_count != here.execution_count:
            return None  # still running from an earlier execution
        return cell

    def asking(self, digest: str, number: int) -> None:
        """A request goes to the service; `answered` or `failed` follows."""
        with self._lock:
            self._open[digest].append(number)

    def answered(self, digest: str) -> int | None:
        """Number of a request whose answer has come; None for one that began before this run.

        Of equal requests under way at once, the one that was asked first.
        """
        with self._lock:
            waiting = self._open[digest]
            return waiting.popleft() if waiting else None

    def failed(self, digest: str) -> None:
        """A request came to nothing: its number is free for the next one."""
        with self._lock:
            waiting = self._open[digest]
            if waiting:
                self._free[digest].add(waiting.popleft())
