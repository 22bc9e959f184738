"""Who is stopped by which mark."""

from __future__ import annotations

from allos.runs.executors import stop_marks
from tests.support.log_rows import MemoryStore


def test_a_mark_stops_its_start_and_those_before() -> None:
    """A new start is stopped by no mark of earlier ones; a budget is not touched."""
    store = MemoryStore()
    store.lease("bat_1", "session", 0.5, 1.0)
    first = stop_marks.next_number(store, "bat_1")
    stop_marks.leave(store, "bat_1", first - 1)
    before = stop_marks.is_stopped(store, "bat_1", first)
    stop_marks.leave(store, "bat_1", first)
    second = stop_marks.next_number(store, "bat_1")
    stop_marks.leave(store, "bat_1", second - 1)

    assert not before
    assert stop_marks.is_stopped(store, "bat_1", first)
    assert not stop_marks.is_stopped(store, "bat_1", second)
    assert not stop_marks.is_stopped(store, "bat_2", first)
    assert sum(store.leases("bat_1").values()) == 0.5


def test_without_a_log_nothing_is_stopped() -> None:
    """Workers end what they have."""
    stop_marks.leave(None, "bat_1", 1)

    assert stop_marks.next_number(None, "bat_1") == 1
    assert not stop_marks.is_stopped(None, "bat_1", 1)
