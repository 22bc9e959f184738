"""Server-sent events from bytes, by the standard, in linear time.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream: lines end
with LF, CR or CRLF, chunks may be cut anywhere, comments and unknown fields are skipped, several
data lines are joined by LF. One departure: an event that the end of the stream cuts off before its
blank line is handed out by `end` (many servers leave the last blank line out). Another one: `error:`
is a field that llama.cpp sends, and a line of JSON without a field is what a gateway adds to a stream
that it has to end; both are events of their own.
"""

from __future__ import annotations

from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"


class ServerEvent(NamedTuple):
    """One server-sent event."""

    event: str
    """The event's name; empty when the server gave none."""
    data: bytes


class SseDecoder:
    """Feed it bytes as they arrive; it hands out the events that are complete.

    Examples
    --------
    >>> decoder = SseDecoder()
    >>> decoder.feed(b'data: {"a"')
    []
    >>> decoder.feed(b": 1}\\r\\n\\r\\n")
    [ServerEvent(event='', data=b'{"a": 1}')]
    """

    __slots__ = ("_after_cr", "_data", "_event", "_first", "_tail", "seen_field")

    def __init__(self) -> None:
        self._tail: list[bytes] = []
        self._after_cr = False
        self._first = True
        self._event = ""
        self._data: list[bytes] = []
        self.seen_field = False
        """Whether anything looked like an event stream at all."""

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that `chunk` completes."""
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
        if b"\n" not in chunk and b"\r" not in chunk:
            # Joined only once a line ends, so that an event of many chunks costs linear time.
            if chunk:
                self._tail.append(chunk)
            return []
        if self._tail:
            chunk = b"".join((*self._tail, chunk))
            self._tail.clear()
        lines = chunk.splitlines()
        if chunk.endswith((b"\n", b"\r")):
            self._after_cr = chunk.endswith(b"\r")
        else:
            self._tail.append(lines.pop())
        return self._lines(lines)

    def end(self) -> list[ServerEvent]:
        """Return what the end of the stream completes."""
        lines = [b"".join(self._tail)] if self._tail else []
        self._tail.clear()
        return self._lines([*lines, b""])

    def _lines(self, lines: list[bytes]) -> list[ServerEvent]:
        done: list[ServerEvent] = []
        data = self._data
        for raw in lines:
            line = raw
            if self._first:
                self._first = False
                line = line.removeprefix(_BOM)
            if not line:
                if data:
                    done.append(
                        ServerEvent(self._event, data[0] if len(data) == 1 else b"\n".join(data))
                    )
                    data.clear()
                self._event = ""
            elif line.startswith(b"data:"):
                self.seen_field = True
                data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif line.startswith(b"event:"):
                self.seen_field = True
                self._event = line[6:].strip().decode("utf-8", "replace")
            elif line == b"data":
                data.append(b"")
            elif line.startswith(b"error:"):
                self.seen_field = True
                done.append(ServerEvent("error", line[6:].strip()))
            elif self.seen_field and line.startswith(b'{"') and line.rstrip().endswith(b"}"):
                done.append(ServerEvent("", line))
        return done
