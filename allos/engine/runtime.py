"""The background loop thread of a process, and its clients.

All model I/O runs on it. The thread starts with the first call and ends at exit; a forked child
starts its own. "Loop thread" in docstrings and comments means that the code must run on it.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from allos import _process
from allos.engine.relay import Relay
from allos.errors import ConfigurationError
from allos.wire import clients

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    from allos.wire.connection import Connection

T = TypeVar("T")

_CLOSE_S = 2.0
"""How long the exit of the process waits for clients to close."""


class SharedClient:
    """A client and the number of calls that use it."""

    __slots__ = ("calls", "client", "released")

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls = 0
        self.released = False


class Runtime:
    """An event loop on a daemon thread, and its clients."""

    def __init__(self) -> None:
        import asyncio

        self.loop: asyncio.AbstractEventLoop = _new_loop()
        self.tasks: set[asyncio.Task[Any]] = set()  # loop thread only
        self.relay = Relay()  # loop thread only
        self._clients: dict[Connection, SharedClient] = {}
        # Guards _clients and their counts; held briefly, since the loop thread acquires it as well.
        self._clients_lock = threading.Lock()
        # One lock per connection: creating a client may take a second, and calls of other connections
        # must not wait for it.
        self._making: defaultdict[Connection, threading.Lock] = defaultdict(threading.Lock)
        self._asyncio = asyncio
        self.thread = threading.Thread(target=self._run, name="allos-loop", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self._asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    @property
    def is_loop_thread(self) -> bool:
        """Whether the caller is on the loop thread."""
        return threading.get_ident() == self.thread.ident

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop, in the caller's context. Any thread."""
        return self._asyncio.run_coroutine_threadsafe(work, self.loop)

    def client(self, connection: Connection) -> Any:
        """Return the client of a connection, creating it if needed. Any thread but the loop thread."""
        return self._shared(connection, 0).client

    def has_client(self, connection: Connection) -> bool:
        """Whether there is a client already, so that `borrow` only counts. Any thread."""
        with self._clients_lock:
            return connection in self._clients

    def borrow(self, connection: Connection) -> SharedClient:
        """Return the client for one call; `give_back` must follow. On the loop thread: see `has_client`."""
        return self._shared(connection, 1)

    def _shared(self, connection: Connection, calls: int) -> SharedClient:
        while True:
            with self._clients_lock:
                shared = self._clients.get(connection)
                if shared is not None:
                    shared.calls += calls
                    return shared
                making = self._making[connection]
            with making:
                if connection not in self._clients:
                    created = SharedClient(_build_client(connection))
                    with self._clients_lock:
                        current = self._clients.setdefault(connection, created)
                        self._making.pop(connection, None)
                    if current is not created:  # another one was created meanwhile
                        self._close_client(created)

    def give_back(self, shared: SharedClient) -> None:
        """End a call's use of a client; a released client is closed with its last call. Any thread."""
        with self._clients_lock:
            shared.calls -= 1
            unused = shared.released and not shared.calls
        if unused:
            self._close_client(shared)

    def release(self, connection: Connection, only: SharedClient | None = None) -> None:
        """Close a connection's client as soon as no call uses it. Any thread.

        Not if another one than `only` has taken its place.
        """
        with self._clients_lock:
            shared = self._clients.get(connection)
            if shared is None or only not in (None, shared):
                return
            del self._clients[connection]
            shared.released = True
            unused = not shared.calls
        if unused:
            self._close_client(shared)

    def _close_client(self, shared: SharedClient) -> None:
        if self.thread.is_alive():
            self.submit(shared.client.close())

    def close(self) -> None:
        """Cancel running calls, close the clients, end the thread. Main thread, at exit."""
        if not self.thread.is_alive() or self.is_loop_thread:
            return
        with suppress(TimeoutError, RuntimeError):
            self.submit(self._shutdown()).result(timeout=_CLOSE_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=_CLOSE_S)
        if not self.thread.is_alive():
            self.loop.close()

    async def _shutdown(self) -> None:
        running = [task for task in self.tasks if not task.done()]
        for task in running:
            task.cancel()
        if running:
            await self._asyncio.gather(*running, return_exceptions=True)
        with self._clients_lock:
            remaining, self._clients = list(self._clients.values()), {}
        for shared in remaining:
            await shared.client.close()
        # Connections are closed in callbacks of the loop; let them run.
        await self._asyncio.sleep(0.01)


def _build_client(connection: Connection) -> Any:
    try:
        return clients.make(connection)
    except ConfigurationError:
        raise
    except Exception as exc:  # noqa: BLE001 - certificates, proxies, SDKs: any configuration error
        reason = connection.redact(f"{type(exc).__name__}: {exc}")
    raise ConfigurationError(
        f"the connection to {connection.base_url} cannot be configured ({reason}). Check the certificates "
        "(SSL_CERT_FILE), the proxy (HTTPS_PROXY) and the headers. Nothing was sent."
    )


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # Windows
        import asyncio

        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    # Debug mode (-X dev) reports callbacks over 0.1 s: on a busy machine, any of them.
    loop.slow_callback_duration = 2.0
    return loop


# Resource of the process: the loop thread and its connections are shared by all sessions.
_lock = threading.Lock()  # guards _current: one runtime for each process
_current: Runtime | None = None


def get() -> Runtime:
    """Return the runtime of the process, starting it if needed. Any thread."""
    global _current
    runtime = _current
    if runtime is None:
        with _lock:
            if _current is None:
                _current = Runtime()
            runtime = _current
    return runtime


def running() -> Runtime | None:
    """Return the runtime of the process, or None if it was not started."""
    return _current


def shutdown() -> None:
    """End the loop thread; the next call starts a new one."""
    global _current
    with _lock:
        runtime, _current = _current, None
    if runtime is not None:
        runtime.close()


def _forget_after_fork() -> None:
    # The child has no loop thread, and another thread may have held the lock during the fork.
    global _current, _lock
    _current = None
    _lock = threading.Lock()


_process.on_exit(_process.ExitStage.ENGINE, shutdown)
_process.on_fork(after_in_child=_forget_after_fork)
