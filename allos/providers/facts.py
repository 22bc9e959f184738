"""Facts of models: what a call cost, how much a model can read. Unknown is None.

Prices: the `genai-prices` package, offline. Its import takes a quarter of a second, so it is loaded
on a thread of its own while the first request is under way, never on the loop thread.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from allos.types import ProviderResponse

_lock = threading.Lock()  # guards the first use of genai-prices, which fills its caches
_loaded = threading.Event()
_warming = False
_PREFIXES = re.compile(r"^(?:models/|accounts/[^/]+/models/)")


def _forget_after_fork() -> None:
    # The thread that held the lock while it loaded is not in the child.
    global _lock, _warming
    _lock = threading.Lock()
    _warming = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def warm() -> None:
    """Start loading the price tables in the background; returns at once."""
    global _warming
    if not _warming:
        _warming = True
        threading.Thread(target=_load, name="allos-prices", daemon=True).start()


def _load() -> None:
    with _lock:
        if not _loaded.is_set():
            from genai_prices import Usage, calc_price

            calc_price(Usage(input_tokens=1, output_tokens=1), "gpt-4o", provider_id="openai")
            _loaded.set()


def finisher(
    price_id: str | None,
) -> Callable[[ProviderResponse], Awaitable[ProviderResponse]] | None:
    """Return the step that adds the cost to a response; None where prices are unknown."""
    if price_id is None:
        return None

    async def finish(response: ProviderResponse) -> ProviderResponse:  # loop thread
        if not _loaded.is_set():
            import asyncio

            await asyncio.to_thread(_load)
        response.metadata.update(cost(response.metadata, price_id))
        return response

    return finish


def cost(metadata: Mapping[str, Any], price_id: str) -> dict[str, Any]:
    """Cost of a call, by column name; empty when any needed number is unknown.

    Parameters
    ----------
    metadata : mapping
        The call's facts: `model`, `response_model`, token counts, `service_tier`.
    price_id : str
        The service's id in genai-prices.

    Returns
    -------
    dict
        `cost_usd`, `input_cost_usd`, `output_cost_usd` in US dollars and `price_version`.

    Notes
    -----
    A cost that the service itself reported is kept. Source of the prices:
    https://github.com/pydantic/genai-prices, in the installed version.

    Examples
    --------
    >>> facts = {"model": "gpt-4o", "input_tokens": 1_000_000, "output_tokens": 0}
    >>> cost(facts, "openai")["cost_usd"]
    2.5
    """
    if "cost_usd" in metadata:
        return {}
    used = {
        name: metadata.get(name)
        for name in ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
    }
    if used["input_tokens"] is None or used["output_tokens"] is None:
        return {}
    import genai_prices

    tier = metadata.get("service_tier")
    for model in (metadata.get("response_model"), metadata.get("model")):
        if not model:
            continue
        try:
            price = genai_prices.calc_price(
                genai_prices.Usage(**{k: v for k, v in used.items() if v is not None}),
                _PREFIXES.sub("", model),
                provider_id=price_id,
                **({"price_context": {"service_tier": tier}} if tier else {}),
            )
        except (LookupError, ValueError, TypeError):
            continue
        return {
            "cost_usd": float(price.total_price),
            "input_cost_usd": float(price.input_price),
            "output_cost_usd": float(price.output_price),
            "price_version": f"genai-prices {genai_prices.__version__}",
        }
    return {}


def context_window(price_id: str | None, model: str) -> int | None:
    """Tokens that a model can take; None when the tables do not say.

    Examples
    --------
    >>> context_window("openai", "gpt-4o")
    128000
    >>> context_window(None, "gpt-4o") is None
    True
    """
    if price_id is None:
        return None
    _load()
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(
            _PREFIXES.sub("", model), None, price_id, None
        )
    except LookupError:
        return None
    window: int | None = found.context_window
    return window


_WINDOW_FIELDS = (
    "context_window",
    "context_length",
    "max_context_length",
    "max_model_len",
    "max_input_tokens",
    "inputTokenLimit",
)


def window_in(record: Mapping[str, Any]) -> int | None:
    """Context window in a service's own record of a model, under any of its names."""
    for name in _WINDOW_FIELDS:
        value = record.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None
