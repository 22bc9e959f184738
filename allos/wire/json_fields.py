"""Values out of a response's JSON, whatever a service put there: unknown is None, never a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jiter import from_json

from allos.errors import IncompleteStreamError, InvalidResponseError
from allos.events import ResponseFacts
from allos.wire import error_mapping

REPORTED = "reported by the service"
"""Version of a price that no table gave."""

_TICKS_PER_USD = 10**10


def parse_json(data: bytes) -> Any:
    """Parse one event's JSON.

    Raises
    ------
    IncompleteStreamError
        It is not JSON.
    """
    try:
        return from_json(data, cache_mode="keys")
    except ValueError as exc:
        try:
            return repair_surrogates(data)
        except ValueError:
            raise IncompleteStreamError(f"the stream holds an unreadable event ({exc})") from None


def repair_surrogates(data: bytes) -> Any:
    """Parse JSON whose text is cut within a character: half of one becomes U+FFFD.

    Servers that cut a token's bytes, or an emoji's two halves, send such text.

    Raises
    ------
    ValueError
        It is not JSON even so.
    """
    text = _ESCAPE.sub(
        lambda found: r"\ufffd" if found["half"] else found[0], data.decode("utf-8", "replace")
    )
    return from_json(text.encode(), cache_mode="keys")


_ESCAPE = re.compile(  # in this order: both halves of an emoji, one half, any other escape
    r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>\\u[dD][89a-fA-F]..)|\\.", re.DOTALL
)

_MAX_TOKENS = 2**53
_MAX_USD = 1e12
_MAX_DIGITS = 30
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE]-?[0-9]+)?", re.ASCII)
_NOTHING = frozenset({"", "null", "none", "nil", "undefined"})


def records(listing: Mapping[str, Any]) -> list[Any]:
    """Return the records in a list of models, under either of its usual names."""
    rows = listing.get("data", listing.get("models"))
    return rows if isinstance(rows, list) else []


def reported_cost(usage: Mapping[str, Any]) -> list[ResponseFacts]:
    """Return the cost in US dollars that a service puts into its usage object, if it does."""
    cost = usage.get("cost")
    if isinstance(cost, Mapping):
        in_dollars = cost.get("currency", "USD") == "USD"
        cost = cost.get("total_cost") if in_dollars else None
    cost_usd = _with_upstream(_amount(cost), usage)
    if cost_usd is None and (ticks := _amount(usage.get("cost_in_usd_ticks"))) is not None:
        cost_usd = ticks / _TICKS_PER_USD
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
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and _NUMBER.fullmatch(value):
        return float(value)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def text(value: Any) -> str | None:
    """Return a string that is not empty, or None."""
    return value if isinstance(value, str) and value else None


def word(value: Any) -> str | None:
    """Return a string that names something, or None: many servers write "null" for nothing."""
    if not isinstance(value, str) or value.strip().lower() in _NOTHING:
        return None
    return value


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
        raw = from_json(content)
    except ValueError:
        try:
            raw = repair_surrogates(content)
        except ValueError:
            raise error_mapping.no_answer(content, headers) from None
    if isinstance(raw, list):  # some gateways wrap an error, and some a model list, in a list
        raw = raw[0] if raw and isinstance(raw[0], dict) and "error" in raw[0] else {"data": raw}
    if not isinstance(raw, dict):
        raise InvalidResponseError("the service answered with JSON that is not an object")
    return raw
