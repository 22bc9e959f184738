from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from threading import Event
from typing import Any

import pytest

from allos.engine import runtime
from allos.secret import Secret
from allos.wire import clients
from allos.wire.connection import Connection
from allos.wire.openai_chat import OPENAI

HERE = Connection(sdk=OPENAI, base_url="http://127.0.0.1:9/v1", api_key=Secret("k"), direct=True)


async def thread_name() -> str:
    return threading.current_thread().name


def test_one_loop_thread() -> None:
    """Whichever thread asks, work runs on the one loop thread."""
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: runtime.get().submit(thread_name()).result(5), range(32)))

    assert set(names) == {"allos-loop"}
    assert runtime.running() is runtime.get()
    assert not runtime.get().is_loop_thread


def test_first_calls_at_once_start_one_runtime() -> None:
    """Many first calls at the same moment share one thread."""
    runtime.shutdown()
    barrier = threading.Barrier(8)

    def first() -> runtime.Runtime:
        barrier.wait(5)
        return runtime.get()

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(first) for _ in range(8)]
        made = {id(future.result(5)) for future in futures}

    assert len(made) == 1
    assert [t.name for t in threading.enumerate()].count("allos-loop") == 1


def test_is_loop_thread() -> None:
    """Only the loop thread is here."""

    async def here() -> bool:
        return runtime.get().is_loop_thread

    assert runtime.get().submit(here()).result(5)


def test_context_goes_along() -> None:
    """A context variable of the caller is seen on the loop."""
    word: ContextVar[str] = ContextVar("word", default="none")
    word.set("mine")

    async def read() -> str:
        return word.get()

    assert runtime.get().submit(read()).result(5) == "mine"


def test_clients_are_shared() -> None:
    """Equal connections have one client, others their own; a released one is built anew."""
    made = runtime.get()
    first = made.client(HERE)
    other = made.client(Connection(**{**vars_of(HERE), "api_key": Secret("other")}))
    again = made.client(Connection(**vars_of(HERE)))
    made.release(HERE)
    fresh = made.client(HERE)

    assert first is again
    assert first is not other
    assert fresh is not first


def test_no_connection_waits_for_another_ones_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading an SDK takes a second: calls by another way go out meanwhile, equal ones share it."""
    slow, begun, go_on = (
        Connection(**{**vars_of(HERE), "base_url": "http://slow/v1"}),
        Event(),
        Event(),
    )

    def make(connection: Connection) -> Any:
        if connection == slow:
            begun.set()
            assert go_on.wait(10)
        return clients.Client(None, connection.base_url, [])

    monkeypatch.setattr(runtime.clients, "make", make)
    started = runtime.Runtime()
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(started.client, slow) for _ in range(2)]
        assert begun.wait(10)
        other = pool.submit(started.client, HERE).result(10)
        assert not any(future.done() for future in waiting)
        go_on.set()
        first, second = (future.result(10) for future in waiting)
    started.loop.call_soon_threadsafe(started.loop.stop)

    assert first is second
    assert (first.base_url, other.base_url) == ("http://slow/v1", HERE.base_url)


def vars_of(connection: Connection) -> dict[str, object]:
    return {name: getattr(connection, name) for name in connection.__slots__}


def test_shutdown_and_start_again() -> None:
    """After a shutdown the thread is gone; the next call starts a new one."""
    before = runtime.get()
    before.client(HERE)
    runtime.shutdown()
    runtime.shutdown()

    assert not before.thread.is_alive()
    assert before.loop.is_closed()
    assert runtime.running() is None
    assert runtime.get() is not before


def test_secrets_do_not_show() -> None:
    """A connection shows neither its key nor its headers."""
    connection = Connection(
        sdk=OPENAI, base_url="u", api_key=Secret("sk-secret"), headers=(("x-api-key", "sk-two"),)
    )

    assert "sk-" not in repr(connection)
