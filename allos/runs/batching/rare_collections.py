"""Fewer runs of Python's garbage collector while thousands of calls are under way.

What is under way looks to the collector like much that is new and stays, so it would search everything again
and again, and find nothing: a quarter of the CPU of a batch. Objects are freed by their reference counts as
always; only cycles wait longer.
"""

from __future__ import annotations

import gc
import threading

THRESHOLD = 50_000
"""New objects before a search; Python's own is 700 to 2,000. 256 calls under way are some 25,000."""

# Resource of the process, as the collector is.
_lock = threading.Lock()  # guards the two below
_users = 0
_before: tuple[int, int, int] | None = None
"""The thresholds to return to; None: nothing was changed."""


class RareCollections:
    """Asks for fewer collections, from `begin` to `end`. Any thread; each may be called again."""

    def __init__(self) -> None:
        self._is_counted = False

    def begin(self) -> None:
        """Collect more rarely, unless the collector is off or as rare already."""
        global _users, _before
        with _lock:
            if self._is_counted:
                return
            self._is_counted = True
            _users += 1
            now = gc.get_threshold()
            if _users == 1 and 0 < now[0] < THRESHOLD:
                _before = now
                gc.set_threshold(THRESHOLD, *now[1:])

    def end(self) -> None:
        """Collect as before, once nobody asks for less, and unless somebody else has changed it."""
        global _users, _before
        with _lock:
            if not self._is_counted:
                return
            self._is_counted = False
            _users -= 1
            if not _users and _before is not None:
                if gc.get_threshold()[0] == THRESHOLD:
                    gc.set_threshold(*_before)
                _before = None
