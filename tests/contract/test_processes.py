"""Whole processes: how they end, and what a fork does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.fake_server import FakeServer, Reply

START = """
import logging, sys, threading, warnings
# asyncio's debug mode (-X dev) reports callbacks over 0.1 s: on a busy machine, any of them.
logging.getLogger("asyncio").setLevel(logging.ERROR)
from allos.providers import ProviderRegistry
def provider(**more):
    return ProviderRegistry.get_provider("chat_completions", **{"model": "m", "base_url": sys.argv[1], **more})
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
    "after calls of all kinds": """
with provider() as p: p.chat('Hi')
with provider().stream('Hi') as s: list(s)
try: provider(max_attempts=1, deadline_s=1e-9).chat('Hi')
except Exception: pass
t = threading.Thread(target=lambda: print(provider().chat('Hi')))
t.start(); t.join()
""",
    "stream left early": "print(next(iter(provider().stream('Hi'))))",
    "after asyncio.run": """
import asyncio
async def main():
    print(await provider().achat('Hi'))
    async with provider().astream('Hi') as s:
        async for text in s: break
asyncio.run(main())
""",
    "while a call runs": """
call = provider().start('Hi', {}, lambda events: None)
print('Hello')
""",
    "with prices": """
p = ProviderRegistry.get_provider("openai", model="gpt-4o", api_key="k")
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


FORKED_CALL = """
import os, time
from allos.errors import ConfigurationError
p = provider()
stream = p.stream('one')
child = os.fork()
if child == 0:
    began = time.monotonic()
    try:
        list(stream)
    except ConfigurationError as exc:
        print('fork' in str(exc), time.monotonic() - began < 2, flush=True)
    del stream
    sys.exit(0)
_, status = os.waitpid(child, 0)
print(''.join(stream), status, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_fork_during_a_call() -> None:
    """A child that reads its parent's stream gets an error at once; the parent's stream continues."""
    answer = Reply("one two three", chunk_size=4, delay_s=0.1, first_delay_s=0.2)
    with FakeServer(answer) as server:
        done = run(FORKED_CALL, server, "-W", "ignore:This process:DeprecationWarning")

    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.split("\n")[:2] == ["True True", "one two three 0"]


PROXIES = """
import os
from allos.errors import ProviderError
p = ProviderRegistry.get_provider(
    "chat_completions", model="m", base_url="http://models.invalid/v1", api_key="sk-proxied",
    api=os.environ["API"], headers={"x-team": "red"}, max_attempts=1)
try:
    print(p.chat("Hi"), "".join(p.stream("Hi")))
except ProviderError as exc:
    print(type(exc).__name__, exc)
print(provider().chat("direct"))
"""


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
@pytest.mark.parametrize("around", [False, True], ids=["through", "around"])
def test_proxy(monkeypatch: pytest.MonkeyPatch, api: str, around: bool) -> None:
    """Calls go through HTTP_PROXY with key and headers, around it with NO_PROXY; loopback never."""
    with FakeServer("Hello") as server, FakeServer("Hello") as proxy:
        monkeypatch.setenv("API", api)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("NO_PROXY", "models.invalid" if around else "other.invalid")
        done = run(PROXIES, server)
        through = list(proxy.requests)

    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[-1] == "Hello"
    assert [seen.prompt for seen in server.requests] == ["direct"]
    if around:
        assert through == []
        assert lines[0].startswith("ProviderConnectionError chat_completions/m: no answer")
        assert "host name is not known" in lines[0]
        return
    assert lines[0] == "Hello Hello"
    assert [seen.path.startswith("http://models.invalid/v1/") for seen in through] == [True, True]
    assert {seen.key for seen in through} == {"sk-proxied"}
    assert {seen.headers["x-team"] for seen in through} == {"red"}


WRONG_SETUP = """
from allos.errors import ConfigurationError
assert provider().chat("Hi").content == "Hello"  # where nothing is encrypted, certificates do not matter
url = sys.argv[1].replace("http:", "https:")
p = provider(api_key="sk-not-shown", base_url=url)
for ask in (p.chat, lambda text: list(p.stream(text))):
    try:
        ask("Hi")
    except ConfigurationError as exc:
        assert "sk-not" not in str(exc) and exc.__cause__ is None
        print(str(exc).count("SSL_CERT_FILE"))
"""


def test_wrong_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that cannot be set up is one typed line, before anything is sent."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with FakeServer("Hello") as server:
        done = run(WRONG_SETUP, server)

    assert (done.stderr, done.stdout.split(), server.count) == ("", ["1", "1"], 1)
