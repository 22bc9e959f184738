from __future__ import annotations

import threading
from pathlib import Path

import pytest

from allos.log.store.sqlite import SQLiteStore


def test_parts_never_exceed_the_budget(log_path: Path) -> None:
    """Holders take what is left, give back, and see each other."""
    store = SQLiteStore(log_path)

    assert store.lease("run", "one", 0.5, 1.0) == 0.5
    assert store.lease("run", "two", 0.7, 1.0) == pytest.approx(0.5)
    assert store.lease("run", "one", 0.1, 1.0) == 0.0
    assert store.lease("other", "one", 0.1, 1.0) == 0.1
    assert store.lease("run", "one", -0.2, 1.0) == -0.2
    assert store.lease("run", "two", 9, 1.0) == pytest.approx(0.2)
    assert store.leases("run") == pytest.approx({"one": 0.3, "two": 0.7})
    store.close()


def test_many_threads_take_parts(log_path: Path) -> None:
    """Each on a connection of its own; together they have the whole budget and no more."""
    store = SQLiteStore(log_path)

    def take(holder: str) -> None:
        while store.lease("run", holder, 0.03, 1.0):
            pass

    threads = [threading.Thread(target=take, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sum(store.leases("run").values()) == pytest.approx(1.0)
    store.close()
