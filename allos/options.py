"""The keywords of allos: what a provider is made with, and what a call takes. Each list stands here once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict

from allos.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOptions:
    """How to reach one model of one service: the keywords of `ProviderRegistry.get_provider`.

    The parameters of `CallOptions` go beside them, as defaults of every call.
    """

    model: str
    """The service's own name of the model."""
    api_key: str | Secret | None = field(default=None, repr=False)
    """Key; otherwise the service's environment variables are asked, then what `allos.set_key` set, the
    computer's keyring and Colab's secrets."""
    base_url: str | None = None
    """Another address of the service. A key from the environment does not go to a foreign host."""
    api: str | None = None
    """``"responses"``, ``"chat"`` or ``"messages"``, where a service has several."""
    timeout_s: float = 120.0
    """Seconds without a byte from the service."""
    deadline_s: float | None = None
    """Seconds for a whole call, waits and retries included."""
    max_attempts: int = 5
    """Attempts in all, the first included."""
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    """Further headers of every request."""
    context_window: int | None = None
    """Tokens, where you know better than the tables."""
    max_in_flight: float | None = None
    """Calls at a time, for all calls of this process with this key to this host; the last provider that
    says so counts, and infinity lifts a limit. Calls wait for their turn, see `queue_s`."""
    requests_per_minute: float | None = None
    """As `max_in_flight`: requests in any 60 s."""
    tokens_per_minute: float | None = None
    """As `max_in_flight`: tokens in any 60 s."""
    strict: bool = False
    """Refuse what the service or model does not take, where it is otherwise left out with a warning."""


PROVIDER_OPTIONS = tuple(each.name for each in fields(ProviderOptions))
"""Names of the options of a provider."""

OVERRIDABLE_OPTIONS = tuple(name for name in PROVIDER_OPTIONS if name not in ("model", "strict"))
"""Those that `ask` and `compare` hand to the provider that they make; `strict` is also an option of a
single call."""


class CallOptions(TypedDict, total=False):
    """Keywords of one call: parameters of the model, and what goes along with the messages."""

    temperature: float | None
    """Randomness of the choice of tokens, 0 and up."""
    top_p: float | None
    """Share of the probability mass to choose from, 0 to 1."""
    max_tokens: int | None
    """Most tokens to write, reasoning included."""
    stop: str | Sequence[str] | None
    """Text, or list of texts, at which the model stops."""
    seed: int | None
    """Integer for repeatable sampling, where the service has it."""
    presence_penalty: float | None
    """-2 to 2."""
    frequency_penalty: float | None
    """-2 to 2."""
    logprobs: bool | None
    """Whether to return log probabilities."""
    top_logprobs: int | None
    """How many alternatives per token."""
    logit_bias: Mapping[Any, float] | None
    """Token id to bias."""
    effort: str | None
    """How long to reason: none, minimal, low, medium, high, xhigh, max."""
    tools: Sequence[Any] | None
    """What the model may ask to be called: functions, pydantic model classes, mappings, `Tool`."""
    tool_choice: str | None
    """``"auto"``, ``"none"``, ``"required"`` or a tool's name; None leaves it to the service."""
    schema: Any
    """What the answer must be: a pydantic model, a dataclass, a TypedDict or a JSON schema."""
    refresh: bool
    """Ask even where an answer is recorded, and record the new one in its place."""
    strict: bool | None
    """As in `ProviderOptions`, for this call."""
    extra: Mapping[str, Any] | None
    """Goes into the request's body as it is."""


CALL_OPTIONS = tuple(CallOptions.__annotations__)
"""Names of the options of a call."""

PARAMETERS = CALL_OPTIONS[: CALL_OPTIONS.index("tools")]
"""Those of them that are parameters of the model."""
