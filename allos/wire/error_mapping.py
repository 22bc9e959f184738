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
    ContentFilterError,
    ContextLengthError,
    InvalidResponseError,
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
    ServerError,
)
from allos.wire.error_bodies import describe, status_in_body
from allos.wire.headers import rate_limit_wait_s, request_id, retry_after_s

_CONTEXT = re.compile(
    r"context[ _-]?(length|window|size)|maximum context|prompt is too long|too many tokens"
    r"|exceeds? the (available |maximum )?context|input is too long",
    re.I,
)
_FILTER = re.compile(r"content[ _-]?(filter|policy|management)|responsible ai|safety system", re.I)
_NO_MODEL = re.compile(
    r"model[ _-]?not[ _-]?(?:found|available)|not_found_error model:|decommissioned"
    r"|unknown model|no such model|invalid[ _]model|not a valid model|not found the model"
    r"|deployment[ _]?not[ _]?found|deployment\b.{0,80}?\bdoes not exist"
    r"|\bmodels?\b.{0,80}?\b(?:does not exist|doesn't exist|not found|not exist|is not available)"
    # The model itself, not a parameter of it.
    r"|\bmodels?\b\W{0,3}\S{0,80}\s+(?:(?:is|are)\s+)?not supported"
    r"|unsupported model|unable to access model",
    re.I | re.S,
)
_QUOTA = re.compile(
    r"insufficient[ _-]?(quota|balance|credit|funds)|billing|exceeded your current quota"
    r"|credit balance|payment",
    re.I,
)


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
    causes = {cls.__name__ for link in _chain(exc) for cls in type(link).__mro__}
    # The aiohttp transport reports a dropped connection as a connect timeout.
    dropped = causes & {"ServerDisconnectedError", "ClientOSError", "ConnectionResetError"}
    timed_out = causes & {"APITimeoutError", "TimeoutException", "TimeoutError"}
    if timed_out and not dropped:
        if "ConnectTimeout" in causes:
            return ProviderTimeoutError("no connection within the timeout")
        return ProviderTimeoutError("nothing arrived within the timeout")
    if "RuntimeError" in causes and re.search(
        r"(client|session|connector) (has been|is) closed", _messages_of(exc), re.I
    ):
        return ProviderConnectionError("the connection was closed while the call ran")
    if dropped or causes & {
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
    status = status_in_body(body)
    if status is not None:
        error = from_status(status, body, headers or {})
        error.status_code = None  # the exchange itself had another one
        return error
    message, code = describe(body)
    kind = _by_message(f"{code or ''} {message or ''}")
    if kind is None and code is not None:
        unknown = BadRequestError if code.startswith("invalid") else ServerError
        kind = _BY_CODE.get(code, unknown)
    kind = kind or InvalidResponseError
    return kind(
        message or "the service reported an error without a message",
        code=code,
        detail=message,
        request_id=request_id(headers or {}),
        retry_after_s=retry_after_s(headers or {}),
    )


_BY_CODE: dict[str, type[ProviderError]] = {
    "overloaded_error": ServerError,
    "api_error": ServerError,
    "server_error": ServerError,
    "rate_limit_error": RateLimitError,
    "rate_limit_exceeded": RateLimitError,
    "authentication_error": AuthenticationError,
    "permission_error": AuthenticationError,
    "billing_error": QuotaError,
    "invalid_request_error": BadRequestError,
    "not_found_error": ModelNotFoundError,
    "timeout_error": ProviderTimeoutError,
    "insufficient_quota": QuotaError,
}


def _by_message(message: str) -> type[ProviderError] | None:
    if _CONTEXT.search(message):
        return ContextLengthError
    if _NO_MODEL.search(message):
        return ModelNotFoundError
    if _FILTER.search(message):
        return ContentFilterError
    return None


def from_status(status: int, body: Any, headers: Mapping[str, str]) -> ProviderError:
    """Our error for an HTTP status that is no success."""
    message, code = describe(body)
    searched = f"{code or ''} {message or ''}"
    kind: type[ProviderError]
    retryable: bool | None = None
    wait_s = retry_after_s(headers)
    if 300 <= status < 400:
        return _redirect(status, headers)
    if status in (401, 403):
        kind = AuthenticationError
    elif status == 402:
        kind = QuotaError
    elif status == 429:
        kind = QuotaError if _QUOTA.search(searched) else RateLimitError
        if wait_s is None:
            wait_s = rate_limit_wait_s(headers)
    elif status in (408, 504):
        kind = ProviderTimeoutError
    elif status >= 500:
        kind = ServerError
    elif status in (400, 404, 410, 413, 422):
        kind = _by_message(searched) or BadRequestError
    else:
        kind, retryable = BadRequestError, status in (409, 425)
    return kind(
        message or f"HTTP {status} without an explanation",
        status_code=status,
        code=code,
        detail=message,
        request_id=request_id(headers),
        retry_after_s=wait_s,
        retryable=retryable,
    )


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
    return InvalidResponseError(
        f"the answer holds no {name}" + (f": {message}" if message else ""), code=code
    )


def _body_text(response: Any) -> str | None:
    try:
        text: str = response.text
    except Exception:  # noqa: BLE001 - an unread or undecodable body only costs the message
        return None
    return text


def _chain(exc: BaseException) -> list[BaseException]:
    links: list[BaseException] = []
    link: BaseException | None = exc
    while link is not None and link not in links and len(links) < 10:
        links.append(link)
        link = link.__cause__ or link.__context__
    return links


def _messages_of(exc: BaseException) -> str:
    return " ".join(str(link) for link in _chain(exc))


def _connection_message(exc: BaseException) -> str:
    messages = _messages_of(exc)
    for pattern, text in (
        (r"refused|Connect call failed", "the connection was refused; is the server running?"),
        (r"name or service not known|nodename|getaddrinfo|resolve", "the host name is not known"),
        (r"certificate|SSL|TLS", "the TLS connection failed; check the certificates and the proxy"),
        (r"disconnected|reset|closed|peer|payload", "the server closed the connection"),
        (r"unreachable", "the network is not reachable"),
    ):
        if re.search(pattern, messages, re.I):
            return text
    return "the connection failed"
