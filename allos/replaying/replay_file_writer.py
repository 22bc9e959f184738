"""The thread that appends recorded answers to their file: no response waits for the disk."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from allos.errors import ReplayError
from allos.replaying import replay_file

_RETRY_S = 1.0
_FORK_S = 1.0
"""How long a fork waits for a write, which takes milliseconds."""


class ReplayFileWriter:
    """Appends lines to one file. Any thread.

    Lines that cannot be written are kept, and retried with the next line and by `flush`.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    failure : ReplayError or None
        Why the newest lines are not in the file; None when they are, or are about to be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reset()

    def _reset(self) -> None:
        self.failure: ReplayError | None = None
        self._changed = threading.Condition()  # guards everything below
        self._pending: list[str] = []
        self._writing = False
        self._closing = False
        self._failure_reported = False
        self._thread: threading.Thread | None = None
        self._file_in_use = threading.Lock()  # guards: no fork while the file is open and locked
        self._is_forking = False

    def before_fork(self) -> None:
        """Wait until the file is closed: a child would inherit its lock, and never release it."""
        self._is_forking = self._file_in_use.acquire(timeout=_FORK_S)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if self._is_forking:
            self._is_forking = False
            self._file_in_use.release()

    def after_fork_in_child(self) -> None:
        """Begin without lines: the thread, and what it has not written yet, are the parent's."""
        self._reset()

    def put(self, line: str) -> None:
        """Accept a line."""
        with self._changed:
            self._pending.append(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="allos-replay", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until every line accepted so far is in the file.

        Raises
        ------
        ReplayError
            The file cannot be written, or not in time.
        """
        with self._changed:
            self.failure = None
            self._changed.notify_all()
            done = self._changed.wait_for(
                lambda: self.failure or not (self._pending or self._writing), timeout_s
            )
        if self.failure is not None:
            raise self.failure
        if not done:
            raise ReplayError(f"{self.path.name!r} was not written within {timeout_s:g} s.")

    def close(self, timeout_s: float = 10.0) -> None:
        """Write what is pending and end the thread.

        Raises
        ------
        ReplayError
            As `flush`.
        """
        try:
            self.flush(timeout_s)
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closing or (self._pending and self.failure is None),
                    None if self.failure is None else _RETRY_S,
                )
                if not self._pending:
                    if self._closing:
                        return
                    continue
                lines, self._pending, self._writing = self._pending, [], True
            failure = self._write(lines)
            with self._changed:
                self._writing = False
                if failure is not None:
                    self._pending = lines + self._pending
                    if not self._failure_reported:
                        self._failure_reported = True
                        sys.stderr.write(f"allos: responses are not recorded: {failure}\n")
                self.failure = failure
                self._changed.notify_all()
                if failure is not None and self._closing:
                    return

    def _write(self, lines: list[str]) -> ReplayError | None:
        try:
            with self._file_in_use:
                replay_file.append(self.path, lines)
        except ReplayError as exc:
            return exc
        except Exception as exc:  # noqa: BLE001 - the thread must go on; the lines are kept
            return ReplayError(f"{self.path.name!r} cannot be written: {exc}")
        return None
