"""The log as a layer around every call."""

from __future__ import annotations

import os
from collections.abc import Callable

from allos import log
from allos.engine import After, Interceptor, PreparedCall
from allos.response import ProviderResponse


class Log(Interceptor):
    """Writes every response of a session to the open log."""

    observes_refused = True

    def __init__(self) -> None:
        self._opening: Callable[[], None] | None = None
        self.opens_on_first_call = False
        """Whether the next call opens the log."""

    def before(self, call: PreparedCall) -> After | None:
        """Open the log where that was put off, and write the response."""
        if self.opens_on_first_call and self._opening is not None:
            self.opens_on_first_call = False
            self._opening()
        return self._write if log.is_open() else None

    def _write(self, response: ProviderResponse) -> ProviderResponse:  # loop thread
        log.write(response)
        return response

    def open_on_first_call(self, opening: Callable[[], None]) -> None:
        """Put the opening off until something is asked."""
        self._opening, self.opens_on_first_call = opening, True

    def is_open(self) -> bool:
        """Whether responses are being logged."""
        return log.is_open()

    def open(self, path: str | os.PathLike[str] | None = None) -> log.LogInfo:
        """Open the log; see `allos.log.open`."""
        return log.open(path)
