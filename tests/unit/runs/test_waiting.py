"""Waiting for calls that have no board: who listens hears how far they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from allos.runs import waiting


class _Run:
    """Calls that end one after the other, each when it was waited for twice."""

    question = "groq/a judges"

    def __init__(self, calls: int) -> None:
        self.answered, self.unanswered = 0, calls
        self.now = 0.0

    def calls(self) -> Iterator[_Call]:
        for _ in range(self.unanswered):
            yield _Call(self)


class _Call:
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._waited = False

    def wait(self, timeout_s: float | None = None) -> bool:
        assert timeout_s is not None
        self._run.now += timeout_s
        if not self._waited:
            self._waited = True
            return False
        self._run.answered += 1
        self._run.unanswered -= 1
        return True


def _told(monkeypatch: pytest.MonkeyPatch, calls: int, tick_s: float) -> list[int]:
    run, told = _Run(calls), list[int]()
    monkeypatch.setattr(waiting, "monotonic", lambda: run.now)
    monkeypatch.setattr(waiting, "TICK_S", tick_s)
    waited: Any = run
    waiting.wait_for(waited, run.calls(), [lambda each: told.append(each.answered)])
    assert run.unanswered == 0
    return told


def test_it_is_told_once_for_each_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at every tick, and at last that all have ended."""
    assert _told(monkeypatch, 3, tick_s=1.0) == [0, 1, 2, 3]


def test_what_is_there_soon_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than a second of waiting is not worth a word."""
    assert _told(monkeypatch, 3, tick_s=0.1) == []
