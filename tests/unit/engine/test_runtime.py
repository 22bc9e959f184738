from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from allos.engine import runtime
from allos.secret import Secret
from allos.wire.base import Connection
from tests.fake_server import FakeServer

HERE = Connection(sdk="openai", base_url="http://127.0.0.1:9/v1", api_key=Secret("k"), direct=True)


async def thread_name() -> str:
    return threading.current_thread().name


def test_one_loop_thread() -> None:
    """Whichever thread asks, work runs on the one loop thread."""
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: runtime.get().submit(thread_name()).result(5), range(32)))

    assert set(names) == {"allos-loop"}
    assert runtime.running() is runtime.get()
    assert not runtime.get().here


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


def test_here() -> None:
    """Only the loop thread is here."""

    async def here() -> bool:
        return runtime.get().here

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


def vars_of(connection: Connection) -> dict[str, object]:
    return {name: getattr(connection, name) for name in connection.__slots__}


def test_limits_are_shared() -> None:
    """All calls of one key and host share one limiter."""
    made = runtime.get()

    async def limits() -> tuple[asyncio.Semaphore, asyncio.Semaphore, asyncio.Semaphore]:
        return made.limit("a", 2), made.limit("a", 2), made.limit("b", 2)

    one, two, three = made.submit(limits()).result(5)

    assert one is two
    assert one is not three


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
        sdk="openai", base_url="u", api_key=Secret("sk-secret"), headers=(("x-api-key", "sk-two"),)
    )

    assert "sk-" not in repr(connection)


# ---- whole processes

START = """
import sys, threading, warnings
from allos.providers import ProviderRegistry
def provider(**more):
    return ProviderRegistry.get_provider("chat_completions", model="m", base_url=sys.argv[1], **more)
"""


def run(code: str, server: FakeServer, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", *flags, "-c", START + code, server.base_url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


EXITS = {
    "after a call": "print(provider().chat('Hi'))",
    "after close": "with provider() as p: print(p.chat('Hi'))",
    "after a stream": "with provider().stream('Hi') as s: print(''.join(s))",
    "stream left early": """
s = provider().stream('Hi')
print(next(iter(s)) and 'Hello')
""",
    "after an error": """
try: provider(max_attempts=1, deadline_s=1e-9).chat('Hi')
except Exception: print('Hello')
""",
    "after asyncio.run": """
import asyncio
async def main():
    print(await provider().achat('Hi'))
    async with provider().astream('Hi') as s:
        async for text in s: break
asyncio.run(main())
""",
    "while a call runs": """
call = provider().start('Hi', {}, emit=lambda events: None)
print('Hello')
""",
    "from a thread": """
t = threading.Thread(target=lambda: print(provider().chat('Hi')))
t.start(); t.join()
""",
    "with prices": """
p = ProviderRegistry.get_provider("openai", model="gpt-4o", base_url=None, api_key="k")
print(p.chat('Hi'))
""",
    "nothing called": "import allos; print('Hello')",
}


@pytest.mark.parametrize("name", EXITS)
def test_exit_is_silent(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process ends with nothing on stderr, every warning an error, whatever it had under way."""
    with FakeServer("Hello") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        done = run(EXITS[name], server)

    assert (done.stderr, done.stdout.strip(), done.returncode) == ("", "Hello", 0)


def test_shutdown_leaves_no_thread() -> None:
    """After a shutdown only the main thread is left of us."""
    code = """
provider().chat('Hi')
from allos.engine import runtime
runtime.shutdown()
print([t.name for t in threading.enumerate() if t.name.startswith("allos")])
"""
    with FakeServer("Hello") as server:
        done = run(code, server)

    assert (done.stderr, done.stdout.strip(), done.returncode) == ("", "[]", 0)


FORK = """
import os
p = provider()
print(p.chat('one'), flush=True)
parent = threading.get_ident()
child = os.fork()
if child == 0:
    print(p.chat('two'), flush=True)
    sys.exit(0)
_, status = os.waitpid(child, 0)
print(p.chat('three'), status, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_fork() -> None:
    """A forked child has a loop thread of its own; parent and child both go on, in silence."""
    with FakeServer("Hello") as server:
        # Python itself warns of fork beside threads from 3.12 on; that is the user's choice here.
        done = run(FORK, server, "-W", "ignore:This process:DeprecationWarning")
        prompts = [seen.prompt for seen in server.requests]
        connections = [seen.connection_id for seen in server.requests]

    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.split("\n")[:3] == ["Hello", "Hello", "Hello 0"]
    assert prompts == ["one", "two", "three"]
    assert connections[0] != connections[1]
    assert connections[0] == connections[2]
