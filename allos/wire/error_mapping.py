"""Our errors for what an SDK, its HTTP library or a response reports.

Exceptions are classified by the names of their classes and by status and body, never by
`isinstance`: the SDKs are loaded late, and both changed their HTTP library under their users.
The errors made here carry no request, no header and no key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from allos.errors import (
    AuthenticationError,
    BadRequestError,
    InvalidResponseError,
    PermissionDeniedError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
    ServerError,
)
from allos.wire import error_bodies, error_words
from allos.wire.causes import causes, class_names
from allos.wire.error_bodies import ErrorFacts, describe
from allos.wire.headers import clock, error_codes, rate_limit_wait_s, request_id, retry_after_s
from allos.wire.waits import Clock, find_wait


def from_exception(exc: BaseException) -> ProviderError:
    """Our error for whatever a call raised; ours pass through."""
    if isinstance(exc, ProviderError):
        return exc
    names = {cls.__name__ for cls in type(exc).__mro__}
    status = getattr(exc, "status_code", None)
    response = getattr(exc, "response", None)
    if isinstance(status, int) and response is not None:
        headers = getattr(response, "headers", {})
        body = getattr(exc, "body", None)
        if status == 200:  # an error event inside a stream
            return from_body(body, headers=headers)
        return from_status(status, body if body is not None else _body_text(response), headers)
    links = class_names(exc)
    # The aiohttp transport reports a dropped connection as a connect timeout.
    dropped = links & {"ServerDisconnectedError", "ClientOSError", "ConnectionResetError"}
    timed_out = links & {"APITimeoutError", "TimeoutException", "TimeoutError"}
    if timed_out and not dropped:
        if "ConnectTimeout" in links:
            return ProviderTimeoutError("no connection within the timeout")
        return ProviderTimeoutError("nothing arrived within the timeout")
    if "RuntimeError" in links and re.search(
        r"(client|session|connector) (has been|is) closed", _messages_of(exc), re.I
    ):
        return ProviderConnectionError("the connection was closed while the call ran")
    if dropped or links & {
        "APIConnectionError",
        "TransportError",
        "ClientError",
        "OSError",
        "SSLError",
        "EndOfStream",
    }:
        return ProviderConnectionError(_connection_message(exc))
    if "APIError" in names:
        return from_body(getattr(exc, "body", None) or str(exc))
    return InvalidResponseError(f"the answer could not be read ({type(exc).__name__}: {exc})")


def from_body(body: Any, *, headers: Mapping[str, str] | None = None) -> ProviderError:
    """Our error for an error object inside a 200 or a stream."""
    facts = error_bodies.read(body)
    return _error(facts, headers or {}, status=facts.status, is_exchange=False)


def from_status(status: int, body: Any, headers: Mapping[str, str]) -> ProviderError:
    """Our error for an HTTP status that is no success."""
    if 300 <= status < 400:
        return _redirect(status, headers)
    return _error(error_bodies.read(body), headers, status=status, is_exchange=True)


def _error(
    facts: ErrorFacts, headers: Mapping[str, str], *, status: int | None, is_exchange: bool
) -> ProviderError:
    now = clock(headers)
    facts.codes += error_codes(headers)
    facts.code = facts.code or next(iter(facts.codes), None)
    kind = _kind(facts, headers, status)
    message = facts.message or ""
    wait_s = _wait_s(facts, headers, now)
    if issubclass(kind, RateLimitError | ServerError):
        if wait_s is None:
            wait_s = find_wait(message, now)
        if wait_s is None:
            wait_s = wait_in_headers(kind, headers, now)
        if wait_s is None:
            wait_s = wait_in_headers(kind, facts.headers, now)
    retryable = None
    if kind is RateLimitError and error_words.is_too_large(message):
        retryable = False
    elif kind is BadRequestError and status in _CONFLICTS:
        retryable = True
    without = "the service reported an error without a message"
    error = kind(
        message or (f"HTTP {status} without an explanation" if is_exchange else without),
        status_code=status if is_exchange else None,
        code=facts.code,
        detail=facts.message,
        request_id=request_id(headers),
        retry_after_s=wait_s,
        retryable=retryable,
    )
    error.failed_generation = facts.failed_generation
    return error


def wait_in_headers(
    kind: type[ProviderError], headers: Mapping[str, str], now: Clock | None = None
) -> float | None:
    """Seconds that headers ask to wait after an error of a class; `now` in place of their clock."""
    wait_s = retry_after_s(headers, now)
    if wait_s is None and kind is RateLimitError:
        wait_s = rate_limit_wait_s(headers, now)
    return wait_s


_CONFLICTS = (409, 425)
"""Statuses of a request that may be fine a moment later."""


def _kind(facts: ErrorFacts, headers: Mapping[str, str], status: int | None) -> type[ProviderError]:
    """Class of an error: structured facts beat words, words beat the status, which beats nothing."""
    found = error_words.by_code(facts.codes)
    if found is not None:
        return found
    words = f"{' '.join(facts.codes)} {facts.message or ''}"
    if (status is None or status == 400 or status >= 500) and facts.status not in (None, 400):
        status = facts.status  # of the service behind a gateway
    if status is None:
        return _kind_without_status(facts, words)
    if status == 429:
        return _kind_of_429(facts, headers, words)
    if status == 403:
        return _kind_of_403(facts, headers, words)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return error_words.by_words(words, error_words.BROKEN) or ServerError
    return error_words.by_words(words, error_words.WHOLE_REQUEST) or BadRequestError


_BY_STATUS: dict[int, type[ProviderError]] = {
    401: AuthenticationError,
    402: QuotaError,
    407: ProviderConnectionError,  # of the proxy
    408: ProviderTimeoutError,
    451: PermissionDeniedError,
    498: ServerError,  # Groq: no capacity left for this service tier
    504: ProviderTimeoutError,
}


def _kind_without_status(facts: ErrorFacts, words: str) -> type[ProviderError]:
    found = error_words.by_words(words, error_words.WHOLE_REQUEST)
    found = found or error_words.by_weak_code(facts.codes)
    if found is not None:
        return found
    if facts.code is None and facts.message is None:
        return ServerError
    if facts.code is None:
        return error_words.by_words(words, (ServerError,)) or InvalidResponseError
    return BadRequestError if facts.code.startswith("invalid") else ServerError


def _kind_of_429(facts: ErrorFacts, headers: Mapping[str, str], words: str) -> type[ProviderError]:
    """A rate that was exceeded, or an account without credit."""
    if facts.quotas or _wait_s(facts, headers, clock(headers)) is not None:
        return RateLimitError
    kind = error_words.by_words(words, (RateLimitError, QuotaError))
    kind = kind or error_words.by_weak_code(facts.codes)
    if kind in (RateLimitError, QuotaError):
        return kind
    return QuotaError if error_words.is_billing(words) else RateLimitError


def _kind_of_403(facts: ErrorFacts, headers: Mapping[str, str], words: str) -> type[ProviderError]:
    """A key that may not do this, or a refusal that has nothing to do with the key."""
    if facts.is_page or headers.get("cf-mitigated"):
        return PermissionDeniedError  # a firewall's: services answer in JSON
    kind = error_words.by_words(words, error_words.FORBIDDEN)
    if kind is None and error_words.is_refused_access(words):
        return PermissionDeniedError
    return kind or AuthenticationError


def _wait_s(facts: ErrorFacts, headers: Mapping[str, str], now: Clock) -> float | None:
    """Seconds to wait, as headers or fields of the body tell them."""
    for wait_s in (
        retry_after_s(headers, now),
        facts.wait_s(now),
        retry_after_s(facts.headers, now),
    ):
        if wait_s is not None:
            return wait_s
    return None


def _redirect(status: int, headers: Mapping[str, str]) -> ProviderError:
    from urllib.parse import urlsplit

    target = urlsplit(headers.get("location") or "")
    where = (
        f"{target.scheme}://{target.netloc.rpartition('@')[2]}" if target.netloc else "elsewhere"
    )
    return InvalidResponseError(
        f"the service redirects to {where}, which is not followed, since prompt and key would go "
        "there; set base_url to the new address if you trust it",
        status_code=status,
        request_id=request_id(headers),
    )


def no_answer(content: bytes, headers: Mapping[str, str]) -> ProviderError:
    """Our error for a success whose body is not of the API (an HTML page, plain text)."""
    message, _ = describe(content.decode("utf-8", "replace"))
    content_type = headers.get("content-type", "").partition(";")[0] or "no content type"
    rest = f": {message}" if message else ""
    return InvalidResponseError(
        f"the service answered with {content_type} instead of an answer{rest}",
        detail=message,
        status_code=200,
        request_id=request_id(headers),
    )


def missing_field(name: str, response: Mapping[str, Any]) -> ProviderError:
    """Our error for a complete response without the field that holds the answer."""
    message, code = describe(response)
    if error_bodies.reports_failure(response):
        error = from_body(response)
        if not isinstance(error, InvalidResponseError):
            return error
    return InvalidResponseError(
        f"the answer holds no {name}" + (f": {message}" if message else ""), code=code
    )


def _body_text(response: Any) -> str | None:
    try:
        text: str = response.text
    except Exception:  # noqa: BLE001 - an unread or undecodable body only costs the message
        return None
    return text


def _messages_of(exc: BaseException) -> str:
    return " ".join(str(link) for link in causes(exc))


def _connection_message(exc: BaseException) -> str:
    messages = _messages_of(exc)
    for pattern, text in (
        (r"refused|Connect call failed", "Connection refused. Is the server running?"),
        (r"name or service not known|nodename|getaddrinfo|resolve", "the host name is not known"),
        (r"certificate|SSL|TLS", "the TLS connection failed; check the certificates and the proxy"),
        (r"disconnected|reset|closed|peer|payload", "the server closed the connection"),
        (r"unreachable", "the network is not reachable"),
    ):
        if re.search(pattern, messages, re.I):
            return text
    return "the connection failed"
