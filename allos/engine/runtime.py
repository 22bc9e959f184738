"""The one background loop thread of a process, and the clients that live on it.

All model I/O runs here. The thread starts with the first call and ends at exit; a forked child
starts its own. Everything below "loop thread" in a comment runs on it.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from allos import _process
from allos.errors import ConfigurationError
from allos.wire import clients

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    from allos.wire.connection import Connection

T = TypeVar("T")

_CLOSE_S = 2.0
"""How long exit waits for clients to close."""


class SharedClient:
    """A client, and how many calls use it."""

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
        self._clients: dict[Connection, SharedClient] = {}
        # Guards _clients and their counts; held for a moment only, the loop thread takes it as well.
        self._clients_lock = threading.Lock()
        # One client for each connection; making one may take a second, for which the calls of other
        # connections do not wait.
        self._making: defaultdict[Connection, threading.Lock] = defaultdict(threading.Lock)
        self._asyncio = asyncio
        self.thread = threading.Thread(target=self._run, name="allos-loop", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self._asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    @property
    def here(self) -> bool:
        """Whether the caller is on the loop thread."""
        return threading.get_ident() == self.thread.ident

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop; the caller's context goes along. Any thread."""
        return self._asyncio.run_coroutine_threadsafe(work, self.loop)

    def client(self, connection: Connection) -> Any:
        """Return the client of a connection, building it if it is new. Any thread but the loop's."""
        return self._shared(connection, 0).client

    def borrow(self, connection: Connection) -> SharedClient:
        """Return the client for one call; `give_back` must follow. Any thread but the loop's."""
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
                    made = SharedClient(_made(connection))
                    with self._clients_lock:
                        kept = self._clients.setdefault(connection, made)
                        self._making.pop(connection, None)
                    if kept is not made:  # made, released and made again meanwhile
                        self._close_client(made)

    def give_back(self, shared: SharedClient) -> None:
        """End a call's use of a client; the last one closes it, once it is released. Any thread."""
        with self._clients_lock:
            shared.calls -= 1
            unused = shared.released and not shared.calls
        if unused:
            self._close_client(shared)

    def release(self, connection: Connection) -> None:
        """Close a connection's client as soon as no call uses it. Any thread."""
        with self._clients_lock:
            shared = self._clients.pop(connection, None)
            if shared is None:
                return
            shared.released = True
            unused = not shared.calls
        if unused:
            self._close_client(shared)

    def _close_client(self, shared: SharedClient) -> None:
        if self.thread.is_alive():
            self.submit(shared.client.close())

    def close(self) -> None:
        """Cancel what runs, close the clients, end the thread. Main thread, at exit."""
        if not self.thread.is_alive() or self.here:
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
            left, self._clients = list(self._clients.values()), {}
        for shared in left:
            await shared.client.close()
        # Connections say good-bye in callbacks of the loop; give them their turn.
        await self._asyncio.sleep(0.01)


def _made(connection: Connection) -> Any:
    try:
        return clients.make(connection)
    except Exception as exc:  # noqa: BLE001 - certificates, proxies, SDKs: whatever is set up wrongly
        words = connection.redact(f"{type(exc).__name__}: {exc}")
    raise ConfigurationError(
        f"the connection to {connection.base_url} cannot be set up ({words}). Check the certificates "
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


# The loop thread is the process's, not a session's: connections are shared by all sessions.
_lock = threading.Lock()  # guards _current: one runtime for each process
_current: Runtime | None = None


def get() -> Runtime:
    """Return the process's runtime, starting it if need be. Any thread."""
    global _current
    runtime = _current
    if runtime is None:
        with _lock:
            if _current is None:
                _current = Runtime()
            runtime = _current
    return runtime


def running() -> Runtime | None:
    """Return the process's runtime if one was started."""
    return _current


def shutdown() -> None:
    """End the loop thread; the next call starts a new one."""
    global _current
    with _lock:
        runtime, _current = _current, None
    if runtime is not None:
        runtime.close()


def _forget_after_fork() -> None:
    # The child has no loop thread, and a lock may have been held elsewhere when it was copied.
    global _current, _lock
    _current = None
    _lock = threading.Lock()


_process.on_exit(_process.ExitStage.ENGINE, shutdown)
_process.on_fork(after_in_child=_forget_after_fork)
