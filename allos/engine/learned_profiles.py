"""What refusals have taught of servers that no row describes, by service, address, API and model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allos.request import Request

_Key = tuple[str, str, str, str]

# A pure cache: forgotten, it costs one refused request more. Each write is one step.
_learned: dict[_Key, dict[str, Any]] = {}


def _key(request: Request) -> _Key:
    return request.provider, request.base_url, request.api, request.model


def remember(request: Request, changes: Mapping[str, Any]) -> None:
    """Note fields of `ServiceProfile` that a refusal has corrected. Loop thread."""
    known = _key(request)
    _learned[known] = {**_learned.get(known, {}), **changes}


def find(request: Request) -> Mapping[str, Any]:
    """Return the fields of `ServiceProfile` that were corrected for a request's server."""
    return _learned.get(_key(request), {})


def forget() -> None:
    """Forget everything."""
    _learned.clear()
