"""The program of the child process: llama.cpp's server, until the parent is gone.

Runs as a script, so it imports nothing of allos. Orders and the key come as one JSON line on
standard input, the answer goes back as one JSON line on standard output. The parent keeps the
input open and never writes again: its end of file means that the parent has died or wants an end.
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
    # The person who interrupts a cell or a script interrupts a request, not the server.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # llama.cpp may print; the pipe back to the parent carries our one line and nothing else.
    report_fd = os.dup(1)
    os.dup2(2, 1)
    order = json.loads(sys.stdin.buffer.readline() or b"{}")
    if not order:
        os._exit(0)
    _end_with_the_parent()
    _no_core_dump()
    _report(report_fd, _start(order))
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    os._exit(0)


def _start(order: dict[str, Any]) -> dict[str, Any]:
    sys.path.extend(entry for entry in order["sys_path"] if entry not in sys.path)
    try:
        import xllamacpp
    except ImportError as error:
        return {"error": "import", "detail": str(error)}
    params = xllamacpp.CommonParams()
    params.model.path = order["path"]
    # Replies carry the alias as their `model`; without one they would show a path.
    params.model_alias = {order["alias"]}
    params.n_parallel = order["n_parallel"]
    params.n_ctx = order["n_ctx"]
    params.cpuparams.n_threads = order["n_threads"]
    params.cpuparams_batch.n_threads = order["n_threads"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [order["key"]]
    params.warmup = False
    params.ui = False
    params.endpoint_slots = False  # it would list the prompts of other requests
    # By default prompts are kept in up to 8 GB of memory; the slots remember their own last one.
    params.cache_ram_mib = 0
    params.verbosity = 1  # errors alone: the log must not grow with every request
    try:
        # StoredKey by the module, since the server lives as long as the object.
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
    """Let the kernel end this process when the pipe ends, also while a load holds the GIL."""
    if sys.platform == "win32":
        return
    import fcntl

    signal.signal(signal.SIGIO, signal.SIG_DFL)  # its default action is to terminate
    with contextlib.suppress(OSError):
        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)


def _no_core_dump() -> None:
    """Keep prompts out of core files, and the disk free of them."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


if __name__ == "__main__":
    main()
