"""One child process that serves one model: start it, notice its end, stop it.

The child reads from a pipe whose only write end is ours, so it ends when this process ends, however
that happens. A forked copy of this process closes its copy of the write end at once: it can neither
keep the child alive nor stop it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from allos import _process
from allos.errors import ConfigurationError, ProviderTimeoutError
from allos.local.model_files import install_command

_LOG_TAIL_BYTES = 64 * 1024
_STOP_TIMEOUT_S = 2.0

# Process-wide: held from creating the pipes until they are in `_running`, and across a fork, so that no
# forked copy inherits a pipe that it does not know.
_spawn_lock = threading.Lock()
# Resource of the process: its running children, stopped when it ends.
_running: set[ChildProcess] = set()


class ChildProcess:
    """A child process of a model server; `wait_ready` waits until it serves.

    Parameters
    ----------
    config : mapping
        Configuration of the server, the key included; sent through a pipe.
    command : sequence of str or None
        Command to run instead of the server.
    """

    def __init__(self, config: Mapping[str, Any], command: Sequence[str] | None = None) -> None:
        self.name = str(config.get("alias"))
        self.ended = threading.Event()
        self._first_line = b""
        self._error_line = ""
        self._reported = threading.Event()
        # Open for the life of the child; the watcher closes it.
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - see above
        try:
            self._spawn(command or _server_command())
        except OSError as error:
            self._log.close()
            raise ConfigurationError(
                f"Cannot start a process for the embedded model: {error.strerror or error}."
            ) from error
        self._watcher = threading.Thread(
            target=self._watch, name=f"allos-local-{self.name}", daemon=True
        )
        self._watcher.start()
        self._send({**config, "sys_path": [os.path.abspath(entry) for entry in sys.path]})

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def wait_ready(self, timeout_s: float) -> str:
        """Return the URL of the server, such as ``"http://127.0.0.1:43479"``.

        Parameters
        ----------
        timeout_s : float
            Seconds to wait.

        Raises
        ------
        ConfigurationError
            llama.cpp cannot be imported or cannot load the model, or it crashed doing so.
        ProviderTimeoutError
            It was not ready in time.
        """
        try:
            in_time = self._reported.wait(timeout_s)
        except BaseException:
            self.stop()
            raise
        report = self._report()
        if "address" in report:
            return str(report["address"])
        if not in_time:
            self._process.kill()
        self.stop()
        raise self._failure(report, None if in_time else timeout_s)

    def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> None:
        """Stop the child and wait until it has ended; a second call does nothing.

        Parameters
        ----------
        timeout_s : float
            Seconds after which it is killed.
        """
        _close(self._process.stdin)
        self._watcher.join(timeout_s)
        if self._watcher.is_alive():
            self._process.kill()
            self._watcher.join()
        _running.discard(self)

    def abandon(self) -> None:
        """Release a child that belongs to another process (after a fork, in the copy)."""
        self._process.returncode = 0  # else the garbage collector warns of a running child
        for stream in (self._process.stdin, self._process.stdout, self._log):
            _close(stream)
        self.ended.set()

    def _spawn(self, command: Sequence[str]) -> None:
        # Its own process group: Ctrl-C in the terminal and the notebook's stop button, which signal
        # the whole group, do not reach the child.
        new_group: dict[str, Any] = (
            {"creationflags": 0x08000200}  # CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP
            if sys.platform == "win32"
            else {"start_new_session": True}
        )
        with _spawn_lock:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                bufsize=0,  # buffers have locks, and a fork may copy one that is locked
                # Waiting threads sleep instead of spinning: 15 times faster beside a busy neighbour.
                env={**os.environ, "OMP_WAIT_POLICY": "passive"},
                **new_group,
            )
            _running.add(self)

    def _send(self, config: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        # A child that ended at once has closed the pipe; wait_ready raises the reason.
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(config).encode() + b"\n")

    def _watch(self) -> None:
        # Own thread: reads the report, then waits for the child, so that a crash is noticed at once and
        # leaves no zombie process.
        stdout = self._process.stdout
        assert stdout is not None
        self._first_line = stdout.readline()
        if self._first_line:
            self._reported.set()
            stdout.read()
        self._process.wait()
        self._error_line = _first_error_line(self._log)
        for stream in (stdout, self._process.stdin, self._log):
            _close(stream)
        self.ended.set()
        self._reported.set()
        _running.discard(self)

    def _report(self) -> dict[str, Any]:
        try:
            report = json.loads(self._first_line)
        except ValueError:
            return {}
        return report if isinstance(report, dict) else {}

    def _failure(self, report: Mapping[str, Any], timeout_s: float | None) -> Exception:
        logged = f" It logged: {self._error_line}" if self._error_line else ""
        if timeout_s is not None:
            return ProviderTimeoutError(
                f"The embedded model {self.name!r} was not ready after {timeout_s:g} s.{logged}",
                provider="local",
                model=self.name,
                retryable=False,
            )
        if report.get("error") == "import":
            return ConfigurationError(
                f"llama.cpp cannot be loaded ({one_line(str(report.get('detail')))}). "
                f"Reinstall xllamacpp, or run: {install_command()}"
            )
        if report:
            return ConfigurationError(f"llama.cpp cannot load the model {self.name!r}.{logged}")
        how = _exit_reason(self._process.returncode)
        return ConfigurationError(f"llama.cpp {how} while it loaded {self.name!r}.{logged}")


def one_line(text: str, limit: int = 300) -> str:
    r"""Text on one line, without control characters, cut to `limit` characters.

    Examples
    --------
    >>> one_line("two\n lines ")
    'two lines'
    """
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


def _server_command() -> list[str]:
    # By path and with -P: this works wherever allos was imported from, and no file beside the script
    # shadows a library.
    return [sys.executable, "-P", str(Path(__file__).with_name("child.py"))]


def _exit_reason(returncode: int | None) -> str:
    if returncode is None or returncode >= 0:
        return f"ended with code {returncode}"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = f"signal {-returncode}"
    hint = ", often for lack of memory" if name == "SIGKILL" else ""
    return f"crashed ({name}{hint})"


def _first_error_line(log: IO[bytes]) -> str:
    log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES))
    lines = [one_line(line) for line in log.read().decode("utf-8", "replace").split("\n")]
    lines = [line for line in lines if line]
    # llama.cpp logs the cause in its first error line; later ones only repeat that it failed.
    errors = [line for line in lines if " E " in line] or lines[-1:]
    return errors[0].rpartition(" E ")[2] if errors else ""


def _close(stream: IO[bytes] | None) -> None:
    with contextlib.suppress(OSError):
        if stream is not None:
            stream.close()


def _stop_running() -> None:
    for child in list(_running):
        child.stop()


def _before_fork() -> None:
    _spawn_lock.acquire()


def _after_fork_in_child() -> None:
    _spawn_lock.release()  # acquired before the fork, by the thread that continues here
    for child in _running:
        child.abandon()
    _running.clear()


_process.on_exit(_process.ExitStage.SERVERS, _stop_running)
_process.on_fork(
    before=_before_fork,
    after_in_parent=_spawn_lock.release,
    after_in_child=_after_fork_in_child,
)
