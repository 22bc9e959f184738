"""The message, code and status in an error body, in whatever shape a service sends it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_MAX_DETAIL = 400
_MAX_READ = 8000
"""Of an error's text. Far more than is shown: a key is masked before the text is cut."""
_MAX_DEPTH = 8
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def shorten(text: str) -> str:
    """Cut a server's text to what fits a message."""
    return text if len(text) <= _MAX_DETAIL else text[: _MAX_DETAIL - 1] + "…"


def describe(body: Any, depth: int = 0) -> tuple[str | None, str | None]:
    """Return the message and the code of an error body."""
    if isinstance(body, bytes):
        body = body[: 4 * _MAX_READ].decode("utf-8", "replace")
    if isinstance(body, str):
        body = body[:_MAX_READ]
        if body.lstrip().startswith("<"):
            title = re.search(r"<title[^>]{0,200}>(.*?)</title>", body, re.I | re.S)
            body = title.group(1) if title else re.sub(r"<[^>]{0,2000}>", " ", body)
        # An uncaught error is printed by Python itself: nothing in it may control a terminal.
        return (" ".join(_CONTROLS.sub(" ", body).split()) or None), None
    if depth >= _MAX_DEPTH:
        return None, None
    if isinstance(body, list):
        found = [describe(item, depth + 1) for item in body[:3]]
        texts = [text for text, _ in found if text]
        return ("; ".join(texts) or None), next((code for _, code in found if code), None)
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
            text, inner_code = describe(value, depth + 1)
            if text:
                return _with_field(text, body), code or inner_code
    return None, code


def _with_field(text: str, body: Mapping[str, Any]) -> str:
    """Message with the field that it is about, where the server names it separately."""
    field = body.get("loc") or body.get("param")
    name = str(field[-1] if isinstance(field, list) else field)[:100] if field else ""
    return f"{text} ({name})" if name and name not in text else text


def _code(value: Any) -> str | None:
    """A service's own code for the error; numbers and the plain word "error" say nothing."""
    if not isinstance(value, str) or not value or value == "error" or value.isdecimal():
        return None
    if not value.isprintable():
        return None
    return value[:100]


def status_in_body(body: Any) -> int | None:
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
