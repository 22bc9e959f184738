"""Answers of the log in place of calls: ``batch(reuse=True)``."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any

from allos.engine import Interceptor, PreparedCall
from allos.errors import ConfigurationError, LogError
from allos.log.store.protocol import Where
from allos.render.logged_rows import ANSWER_COLUMNS, response_of
from allos.response import ProviderResponse
from allos.runs.batching.finished_calls import values_of
from allos.session import Session

_FINISHED = ("stop", "tool_calls")
"""Reasons why a model ended an answer by itself; one that was cut off is asked again."""


class ReusedAnswers(Interceptor):
    """Answers a call with what the log has for an equal request, which costs nothing.

    Equal are requests with the same `request_hash`: service, model, messages, parameters and number of the
    repeat. Of several answers the newest is taken. Any thread.

    Parameters
    ----------
    session : Session
        Its log is read once, at the first call.

    Raises
    ------
    ConfigurationError
        The log is off, or its texts are redacted.
    """

    def __init__(self, session: Session) -> None:
        if session.log.store is None:
            raise ConfigurationError(
                "reuse=True takes answers from the log, and the log is off: unset ALLOS_LOG, or call "
                "allos.log.open(path). Nothing was sent."
            )
        if session.log.redaction is not None:
            raise ConfigurationError(
                "reuse=True takes answers from the log, and texts of this log are redacted: leave out reuse=, or "
                "call allos.log.redact(None). Nothing was sent."
            )
        self._session = session
        self._lock = threading.Lock()  # guards: read once
        self._ids: dict[str, str] | None = None

    def before(self, call: PreparedCall) -> ProviderResponse | None:
        """Return the answer of an equal request."""
        request = call.request
        id = self._known().get(request.request_hash or "")
        if id is None:
            return None
        row = self._row(id)
        if row is None:
            return None
        found = response_of(row)
        return replace(found, metadata={**found.metadata, "cost_usd": 0.0}, replayed=True)

    def _row(self, id: str) -> dict[str, Any] | None:
        store = self._session.log.store
        with suppress(LogError):  # then it is asked
            if store is not None:
                with store.snapshot() as snapshot:
                    for block in snapshot.scan(Where(any_of={"id": (id,)}), ANSWER_COLUMNS):
                        if block.row_count:
                            return {name: values_of(block, name)[0] for name in ANSWER_COLUMNS}
        return None

    def _known(self) -> dict[str, str]:
        """Ids of complete answers, by the hash of their request."""
        with self._lock:
            if self._ids is None:
                self._ids = self._read()
            return self._ids

    def _read(self) -> dict[str, str]:
        from allos.log.query import read

        store = self._session.log.store
        if store is None:
            return {}
        where = Where(any_of={"status": ("ok",), "finish_reason": _FINISHED})
        with suppress(LogError):
            self._session.log.flush()
            found = read(store, ["request_hash", "id"], where).dropna()
            return dict(zip(found["request_hash"], found["id"], strict=True))
        return {}
