"""Events as bytes, in every form that the SSE standard allows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Sse:
    """How events are written; every form is legal by the standard."""

    newline: Literal["\n", "\r\n", "\r"] = "\n"
    comments: bool = False
    """Comment lines, `id:`, `retry:` and unknown fields before each event."""
    multiline: bool = False
    """Each event's JSON spread over several `data:` lines."""
    space: bool = True
    """A blank after the field's colon."""
    bom: bool = False
    """A byte order mark before the first line."""
    done: bool = True
    """The closing `data: [DONE]` of Chat Completions."""
    split: int | None = None
    """Bytes per HTTP chunk, whatever they cut; None sends one chunk per event."""


PLAIN = Sse()


class Event(NamedTuple):
    """One event of a stream."""

    name: str | None
    """The `event:` line; None writes none."""
    data: Any
    """A string is sent as it stands, everything else as JSON."""
    delta: bool = False
    """Whether it carries a piece of the answer."""


DONE = Event(None, "[DONE]")


def dumps(value: Any) -> bytes:
    """Compact JSON; non-ASCII stays UTF-8, so that splits can cut a character."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def encode(event: Event, style: Sse = PLAIN, *, first: bool = False) -> bytes:
    """Bytes of one event.

    Parameters
    ----------
    event : Event
    style : Sse
    first : bool
        Whether it opens the stream: only there a byte order mark may stand.
    """
    colon = b": " if style.space else b":"
    lines: list[bytes] = []
    if style.comments:
        lines += [b": still here", b"id" + colon + b"7", b"retry" + colon + b"3000", b"colour"]
    if event.name is not None:
        lines.append(b"event" + colon + event.name.encode())
    if isinstance(event.data, str):
        data = event.data.encode().split(b"\n")
    elif style.multiline:
        # Indented JSON breaks lines only where JSON allows blanks, so the joined lines parse to
        # the same value.
        data = json.dumps(event.data, ensure_ascii=False, indent=1).encode().split(b"\n")
    else:
        data = [dumps(event.data)]
    lines += [b"data" + colon + line for line in data]
    newline = style.newline.encode()
    made = newline.join(lines) + newline * 2
    return b"\xef\xbb\xbf" + made if first and style.bom else made


def cut(body: bytes, sizes: int | list[int]) -> list[bytes]:
    """Cut bytes into pieces of the given sizes; the last size repeats."""
    wanted = [sizes] if isinstance(sizes, int) else list(sizes)
    pieces: list[bytes] = []
    at = 0
    while at < len(body):
        size = wanted.pop(0) if len(wanted) > 1 else wanted[0]
        pieces.append(body[at : at + size])
        at += size
    return pieces
