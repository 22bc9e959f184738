"""What may block, run with a time limit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def in_thread(work: Callable[[], T]) -> Future[T]:
    """Run something on its own thread, which may continue after a timeout."""
    import threading

    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as exc:  # noqa: BLE001 - raised by future.result
            future.set_exception(exc)

    threading.Thread(target=run, name="allos-doctor", daemon=True).start()
    return future


def in_time(work: Callable[[], T], timeout_s: float) -> T | None:
    """What it returns, or None after the timeout."""
    try:
        return in_thread(work).result(timeout_s)
    except TimeoutError:
        return None
