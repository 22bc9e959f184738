"""Small proxies on loopback: HTTP with CONNECT and plain requests, and SOCKS 5. They count what they see."""

from __future__ import annotations

import base64
import contextlib
import selectors
import socket
import struct
import threading
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards every connection to one port of this machine, whatever host is asked for.

    Parameters
    ----------
    port : int
        Where connections go.
    user : str or None
        ``name:password`` that it asks for.
    status : int
        An HTTP proxy's answer to CONNECT.
    silent : bool
        A SOCKS proxy never answers.
    """

    def __init__(
        self, port: int, *, user: str | None = None, status: int = 200, silent: bool = False
    ) -> None:
        self._to = port
        self._user = user
        self._status = status
        self._silent = silent
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self.targets: list[str] = []
        """Hosts and ports that were asked for."""
        self.hung_up = threading.Event()
        """A client has closed a connection that a SOCKS proxy has not opened for it."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        # Without it the thread that accepts goes on waiting.
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._sock.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            client.settimeout(20)
            first = _exactly(client, 1)
            before = self._socks(client) if first == b"\x05" else self._http(client, first)
            if before is None:
                return
            with socket.create_connection(("127.0.0.1", self._to)) as server:
                server.sendall(before)
                _pump(client, server)

    def _http(self, client: socket.socket, data: bytes) -> bytes | None:
        while b"\r\n\r\n" not in data:
            data += _some(client)
        head = data.partition(b"\r\n\r\n")[0].decode("latin-1")
        method, target, _ = head.split("\r\n")[0].split(" ", 2)
        self.targets.append(target)
        given = f"Basic {base64.b64encode((self._user or '').encode()).decode()}"
        if self._user and given.lower() not in head.lower():
            client.sendall(
                b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
            )
            return None
        if method != "CONNECT":
            return data
        client.sendall(f"HTTP/1.1 {self._status} x\r\n\r\n".encode())
        return b"" if self._status == 200 else None

    def _socks(self, client: socket.socket) -> bytes | None:
        _exactly(client, _exactly(client, 1)[0])
        if self._silent:
            self._wait_for_end(client)
            return None
        client.sendall(b"\x05\x02" if self._user else b"\x05\x00")
        if self._user:
            _exactly(client, 1)
            name, word = (_exactly(client, _exactly(client, 1)[0]).decode() for _ in range(2))
            good = f"{name}:{word}" == self._user
            client.sendall(b"\x01\x00" if good else b"\x01\x01")
            if not good:
                self._wait_for_end(client)
                return None
        kind = _exactly(client, 4)[3]
        size = {1: 4, 4: 16}.get(kind) or _exactly(client, 1)[0]
        host = _exactly(client, size).decode("latin-1")
        self.targets.append(f"{host}:{struct.unpack('>H', _exactly(client, 2))[0]}")
        client.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        return b""

    def _wait_for_end(self, client: socket.socket) -> None:
        if not client.recv(1):
            self.hung_up.set()


def _some(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    if not data:
        raise EOFError
    return data


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _pump(one: socket.socket, other: socket.socket) -> None:
    with selectors.DefaultSelector() as ready:
        ready.register(one, selectors.EVENT_READ, other)
        ready.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in ready.select(20):
                data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                if not data:
                    return
                key.data.sendall(data)
