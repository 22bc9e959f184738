"""All errors of allos.

::

    AllosError
    +-- ConfigurationError            unknown provider, missing API key or package, invalid argument
    |   +-- MissingKeyError
    |   +-- MissingBaseURLError       a generic service without a base URL
    |   +-- PromptError               a prompt or instructions of a wrong type
    +-- ProviderError                 a failed call; .response is the partial response
    |   +-- AuthenticationError       401, 403: the API key is wrong, or may not do this
    |   +-- PermissionDeniedError     403 for another reason: region, firewall, model
    |   +-- BadRequestError           400, 404, 405, 409, 413, 422: invalid request
    |   |   +-- ContextLengthError    the prompt exceeds the context window
    |   |   +-- ContentFilterError    the content filter rejected the prompt
    |   |   +-- ModelNotFoundError
    |   +-- QuotaError                402, or a 429 for an account without credit
    |   +-- RateLimitError            429
    |   +-- ServerError               5xx, overloaded
    |   +-- ProviderConnectionError   no connection, or closed before the first event
    |   +-- ProviderTimeoutError      no data for timeout_s, or deadline_s exceeded
    |   +-- IncompleteStreamError     the stream ended without the API's end signal
    |   +-- InvalidResponseError      a reply without a usable message
    +-- ToolError                     invalid arguments of a tool
    +-- SchemaError                   an answer that does not match its schema; has .response
    +-- TemplateError                 a `{{ }}` that cannot be expanded
    +-- BudgetError                   the call would exceed a budget
    +-- BatchPausedError              a wait for a batch that is paused
    +-- ReplayError                   a replay file that cannot be read or written
    |   +-- ReplayMissError           no recorded answer for a request in strict mode
    +-- LogError                      the log cannot be opened, read or written
    Interrupted (KeyboardInterrupt)   the user interrupted the call; has .response
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Known name closest to a mistyped one; None if none is close.

    People seldom mistype the first letter: where it differs, the rest must be closer.

    Examples
    --------
    >>> nearest("grok", ["groq", "openai"])
    'groq'
    >>> nearest("nope", ["openai"]) is None
    True
    """
    import difflib

    found = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    other_start = [each for each in found if each[:1].lower() != word[:1].lower()]
    far = set(other_start).difference(difflib.get_close_matches(word, other_start, cutoff=0.7))
    return next((each for each in found if each not in far), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Sentence that suggests the closest known name, or an empty string."""
    match = nearest(word, known)
    return f" Did you mean {match!r}?" if match else ""


class AllosError(Exception):
    """Base class of all errors of allos.

    Attributes
    ----------
    response : ProviderResponse or None
        The partial response of the failed call; also a row of the log.
    """

    response: Any = None


class ConfigurationError(AllosError):
    """Invalid argument or configuration; nothing was sent."""


class PromptError(ConfigurationError, TypeError, ValueError):
    """What was given as a prompt, or as instructions, cannot be one; nothing was sent.

    Also a `TypeError` and a `ValueError`, as Python's own errors of arguments are.
    """


class MissingKeyError(ConfigurationError):
    """A service needs an API key and none was found; nothing was sent."""


class MissingBaseURLError(ConfigurationError):
    """A service has no default base URL and none was given; nothing was sent."""


class ProviderError(AllosError):
    """A call to a provider failed.

    Parameters
    ----------
    message : str
        What happened and the next step; never contains a key or a prompt.
    provider, model : str or None
        The service and the model as requested.
    status_code : int or None
        HTTP status code, if one was received.
    request_id : str or None
        The service's id of the request, for support tickets.
    retry_after_s : float or None
        Seconds to wait, as requested by the service.
    code : str or None
        The service's error code or type.
    detail : str or None
        The service's error message, with keys redacted.
    retryable : bool or None
        Whether the same request may succeed later. None: the default of the class.

    Attributes
    ----------
    summary : str
        The message without the next step.
    next_step : str or None
        How to fix it; the end of the message.
    failed_generation : str or None
        What the model had written, where the service could not use it (a tool call or JSON that does
        not parse).
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
        self.failed_generation: str | None = None

    def advise(self, next_step: str | None) -> None:
        """Set the next step, which is appended to the message."""
        self.next_step = next_step
        self.message = f"{self.summary} {next_step}" if next_step else self.summary
        self.args = (self.message,)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message,), self.__dict__)


class AuthenticationError(ProviderError):
    """The service rejected the API key."""


class PermissionDeniedError(ProviderError):
    """The service, or a firewall before it, refused access for a reason other than the API key."""


class BadRequestError(ProviderError):
    """The service rejected the request as invalid; retrying does not help."""


class ContextLengthError(BadRequestError):
    """The prompt is longer than the model's context window."""


class ContentFilterError(BadRequestError):
    """The service's content filter rejected the prompt."""


class ModelNotFoundError(BadRequestError):
    """The service does not have that model, or has retired it."""


class QuotaError(ProviderError):
    """The account has no credit left."""


class RateLimitError(ProviderError):
    """Too many requests or tokens for this API key."""

    retryable_by_default = True


class ServerError(ProviderError):
    """The service failed or is overloaded."""

    retryable_by_default = True


class ProviderConnectionError(ProviderError):
    """The service could not be reached, or the connection was closed."""

    retryable_by_default = True


class ProviderTimeoutError(ProviderError):
    """No data arrived within the timeout, or the call exceeded its deadline."""

    retryable_by_default = True


class IncompleteStreamError(ProviderError):
    """The stream ended or became invalid before the API's end signal."""


class InvalidResponseError(ProviderError):
    """The reply of the service has no usable message."""


class ToolError(AllosError):
    """A tool could not be called."""


class SchemaError(AllosError):
    """An answer does not match its schema; `response` has its text."""


class TemplateError(AllosError):
    """A ``{{ }}`` in the text cannot be expanded; nothing was sent."""


class BudgetError(AllosError):
    """The call would exceed a budget; nothing was sent."""


class BatchPausedError(AllosError):
    """A batch is paused, so that waiting for it would never end."""


class ReplayError(AllosError):
    """A replay file cannot be opened, read or written."""


class ReplayMissError(ReplayError):
    """There is no recorded answer for this request; nothing was sent."""


class LogError(AllosError):
    """The log cannot be opened, read or written."""


class Interrupted(KeyboardInterrupt):
    """A call that was interrupted by the user.

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
