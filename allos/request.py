"""One call to a model, independent of any API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from allos.messages import Message
from allos.profiles import Api, ServiceProfile


def _no_parameters() -> Mapping[str, Any]:
    return {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """Description of a tool for a model, without the function."""

    name: str
    """Letters, digits, ``_`` and ``-``, 64 at most."""
    description: str = ""
    """What it does and when to use it."""
    parameters: Mapping[str, Any] = field(default_factory=_no_parameters)
    """JSON schema of the arguments, an object."""
    strict: bool = False
    """Ask the service to enforce the schema, if it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaSpec:
    """The JSON schema that an answer must match."""

    name: str
    """Letters, digits, ``_`` and ``-``, 64 at most."""
    schema: Mapping[str, Any]
    """JSON schema, an object at its root."""
    description: str | None = None
    """Description of the answer."""
    strict: bool = True
    """Whether a service can enforce it: all fields required, no others allowed."""
    parse: Callable[[str], Any] | None = field(default=None, repr=False, compare=False)
    """Parses the text of an answer; raises a ValueError if it does not match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call to a model, independent of any API; a wire translates it.

    `params` are the parameters that are set (`temperature`, `max_tokens` ...); `extra` are additional
    fields of the body.
    """

    provider: str
    api: Api
    base_url: str
    model: str
    messages: tuple[Message, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[ToolSpec, ...] = ()
    """Tools that the model may call."""
    tool_choice: str | None = None
    """``"auto"``, ``"none"``, ``"required"`` or a tool's name; None leaves it to the service."""
    schema: SchemaSpec | None = None
    """Schema of the answer."""
    stream: bool = False
    model_max_output_tokens: int | None = None
    """Output limit of the model, if known: sent to an API that requires a limit when `max_tokens` is not
    set."""
    profile: ServiceProfile = field(default_factory=ServiceProfile)
    timeout_s: float = 120.0
    """Seconds without data from the server until the attempt fails."""
    deadline_s: float | None = None
    """Seconds for the complete call, waits and retries included."""
    max_attempts: int = 6
    """Maximum number of attempts, the first included."""
    endpoint: str = ""
    """Identity of the service for replay: its name, or the base URL of a generic one."""
    sample: int = 0
    """Index among equal requests that the caller repeats on purpose."""
    refresh: bool = False
    """Send the request even if an answer is recorded; the new answer replaces it."""
    request_hash: str | None = None
    """See `allos.hashing.request_hash`."""

    @property
    def system(self) -> str | None:
        """All system messages, joined by a blank line; None if there are none."""
        texts = [m.text for m in self.messages if m.role == "system" and m.text]
        return "\n\n".join(texts) if texts else None

    @property
    def prompt(self) -> str | None:
        """Text of the last user message."""
        for message in reversed(self.messages):
            if message.role == "user":
                return message.text
        return None
