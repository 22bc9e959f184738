"""The handle of a running call."""

from __future__ import annotations

import os
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from allos.errors import ConfigurationError
from allos.response import ProviderResponse

if TYPE_CHECKING:
    import asyncio

    from allos.engine.runtime import Runtime


class Call:
    """A running call; created by `allos.engine.start`.

    Its future always resolves to a `ProviderResponse`: an answer, a failure (`response.error`) or a
    cancelled, partial answer.
    """

    def __init__(
        self, runtime: Runtime, *, from_replay: bool = False, is_sent: bool = True
    ) -> None:
        self._runtime = runtime
        self.from_replay = from_replay
        """Whether it is answered from a replay file."""
        self.is_sent = is_sent
        """Whether it is sent to a service: neither replayed nor refused."""
        self._task: asyncio.Task[None] | None = None  # loop thread
        self.is_cancelled = False
        self._pid = os.getpid()
        self.future: Future[ProviderResponse] = Future()
        # Cancelling one waiter must not cancel the future for the others.
        self.future.set_running_or_notify_cancel()

    def cancel(self) -> None:
        """Cancel the call; the partial answer becomes a cancelled response. Any thread, any time."""
        self.is_cancelled = True
        if self._pid == os.getpid():  # a forked copy shares the loop's pipe, but not the call
            with suppress(RuntimeError):  # the loop is closed, so the call has ended
                self._runtime.loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:  # loop thread
        # Its task may go on with another call.
        if self._task is not None and not self._task.done() and not self.future.done():
            self._task.cancel()

    def run_on(self, task: asyncio.Task[None]) -> None:
        """Set the task that `cancel` cancels. Loop thread."""
        self._task = task
        if self.is_cancelled:
            task.cancel()

    def resolve(self, response: ProviderResponse) -> None:
        """Set the response. Loop thread."""
        if response.error is not None:
            response.error.response = response
        self.future.set_result(response)

    def report(self, message: str, exc: Exception) -> None:
        """Report an error that does not affect the response to the loop's exception handler. Loop thread."""
        self._runtime.loop.call_exception_handler({"message": message, "exception": exc})

    def wait(self, timeout_s: float | None = None) -> ProviderResponse:
        """Wait for the response. Any thread but the loop thread.

        Raises
        ------
        TimeoutError
            Not done within `timeout_s` seconds; the call continues.
        ConfigurationError
            The call belongs to the parent process: this one was forked while it ran.
        """
        self.check_process()
        return self.future.result(timeout_s)

    def check_process(self) -> None:
        """Raise in a forked process, which does not have the thread that runs the call."""
        if self._pid != os.getpid() and not self.future.done():
            raise ConfigurationError(
                "this call runs in the process that started it, not in its fork; start a new one"
            )
