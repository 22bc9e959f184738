"""Cost of calls. Unknown is None, never 0 and never the price of a similar model.

Prices are from the `genai-prices` package, offline. Its import takes 0.25 s, so it is loaded on its own
thread during the first request, never on the loop thread.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from allos import _process
from allos.engine import After, Interceptor, PreparedCall
from allos.providers.catalog.model_limits import plain_name
from allos.response import ProviderResponse
from allos.wire.json_fields import count

# Process-wide cache: the tables of genai-prices are loaded once.
_lock = threading.Lock()  # guards the first use of genai-prices, which fills its caches
_loaded = threading.Event()
_warming = False

_LISTED_TIERS = frozenset({"default", "standard", "auto", "on_demand"})
"""Tiers at list price. Any other tier is only priced if the tables contain it."""

_BATCH = {"processing": "batch"}

_RATES = {
    "input_audio_tokens": "input_audio_mtok",
    "output_audio_tokens": "output_audio_mtok",
    "output_image_tokens": "output_image_mtok",
    "web_searches": "web_searches_kcount",
}
"""What is not billed at the rates of text, by its own rate."""

_BILLED_APART = frozenset({"image_generation_call", "code_interpreter_call", "file_search_call"})
"""Tools of a service whose bill no token count contains, by the types of their parts."""


def _forget_after_fork() -> None:
    # The thread that held the lock while loading does not exist in the child.
    global _lock, _warming
    _lock = threading.Lock()
    _warming = False


_process.on_fork(after_in_child=_forget_after_fork)


def warm() -> None:
    """Start loading the price tables in the background; returns at once."""
    global _warming
    if not _warming:
        _warming = True
        threading.Thread(target=load, name="allos-prices", daemon=True).start()


def load() -> None:
    """Load the price tables; takes 0.25 s the first time. Not on the loop thread."""
    with _lock:
        if not _loaded.is_set():
            from genai_prices import Usage, calc_price

            calc_price(Usage(input_tokens=1, output_tokens=1), "gpt-4o", provider_id="openai")
            _loaded.set()


def are_loaded() -> bool:
    """Whether a cost is computed without loading anything."""
    return _loaded.is_set()


async def aload() -> None:
    """Load the price tables without blocking the caller's event loop."""
    if not _loaded.is_set():
        import asyncio

        await asyncio.to_thread(load)


class Prices(Interceptor):
    """Adds the cost of a call to its response."""

    @property
    def may_wait(self) -> bool:
        """Never: tables are loaded by a thread."""
        return False

    def before(self, call: PreparedCall) -> After | None:
        """Start loading the price tables, if the service has prices."""
        price_id, share = call.billing.price_id, call.billing.batch_share
        if price_id is None:
            return None
        warm()

        def add_cost(
            response: ProviderResponse,
        ) -> ProviderResponse | Awaitable[ProviderResponse]:  # loop thread
            if _loaded.is_set() or response.usage.output_tokens is None:
                return _with_cost(response, price_id, share)
            return _with_cost_once_loaded(response, price_id, share)

        return add_cost


async def _with_cost_once_loaded(
    response: ProviderResponse, price_id: str, batch_share: float | None
) -> ProviderResponse:
    await aload()
    return _with_cost(response, price_id, batch_share)


def _with_cost(
    response: ProviderResponse, price_id: str, batch_share: float | None
) -> ProviderResponse:
    facts = cost(response.metadata, price_id, at=response.created_at, batch_share=batch_share)
    return response.with_metadata(facts) if facts else response


def cost(
    metadata: Mapping[str, Any],
    price_id: str,
    *,
    at: datetime | None = None,
    batch_share: float | None = None,
) -> dict[str, Any]:
    """Cost of a call, by column name; empty when any needed number is unknown.

    Parameters
    ----------
    metadata : mapping
        The call's metadata: `model`, `response_model`, token counts, `service_tier`, and `usage`, the
        service's own usage object.
    price_id : str
        The service's id in genai-prices.
    at : datetime or None
        When the call was made; None: now. Prices change over time.
    batch_share : float or None
        Share of the list price that the service takes for a call in a batch, where the tables do not know
        its price there; `price_version` then says so. None: such a price is unknown.

    Returns
    -------
    dict
        `cost_usd`, `input_cost_usd`, `output_cost_usd` in US dollars and `price_version`.

    Notes
    -----
    A cost reported by the service itself is kept. Cached input, and on Anthropic input that is written
    to the cache for five minutes or for an hour, have separate rates. A tier (`flex`, `priority`,
    `batch` ...) with unknown prices gives no cost. Neither do audio and images without a rate of their own,
    tools that the service ran and bills apart from the tokens (web searches have a price), and a call
    that an intermediary made with the user's own key. Source of the prices:
    https://github.com/pydantic/genai-prices, in the installed version.

    Examples
    --------
    >>> facts = {"model": "gpt-4o", "input_tokens": 1_000_000, "output_tokens": 0}
    >>> cost(facts, "openai")["cost_usd"]
    2.5
    """
    if "cost_usd" in metadata or (metadata.get("usage") or {}).get("is_byok") is True:
        return {}
    used = _used(metadata)
    if used["input_tokens"] is None or used["output_tokens"] is None:
        return {}
    parts = metadata.get("parts") or ()
    if any(part.get("type") in _BILLED_APART for part in parts):
        return {}
    names = [metadata.get("response_model"), metadata.get("model")]
    at = at or datetime.now(UTC)
    _forget_old_tables()
    return dict(
        _listed_cost(
            price_id,
            tuple(dict.fromkeys(plain_name(name) for name in names if name)),
            tuple(used.items()),
            tuple(_price_context(metadata).items()),
            at.replace(second=0, microsecond=0),  # prices change on whole minutes
            batch_share,
            any(str(part.get("media_type")).startswith("image/") for part in parts),
        )
    )


