"""From what an SDK, its HTTP library or a reply says went wrong to one of our errors.

Exceptions are told apart by the names in their class tree and by status and body, never by
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
from allos.wire.headers import rate_limit_wait_s, request_id

_MAX_DETAIL = 400
_MAX_READ = 8000
"""Of an error's text. Far more than is shown: a key is masked in the whole before it is cut."""
_MAX_DEPTH = 8
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

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
        return from_status(status, body if body is not None else _text_of(response), headers)
    causes = {cls.__name__ for link in _chain(exc) for cls in type(link).__mro__}
    # The aiohttp transport reports a dropped connection as a connect time-out.
    dropped = causes & {"ServerDisconnectedError", "ClientOSError", "ConnectionResetError"}
    timed_out = causes & {"APITimeoutError", "TimeoutException", "TimeoutError"}
    if timed_out and not dropped:
        if "ConnectTimeout" in causes:
            return ProviderTimeoutError("no connection within the time-out")
        return ProviderTimeoutError("nothing arrived within the time-out")
    if "RuntimeError" in causes and re.search(
        r"(client|session|connector) (has been|is) closed", _words(exc), re.I
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
        return ProviderConnectionError(_connection_text(exc))
    if "APIError" in names:
        return from_body(getattr(exc, "body", None) or str(exc))
    return InvalidResponseError(f"the answer could not be read ({type(exc).__name__}: {exc})")


def from_body(body: Any, *, headers: Mapping[str, str] | None = None) -> ProviderError:
    """Our error for an error object inside a 200 or a stream."""
    status = _status_in(body)
    if status is not None:
        error = from_status(status, body, headers or {})
        error.status_code = None  # the exchange itself had another one
        return error
    text, code = describe(body)
    kind = _by_words(f"{code or ''} {text or ''}")
    if kind is None and code is not None:
        unknown = BadRequestError if code.startswith("invalid") else ServerError
        kind = _BY_CODE.get(code, unknown)
    kind = kind or InvalidResponseError
    return kind(
        text or "the service reported an error without words",
        code=code,
        detail=text,
        request_id=request_id(headers or {}),
        retry_after_s=_retry_after(headers),
    )


def _status_in(body: Any) -> int | None:
    """HTTP status that gateways write into an error object as its code."""
    for holder in (body.get("error"), body) if isinstance(body, Mapping) else ():
        if isinstance(holder, Mapping):
            for name in ("code", "status", "status_code"):
                value = holder.get(name)
                if isinstance(value, str) and value.isdecimal() and len(value) == 3:
                    value = int(value)
                if isinstance(value, int) and 400 <= value < 600:
                    return value
    return None


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


def _by_words(words: str) -> type[ProviderError] | None:
    if _CONTEXT.search(words):
        return ContextLengthError
    if _NO_MODEL.search(words):
        return ModelNotFoundError
    if _FILTER.search(words):
        return ContentFilterError
    return None


def from_status(status: int, body: Any, headers: Mapping[str, str]) -> ProviderError:
    """Our error for an HTTP status that is no success."""
    text, code = describe(body)
    words = f"{code or ''} {text or ''}"
    kind: type[ProviderError]
    retryable: bool | None = None
    retry_after_s = _retry_after(headers)
    if 300 <= status < 400:
        return _redirect(status, headers)
    if status in (401, 403):
        kind = AuthenticationError
    elif status == 402:
        kind = QuotaError
    elif status == 429:
        kind = QuotaError if _QUOTA.search(words) else RateLimitError
        if retry_after_s is None:
            retry_after_s = rate_limit_wait_s(headers)
    elif status in (408, 504):
        kind = ProviderTimeoutError
    elif status >= 500:
        kind = ServerError
    elif status in (400, 404, 410, 413, 422):
        kind = _by_words(words) or BadRequestError
    else:
        kind, retryable = BadRequestError, status in (409, 425)
    return kind(
        text or f"HTTP {status} without an explanation",
        status_code=status,
        code=code,
        detail=text,
        request_id=request_id(headers),
        retry_after_s=retry_after_s,
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
    """Our error for a success whose body is no answer of the API (an HTML page, plain text)."""
    text, _ = describe(content.decode("utf-8", "replace"))
    kind = headers.get("content-type", "").partition(";")[0] or "no content type"
    said = f": {text}" if text else ""
    return InvalidResponseError(
        f"the service answered with {kind} instead of an answer{said}",
        detail=text,
        status_code=200,
        request_id=request_id(headers),
    )


def missing_field(name: str, response: Mapping[str, Any]) -> ProviderError:
    """Our error for a complete response without the field that holds the answer."""
    message, code = describe(response)
    return InvalidResponseError(
        f"the answer holds no {name}" + (f": {message}" if message else ""), code=code
    )


def shorten(text: str) -> str:
    """Cut a server's words to what fits a message."""
    return text if len(text) <= _MAX_DETAIL else text[: _MAX_DETAIL - 1] + "…"


def describe(body: Any, depth: int = 0) -> tuple[str | None, str | None]:
    """Words and code of an error body, in whatever shape it came."""
    if isinstance(body, bytes):
        body = body[: 4 * _MAX_READ].decode("utf-8", "replace")
    if isinstance(body, str):
        body = body[:_MAX_READ]
        if body.lstrip().startswith("<"):
            title = re.search(r"<title[^>]{0,200}>(.*?)</title>", body, re.I | re.S)
            body = title.group(1) if title else re.sub(r"<[^>]{0,2000}>", " ", body)
        # An uncaught error is printed by Python itself: no word of it may steer a terminal.
        return (" ".join(_CONTROLS.sub(" ", body).split()) or None), None
    if depth >= _MAX_DEPTH:
        return None, None
    if isinstance(body, list):
        found = [describe(item, depth + 1) for item in body[:3]]
        words = [text for text, _ in found if text]
        return ("; ".join(words) or None), next((code for _, code in found if code), None)
    if not isinstance(body, Mapping):
        return None, None
    inner = body.get("error")
    if isinstance(inner, (Mapping, list)) and inner:
        text, code = describe(inner, depth + 1)
        if text or code:
            return text, code
    code = next((known for key in ("code", "type") if (known := _code(body.get(key)))), None)
    if isinstance(inner, str) and inner:
        return describe(inner)[0], code
    for key in ("message", "msg", "detail", "details", "error_description", "status_msg", "title"):
        value = body.get(key)
        if isinstance(value, (str, list, Mapping)) and value:
            text, of_inner = describe(value, depth + 1)
            if text:
                return _with_field(text, body), code or of_inner
    return None, code


def _with_field(text: str, body: Mapping[str, Any]) -> str:
    """Words with the field that they are about, where the server names it beside them."""
    place = body.get("loc") or body.get("param")
    name = str(place[-1] if isinstance(place, list) else place)[:100] if place else ""
    return f"{text} ({name})" if name and name not in text else text


def _code(value: Any) -> str | None:
    """A service's own word for the error; numbers and the plain word "error" tell nothing."""
    if not isinstance(value, str) or not value or value == "error" or value.isdecimal():
        return None
    if not value.isprintable():
        return None
    return value[:100]


def _text_of(response: Any) -> str | None:
    try:
        text: str = response.text
    except Exception:  # noqa: BLE001 - an unread or undecodable body only costs the words
        return None
    return text


def _retry_after(headers: Mapping[str, str] | None) -> float | None:
    """Seconds that the server asks to wait; None when it says nothing readable."""
    if not headers:
        return None
    text = headers.get("retry-after-ms")
    if text and re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text) / 1000
    text = headers.get("retry-after")
    if not text:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    from email.utils import parsedate_to_datetime

    try:
        when, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("date") or "")
        return max(0.0, (when - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _chain(exc: BaseException) -> list[BaseException]:
    links: list[BaseException] = []
    link: BaseException | None = exc
    while link is not None and link not in links and len(links) < 10:
        links.append(link)
        link = link.__cause__ or link.__context__
    return links


def _words(exc: BaseException) -> str:
    return " ".join(str(link) for link in _chain(exc))


def _connection_text(exc: BaseException) -> str:
    words = _words(exc)
    for pattern, text in (
        (r"refused|Connect call failed", "the connection was refused; is the server running?"),
        (r"name or service not known|nodename|getaddrinfo|resolve", "the host name is not known"),
        (r"certificate|SSL|TLS", "the TLS connection failed; check the certificates and the proxy"),
        (r"disconnected|reset|closed|peer|payload", "the server closed the connection"),
        (r"unreachable", "the network is not reachable"),
    ):
        if re.search(pattern, words, re.I):
            return text
    return "the connection failed"


_WHAT: dict[str, str] = {
    "AuthenticationError": "the key was not accepted",
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

_NEXT: dict[str, str] = {
    "AuthenticationError": "Check the key and what it may use.",
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


def complete(error: ProviderError, message: str, attempts: int = 1) -> None:
    """Give an error its final sentence: who, what happened, the server's own message, what to do.

    `error.next_step` is the general advice; whoever knows better sets another with `advise`.
    """
    kind = type(error).__name__
    who = "/".join(part for part in (error.provider, error.model) if part)
    what = _WHAT.get(kind, "the call failed")
    status = f" ({error.status_code})" if error.status_code not in (None, 200) else ""
    message = shorten(" ".join(message.split()).rstrip("."))
    end = "" if message.endswith(("?", "!")) else "."
    parts = [f"{who}: {what}{status}: {message}{end}"]
    hint = error.retry_after_s
    if kind == "RateLimitError" and hint is not None:
        parts.append(f"The service asks to wait {_span(hint)}.")
    elif attempts > 1:
        parts.append(f"Tried {attempts} times.")
    next_step = _NEXT.get(kind)
    if kind == "InvalidResponseError" and message.startswith(EMPTY):
        next_step = "Ask again, or raise max_tokens: thinking may have used them up."
    error.summary = " ".join(parts)
    error.advise(next_step)


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.0f} hours"
