"""What the fake server saw of one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Seen:
    """One request. The last four fields change while it is answered, on the server's thread."""

    number: int
    """From 1, in the order of arrival; it is also part of every id in the answer."""
    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case; repeated headers are joined by a comma."""
    raw: bytes
    """The body's bytes."""
    body: Any
    """The body as JSON; None when there is none."""
    connection_id: int
    """Equal for requests that shared a connection."""
    at: float
    """`time.perf_counter()` when the request was complete, in seconds."""
    api: str | None = None
    """`responses`, `chat`, `messages`, `models`, `count_tokens`; None for anything else."""
    events_sent: int = 0
    """HTTP chunks written so far."""
    done: bool = field(default=False)
    """The answer, fault or not, was written to its end."""
    closed: bool = field(default=False)
    """The connection is gone."""
    closed_early: bool = field(default=False)
    """The client left before the answer was written to its end."""

    @property
    def model(self) -> str | None:
        """Model that was asked for."""
        return self.body.get("model") if isinstance(self.body, dict) else None

    @property
    def stream(self) -> bool:
        """Whether a stream was asked for."""
        return isinstance(self.body, dict) and bool(self.body.get("stream"))

    @property
    def key(self) -> str | None:
        """The key that was sent, from either header."""
        bearer = self.headers.get("authorization", "")
        if bearer.lower().startswith("bearer "):
            return bearer[7:]
        return self.headers.get("x-api-key")

    @property
    def prompt(self) -> str:
        """Text of the last user turn, on any API; empty without one."""
        if not isinstance(self.body, dict):
            return ""
        turns = self.body.get("messages") or self.body.get("input") or []
        if isinstance(turns, str):
            return turns
        for turn in reversed(turns):
            if isinstance(turn, dict) and turn.get("role") == "user":
                content = turn.get("content") or ""
                if isinstance(content, str):
                    return content
                return "".join(part.get("text", "") for part in content)
        return ""
