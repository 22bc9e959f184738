"""The sentence of a failed call: who, what happened, the service's own message, what to do next."""

from __future__ import annotations

from allos import redaction
from allos.errors import ProviderError
from allos.wire.connection import Connection
from allos.wire.error_bodies import shorten

_SUMMARIES: dict[str, str] = {
    "AuthenticationError": "the key was not accepted",
    "PermissionDeniedError": "access was denied",
    "BadRequestError": "the request was rejected",
    "ContextLengthError": "the prompt does not fit the model's context window",
    "ContentFilterError": "the service's content filter rejected the prompt",
    "ModelNotFoundError": "the service has no such model",
    "QuotaError": "the account has no credit left",
    "RateLimitError": "rate limited",
    "ServerError": "the service failed",
    "ProviderConnectionError": "no answer",
    "ProviderTimeoutError": "timed out",
    "IncompleteStreamError": "the answer broke off",
    "InvalidResponseError": "no usable answer",
}

EMPTY = "the answer is empty"
"""How the message of an answer without any content begins."""

_NEXT_STEPS: dict[str, str] = {
    "AuthenticationError": "Check the key and what it may use.",
    "PermissionDeniedError": "Not about the key: check network, proxy and region, and what the "
    "account may use.",
    "BadRequestError": "Correct the request; the same one would be rejected again.",
    "ContentFilterError": "Change the prompt, or choose another model.",
    "ContextLengthError": "Shorten the prompt or choose a model with a larger window.",
    "ModelNotFoundError": "list_models() of the provider tells which ones there are.",
    "RateLimitError": "Try later, or send less at a time: max_in_flight, requests_per_minute.",
    "ServerError": "Try again later, or choose another provider.",
    "ProviderConnectionError": "Check base_url, the network and the proxy.",
    "InvalidResponseError": "Check base_url and api: what answered may not be that API.",
    "QuotaError": "Top up the account, or choose another provider.",
    "ProviderTimeoutError": "Pass a larger timeout_s or deadline_s if the model is slow.",
    "IncompleteStreamError": "What had arrived is kept in .response and in the log.",
}


_OURS = frozenset({"provider", "model", "response"})
"""Attributes of an error that no service writes."""


def redact(error: ProviderError, connection: Connection) -> None:
    """Mask credentials in everything that an error holds of a service's answer, in place."""
    for name, value in vars(error).items():
        if name in _OURS:
            continue
        if isinstance(value, str):
            setattr(error, name, connection.redact(value))
        elif isinstance(value, dict | list | tuple):
            setattr(error, name, redaction.current().value(value))
    error.args = (error.message,)


def complete(error: ProviderError, message: str, attempts: int = 1) -> None:
    """Give an error its final sentence: who, what happened, the server's own message, what to do.

    `error.next_step` is the general advice; whoever knows better sets another with `advise`.
    """
    kind = type(error).__name__
    who = "/".join(part for part in (error.provider, error.model) if part)
    what = _SUMMARIES.get(kind, "the call failed")
    status = f" ({error.status_code})" if error.status_code not in (None, 200) else ""
    message = shorten(" ".join(message.split()).rstrip("."))
    end = "" if message.endswith(("?", "!")) else "."
    parts = [f"{who}: {what}{status}: {message}{end}"]
    hint = error.retry_after_s
    if hint is not None and (kind == "RateLimitError" or (attempts <= 1 and hint > 0)):
        parts.append(f"The service asks to wait {_duration(hint)}.")
    elif attempts > 1:
        parts.append(f"Tried {attempts} times.")
    next_step = _NEXT_STEPS.get(kind)
    if kind == "InvalidResponseError" and message.startswith(EMPTY):
        next_step = "Ask again, or raise max_tokens: thinking may have used them up."
    error.summary = " ".join(parts)
    error.advise(next_step)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.0f} hours"
