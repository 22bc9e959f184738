"""What an error body says, in whatever shape a service sends it: message, codes, status, wait."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from jiter import from_json

from allos.wire.placeholders import says_nothing, word
from allos.wire.surrogates import without_halves
from allos.wire.waits import Clock, parse_field

_MAX_DETAIL = 400
_MAX_READ = 8000
"""Of an error's text. Far more than is shown: a key is masked before the text is cut."""
_MAX_DEPTH = 8
_MAX_ITEMS = 20
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_MESSAGES = (
    "message", "msg", "detail", "details", "error_description", "faultstring", "status_msg", "title",
    "errors",
)  # fmt: skip
_CODES = (
    "code", "type", "__type", "reason", "error_code", "errorcode", "errorCode", "error_type", "errorType",
)  # fmt: skip
_HOLDERS = (
    "error", "errors", "detail", "details", "message", "innererror", "inner_error", "metadata", "raw",
    "violations", "fault", "base_resp", "response",
)  # fmt: skip
_WAITS = {
    "retrydelay": 1.0, "retryafter": 1.0, "retryafters": 1.0, "retryafterseconds": 1.0,
    "retryafterms": 0.001, "resetsinseconds": 1.0, "estimatedtime": 1.0, "resetsat": 1.0,
    "resetat": 1.0,
}  # fmt: skip
"""Fields that tell a wait, by their letters alone, and how long their unit is."""
_STATUSES = ("code", "status", "status_code", "statusCode")
_NAMES = frozenset(
    {*_MESSAGES, *_CODES, *_STATUSES, *_HOLDERS, "success", "param", "request_id"} - {"type"}
)
"""Fields of an object that is an error and nothing else; a `type` may be that of an event."""


@dataclass(slots=True)
class ErrorFacts:
    """What an error body says."""

    message: str | None = None
    code: str | None = None
    """The service's own code or type of the error."""
    codes: list[str] = field(default_factory=list)
    """That and all others in the body, the most specific ones first."""
    status: int | None = None
    """HTTP status that a gateway writes into the error."""
    quotas: list[str] = field(default_factory=list)
    """Names of the limits that were exceeded."""
    waits: list[tuple[Any, float]] = field(default_factory=list)
    """Values of fields that tell a wait, each with the length of its unit in seconds."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the service behind a gateway, by lower-case name."""
    is_page: bool = False
    """It is a web page."""
    failed_generation: str | None = None
    """What the model had written, where the service could not use it."""

    def wait_s(self, now: Clock) -> float | None:
        """Seconds that the body's fields ask to wait."""
        found = ((parse_field(value, now), unit) for value, unit in self.waits)
        return next((seconds * unit for seconds, unit in found if seconds is not None), None)


def read(body: Any) -> ErrorFacts:
    """Read an error body."""
    body = without_halves(body)
    facts = ErrorFacts(status=status_in_body(body), is_page=_is_page(body))
    facts.message, facts.code = describe(body)
    statuses = []  # of Google, which writes them in capitals; they say least
    for holder in _holders(body):
        facts.codes += [code for name in _CODES if (code := _code(holder.get(name)))]
        statuses += [code] if (code := _code(holder.get("status"))) and code.isupper() else []
        _add_limits(holder, facts)
        if facts.failed_generation is None and (failed := holder.get("failed_generation")):
            facts.failed_generation = failed if isinstance(failed, str) else _json_text(failed)
    facts.codes += statuses
    facts.code = facts.code or next(iter(facts.codes), None)
    return facts


def shorten(text: str) -> str:
    """Cut a server's text to what fits a message."""
    return text if len(text) <= _MAX_DETAIL else text[: _MAX_DETAIL - 1] + "…"


def describe(body: Any, depth: int = 0) -> tuple[str | None, str | None]:
    """Return the message and the code of an error body."""
    if isinstance(body, bytes):
        body = body[: 4 * _MAX_READ].decode("utf-8", "replace")
    if isinstance(body, str):
        inner = _inner_json(body)
        if inner is not None and (found := describe(inner, depth + 1))[0]:
            return found
        return _plain_text(body[:_MAX_READ]) or None, None
    if depth >= _MAX_DEPTH:
        return None, None
    if isinstance(body, list):
        items = [describe(item, depth + 1) for item in body[:3]]
        texts = [text for text, _ in items if text]
        return ("; ".join(texts) or None), next((code for _, code in items if code), None)
    if not isinstance(body, Mapping):
        return None, None
    for name in ("error", "fault"):
        inner = body.get(name)
        if isinstance(inner, (Mapping, list)) and inner:
            text, code = describe(inner, depth + 1)
            if text or code:
                return text, code
    code = next((known for name in ("code", "type") if (known := _code(body.get(name)))), None)
    inner = body.get("error")
    summary = describe(inner, depth + 1)[0] if isinstance(inner, str) and inner else None
    for name in _MESSAGES:
        value = body.get(name)
        if isinstance(value, (str, list, Mapping)) and value:
            text, inner_code = describe(value, depth + 1)
            if text:
                text = _with_upstream(_with_field(text, body), body, depth)
                if summary and summary not in text:
                    text = f"{summary}: {text}"
                return text, code or inner_code
    return summary, code


