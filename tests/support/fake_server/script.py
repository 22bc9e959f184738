"""What the fake server should say: answers and faults, as values that know no wire format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, Unpack

from .seen import Seen
from .sse import DONE, Event, Sse, dumps, encode

DEFAULT_USAGE = {
    "input_tokens": 12,
    "output_tokens": 7,
    "cache_read_tokens": 0,
    "cache_write_tokens": 0,
    "reasoning_tokens": 0,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call of an answer."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    """A string is sent as it stands: that is how arguments that are no JSON get in."""
    id: str | None = None
    """None makes one up in the API's own form."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, rendered for whichever API asks, whole or streamed."""

    text: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: Sequence[Call] = ()
    finish: str | None = None
    """A name of `FinishReason`, translated for the API; any other word is sent raw; None derives it."""
    usage: Mapping[str, int] | None = field(default_factory=lambda: DEFAULT_USAGE)
    """Counts by the log's names: input includes cache, output includes reasoning. What is not named
    is not sent; None sends no usage at all."""
    usage_extra: Mapping[str, Any] = field(default_factory=dict)
    """Vendor fields inside the usage object."""
    chunks: Sequence[str] | None = None
    """The pieces of the streamed text; they replace `text`."""
    chunk_size: int = 8
    """Characters per streamed piece, where `chunks` does not say."""
    first_delay_s: float = 0.0
    """Wait before the status line."""
    delay_s: float = 0.0
    """Wait between two events of a stream."""
    headers: Mapping[str, str] = field(default_factory=dict)
    ratelimit: Mapping[str, float] = field(default_factory=dict)
    """`remaining_requests`, `remaining_tokens`, `reset_s`: headers in the API's own form."""
    model: str | None = None
    """Model that the answer names; None echoes the one that was asked for."""
    service_tier: str | None = None
    """Tier that the answer names, in every event that names one; None takes the API's usual word."""
    fingerprint: str | None = "fp_fake"
    """chat: `system_fingerprint`; None leaves it out."""
    reasoning_as: str | None = None
    """chat: `reasoning_content` (default), `reasoning`, `tags`, `parts`; responses: `summary` (default), `text`."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Vendor fields for the whole body, or for the last event that carries the answer's facts."""
    sse: Sse = field(default_factory=Sse)

    def __post_init__(self) -> None:
        if self.chunks is not None:
            object.__setattr__(self, "text", "".join(self.chunks))
        unknown = set(self.usage or ()) - set(DEFAULT_USAGE)
        if unknown:
            raise ValueError(f"unknown usage keys {sorted(unknown)}; known: {[*DEFAULT_USAGE]}")

    @property
    def reason(self) -> str:
        """`finish`, derived from what the answer holds where it is not given."""
        if self.finish is not None:
            return self.finish
        return "refusal" if self.refusal else "tool_calls" if self.tool_calls else "stop"

    def pieces(self, text: str) -> list[str]:
        """Cut a text as the stream does."""
        if self.chunks is not None and text == self.text:
            return list(self.chunks)
        size = self.chunk_size
        return [text[at : at + size] for at in range(0, len(text), size)]


@dataclass(frozen=True, slots=True)
class Raw:
    """Exactly these bytes as the body."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    split: int | Sequence[int] | None = None
    """Sizes of the HTTP chunks; the last one repeats. None sends a content-length and no chunks."""
    delay_s: float = 0.0
    """Wait between two chunks."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, *, status: int = 200) -> Raw:
        """A JSON body."""
        return cls(dumps(value), status=status)

    @classmethod
    def sse(
        cls,
        events: Sequence[Any],
        *,
        style: Sse | None = None,
        delay_s: float = 0.0,
    ) -> Raw:
        """A stream of hand-made events.

        Each is a dict (named by its own `type`, as Responses and Messages do), a `(name, value)`
        pair, or a string that is sent as the data.
        """
        style = style or Sse()
        made = [
            Event(*event)
            if isinstance(event, tuple)
            else Event(event.get("type") if isinstance(event, dict) else None, event)
            for event in events
        ]
        if style.done and all(event.name is None for event in made):
            made.append(DONE)
        pieces = [encode(event, style, first=at == 0) for at, event in enumerate(made)]
        sizes: int | list[int] = style.split or [len(piece) for piece in pieces]
        return cls(b"".join(pieces), "text/event-stream", split=sizes, delay_s=delay_s)


class Cut(TypedDict, total=False):
    """Where a fault cuts an answer, and which answer."""

    after: int
    after_deltas: int
    reply: Reply
    first_delay_s: float


