"""What arrives of a response, one event at a time: streams yield these, and the engine adds them up.

Each event is a small frozen dataclass; tell them apart with `isinstance` or ``match``::

    for event in stream.events:
        match event:
            case TextDelta(text):
                print(text, end="")
            case Retrying(wait_s=wait_s):
                print(f"trying again in {wait_s} s")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from allos.usage import Usage

FinishReason = Literal[
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "refusal",
    "pause",
    "context_exceeded",
    "cancelled",
    "error",
    "other",
]


# ---- from the service ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the visible text."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of the model's reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class TextWasReasoning:
    """All text so far was reasoning: its end was marked, although nothing had marked its beginning.

    Chat templates of many reasoning models write the opening tag into the prompt, so that only the
    closing one arrives. Whoever shows text while it arrives should take it back.
    """

    reasoning: str
    """The text so far without the mark."""


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    """The next piece of the text in which the model declines to answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """The next piece of a tool call; the pieces of one call share an `index`."""

    index: int | str
    """Which call of the response it belongs to."""
    id: str | None = None
    name: str | None = None
    """The name as far as it is known; a later one replaces it."""
    arguments: str | None = None
    """The next piece of the arguments' JSON text."""
    parsed_arguments: Any = None
    """All arguments as a JSON value, where the service sends one; text that is complete goes before."""


@dataclass(frozen=True, slots=True)
class RawPart:
    """Part of the response as it came: what the API wants back in the next turn, or has no type here."""

    data: dict[str, Any]
    is_content: bool = False
    """Whether it belongs to the answer itself, as an image does, and not to what led to it."""


@dataclass(frozen=True, slots=True)
class LogprobsDelta:
    """Log probabilities of the next tokens of the text or the refusal."""

    tokens: list[dict[str, Any]]
    """For each token `token` and `logprob`, and `top_logprobs` where they were requested."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A source that the service names for the answer, or another annotation of its text."""

    data: dict[str, Any]
    """As the service sends it; a URL that comes alone is in `url`."""


@dataclass(frozen=True, slots=True)
class ResponseExtra:
    """Fields that no other event has, by the service's names; each replaces the one before it."""

    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Something of the response that has no place in it, as it came."""

    what: str
    """Why it has none, in a few words."""
    data: Any


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Tokens so far; each report replaces the one before it."""

    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFacts:
    """Facts of the response, by the names of the log's columns; a later one replaces an earlier one."""

    request_id: str | None = None
    response_id: str | None = None
    response_model: str | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    ratelimit_remaining_requests: int | None = None
    ratelimit_remaining_tokens: int | None = None
    ratelimit_reset_s: float | None = None
    cost_usd: float | None = None
    """As the service itself reports it."""
    price_version: str | None = None
    latency_s: float | None = None
    """This and the next two in place of what the engine measures, where a wire's time is made up."""
    time_to_first_token_s: float | None = None
    tokens_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class RateLimitHint:
    """The service's window is used up: the next call should wait."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The API's own end signal."""

    finish_reason: FinishReason | None
    finish_reason_raw: str | None = None
    """The service's own word for it."""


# ---- from the engine -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Queued:
    """The call waits for capacity within its rate limits, or has stopped waiting and is sent now."""

    is_waiting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """An attempt failed and will be repeated."""

    attempt: int
    """Which attempt failed, from 1."""
    max_attempts: int
    error_type: str
    http_status: int | None
    wait_s: float
    """Seconds until the next attempt."""
    message: str
    """What the service said, without the key."""


Event = (
    TextDelta
    | ReasoningDelta
    | TextWasReasoning
    | RefusalDelta
    | ToolCallDelta
    | RawPart
    | Unplaced
    | LogprobsDelta
    | Citation
    | ResponseExtra
    | UsageReport
    | ResponseFacts
    | RateLimitHint
    | Finished
    | Queued
    | Retrying
)
