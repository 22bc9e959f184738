from __future__ import annotations

import time

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


def test_others_run_meanwhile() -> None:
    """Another thread gets the interpreter often while one works with a pacer."""
    import threading

    begun, gaps = threading.Event(), []

    def watch() -> None:
        begun.set()
        last = time.perf_counter()
        while not done.is_set():
            time.sleep(0)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    done = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    assert begun.wait(10)
    pacer = pacing.Pacer()
    for _ in range(2_000):
        sum(range(500))
        pacer.pause_if_due()
    done.set()
    watcher.join(10)

    assert len(gaps) > 20
