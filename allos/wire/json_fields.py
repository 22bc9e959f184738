"""Values out of a response's JSON, whatever a service put there: unknown is None, never a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jiter import from_json

from allos.errors import IncompleteStreamError, InvalidResponseError
from allos.events import ResponseFacts
from allos.wire import error_mapping
from allos.wire.surrogates import parse_with_halves, without_halves

REPORTED = "reported by the service"
"""Version of a price that no table gave."""

_TICKS_PER_USD = 10**10


def parse_json(data: bytes) -> Any:
    """Parse one event's JSON; half a character becomes U+FFFD, see `allos.wire.surrogates`.

    Raises
    ------
    IncompleteStreamError
        It is not JSON.
    """
    try:
        return from_json(data, cache_mode="keys")
    except ValueError:
        return without_halves(parse_damaged(data))


def parse_damaged(data: bytes) -> Any:
    """Parse one event's JSON that holds parts of characters, and keep its halves.

    Raises
    ------
    IncompleteStreamError
        It is not JSON even so.
    """
    try:
        return parse_with_halves(data)
    except ValueError as exc:
        raise IncompleteStreamError(f"the stream holds an unreadable event ({exc})") from None


def repaired_json(data: bytes) -> Any:
    """Parse JSON; parts of characters become U+FFFD.

    Raises
    ------
    ValueError
        It is not JSON even so.
    """
    try:
        return from_json(data)
    except ValueError:
        return without_halves(parse_with_halves(data))


_MAX_TOKENS = 2**53
_MAX_USD = 1e12
_MAX_DIGITS = 30
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE]-?[0-9]+)?", re.ASCII)


def records(listing: Mapping[str, Any]) -> list[Any]:
    """Return the records in a list of models, under either of its usual names."""
    rows = listing.get("data", listing.get("models"))
    return rows if isinstance(rows, list) else []


def reported_cost(usage: Mapping[str, Any]) -> list[ResponseFacts]:
    """Return the cost in US dollars that a service puts into its usage object, if it does."""
    cost = usage.get("cost")
    if isinstance(cost, dict):
        in_dollars = cost.get("currency", "USD") == "USD"
        cost = cost.get("total_cost") if in_dollars else None
    cost_usd = _with_upstream(_amount(cost), usage)
    if cost_usd is None and (ticks := _amount(usage.get("cost_in_usd_ticks"))) is not None:
        cost_usd = ticks / _TICKS_PER_USD
    if cost_usd is None:
        cost_usd = _amount(usage.get("estimated_cost"))
    return [] if cost_usd is None else [ResponseFacts(cost_usd=cost_usd, price_version=REPORTED)]


def _with_upstream(cost_usd: float | None, usage: Mapping[str, Any]) -> float | None:
    """Add what another service bills for the call, where an intermediary names only its own fee.

    With the user's own key (`is_byok`) the cost is the fee. Where nothing says whose key it was, an
    upstream cost that is larger than the cost cannot be a part of it.
    """
    own_key = usage.get("is_byok")
    upstream = _amount(json_dict(usage.get("cost_details")).get("upstream_inference_cost"))
    if own_key is True:
        return None if upstream is None else (cost_usd or 0.0) + upstream
    if own_key is None and cost_usd is not None and upstream is not None and upstream > cost_usd:
        return cost_usd + upstream
    return cost_usd


def dollars(text: str | None) -> float | None:
    """Return the amount in a header, or None."""
    try:
        return float(text or "")
    except ValueError:
        return None


def _amount(value: Any) -> float | None:
    number = _number(value)
    return float(number) if number is not None and 0 <= number < _MAX_USD else None


def count(value: Any) -> int | None:
    """Return a number of tokens, or None for anything that is not a count.

    Some services send counts as text or as floats.
    """
    number = _number(value)
    if number is None or not 0 <= number < _MAX_TOKENS or number != int(number):
        return None
    return int(number)


def _number(value: Any) -> float | None:
    if value is None or type(value) is int:
        return value
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and _NUMBER.fullmatch(value):
        return float(value)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def text(value: Any) -> str | None:
    """Return a string that is not empty, or None."""
    return value if isinstance(value, str) and value else None


def json_dict(value: Any) -> dict[str, Any]:
    """Return a JSON object that is there, or an empty one."""
    return value if isinstance(value, dict) else {}


def json_object(content: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """Parse the body of a success.

    Raises
    ------
    InvalidResponseError
        It is not a JSON object.
    """
    try:
        raw = repaired_json(content)
    except ValueError:
        raise error_mapping.no_answer(content, headers) from None
    if isinstance(raw, list):  # some gateways wrap an error, and some a model list, in a list
        raw = raw[0] if raw and isinstance(raw[0], dict) and "error" in raw[0] else {"data": raw}
    if not isinstance(raw, dict):
        raise InvalidResponseError("the service answered with JSON that is not an object")
    return raw
