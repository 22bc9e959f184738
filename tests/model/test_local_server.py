"""The embedded server for real: a llama.cpp process that serves SmolLM2."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from allos.errors import ConfigurationError
from allos.local import LocalServer, find_model, serve, stop_all
from tests.support.processes import Child

pytestmark = pytest.mark.model

DEADLINE_S = 30.0
QUESTION = [{"role": "user", "content": "Say hi"}]
BODIES = {
    "/chat/completions": {"messages": QUESTION, "max_tokens": 6},
    "/responses": {"input": "Say hi", "max_output_tokens": 6},
    "/messages": {"messages": QUESTION, "max_tokens": 6},
}
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals and fork are POSIX")


@pytest.fixture
def server() -> LocalServer:
    return serve("smollm2")


def post(server: LocalServer, path: str, body: dict[str, Any], key: str | None = None) -> Any:
    request = urllib.request.Request(
        server.base_url + path,
        data=json.dumps({"model": server.model, **body}).encode(),
        headers={
            "Authorization": f"Bearer {server.secret.reveal() if key is None else key}",
            "Content-Type": "application/json",
        },
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=DEADLINE_S) as reply:
        return json.loads(reply.read())


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:  # ended, but not yet collected by whoever inherited it
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def script(text: str, *flags: str) -> Child[str]:
    return Child(
        [sys.executable, "-W", "ignore::DeprecationWarning", *flags, "-c", textwrap.dedent(text)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_line(process: Child[str]) -> list[str]:
    assert process.stdout is not None
    line = process.stdout.readline()

    assert line, process.communicate()[1]
    return line.split()


@pytest.mark.parametrize("path", BODIES)
def test_answers_on_each_api(server: LocalServer, path: str) -> None:
    """All three wire APIs answer, under the model's short name."""
    reply = post(server, path, BODIES[path])

    assert reply["model"] == "smollm2"
    assert reply["usage"]


