"""The fake server: one thread, one event loop, one listening socket on 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from .ask import Ask
from .batches import KINDS, Batches
from .book import Book
from .http import Connection
from .paths import api_of, listing
from .plan import APIS, Plan, build, json_plan, shape_of
from .script import Answer, Fault, Reply
from .seen import Seen

_REQUIRED = {
    "chat": ("model", "messages"),
    "responses": ("model",),
    "messages": ("model", "messages", "max_tokens"),
}
_CACHE_SIZE = 256
T = TypeVar("T")


_FIRST_PORT, _PORTS = 20_000, 12_000
"""Below those that systems give away. None is used twice within minutes, by any of the processes that run the
tests: a client of an earlier test may still try to reach the port of its server, which is gone."""
_WORKERS = 4
_worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0) % _WORKERS
_numbers = itertools.count(os.getpid() * 101)


def _listening(port: int) -> socket.socket:
    """A socket that listens on this port, or for 0 on one that was not used lately."""
    if port:
        return socket.create_server(("127.0.0.1", port), backlog=4096)
    share = _PORTS // _WORKERS
    for number in itertools.islice(_numbers, share):
        with contextlib.suppress(OSError):  # somebody else has it
            chosen = _FIRST_PORT + _worker * share + number % share
            return socket.create_server(("127.0.0.1", chosen), backlog=4096)
    raise OSError("no port is free")


class FakeServer:
    """A scripted server that speaks Responses, Chat Completions and Messages.

    Parameters
    ----------
    reply : str or Reply
        Answer to every request until `reply` or `script` says otherwise.
    key : str or None
        The key that requests must bear; None takes any.
    models : sequence of str or dict
        What ``GET /models`` lists; a dict is sent as it stands.
    apis : sequence of str
        The APIs that exist here; the others answer 404.
    port : int
        0 takes a free one.
    record : bool
        Keep every request in `requests`. Off, the server only counts.

    Examples
    --------
    >>> with FakeServer("Hi") as server:
    ...     server.script(Fault.status(429, retry_after=1))
    ...     server.base_url.endswith("/v1")
    True
    """

    def __init__(
        self,
        reply: str | Answer = "Hello",
        *,
        key: str | None = None,
        models: Sequence[str | dict[str, Any]] = ("fake-model",),
        apis: Sequence[str] = tuple(APIS),
        port: int = 0,
        record: bool = True,
    ) -> None:
        self.key = key
        self.models = list(models)
        self.requests: list[Seen] = []
        """Every request so far, in order of arrival."""
        self.count = 0
        """Requests so far."""
        self.connections_seen = 0
        """Connections so far."""
        self.in_flight = 0
        """Requests that are being answered."""
        self.max_concurrency_seen = 0
        """Most requests that were being answered at one time."""
        self.errors: list[BaseException] = []
        """Failures of the server itself or of an answer that is a function; leaving raises them."""
        self.stopping = False
        """Whether `stop` was called."""
        self.batches = Batches(self._line_answer)
        """Its batch APIs: what was submitted, and what goes wrong with it."""
        self._apis = frozenset(apis)
        self._record = record
        self._book = Book()
        self._plans: dict[tuple[object, ...], tuple[Plan, Answer, Reply]] = {}
        self._connections: set[Connection] = set()
        self._changed = threading.Condition()
        self._started = threading.Event()
        self._created = int(time.time())
        self.reply(reply)
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.url}/v1"
        self._thread = threading.Thread(target=self._run, name="fake-server", daemon=True)

    # What tests say (any thread)

    def reply(self, answer: str | Answer, *, on: str | None = None) -> None:
        """Set the answer to every request that no script entry takes.

        Parameters
        ----------
        answer : str, Reply, Raw, Fault or callable
            A callable gets the `Seen` request and returns an entry.
        on : str or None
            Only for this model, or for this API (`chat`, `responses`, `messages`, `models`, `props`,
            `show`), or this part of a batch API (`files`, `batches`, `batch`, `results`).
        """
        self._book.standing[on] = Reply(answer) if isinstance(answer, str) else answer

    def script(self, *answers: str | Answer, on: str | None = None) -> None:
        """Queue answers: each takes one request, in order. `on` as in `reply`.

        The queue without `on` serves the three APIs, not the list of models.
        """
        queue = self._book.queues.setdefault(on, deque())
        queue.extend(Reply(a) if isinstance(a, str) else a for a in answers)

    def odds(self, *chances: tuple[float, Answer], seed: int = 0) -> None:
        """Let answers happen at random: pairs of a probability and an answer; none stops it."""
        self._book.random = random.Random(seed)
        self._book.chances = list(chances)

    # What tests ask (any thread)

    @property
    def unused(self) -> int:
        """Script entries that are still queued."""
        return sum(len(queue) for queue in self._book.queues.values())

    def wait_for(self, predicate: Callable[[], T], timeout_s: float = 5.0) -> T:
        """Wait until `predicate()` is true and return its value; TimeoutError after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not (value := predicate()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(
                        f"not true within {timeout_s} s; {self.count} requests, "
                        f"{self.in_flight} in flight, {len(self._connections)} connections"
                    )
                # The short tick serves predicates about something that is not the server's.
                self._changed.wait(min(left, 0.02))
        return value

    def wait_requests(self, count: int, timeout_s: float = 5.0) -> list[Seen]:
        """Wait until that many requests have arrived and return them."""
        self.wait_for(lambda: len(self.requests) >= count, timeout_s)
        return self.requests[:count]

    def wait_closed(self, seen: Seen, timeout_s: float = 5.0) -> bool:
        """Wait until the request's connection is gone; True when the client left early."""
        self.wait_for(lambda: seen.closed, timeout_s)
        return seen.closed_early

    @property
    def stats(self) -> dict[str, int]:
        """The counters; also served as ``GET /_stats``."""
        return {
            "count": self.count,
            "connections_seen": self.connections_seen,
            "max_concurrency_seen": self.max_concurrency_seen,
            "in_flight": self.in_flight,
        }

    # Life

    def start(self) -> Self:
        """Serve until `stop`."""
        self._thread.start()
        if not self._started.wait(10):
            raise TimeoutError("the fake server did not start within 10 s")
        return self

    def stop(self) -> None:
        """End all connections and the thread. Safe to call twice."""
        if not self._thread.is_alive():
            self._socket.close()
            return
        self.loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        if self._thread.is_alive():
            raise TimeoutError("the fake server did not stop within 10 s")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        if self.errors and exc is None:
            raise self.errors[0]

    def _run(self) -> None:
        # Debug mode (-X dev) would report slow callbacks of a busy machine on stderr.
        with asyncio.Runner(debug=False, loop_factory=_loop_factory()) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._empty = asyncio.Event()
        listener = await self.loop.create_server(self._connect, sock=self._socket, backlog=4096)
        self._started.set()
        await self._stopping.wait()
        self.stopping = True
        listener.close()
        await asyncio.sleep(0)  # connections that it has accepted open now
        tasks = [c.task for c in self._connections if c.task is not None]
        for connection in list(self._connections):
            connection.kill()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._connections:
            await asyncio.wait_for(self._empty.wait(), 5)

    # What connections tell (server's thread)

    def _connect(self) -> Connection:
        self.connections_seen += 1
        return Connection(self, self.connections_seen)

    def opened(self, connection: Connection) -> None:
        """Note a new connection; one that was accepted as the server stopped ends at once."""
        self._connections.add(connection)
        if self.stopping:
            connection.kill()
        self._notify()

    def lost(self, connection: Connection) -> None:
        """Note a connection that is gone."""
        self._connections.discard(connection)
        if self.stopping and not self._connections:
            self._empty.set()
        self._notify()

    def next_number(self) -> int:
        """Number of the next request."""
        self.count += 1
        return self.count

    def receive(self, seen: Seen) -> Plan:
        """Note a request and decide its answer."""
        path = seen.path.partition("?")[0].rstrip("/")
        seen.api = api_of(path)
        if path == "/_stats":
            # The question itself is no part of its answer.
            self.count -= 1
            plan = json_plan(seen, self.stats)
            self.in_flight += 1
            return plan
        self.in_flight += 1
        self.max_concurrency_seen = max(self.max_concurrency_seen, self.in_flight)
        if self._record:
            self.requests.append(seen)
        self._notify()
        try:
            return self._refusal(seen, path) or self._answer(seen, path)
        except Exception as exc:  # noqa: BLE001 - a bug here must fail the test, not hang it
            self.errors.append(exc)
            return json_plan(seen, {"error": {"message": f"fake server: {exc!r}"}}, 500)

    def finished(self, seen: Seen) -> None:
        """Note that a request is answered, or was given up by its client."""
        self.in_flight -= 1
        self._notify()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _line_answer(self, seen: Seen) -> dict[str, Any]:
        """Body that answers one line of a batch."""
        ask = Ask.of(seen, self._created)
        body: dict[str, Any] = APIS[str(seen.api)].complete(_line_answer_of(self._book, seen), ask)
        return body

    def _refusal(self, seen: Seen, path: str) -> Plan | None:
        api = APIS[shape_of(seen)]
        known = seen.api is not None and "/v1/v1/" not in path
        if not known or (seen.api in APIS and seen.api not in self._apis):
            return json_plan(seen, api.error(404, f"Unknown path: {path}"), 404)
        if self.key is not None and seen.key != self.key:
            return build(Fault.bad_key(), seen, Ask.of(seen, self._created), Reply())
        for name in _REQUIRED.get(str(seen.api), ()):
            if not isinstance(seen.body, dict) or name not in seen.body:
                return json_plan(seen, api.error(400, f"{name}: Field required"), 400)
        return None

    def _answer(self, seen: Seen, path: str) -> Plan:
        ask = Ask.of(seen, self._created)
        answer = self._book.pick(seen)
        if answer is None and seen.api in KINDS:
            return build(self.batches.answer(seen, path), seen, ask, Reply())
        if answer is None:
            return json_plan(seen, *listing(self.models, path, seen))
        if callable(answer):
            return build(answer(seen), seen, ask, Reply("Hello"))
        # One rendering serves all equal requests: benchmarks must not measure the renderer.
        fallback = self._book.fallback(seen)
        cache_key: tuple[object, ...] = (id(answer), shape_of(seen), ask)
        if isinstance(answer, Fault):
            cache_key += (id(fallback), seen.key)
        cached = self._plans.get(cache_key)
        if cached is None:
            if len(self._plans) >= _CACHE_SIZE:
                self._plans.clear()
            # StoredKey beside the plan, so that their ids stay theirs.
            cached = (build(answer, seen, ask, fallback), answer, fallback)
            self._plans[cache_key] = cached
        return cached[0]


def _line_answer_of(book: Book, seen: Seen) -> Reply:
    answer = book.fallback(seen)
    standing = book.standing.get(seen.model) or book.standing.get(seen.api) or book.standing[None]
    entry = standing(seen) if callable(standing) else answer
    assert isinstance(entry, Reply)
    return entry


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
