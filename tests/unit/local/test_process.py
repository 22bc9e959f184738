"""The child process, with small programs in place of llama.cpp."""

from __future__ import annotations

import json
import os
import sys
import threading

import pytest

from allos.errors import ConfigurationError, ProviderTimeoutError
from allos.local.process import ChildProcess, one_line

ECHO = """
import json, sys
order = json.loads(sys.stdin.readline())
print(json.dumps({"address": order["key"]}), flush=True)
sys.stdin.read()
"""


pytestmark = pytest.mark.process


def child(program: str, **order: str) -> ChildProcess:
    return ChildProcess({"alias": "m", **order}, [sys.executable, "-c", program])


def failure(program: str, timeout_s: float = 30.0) -> Exception:
    started = child(program)
    with pytest.raises((ConfigurationError, ProviderTimeoutError)) as caught:
        started.wait_ready(timeout_s)

    assert started.ended.is_set()
    assert "\n" not in str(caught.value)
    return caught.value


def test_orders_and_report_go_through_pipes() -> None:
    """The child gets its orders on standard input and tells its address on standard output."""
    started = child(ECHO, key="http://127.0.0.1:1")
    try:
        assert started.wait_ready(30.0) == "http://127.0.0.1:1"
        assert not started.ended.is_set()
    finally:
        started.stop()

    assert started.ended.is_set()


def test_stop_ends_a_child_that_does_not_listen() -> None:
    """A child that ignores the end of its input is killed."""
    started = child(
        'print(\'{"address": "x"}\', flush=True)\nimport threading\nthreading.Event().wait()'
    )
    started.wait_ready(30.0)
    started.stop(timeout_s=0.05)

    assert started.ended.is_set()


def test_no_thread_or_process_is_left() -> None:
    """After the end of a child nothing of it remains, not even a zombie."""
    started = child(ECHO, key="x")
    started.wait_ready(30.0)
    started.stop()

    assert not [t for t in threading.enumerate() if t.name.startswith("allos-local")]
    with pytest.raises(ProcessLookupError):
        os.kill(started.pid, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import os; os.abort()", "crashed (SIGABRT)"),
        ("import os; os.kill(os.getpid(), 9)", "crashed (SIGKILL, often for lack of memory)"),
    ],
)
def test_native_crash(program: str, words: str) -> None:
    """A crash while loading is one line that names the signal."""
    error = failure(program)

    assert isinstance(error, ConfigurationError)
    assert words in str(error)


def test_last_words() -> None:
    """The message quotes the first error line of the log, not the repetitions after it."""
    error = failure(
        "import sys\n"
        "print('0.00.1 I srv: loading', file=sys.stderr)\n"
        "print('0.00.2 E gguf: tensor is broken', file=sys.stderr)\n"
        "print('0.00.3 E srv: failed to load', file=sys.stderr)\n"
        'print(\'{"error": "load"}\')\n'
    )

    assert str(error) == "llama.cpp cannot load the model 'm'. It logged: gguf: tensor is broken"


def test_library_that_does_not_load() -> None:
    """A broken installation of llama.cpp names the reason and the command."""
    report = json.dumps({"error": "import", "detail": "GLIBC_2.99\nnot found"})
    error = failure(f"print({report!r})")

    assert "(GLIBC_2.99 not found)" in str(error)
    assert "python -m allos local install" in str(error)


@pytest.mark.parametrize("program", ["", "print('nonsense')", "print('[1]')"])
def test_child_that_ends_without_a_report(program: str) -> None:
    """Silence or nonsense instead of a report is a clear error."""
    assert "ended with code 0" in str(failure(program))


def test_deadline() -> None:
    """A child that never reports is killed when the time is over."""
    error = failure("import threading; threading.Event().wait()", timeout_s=0.05)

    assert isinstance(error, ProviderTimeoutError)
    assert not error.retryable
    assert "not ready after 0.05 s" in str(error)


def test_program_that_does_not_exist() -> None:
    """Where processes cannot be started, one line says so."""
    with pytest.raises(ConfigurationError, match="Cannot start a process"):
        ChildProcess({"alias": "m"}, ["/nonexistent/program"])


def test_one_line() -> None:
    """Text of a native library is shown without line breaks, control characters or excess."""
    assert one_line("a\n\x1b[31mb\t c") == "a [31mb c"
    assert one_line("x" * 400, limit=5) == "xxxx…"