@pytest.mark.parametrize("path", BODIES)
def test_wrong_key(server: LocalServer, path: str) -> None:
    """Another local user who finds the port is turned away."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(server, path, BODIES[path], key="wrong")
    caught.value.close()

    assert caught.value.code == 401


def test_facts(server: LocalServer) -> None:
    """The handle knows the address, the context of one request and the process; never the key."""
    assert server.base_url.startswith("http://127.0.0.1:")
    assert server.base_url.endswith("/v1")
    assert server.context_window == 4096
    assert server.alive
    assert server.secret.reveal() not in repr(server) + repr(vars(server))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
def test_key_travels_by_pipe(server: LocalServer) -> None:
    """Neither the command line nor the environment of the child holds the key."""
    place = Path(f"/proc/{server.pid}")
    visible = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()

    assert server.secret.reveal().encode() not in visible


def test_one_server_for_threads_that_ask_at_once() -> None:
    """Eight threads that need the model at the same moment share one process."""
    stop_all()
    barrier = threading.Barrier(8)
    pids: list[int] = []

    def ask() -> None:
        barrier.wait(DEADLINE_S)
        pids.append(serve("smollm2").pid)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)

    assert len(pids) == 8
    assert len(set(pids)) == 1


def test_model_by_path(tmp_path: Path) -> None:
    """A file works by its path, and the reply names its stem, not its place."""
    path = tmp_path / "mine.gguf"
    path.symlink_to(find_model("smollm2"))
    server = serve(str(path))
    try:
        reply = post(server, "/chat/completions", {**BODIES["/chat/completions"], "model": "x"})
    finally:
        server.stop()

    assert reply["model"] == server.model == "mine"
    assert str(tmp_path) not in json.dumps(reply)


@posix_only
def test_restarts_after_a_crash(server: LocalServer) -> None:
    """A server that was killed is noticed and replaced at the next call."""
    os.kill(server.pid, signal.SIGKILL)

    assert until(lambda: not server.alive)
    again = serve("smollm2")

    assert again.pid != server.pid
    assert post(again, "/chat/completions", BODIES["/chat/completions"])["choices"]


def test_stop_is_final_and_leaves_no_process() -> None:
    """A stopped server has ended, stopping twice is allowed, and the next call starts a new one."""
    server = serve("smollm2")
    server.stop()
    server.stop()
    stop_all()

    assert not server.alive
    assert is_gone(server.pid)
    assert serve("smollm2").alive


def test_damaged_model(tmp_path: Path) -> None:
    """A file that only llama.cpp finds damaged gives one line; this process goes on."""
    path = tmp_path / "damaged.gguf"
    shutil.copyfile(find_model("smollm2"), path)
    os.truncate(path, path.stat().st_size - 64)
    with pytest.raises(ConfigurationError) as caught:
        serve(str(path))

    assert "cannot load the model 'damaged'" in str(caught.value)
    assert "\n" not in str(caught.value)


@posix_only
def test_ends_when_the_parent_is_killed() -> None:
    """`kill -9` of the process that started it ends the server."""
    with script("""
        import os, signal
        from allos.local import serve
        print(serve("smollm2").pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """) as parent:
        pid = int(first_line(parent)[0])

        assert until(lambda: is_gone(pid))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
def test_ends_when_the_parent_is_killed_while_it_loads() -> None:
    """Even a child that is busy loading, with the GIL held, ends with its parent."""
    with script("""
        import os, signal, time
        from allos.local import find_model
        from allos.local.process import ChildProcess
        path = str(find_model("smollm2"))
        child = ChildProcess({"path": path, "alias": "x", "key": "k" * 20, "n_parallel": 64,
                              "n_ctx": 64 * 4096, "n_threads": 1})
        while path not in open(f"/proc/{child.pid}/maps").read():
            time.sleep(0.001)
        print(child.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """) as parent:
        pid = int(first_line(parent)[0])

        assert until(lambda: is_gone(pid))


def test_silent_at_exit() -> None:
    """A script that used a model ends with no warning and no process left."""
    with script(
        """
        from allos.local import serve
        print(serve("smollm2").pid, flush=True)
        """,
        *("-X", "dev", "-W", "error"),
    ) as parent:
        out, err = parent.communicate(timeout=DEADLINE_S)

        assert err == ""
        assert parent.returncode == 0
        assert is_gone(int(out))


@posix_only
def test_interrupt_does_not_reach_the_server() -> None:
    """The stop button signals the whole process group; the server goes on."""
    with script("""
        import signal, sys
        from allos.local import serve
        server = serve("smollm2")
        try:
            print(server.pid, flush=True)
            sys.stdin.read()
        except KeyboardInterrupt:
            print(server.alive, serve("smollm2").pid, flush=True)
    """) as parent:
        pid = first_line(parent)[0]
        os.killpg(parent.pid, signal.SIGINT)

        assert first_line(parent) == ["True", pid]
        parent.communicate(timeout=DEADLINE_S)


@posix_only
def test_fork_uses_but_never_stops() -> None:
    """A forked copy reaches the server and leaves it running when it stops "all" and exits."""
    with script(
        """
        import os, sys
        from allos.local import serve, stop_all
        server = serve("smollm2")
        pid = os.fork()
        if pid == 0:
            same = serve("smollm2").pid == server.pid and server.alive
            server.stop()
            stop_all()
            sys.exit(7 if same else 8)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), server.alive, flush=True)
        """,
        *("-X", "dev"),
    ) as parent:
        out, err = parent.communicate(timeout=DEADLINE_S)

        assert (out.split(), err) == (["7", "True"], "")


@posix_only
def test_fork_does_not_keep_the_server_and_starts_its_own() -> None:
    """When the parent is killed its server ends, though a forked copy lives on and starts another."""
    with script("""
        import os, signal, sys, time
        from allos.local import serve
        server = serve("smollm2")
        parent = os.getpid()
        if os.fork() == 0:
            os.kill(parent, signal.SIGKILL)
            while server.alive:
                time.sleep(0.01)
            print(server.pid, serve("smollm2").pid, flush=True)
            sys.stdin.read()
        else:
            sys.stdin.read()
    """) as parent:
        old, new = map(int, first_line(parent))

        assert until(lambda: is_gone(old))
        assert not is_gone(new)
        parent.stdin.close()  # type: ignore[union-attr]  # it is a PIPE
        parent.stdin = None

        assert until(lambda: is_gone(new))
