"""Every error that allos raises.

::

    AllosError
    +-- ConfigurationError            unknown provider, missing key, missing part, wrong argument
    |   +-- MissingKeyError
    |   +-- MissingBaseURLError       nobody says where the service is
    +-- ProviderError                 a call that failed; carries .response with what had arrived
    |   +-- AuthenticationError       401, 403
    |   +-- BadRequestError           400, 404, 405, 409, 413, 422: the request itself is wrong
    |   |   +-- ContextLengthError    the prompt does not fit the model
    |   |   +-- ContentFilterError    the service refused the prompt
    |   |   +-- ModelNotFoundError
    |   +-- QuotaError                402, or a 429 that says the account is empty
    |   +-- RateLimitError            429
    |   +-- ServerError               5xx, overloaded
    |   +-- ProviderConnectionError   no connection, or it broke before the first event
    |   +-- ProviderTimeoutError      nothing came for timeout_s, or deadline_s passed
    |   +-- IncompleteStreamError     the stream ended without the API's own end signal
    |   +-- InvalidResponseError      an answer that holds no usable message
    +-- ToolError                     arguments that do not fit a tool
    +-- SchemaError                   an answer that does not match its schema; carries .response
    +-- TemplateError                 a `{{ }}` that cannot be filled in
    +-- BudgetError
    +-- ReplayError                   a replay file that cannot be read or written
    |   +-- ReplayMissError           no recorded answer for a request, and none may be asked for
    +-- LogError
    Interrupted (KeyboardInterrupt)   the person stopped the run; carries .response
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Closest known name to a mistyped one, or None when nothing is close."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Sentence that offers the closest known name, or an empty string."""
    match = nearest(word, known)
    return f" Did you mean {match!r}?" if match else ""


class AllosError(Exception):
    """Base of every error that allos raises.

    Attributes
    ----------
    response : ProviderResponse or None
        The response of the call that failed, with whatever had arrived; also a row of the log.
    """

    response: Any = None


class ConfigurationError(AllosError):
    """Something was named or set up wrongly; nothing was sent."""


class MissingKeyError(ConfigurationError):
    """A service needs a key and none was found; nothing was sent."""


class MissingBaseURLError(ConfigurationError):
    """A service has no address of its own and none was named; nothing was sent."""


class ProviderError(AllosError):
    """A call to a provider failed.

    Parameters
    ----------
    message : str
        What happened and the next step; never holds a key or a prompt.
    provider, model : str or None
        The service and the model as requested.
    status_code : int or None
        HTTP status, when one was received.
    request_id : str or None
        The service's own id of the request, to quote in a support ticket.
    retry_after_s : float or None
        Seconds that the service asked to wait.
    code : str or None
        The service's own error code or type.
    detail : str or None
        The server's own words, with keys redacted.
    retryable : bool or None
        Whether the same request may succeed later. None takes the class's own answer.

    Attributes
    ----------
    summary : str
        The message without its next step.
    next_step : str or None
        What to do about it, as the end of the message.
    """

    retryable_by_default = False

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        status_code: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        code: str | None = None,
        detail: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.model = model
        self.status_code = status_code
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.code = code
        self.detail = detail
        self.retryable = self.retryable_by_default if retryable is None else retryable
        self.summary = message
        self.next_step: str | None = None

    def advise(self, next_step: str | None) -> None:
        """Set what to do about it, which ends the message."""
        self.next_step = next_step
        self.message = f"{self.summary} {next_step}" if next_step else self.summary
        self.args = (self.message,)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message,), self.__dict__)


class AuthenticationError(ProviderError):
    """The service did not accept the key."""


class BadRequestError(ProviderError):
    """The service rejected the request itself; sending it again will not help."""


class ContextLengthError(BadRequestError):
    """The prompt is longer than the model's context window."""


class ContentFilterError(BadRequestError):
    """The service's content filter rejected the prompt."""


class ModelNotFoundError(BadRequestError):
    """The service does not have that model (any more)."""


class QuotaError(ProviderError):
    """The account has no credit left."""


class RateLimitError(ProviderError):
    """Too many requests or tokens for this key at the moment."""

    retryable_by_default = True


class ServerError(ProviderError):
    """The service failed or is overloaded."""

    retryable_by_default = True


class ProviderConnectionError(ProviderError):
    """The service could not be reached, or the connection broke."""

    retryable_by_default = True


class ProviderTimeoutError(ProviderError):
    """The service stayed silent for too long, or the whole call took too long."""

    retryable_by_default = True


class IncompleteStreamError(ProviderError):
    """The stream ended, or turned unreadable, before the API's own end signal."""


class InvalidResponseError(ProviderError):
    """The service answered with something that holds no usable message."""


class ToolError(AllosError):
    """A tool could not be called."""


class SchemaError(AllosError):
    """An answer does not match the schema that was asked for; `response` keeps its text."""


class TemplateError(AllosError):
    """A ``{{ }}`` in the text cannot be filled in; nothing was sent."""


class BudgetError(AllosError):
    """The call would pass the budget; nothing was sent."""


class ReplayError(AllosError):
    """A replay file cannot be opened, read or written."""


class ReplayMissError(ReplayError):
    """There is no recorded answer for this request; nothing was sent."""


class LogError(AllosError):
    """The log cannot be opened, read or written."""


class Interrupted(KeyboardInterrupt):
    """A run that was stopped by hand.

    Attributes
    ----------
    response : ProviderResponse or None
        The partial answer, also a row of the log.
    """

    def __init__(self, message: str, response: Any = None) -> None:
        super().__init__(message)
        self.response = response

    def _render_traceback_(self) -> list[str]:
        return [str(self)]
