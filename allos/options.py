"""The options of providers and calls, each defined once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict

from allos.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOptions:
    """Options of a provider: the keywords of `ProviderRegistry.get_provider`.

    The parameters of `CallOptions` are also accepted, as defaults of every call.
    """

    model: str
    """The service's name of the model."""
    api_key: str | Secret | None = field(default=None, repr=False)
    """API key. Default: the service's environment variables, then the key set with `allos.set_key`, the
    system's keyring and Colab's secrets."""
    base_url: str | None = None
    """Custom base URL. A key from the environment is not sent to a custom host."""
    api: str | None = None
    """``"responses"``, ``"chat"`` or ``"messages"``, if a service supports several."""
    timeout_s: float = 120.0
    """Seconds without data from the service."""
    deadline_s: float | None = None
    """Seconds for a complete call, waits and retries included."""
    max_attempts: int = 6
    """Maximum number of attempts, the first included."""
    headers: Mapping[str, str | Secret] | None = field(default=None, repr=False)
    """Additional headers of every request."""
    context_window: int | None = None
    """Overrides the known context window, in tokens."""
    max_in_flight: float | None = None
    """Concurrent calls of the session with this key to this host; the newest provider that sets it counts,
    and infinity removes a limit. Calls wait for their turn, see `queue_s`."""
    requests_per_minute: float | None = None
    """As `max_in_flight`: requests in any 60 s."""
    tokens_per_minute: float | None = None
    """As `max_in_flight`: tokens in any 60 s."""
    strict: bool = False
    """Raise for unsupported parameters instead of leaving them out with a warning."""


PROVIDER_OPTIONS = tuple(each.name for each in fields(ProviderOptions))
"""Names of the options of a provider."""

OVERRIDABLE_OPTIONS = tuple(name for name in PROVIDER_OPTIONS if name not in ("model", "strict"))
"""Options that `ask` and `compare` pass to their provider; `strict` is also an option of a call."""


class CallOptions(TypedDict, total=False):
    """Options of one call: parameters of the model, tools, schema and others."""

    temperature: float | None
    """Sampling temperature, >= 0."""
    top_p: float | None
    """Nucleus sampling: share of the probability mass, 0 to 1."""
    max_tokens: int | None
    """Maximum number of output tokens, reasoning included."""
    stop: str | Sequence[str] | None
    """String, or list of strings, at which the model stops."""
    seed: int | None
    """Integer for repeatable sampling, if the service supports it."""
    presence_penalty: float | None
    """-2 to 2."""
    frequency_penalty: float | None
    """-2 to 2."""
    logprobs: bool | None
    """Whether to return log probabilities."""
    top_logprobs: int | None
    """Number of alternatives per token."""
    logit_bias: Mapping[Any, float] | None
    """Token id to bias."""
    effort: str | None
    """Reasoning effort: none, minimal, low, medium, high, xhigh, max."""
    tools: Sequence[Any] | None
    """Tools that the model may call: functions, pydantic model classes, mappings, `Tool`."""
    tool_choice: str | None
    """``"auto"``, ``"none"``, ``"required"`` or a tool's name; None leaves it to the service."""
    schema: Any
    """Type of the answer: a pydantic model, a dataclass, a TypedDict or a JSON schema."""
    refresh: bool
    """Send the request even if an answer is recorded, and record the new one."""
    strict: bool | None
    """As in `ProviderOptions`, for this call."""
    extra: Mapping[str, Any] | None
    """Additional fields of the request's body."""


CALL_OPTIONS = tuple(CallOptions.__annotations__)
"""Names of the options of a call."""

BATCH_MODES = ("calls", "provider_batch")
"""Who makes the calls of a batch: this process and its workers, or the batch APIs of the services."""

PARAMETERS = CALL_OPTIONS[: CALL_OPTIONS.index("tools")]
"""Names of the parameters of the model among them."""
