"""The handle of a call under way."""

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
    """A call under way; made by `allos.engine.start`.

    Its future resolves to a `ProviderResponse` whatever happens: an answer, a failure
    (`response.error`) or a cancelled part.
    """

    def __init__(
        self, runtime: Runtime, *, from_replay: bool = False, is_sent: bool = True
    ) -> None:
        self._runtime = runtime
        self.from_replay = from_replay
        """Whether a recording answers it, and no service."""
        self.is_sent = is_sent
        """Whether it goes to a service: it is not answered from a recording, nor refused."""
        self._task: asyncio.Task[None] | None = None  # loop thread
        self.is_cancelled = False
        self._pid = os.getpid()
        self.future: Future[ProviderResponse] = Future()
        # A waiter that is cancelled must not take the result from the others.
        self.future.set_running_or_notify_cancel()

    def cancel(self) -> None:
        """Stop the call; what has arrived becomes a cancelled response. Any thread, any time."""
        self.is_cancelled = True
        if self._pid == os.getpid():  # a forked copy shares the loop's pipe, but not the call
            with suppress(RuntimeError):  # the loop is closed, so nothing runs any more
                self._runtime.loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:  # loop thread
        if self._task is not None and not self._task.done():
            self._task.cancel()

    def run_on(self, task: asyncio.Task[None]) -> None:
        """Let `cancel` stop this task. Loop thread."""
        self._task = task
        if self.is_cancelled:
            task.cancel()

    def resolve(self, response: ProviderResponse) -> None:
        """Hand the finished response to whoever waits. Loop thread."""
        if response.error is not None:
            response.error.response = response
        self.future.set_result(response)

    def report(self, message: str, exc: Exception) -> None:
        """Tell the loop's handler of a fault that costs nobody an answer. Loop thread."""
        self._runtime.loop.call_exception_handler({"message": message, "exception": exc})

    def wait(self, timeout_s: float | None = None) -> ProviderResponse:
        """Wait for the response. Any thread but the loop's.

        Raises
        ------
        TimeoutError
            It is not there after `timeout_s` seconds; the call goes on.
        ConfigurationError
            The call belongs to another process: this one was forked while it ran.
        """
        self.check_process()
        return self.future.result(timeout_s)

    def check_process(self) -> None:
        """Refuse to wait for ever: a fork has the call, but not the thread that runs it."""
        if self._pid != os.getpid() and not self.future.done():
            raise ConfigurationError(
                "this call runs in the process that started it, not in its fork; start a new one"
            )
