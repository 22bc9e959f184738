"""`serve`: one llama.cpp server per model, shared by all callers of this process."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import threading
from pathlib import Path

from allos import _process
from allos.errors import ConfigurationError, ProviderConnectionError
from allos.local.chat_template import served_template
from allos.local.gguf import read_gguf
from allos.local.model_files import find_model, has_llama_cpp, install_command, short_name
from allos.local.process import ChildProcess
from allos.secret import Secret

_N_PARALLEL = 2
_SLOT_TOKENS = 4096
_START_TIMEOUT_S = 60.0
# A large file on a slow disk needs its time; 50 MB/s is a slow network drive.
_SLOW_DISK_BYTES_PER_S = 50e6
_PROPS_TIMEOUT_S = 10.0


class LocalServer:
    """A running server of one model; created by `serve`.

    Attributes
    ----------
    model : str
        Short name, also the ``model`` in its replies; never a path.
    path : Path
        The model file.
    base_url : str
        Base URL of its OpenAI-compatible API, ending in ``/v1``.
    secret : Secret
        API key that every request needs; new for each server.
    context_window : int
        Most tokens of prompt and answer of one request together.
    pid : int
        Process id of the server.
    """

    def __init__(
        self,
        *,
        model: str,
        path: Path,
        address: str,
        secret: Secret,
        context_window: int,
        child: ChildProcess,
    ) -> None:
        self.model = model
        self.path = path
        self.base_url = f"{address}/v1"
        self.secret = secret
        self.context_window = context_window
        self.pid = child.pid
        self._child: ChildProcess | None = child
        self._host_port = _host_and_port(address)

    @property
    def alive(self) -> bool:
        """Whether the server still runs; cheap enough to check before each request."""
        if self._child is not None:
            return not self._child.ended.is_set()
        # A forked copy only knows the address: the parent owns the process.
        try:
            socket.create_connection(self._host_port, timeout=1.0).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Stop the server and wait until it has ended; does nothing in a forked process."""
        if self._child is not None:
            self._child.stop()

    def __repr__(self) -> str:
        state = "alive" if self.alive else "ended"
        return f"<LocalServer {self.model!r} at {self.base_url}, {state}>"


# Resource of the process: its running servers, by file and name of the model.
_servers: dict[tuple[Path, str], LocalServer] = {}
# Locks of the process, one per model: two threads never start it twice.
_starting: dict[tuple[Path, str], threading.Lock] = {}


def serve(model: str = "smollm2", *, start_timeout_s: float | None = None) -> LocalServer:
    """Return the running server of a local model; start it if needed.

    Blocks until the model is loaded (about 0.5 s for the default one), so never call it on the
    loop thread. All callers of this process share one server per model. It ends with the process,
    however that ends; one that has crashed is replaced at the next call.

    Parameters
    ----------
    model : str
        Short name or path of a model file, see `find_model`.
    start_timeout_s : float or None
        Seconds to wait for the model to load; None: 60 s, and more for a large file.

    Returns
    -------
    LocalServer
        Its base URL, API key and context window.

    Raises
    ------
    ConfigurationError
        llama.cpp or the model is missing or damaged; the message says what to do.
    ProviderTimeoutError
        The model was not loaded in time.

    Examples
    --------
    >>> server = serve("smollm2")                                        # doctest: +SKIP
    >>> server.base_url, server.context_window                           # doctest: +SKIP
    ('http://127.0.0.1:43479/v1', 4096)
    """
    if not has_llama_cpp():
        raise ConfigurationError(
            f"Local models need llama.cpp (xllamacpp), which is not installed. Run: {install_command()}"
        )
    path, name = find_model(model), short_name(model)
    key = (path, name)
    server = _servers.get(key)
    if server is not None and server.alive:
        return server
    with _starting.setdefault(key, threading.Lock()):
        server = _servers.get(key)  # another thread may have been quicker
        if server is None or not server.alive:
            server = _servers[key] = _start(path, name, start_timeout_s)
        return server


def stop_all() -> None:
    """Stop all servers of this process; the next `serve` starts a new one.

    Examples
    --------
    >>> stop_all()
    """
    for key in list(_servers):
        server = _servers.pop(key, None)
        if server is not None:
            server.stop()


def _start(path: Path, name: str, start_timeout_s: float | None) -> LocalServer:
    facts = read_gguf(path)
    if start_timeout_s is None:
        start_timeout_s = _START_TIMEOUT_S + path.stat().st_size / _SLOW_DISK_BYTES_PER_S
    secret = Secret(secrets.token_urlsafe(32))
    child = ChildProcess(
        {
            "path": str(path),
            "alias": name,
            "key": secret.reveal(),
            "n_parallel": _N_PARALLEL,
            "n_ctx": _N_PARALLEL * min(_SLOT_TOKENS, facts.context_length or _SLOT_TOKENS),
            "n_threads": n_threads(),
            "chat_template": served_template(facts.chat_template),
        }
    )
    address = child.wait_ready(start_timeout_s)
    try:
        context_window = _ask_context_window(address, secret, name)
    except BaseException:
        child.stop()
        raise
    return LocalServer(
        model=name,
        path=path,
        address=address,
        secret=secret,
        context_window=context_window,
        child=child,
    )


def _ask_context_window(address: str, secret: Secret, name: str) -> int:
    connection = http.client.HTTPConnection(*_host_and_port(address), timeout=_PROPS_TIMEOUT_S)
    try:
        headers = {"Authorization": f"Bearer {secret.reveal()}"}
        connection.request("GET", "/props", headers=headers)
        props = json.loads(connection.getresponse().read())
        return int(props["default_generation_settings"]["n_ctx"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise ProviderConnectionError(
            f"The server of the embedded model {name!r} started but does not respond.",
            provider="local",
            model=name,
            detail=type(error).__name__,
        ) from None
    finally:
        connection.close()


def n_threads() -> int:
    """Threads for the model: half of the CPUs that this process may use, 1 to 8.

    Half, because the kernel and the browser need the rest, and because a second thread on the same
    core adds nothing: on two CPUs with one of them busy, two threads drop from 44 to 3 tokens/s.

    Examples
    --------
    >>> 1 <= n_threads() <= 8
    True
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(8, max(1, (usable or 1) // 2))


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("http://").rpartition(":")
    return host, int(port)


def _after_fork_in_child() -> None:
    _starting.clear()  # a lock may be held by a thread that does not exist in the child
    for server in _servers.values():
        server._child = None


_process.on_fork(after_in_child=_after_fork_in_child)
