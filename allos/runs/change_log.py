"""Which cells of a comparison have changed, for those who draw it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from itertools import takewhile
from typing import Generic, TypeVar

Cell = TypeVar("Cell")


class ChangeLog(Generic[Cell]):
    """Which cells have changed, newest last: any number of readers look up what is new to them."""

    def __init__(self) -> None:
        self._version = 0
        self._versions: OrderedDict[Cell, int] = OrderedDict()
        # Guards both; held for a moment only, the loop thread takes it for every event.
        self._lock = threading.Lock()

    def add(self, cell: Cell) -> None:
        """Note that a cell has changed."""
        with self._lock:
            self._version += 1
            self._versions[cell] = self._version
            self._versions.move_to_end(cell)

    def since(self, version: int) -> tuple[int, list[Cell]]:
        """Version of now, and the cells that have changed since `version`; costs what has changed."""
        with self._lock:
            newer = takewhile(lambda item: item[1] > version, reversed(self._versions.items()))
            return self._version, [cell for cell, _ in newer]
