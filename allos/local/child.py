"""The program of the child process: llama.cpp's server, until the parent process ends.

Runs as a script, so it imports nothing of allos. Configuration and key arrive as one JSON line on
standard input, the result is written as one JSON line to standard output. The parent keeps the
input open and never writes again: end of file means that the parent has ended or stops the server.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from typing import Any, NoReturn


def main() -> NoReturn:
    """Serve until standard input ends."""
    # Ctrl-C in a cell or a script interrupts a request, not the server.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # llama.cpp may print; the pipe to the parent must only contain our one line.
    report_fd = os.dup(1)
    os.dup2(2, 1)
    config = json.loads(sys.stdin.buffer.readline() or b"{}")
    if not config:
        os._exit(0)
    _end_with_the_parent()
    _no_core_dump()
    _report(report_fd, _start(config))
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    os._exit(0)


def _start(config: dict[str, Any]) -> dict[str, Any]:
    sys.path.extend(entry for entry in config["sys_path"] if entry not in sys.path)
    try:
        import xllamacpp
    except ImportError as error:
        return {"error": "import", "detail": str(error)}
    params = xllamacpp.CommonParams()
    params.model.path = config["path"]
    # Replies carry the alias as their `model`; without one they would show a path.
    params.model_alias = {config["alias"]}
    params.n_parallel = config["n_parallel"]
    params.n_ctx = config["n_ctx"]
    params.cpuparams.n_threads = config["n_threads"]
    params.cpuparams_batch.n_threads = config["n_threads"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [config["key"]]
    if config.get("chat_template"):
        params.chat_template = config["chat_template"]
    params.warmup = False
    params.ui = False
    params.endpoint_slots = False  # it would list the prompts of other requests
    # By default prompts are cached in up to 8 GB of memory; each slot keeps its last one anyway.
    params.cache_ram_mib = 0
    params.verbosity = 1  # errors only: the log must not grow with every request
    try:
        # Resource of the process: the server lives as long as this object.
        global _server
        _server = xllamacpp.Server(params)  # holds the GIL while it loads
    except (RuntimeError, ValueError) as error:
        return {"error": "load", "detail": str(error)}
    return {"address": _server.listening_address}


_server: Any = None


def _report(fd: int, report: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(fd, json.dumps(report).encode() + b"\n")
    if "error" in report:
        os._exit(1)


def _end_with_the_parent() -> None:
    """Let the operating system end this process when the pipe closes, even while loading holds the GIL."""
    if sys.platform == "win32":
        return
    import fcntl

    signal.signal(signal.SIGIO, signal.SIG_DFL)  # its default action is to terminate
    with contextlib.suppress(OSError):
        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)


def _no_core_dump() -> None:
    """Disable core dumps: they are large and contain prompts."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


if __name__ == "__main__":
    main()