FaultKind = Literal[
    "status", "bad_key", "not_found", "context", "html", "error_200", "empty",
    "reset", "drop", "truncate", "stall", "drip", "malformed", "error_event",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong. Use the class methods.

    `after` counts the events of a stream that arrive before the fault, `after_deltas` only those
    that carry a piece of the answer (so one number fits all APIs); for a whole answer either one
    means "after half of the body". `reply` is the answer that the fault spoils; None takes the
    server's current one.
    """

    kind: FaultKind
    code: int = 200
    body: Any = None
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: int | None = None
    after_deltas: int | None = None
    reply: Reply | None = None
    size: int = 1
    delay_s: float = 0.0
    first_delay_s: float = 0.0

    @property
    def mid_answer(self) -> bool:
        """Whether some of the answer arrives first."""
        return self.after is not None or self.after_deltas is not None

    @classmethod
    def status(
        cls,
        code: int,
        *,
        message: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        retry_after: float | str | None = None,
        first_delay_s: float = 0.0,
    ) -> Fault:
        """An HTTP error; `body` (str, bytes or JSON-able) replaces the API's own error shape."""
        extra = dict(headers or {})
        if retry_after is not None:
            extra["retry-after"] = str(retry_after)
        return cls(
            kind="status",
            code=code,
            message=message,
            body=body,
            headers=extra,
            first_delay_s=first_delay_s,
        )

    @classmethod
    def bad_key(cls) -> Fault:
        """401 whose text repeats the key that was sent, in full."""
        return cls(kind="bad_key", code=401)

    @classmethod
    def model_not_found(cls) -> Fault:
        """404 that names the model."""
        return cls(kind="not_found", code=404)

    @classmethod
    def context_length(cls) -> Fault:
        """400: the prompt is too long for the model."""
        return cls(kind="context", code=400)

    @classmethod
    def html(cls, code: int = 200) -> Fault:
        """A proxy's web page instead of an answer."""
        return cls(kind="html", code=code)

    @classmethod
    def error_in_200(cls, message: str = "The upstream service is unavailable") -> Fault:
        """Status 200, body `{"error": ...}`."""
        return cls(kind="error_200", message=message)

    @classmethod
    def empty(cls) -> Fault:
        """An answer with `choices`, `output` or `content` empty."""
        return cls(kind="empty")

    @classmethod
    def reset(cls, **cut: Unpack[Cut]) -> Fault:
        """TCP reset: before any byte, or after `after` / `after_deltas`."""
        return cls(kind="reset", **cut)

    @classmethod
    def drop(cls, **cut: Unpack[Cut]) -> Fault:
        """The connection closes in the middle of the HTTP message (or before it)."""
        return cls(kind="drop", **cut)

    @classmethod
    def truncate(cls, **cut: Unpack[Cut]) -> Fault:
        """The HTTP message ends properly, the answer in it does not."""
        return cls(kind="truncate", **_from(cut, Cut(after_deltas=1)))

    @classmethod
    def stall(cls, **cut: Unpack[Cut]) -> Fault:
        """Silence until the client leaves; `after=0` sends the headers first."""
        return cls(kind="stall", **cut)

    @classmethod
    def drip(cls, *, size: int = 1, delay_s: float = 0.001, reply: Reply | None = None) -> Fault:
        """The answer, `size` bytes at a time."""
        return cls(kind="drip", size=size, delay_s=delay_s, reply=reply)

    @classmethod
    def malformed(cls, **cut: Unpack[Cut]) -> Fault:
        """An event whose data is no JSON, then the rest of the answer; a whole body that is no JSON."""
        return cls(kind="malformed", **_from(cut, Cut(after=0)))

    @classmethod
    def error_event(cls, message: str = "Overloaded", **cut: Unpack[Cut]) -> Fault:
        """An error inside the stream, in the API's own shape; the stream then ends."""
        return cls(kind="error_event", message=message, **_from(cut, Cut(after=0)))

    @classmethod
    def redirect(cls, url: str, code: int = 307) -> Fault:
        """A redirect to another address."""
        return cls.status(code, headers={"location": url}, body=b"")


def _from(cut: Cut, default: Cut) -> Cut:
    given = "after" in cut or "after_deltas" in cut
    return cut if given else Cut(**{**default, **cut})


Entry = Reply | Raw | Fault
Answer = Entry | Callable[[Seen], Entry]
"""An entry, or a function of the request that gives one (called on the server's thread)."""
