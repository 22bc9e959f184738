"""Corrections of `ServiceProfile` learned from error replies, by service, base URL, API and model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allos.request import Request

_Key = tuple[str, str, str, str]

# A pure cache of the process: losing it costs one rejected request. Writes are atomic.
_learned: dict[_Key, dict[str, Any]] = {}


def _key(request: Request) -> _Key:
    return request.provider, request.base_url, request.api, request.model


def remember(request: Request, changes: Mapping[str, Any]) -> None:
    """Store corrected fields of `ServiceProfile`. Loop thread."""
    key = _key(request)
    _learned[key] = {**_learned.get(key, {}), **changes}


def find(request: Request) -> Mapping[str, Any]:
    """Return the corrected fields of `ServiceProfile` for a request."""
    return _learned.get(_key(request), {})


def forget() -> None:
    """Clear the cache."""
    _learned.clear()
