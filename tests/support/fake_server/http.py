"""One HTTP/1.1 connection: requests parsed by hand, answers played step by step."""

from __future__ import annotations

import array
import asyncio
import json
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING, Any

from .ask import PLACEHOLDER, number
from .plan import Do, Plan
from .seen import Seen

if TYPE_CHECKING:
    from .server import FakeServer

HOLD_LIMIT_S = 60.0
FLUSH_LIMIT_S = 2.0
_TOKEN = PLACEHOLDER.encode()


class Connection(asyncio.Protocol):
    """Serves one client, one request after the other. Everything runs on the server's thread."""

    def __init__(self, server: FakeServer, connection_id: int) -> None:
        self.server = server
        self.id = connection_id
        self.transport: Any = None
        self.task: asyncio.Task[None] | None = None
        self.current: Seen | None = None
        self.last: Seen | None = None
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    # The transport calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.server.opened(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._serve_next()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.task is not None:
            self.task.cancel()
        if self.last is not None:
            self.last.closed = True
        if self.current is not None:
            self.current.closed_early = not (self.current.done or self.server.stopping)
            self._finish(self.current)
        self.server.lost(self)

    def kill(self) -> None:
        """End the connection at once."""
        self.transport.abort()

    # Requests

    def _serve_next(self) -> None:
        while self.current is None and (seen := self._read()) is not None:
            self.current = self.last = seen
            plan = self.server.receive(seen)
            steps = plan.steps
            if len(steps) == 1 and isinstance(steps[0], bytes):
                self._write(steps[0], seen)
                seen.done = True
                self._finish(seen)
            else:
                self.task = self.server.loop.create_task(self._play(plan, seen))
                self.task.add_done_callback(self._played)

    def _read(self) -> Seen | None:
        buffer = self._buffer
        if self._head is None:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return None
            self._head = _parse_head(bytes(buffer[:end]))
            del buffer[: end + 4]
            if self._head[2].get("expect", "").lower() == "100-continue":
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        method, path, headers = self._head
        if "chunked" in headers.get("transfer-encoding", ""):
            raw = _take_chunks(buffer)
            if raw is None:
                return None
        else:
            length = int(headers.get("content-length", "0"))
            if len(buffer) < length:
                return None
            raw = bytes(buffer[:length])
            del buffer[:length]
        self._head = None
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        return Seen(
            number=self.server.next_number(),
            method=method,
            path=path,
            headers=headers,
            raw=raw,
            body=body,
            connection_id=self.id,
            at=time.perf_counter(),
        )

    # Answers

    def _write(self, data: bytes, seen: Seen) -> None:
        self.transport.write(data.replace(_TOKEN, number(seen).encode()))

    async def _play(self, plan: Plan, seen: Seen) -> None:
        loop = self.server.loop
        due = loop.time()
        for step in plan.steps:
            if isinstance(step, bytes):
                self._write(step, seen)
                await self._writable.wait()
            elif isinstance(step, Do):
                await self._break(step, seen)
                return
            else:
                # The pace is kept against the clock, so that many short waits do not add up.
                due += step
                await asyncio.sleep(max(0.0, due - loop.time()))
        seen.done = True
        self.task = None
        self._finish(seen)
        self._serve_next()

    def _played(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            self.server.errors.append(failure)
            self.kill()

    async def _break(self, step: Do, seen: Seen) -> None:
        if step is Do.HOLD:
            await asyncio.sleep(HOLD_LIMIT_S)
        else:
            await self._flush()
        seen.done = True
        if step is Do.CLOSE:
            self.transport.close()
            return
        # A linger time of zero makes the kernel send RST instead of FIN.
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def _flush(self) -> None:
        # What the kernel has not delivered yet, a reset would throw away.
        deadline = self.server.loop.time() + FLUSH_LIMIT_S
        # Polled, since the kernel does not report when the peer has read everything.
        while self._unsent() and self.server.loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    def _unsent(self) -> int:
        waiting: int = self.transport.get_write_buffer_size()
        if waiting or not sys.platform.startswith("linux"):
            return waiting
        import fcntl
        import termios

        count = array.array("i", [0])
        fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, count)
        return count[0]

    def _finish(self, seen: Seen) -> None:
        self.current = None
        self.server.finished(seen)
        if seen.headers.get("connection", "").lower() == "close" and seen.done:
            self.transport.close()


def _parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return method, path, headers


def _take_chunks(buffer: bytearray) -> bytes | None:
    parts: list[bytes] = []
    at = 0
    while (line := buffer.find(b"\r\n", at)) >= 0:
        size = int(bytes(buffer[at:line]).split(b";")[0], 16)
        at = line + 2
        if len(buffer) < at + size + 2:
            return None
        if size == 0:
            del buffer[: at + 2]
            return b"".join(parts)
        parts.append(bytes(buffer[at : at + size]))
        at += size + 2
    return None