def reports_failure(body: Mapping[str, Any]) -> bool:
    """Whether an object in the place of an answer says that the call failed, without `error`.

    As FastAPI, vLLM, API gateways and Cloudflare write it: ``{"detail": ...}``, ``{"object":
    "error"}``, ``{"code": 500, "msg": ...}``, ``{"success": false}``.
    """
    if body.get("object") == "error" or body.get("success") is False or body.get("errors"):
        return True
    if body.get("status") in ("error", "failed", "failure"):
        return True
    if not any(isinstance(body.get(name), str | list) and body[name] for name in _MESSAGES):
        return False
    return status_in_body(body) is not None or _NAMES.issuperset(body)


def reported_error(body: Mapping[str, Any]) -> Any:
    """Return the `error` of an object; None where it is a placeholder."""
    error = body.get("error")
    return None if not error or says_nothing(error) else error


def status_in_body(body: Any) -> int | None:
    """HTTP status that gateways write into an error object as its code."""
    if isinstance(body, list) and body:
        body = body[0]
    for holder in (body.get("error"), body) if isinstance(body, Mapping) else ():
        if isinstance(holder, Mapping):
            for name in _STATUSES:
                value = holder.get(name)
                if isinstance(value, str) and value.isdecimal() and len(value) == 3:
                    value = int(value)
                if isinstance(value, int) and 400 <= value < 600:
                    return value
    return None


def _plain_text(text: str) -> str:
    """Text of a message on one line: of a web page its title, of an encoded URL the words."""
    if _is_page(text):
        title = re.search(r"<title[^>]{0,200}>(.*?)</title>", text, re.I | re.S)
        text = title.group(1) if title else re.sub(r"<[^>]{0,2000}>", " ", text)
    elif "%20" in text and " " not in text.strip():
        text = unquote(text)
    # An uncaught error is printed by Python itself: nothing in it may control a terminal.
    return " ".join(_CONTROLS.sub(" ", text).split())


def _is_page(body: Any) -> bool:
    if isinstance(body, bytes):
        return body[:100].lstrip().startswith(b"<")
    return isinstance(body, str) and body[:100].lstrip().startswith("<")


def _inner_json(text: str) -> Any:
    """The error object that a gateway passes on as text; None where the text is none."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = from_json(text.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (Mapping, list)) else None


def _with_upstream(text: str, body: Mapping[str, Any], depth: int) -> str:
    """Message of a gateway with what the service behind it said, and that service's name."""
    metadata = body.get("metadata")
    if not isinstance(metadata, Mapping):
        return text
    inner = describe(metadata.get("raw"), depth + 1)[0] if metadata.get("raw") else None
    name = metadata.get("provider_name")
    named = _plain_text(name[:100]) if isinstance(name, str) else ""
    if inner and inner not in text:
        text = f"{text}: {inner}"
    return f"{text} ({named})" if named and named not in text else text


def _with_field(text: str, body: Mapping[str, Any]) -> str:
    """Message with the field that it is about, where the server names it separately."""
    about = body.get("loc") or body.get("param")
    name = str(about[-1] if isinstance(about, list) else about)[:100] if about else ""
    return f"{text} ({name})" if name and name not in text else text


def _code(value: Any) -> str | None:
    """A service's own code for the error; numbers and the plain word "error" say nothing."""
    code = word(value)
    if code is None or code == "error" or code.isdecimal() or not code.isprintable():
        return None
    return code[:100]


def _holders(body: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in which a service may put facts of the error, the inner ones last."""
    waiting: list[tuple[Any, int]] = [(body, 0)]
    count = 0
    while waiting and count < _MAX_ITEMS:
        value, depth = waiting.pop(0)
        if isinstance(value, (str, bytes)):
            text = value[: 4 * _MAX_READ]
            value = _inner_json(text if isinstance(text, str) else text.decode("utf-8", "replace"))
        if isinstance(value, list):
            waiting[:0] = [(item, depth + 1) for item in value[:_MAX_ITEMS]]
        elif isinstance(value, Mapping):
            count += 1
            yield value
            if depth < _MAX_DEPTH:
                inner = [value[name] for name in _HOLDERS if value.get(name)]
                waiting += [(item, depth + 1) for item in inner]


def _add_limits(holder: Mapping[str, Any], facts: ErrorFacts) -> None:
    """Add an object's waits, exceeded limits, and headers of another service."""
    for name, value in holder.items():
        letters = re.sub(r"[^a-z]", "", str(name).lower())
        if letters in _WAITS and value is not None:
            facts.waits.append((value, _WAITS[letters]))
        elif letters in ("quotaid", "quotametric") and isinstance(value, str):
            facts.quotas.append(value)
        elif letters == "headers" and isinstance(value, Mapping):
            facts.headers.update((str(key).lower(), str(text)) for key, text in value.items())


def _json_text(value: Any) -> str:
    from json import dumps

    return dumps(value, ensure_ascii=False, default=str)
