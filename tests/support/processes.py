"""Child processes that never outlive their test."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from types import TracebackType
from typing import Any, AnyStr

_END_S = 30.0


class Child(subprocess.Popen[AnyStr]):
    """A process with a group of its own; use it as a context manager.

    A ``with`` block that fails kills the whole group at once. After one that succeeds the process has
    half a minute to end by itself.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, start_new_session=True, **options)

    def kill_group(self) -> None:
        """Kill the process and what it has started, and collect it."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if exc_type is None:
                if self.stdin is not None:  # many a child waits for its end
                    with suppress(BrokenPipeError):
                        self.stdin.close()
                self.wait(_END_S)
        finally:
            self.kill_group()
            super().__exit__(exc_type, value, traceback)
