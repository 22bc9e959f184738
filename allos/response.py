"""The response of a model, with metadata of the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from allos.context import RunContext
from allos.errors import AllosError
from allos.events import FinishReason
from allos.messages import Message, MessageRole, ToolCall
from allos.parts import Image
from allos.request import Request
from allos.usage import Usage

Status = Literal["ok", "error", "cancelled"]

_SHORT = 60


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """The response of a model, with metadata of the call.

    Attributes
    ----------
    content : str
        The visible text; may be empty.
    tool_calls : list of ToolCall
        Tool calls of the model.
    metadata : dict
        Metadata of the call by the names of the log's columns (`provider`, `model`, `input_tokens`,
        `latency_s`, `finish_reason` ...; see the log schema in the docs), without unknown values, and
        `usage`, the provider's own usage object. `parts`, `citations`, `logprobs` and
        `response_extra` are lists and dicts here, JSON text in the log. Texts are attributes, not metadata.
    reasoning, refusal : str or None
        Reasoning and refusal of the model, if the API returns them.
    error : AllosError or None
        The error, if `status` is ``"error"``: a `ProviderError`, or in a comparison the error that
        prevented the call. A `SchemaError` if the call succeeded, but its answer does not match the
        schema: then `status` is ``"ok"``.
    parsed : object
        The answer as a value, if a schema was given and the answer matches it.
    steps : tuple of ProviderResponse
        All responses of a tool loop, in order, this one last; empty for a single call.
    approval_s : float
        Seconds in which a tool loop waited for you, or for `approve`, to decide whether a tool may run.

    Examples
    --------
    >>> response = ProviderResponse("Hello!", metadata={"provider": "local", "model": "smollm2"})
    >>> print(response)
    Hello!
    >>> response.metadata["provider"]
    'local'
    """

    content: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    reasoning: str | None = None
    refusal: str | None = None
    error: AllosError | None = None
    id: str | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    replayed: bool = False
    request: Request | None = field(default=None, repr=False, compare=False)
    context: RunContext = field(default_factory=RunContext, repr=False, compare=False)
    raw: tuple[dict[str, Any], ...] = field(default=(), repr=False, compare=False)
    """Parts of the response as they came: images, audio and others that are not text, and what the
    API wants back in the next turn."""
    body: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    """The request body as it was sent; never contains a key."""
    reply: Any = field(default=None, repr=False, compare=False)
    """The raw reply, if it was not streamed."""
    parsed: Any = field(default=None, repr=False, compare=False)
    """The answer as the type of `schema=`."""
    steps: tuple[ProviderResponse, ...] = field(default=(), repr=False, compare=False)
    """All responses of a tool loop."""
    approval_s: float = field(default=0.0, repr=False, compare=False)
    """Seconds in which a tool loop waited for decisions whether its tools may run."""

    @property
    def status(self) -> Status:
        """``"ok"``, ``"error"`` or ``"cancelled"``."""
        status: Status = self.metadata.get("status", "ok")
        return status

    @property
    def ok(self) -> bool:
        """Whether the answer is complete."""
        return self.status == "ok"

    @property
    def provider(self) -> str | None:
        """Name of the service."""
        return self.metadata.get("provider")

    @property
    def model(self) -> str | None:
        """The requested model."""
        return self.metadata.get("model")

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the model stopped."""
        return self.metadata.get("finish_reason")

    @property
    def usage(self) -> Usage:
        """Tokens of the call; None where the provider did not report them."""
        known = self.metadata
        return Usage(
            input_tokens=known.get("input_tokens"),
            cache_read_tokens=known.get("cache_read_tokens"),
            cache_write_tokens=known.get("cache_write_tokens"),
            output_tokens=known.get("output_tokens"),
            reasoning_tokens=known.get("reasoning_tokens"),
            total_tokens=known.get("total_tokens"),
            source=known.get("usage_source", "missing"),
            raw=known.get("usage") or {},
        )

    @property
    def images(self) -> tuple[Image, ...]:
        """Images of the answer: PNG, JPEG, GIF and WEBP of at most 20 MB, decoded at each access.

        Examples
        --------
        ::

            Path("cat.png").write_bytes(response.images[0].data)
        """
        if not self.raw:
            return ()
        from allos.media import images_in

        return images_in(self.raw)

    @property
    def latency_s(self) -> float | None:
        """Seconds of the last attempt, from sending to the end."""
        return self.metadata.get("latency_s")

    @property
    def cost_usd(self) -> float | None:
        """Cost of the call in US dollars; None when unknown."""
        return self.metadata.get("cost_usd")

    def to_message(self) -> Message:
        """Assistant turn to append to the conversation.

        Keeps tool calls and the parts that the API requires unchanged.
        """
        return Message(
            role=MessageRole.ASSISTANT,
            content=self.content or None,
            tool_calls=tuple(self.tool_calls),
            raw=self.raw,
        )

    def with_metadata(self, facts: Mapping[str, Any]) -> ProviderResponse:
        """Return the response with additional metadata; None values are left out."""
        known = {name: value for name, value in facts.items() if value is not None}
        return replace(self, metadata={**self.metadata, **known})

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        text = self.content if len(self.content) <= _SHORT else self.content[: _SHORT - 1] + "…"
        facts = [repr(text)]
        if self.tool_calls:
            facts.append(f"tool_calls={[call.name for call in self.tool_calls]}")
        if parts := self.metadata.get("parts"):
            facts.append(f"parts={[part.get('media_type') or part.get('type') for part in parts]}")
        if self.provider:
            facts.append(f"model={f'{self.provider}/{self.model}'!r}")
        if self.status != "ok":
            facts.append(f"status={self.status!r}")
        elif self.finish_reason:
            facts.append(f"finish_reason={self.finish_reason!r}")
        return f"ProviderResponse({', '.join(facts)})"
