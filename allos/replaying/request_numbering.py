"""Numbers that tell the equal requests of a run apart.

A run begins when a replay file is opened. The k-th request with a hash draws the number k. A cell that
is executed again draws the numbers that it had before, so re-running one cell replays that cell's
answers, and recording it again replaces them. A number whose call gave no complete answer is released
and drawn again. Why: ``docs/explanation/replay-numbering.md``.
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


class RequestNumber:
    """The number that one request has drawn.

    Attributes
    ----------
    key : tuple
        Hash of the request, and the number.
    """

    __slots__ = ("_numbering", "key")

    def __init__(self, numbering: RequestNumbering, key: Key) -> None:
        self._numbering = numbering
        self.key = key

    @property
    def is_held(self) -> bool:
        """Whether no later request has drawn this number, and it was not released."""
        return self._numbering._holders.get(self.key) is self

    def release(self) -> None:
        """Let the next equal request draw this number; nothing happens unless it is held."""
        self._numbering._release(self)


@dataclass(slots=True, eq=False)
class _Cell:
    """The numbers of one notebook cell, by hash."""

    execution_count: int
    previous: _Numbers = field(default_factory=_numbers)
    """Drawn by earlier executions, not drawn again yet."""
    current: _Numbers = field(default_factory=_numbers)
    """Drawn by this execution."""

    def restart(self, execution_count: int) -> None:
        """Begin another execution."""
        self.execution_count = execution_count
        drawn, self.current = self.current, _numbers()
        for digest, numbers in self.previous.items():
            drawn[digest].extend(numbers)
        self.previous = drawn

    def forget(self, digest: str, number: int) -> None:
        """Give up a number: another request has drawn it."""
        for numbers in (self.previous[digest], self.current[digest]):
            if number in numbers:
                numbers.remove(number)


class RequestNumbering:
    """The numbers drawn since a replay file was opened. Any thread.

    Attributes
    ----------
    order : dict
        Sort key of each key of this run: by first use; the calls of one comparison, which start all at
        once, by what they request.
    """

    def __init__(self) -> None:
        self.order: dict[Key, tuple[Any, ...]] = {}
        self._lock = threading.Lock()  # guards everything here: a number has one holder
        self._next: defaultdict[str, int] = defaultdict(int)
        self._released: defaultdict[str, dict[int, _Cell | None]] = defaultdict(dict)
        self._cells: dict[str, _Cell] = {}
        self._cell_of: dict[Key, _Cell | None] = {}
        self._holders: dict[Key, RequestNumber] = {}
        self._groups: dict[str, int] = {}

    def after_fork_in_child(self) -> None:
        """Get a new lock: the thread that held it is not in the child."""
        self._lock = threading.Lock()

    def draw(
        self, digest: str, origin: RunContext, sort_key: tuple[Any, ...] = ()
    ) -> RequestNumber:
        """Draw the number of a request that is about to be made.

        Parameters
        ----------
        digest : str
            Hash of the request.
        origin : RunContext
            The notebook cell and the comparison that it belongs to.
        sort_key : tuple
            What it requests, to order the calls of one comparison.
        """
        with self._lock:
            key = digest, self._draw(digest, origin)
            if key not in self.order:
                group = origin.comparison_id or f"#{len(self.order)}"
                position = self._groups.setdefault(group, len(self._groups))
                self.order[key] = (position, *sort_key, key[1])
            number = self._holders[key] = RequestNumber(self, key)
            return number

    def _draw(self, digest: str, origin: RunContext) -> int:
        cell = self._cell(origin)
        released = self._released[digest]
        if cell is not None and cell.previous[digest]:
            number = cell.previous[digest].popleft()
            released.pop(number, None)
        elif released:
            number = min(released)
            owner = released.pop(number)
            if owner is not None:
                owner.forget(digest, number)
        else:
            number = self._next[digest]
            self._next[digest] += 1
        if cell is not None:
            cell.current[digest].append(number)
        self._cell_of[digest, number] = cell
        return number

    def _cell(self, origin: RunContext) -> _Cell | None:
        if origin.cell_id is None or origin.execution_count is None:
            return None
        cell = self._cells.get(origin.cell_id)
        if cell is None:
            cell = self._cells[origin.cell_id] = _Cell(origin.execution_count)
        elif cell.execution_count < origin.execution_count:
            cell.restart(origin.execution_count)
        elif cell.execution_count > origin.execution_count:
            return None  # still running from an earlier execution
        return cell

    def _release(self, number: RequestNumber) -> None:
        with self._lock:
            if self._holders.get(number.key) is number:
                del self._holders[number.key]
                digest, value = number.key
                self._released[digest][value] = self._cell_of[number.key]
