"""The answers of a partition on their way to a file: a worker that dies loses those of a few seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from time import monotonic
from typing import Any

from allos.errors import LogError
from allos.ids import new_id
from allos.log.rows import row_of
from allos.response import ProviderResponse
from allos.runs.executors.answer_files import AnswerFiles, Row

EVERY_S = 10.0
"""So often answers are written while calls are under way."""


class AnswerWriter:
    """Collects the answers of a partition and writes them.

    Parameters
    ----------
    files : AnswerFiles
    key : str
        Of the partition.

    Attributes
    ----------
    rows : list of tuple
        All of them, written or not.
    error : str or None
        Why the last ones could not be written.
    """

    def __init__(self, files: AnswerFiles, key: str) -> None:
        self.rows: list[Row] = []
        self.error: str | None = None
        self._files = files
        self._key = key
        self._new: deque[ProviderResponse] = deque()
        self._unwritten: list[Row] = []
        self._due = monotonic() + EVERY_S

    def earlier(self) -> list[Row]:
        """Answers to this partition of a worker that died; they are given back with the others."""
        found = [row for name in self._files.names(self._key) for row in self._files.read(name)]
        self.rows += found
        return found

    def add(self, response: ProviderResponse) -> None:
        """Take an answer; loop thread."""
        self._new.append(response)

    def write_due(self, facts: Mapping[str, Any]) -> None:
        """Write what has come, if the last time is some seconds ago."""
        if monotonic() >= self._due:
            self.write(facts)

    def write(self, facts: Mapping[str, Any]) -> None:
        """Write what has come; what cannot be written is kept for the next time."""
        new = [self._new.popleft() for _ in range(len(self._new))]
        rows = [row for response in new if (row := _row(response, facts)) is not None]
        self.rows += rows
        self._unwritten += rows
        self._due = monotonic() + EVERY_S
        if not self._unwritten:
            return
        try:
            self._files.write(self._key, self._unwritten)
        except LogError as exc:
            self.error = str(exc)
        else:
            self._unwritten, self.error = [], None


def _row(response: ProviderResponse, facts: Mapping[str, Any]) -> Row | None:
    if response.id is None:
        response = replace(response, id=new_id())
    try:
        return row_of(response, facts)
    except Exception:  # noqa: BLE001  # as in the log, one odd response must not stop the others
        return None
