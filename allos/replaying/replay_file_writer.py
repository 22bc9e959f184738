"""Writes recorded answers to their file, on a thread of its own: no answer waits for the disk."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from allos.errors import ReplayError
from allos.replaying import replay_file

_RETRY_S = 1.0


class Writer:
    """Appends lines to one file. Any thread.

    Lines that cannot be written wait, and are tried again with the next one and by `flush`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failure: ReplayError | None = None
        """Why the newest lines are not in the file; None when they are, or on their way."""
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()  # guards everything below
        self._waiting: list[str] = []
        self._writing = False
        self._closing = False
        self._told = False
        self._thread: threading.Thread | None = None

    def put(self, line: str) -> None:
        """Hand over a line."""
        if self._pid != os.getpid():  # a forked child: the thread and what it held are the parent's
            self._begin()
        with self._changed:
            self._waiting.append(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="allos-replay", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until everything handed over is in the file.

        Raises
        ------
        ReplayError
            It cannot be written, or not in time.
        """
        if self._pid != os.getpid():
            return
        with self._changed:
            self.failure = None
            self._changed.notify_all()
            done = self._changed.wait_for(
                lambda: self.failure or not (self._waiting or self._writing), timeout_s
            )
        if self.failure is not None:
            raise self.failure
        if not done:
            raise ReplayError(f"{self.path.name!r} was not written within {timeout_s:g} s.")

    def close(self, timeout_s: float = 10.0) -> None:
        """Write what waits and end the thread.

        Raises
        ------
        ReplayError
            As `flush`.
        """
        if self._pid != os.getpid():
            return
        try:
            self.flush(timeout_s)
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closing or (self._waiting and self.failure is None),
                    None if self.failure is None else _RETRY_S,
                )
                if not self._waiting:
                    if self._closing:
                        return
                    continue
                lines, self._waiting, self._writing = self._waiting, [], True
            failure = self._write(lines)
            with self._changed:
                self._writing = False
                if failure is not None:
                    self._waiting = lines + self._waiting
                    if not self._told:
                        self._told = True
                        sys.stderr.write(f"allos: answers are not being recorded: {failure}\n")
                self.failure = failure
                self._changed.notify_all()
                if failure is not None and self._closing:
                    return

    def _write(self, lines: list[str]) -> ReplayError | None:
        try:
            replay_file.append(self.path, lines)
        except ReplayError as exc:
            return exc
        except Exception as exc:  # noqa: BLE001 - the thread must live; the lines are kept
            return ReplayError(f"{self.path.name!r} cannot be written: {exc}")
        return None
