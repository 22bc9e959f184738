"""Scores that a judge has given before: its calls are rows of the log, so nobody pays for them twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from allos.runs.judging.logged_verdicts import PREFIX, logged_answers, logged_store
from allos.session import current_session


class KnownScores:
    """Scores of one judge with one rubric, by what it was asked; those of the log are read once. Any thread.

    Parameters
    ----------
    version : str
        Of the judge: its calls have a `run_id` that ends in it.
    score_of : callable
        Gets the content of an answer, and returns the score in it; raises `ValueError` where there is none.
    """

    def __init__(self, version: str, score_of: Callable[[str], float]) -> None:
        self.run_id = PREFIX + version
        self._score_of = score_of
        self._lock = threading.Lock()  # guards both
        self._scores: dict[str, float] = {}
        self._read: set[Any] = set()

    def get(self, key: str) -> float | None:
        """Score that was given to this; None where it was not asked."""
        with self._lock:
            self._read_log()
            return self._scores.get(key)

    def put(self, key: str, score: float) -> None:
        """Keep a score, also where the log is off."""
        with self._lock:
            self._scores[key] = score

    def _read_log(self) -> None:
        store = logged_store(current_session())
        if store is None or store.address in self._read:
            return
        self._read.add(store.address)
        for row in logged_answers(store, self.run_id, ("task_key", "content")):
            with suppress(ValueError, KeyError, TypeError):  # of a redacted row
                self._scores[row["task_key"]] = self._score_of(row["content"])