# A pure cache: calls of a batch that are alike use the same numbers, each takes the tables 0.1 ms.
@lru_cache(maxsize=4096)
def _listed_cost(
    price_id: str,
    models: Sequence[str],
    usage: Sequence[tuple[str, int | None]],
    context: Sequence[tuple[str, str]],
    at: datetime,
    batch_share: float | None,
    has_image: bool,
) -> Mapping[str, Any]:
    """Cost by the tables; see `cost`."""
    import genai_prices

    used, price_context = dict(usage), dict(context)
    known = genai_prices.Usage(**{name: value for name, value in usage if value is not None})
    for model in models:
        if not _is_listed(model, price_id):
            continue
        try:
            price = genai_prices.calc_price(
                known,
                model,
                provider_id=price_id,
                genai_request_timestamp=at,
                price_context=price_context or None,
            )
        except (LookupError, ValueError, TypeError):
            continue
        rates = {_RATES[name] for name in _RATES if used[name]}
        own_rate = getattr(price.model_price, "output_image_mtok", None)
        if has_image and not used["output_image_tokens"] and own_rate is not None:
            return {}  # nothing tells how many of the tokens are the image's
        share, note = 1.0, ""
        if not _is_fully_priced(price, price_context, at, rates):
            if batch_share is None or price_context != _BATCH:
                return {}
            if not _is_fully_priced(price, {}, at, rates):
                return {}
            share, note = batch_share, f", {batch_share:g} of the list price"
        return {
            "cost_usd": share * float(price.total_price),
            "input_cost_usd": share * float(price.input_price),
            "output_cost_usd": share * float(price.output_price),
            "price_version": f"genai-prices {genai_prices.__version__}{note}",
        }
    return {}


# A pure cache: models that are not in the tables are searched for once.
_unlisted: tuple[Any, set[tuple[str, str]]] = (None, set())
"""A snapshot of the tables, and the models that are not in it, by service and name."""


def _forget_old_tables() -> Any:
    """Return the snapshot of the tables, and forget what is known of an older one."""
    global _unlisted
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    if _unlisted[0] is not snapshot:
        _unlisted = (snapshot, set())
        _listed_cost.cache_clear()
    return snapshot


def _is_listed(model: str, price_id: str) -> bool:
    """Whether the tables contain a model; genai-prices caches hits, but not misses."""
    snapshot = _forget_old_tables()
    if (price_id, model) in _unlisted[1]:
        return False
    try:
        snapshot.find_provider_model(model, None, price_id, None)
    except LookupError:
        _unlisted[1].add((price_id, model))
        return False
    return True


def _used(metadata: Mapping[str, Any]) -> dict[str, int | None]:
    """Billed quantities, by the names of genai-prices."""
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
    raw = metadata.get("usage") or {}
    searches = [p for p in metadata.get("parts") or () if p.get("type") == "web_search_call"]
    media = {
        f"{side}_{kind}_tokens": _count(raw, f"{field}_tokens_details", f"{kind}_tokens")
        for side, fields in (("input", ("prompt", "input")), ("output", ("completion", "output")))
        for kind in ("audio", "image")
        for field in fields
        if f"{field}_tokens_details" in raw
    }
    return {
        **dict.fromkeys(_RATES),
        **{name: metadata.get(name) for name in names},
        **media,
        # Messages: caching for an hour costs more than the default of five minutes.
        "cache_write_1h_tokens": _count(raw, "cache_creation", "ephemeral_1h_input_tokens"),
        "web_searches": _count(raw, "server_tool_use", "web_search_requests")
        or len(searches)
        or None,
    }


def _count(raw: Mapping[str, Any], part: str, name: str) -> int | None:
    inner = raw.get(part)
    return (count(inner.get(name)) if isinstance(inner, Mapping) else None) or None


def _price_context(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return what changes the list price of a call: the `price_context` of genai-prices."""
    found = {}
    tier = metadata.get("service_tier")
    if tier == "batch":
        found.update(_BATCH)
    elif tier and tier not in _LISTED_TIERS:
        found["service_tier"] = str(tier)
    speed = (metadata.get("usage") or {}).get("speed")
    if isinstance(speed, str) and speed != "standard":
        found["speed"] = speed
    return found


def _is_fully_priced(
    price: Any, price_context: Mapping[str, str], at: datetime, rates: Iterable[str]
) -> bool:
    """Whether the tables had prices for the tier and the speed at that time, and these rates."""
    variants = [
        dict(variant.when)
        for variant in price.model.price_variants or ()
        if variant.constraint is None or variant.constraint.active(at)
    ]
    priced = all({name: value} in variants for name, value in price_context.items())
    return priced and all(getattr(price.model_price, rate, None) is not None for rate in rates)


def context_window(price_id: str, model: str) -> int | None:
    """Context window of a model in the price tables; None when unknown.

    Examples
    --------
    >>> context_window("openai", "gpt-4o")
    128000
    >>> context_window("openai", "never-heard-of") is None
    True
    """
    load()
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(plain_name(model), None, price_id, None)
    except LookupError:
        return None
    window: int | None = found.context_window
    return window
