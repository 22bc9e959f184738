from __future__ import annotations

import pytest

from allos.log import pacing


def test_pauses_only_after_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause comes after a stretch of work, and the next one after another stretch."""
    now, slept = [0.0], []
    monkeypatch.setattr(pacing.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(pacing.time, "sleep", slept.append)
    pacer = pacing.Pacer()

    pacer.pause_if_due()
    assert slept == []
    now[0] += 1.5 * pacing.WORK_S
    pacer.pause_if_due()
    pacer.pause_if_due()
    assert len(slept) == 1
    now[0] += 1.5 * pacing.WORK_S
    pacer.pause_if_due()
    assert len(slept) == 2
    assert slept[0] > 0


def test_it_works_longer_while_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a writer keeps up with a busy loop thread."""
    now, slept = [0.0], []
    monkeypatch.setattr(pacing.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(pacing.time, "sleep", slept.append)
    pacer = pacing.Pacer(waiting=10 * pacing.KEPT_UP_ITEMS)

    now[0] += 9 * pacing.WORK_S
    pacer.pause_if_due()
    assert slept == []
    now[0] += 2 * pacing.WORK_S
    pacer.pause_if_due()
    assert len(slept) == 1
