"""Estimated tokens and cost of a call before it is sent: an estimate, an upper bound, or an exact count.

The estimate assumes four characters per token, which is within about 25 % for English prose and too
low for code, numbers and other scripts. The upper bound assumes one byte per token: byte-pair
tokenizers never produce more tokens than bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from allos.providers.pricing import prices

CHARS_PER_TOKEN = 4
PART_TOKENS = 1_000
"""Estimate for an image or a document."""
PART_BOUND = 20_000
"""Upper bound for an image or a document; a long PDF may have more."""
_ITEM_BOUND = 16
"""Tokens that a service's template may put around each message and each of its parts."""
_TOOLS_BOUND = 1_000
"""Tokens of a service's general instructions about tools."""
_BASE_BOUND = 64

_PARTS = frozenset(
    {
        *("image_url", "input_image", "image", "input_file", "file", "document"),
        "image_generation_call",
    }
)
_LIMITS = ("max_output_tokens", "max_completion_tokens", "max_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Estimated tokens and cost of one call. None where unknown."""

    input_tokens: int
    """Tokens of the prompt."""
    counted: bool = False
    """Whether the service counted them; otherwise they are estimated."""
    bound_tokens: int
    """Upper bound of the tokens of the prompt."""
    max_output_tokens: int | None = None
    """Upper bound of the tokens of the answer: `max_tokens` as sent, or the output limit of the model."""
    input_cost_usd: float | None = None
    """Cost of the prompt, by `input_tokens`."""
    worst_cost_usd: float | None = None
    """Upper bound of the cost: `bound_tokens` and `max_output_tokens` at the current price."""
    price_version: str | None = None
    """Source and version of the prices."""
    free: bool = False
    """Whether the call costs nothing: the embedded model."""

    def __str__(self) -> str:
        is_exact = self.counted
        tokens = f"{self.input_tokens:,} tokens, counted by the service"
        if not is_exact:
            tokens = (
                f"about {self.input_tokens:,} tokens, at {CHARS_PER_TOKEN} characters per token"
            )
        parts = [tokens]
        if self.max_output_tokens is None:
            parts.append("no limit on the answer (max_tokens is not set)")
        else:
            parts.append(f"at most {self.max_output_tokens:,} output tokens")
        if self.free:
            parts.append("free")
        elif self.input_cost_usd is None:
            parts.append("price unknown")
        else:
            about = "" if is_exact else "about "
            parts.append(f"{about}{usd(self.input_cost_usd)} for the prompt")
            if self.worst_cost_usd is not None:
                parts.append(f"at most {usd(self.worst_cost_usd)} in total")
            parts.append(f"prices: {self.price_version}")
        return "; ".join(parts)


def estimate(
    body: Mapping[str, Any],
    model: str,
    price_id: str | None,
    *,
    counted: int | None = None,
    max_output: int | None = None,
    free: bool = False,
    batch_share: float | None = None,
) -> Estimate:
    """Estimate a call from the body that would be sent.

    The first use loads the price tables (0.25 s): not for the loop thread.

    Parameters
    ----------
    body : mapping
        The request's body.
    model : str
    price_id : str or None
        The service's id in genai-prices; None: unknown prices.
    counted : int or None
        Tokens of the prompt as the service counts them.
    max_output : int or None
        Output limit of the model, for a body without one.
    free : bool
        The call costs nothing.
    batch_share : float or None
        As in `allos.providers.pricing.prices.cost`; None: a call of its own.

    Examples
    --------
    >>> body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "a" * 400}]}
    >>> found = estimate({**body, "max_tokens": 100}, "gpt-4o", None)
    >>> found.input_tokens, found.bound_tokens > 400, found.max_output_tokens
    (106, True, 100)
    """
    size = _Size()
    for name, value in body.items():
        if name != "model" and not isinstance(value, (int, float)):
            size.add(name, value)
    guess = round(size.chars / CHARS_PER_TOKEN) + PART_TOKENS * size.parts
    bound = size.bytes + PART_BOUND * size.parts + _ITEM_BOUND * size.items + _BASE_BOUND
    bound += _TOOLS_BOUND if body.get("tools") else 0
    limit = next((body[name] for name in _LIMITS if _is_count(body.get(name))), max_output)
    tokens, bound = (guess, bound) if counted is None else (counted, counted)
    answers = body.get("n") if _is_count(body.get("n")) else 1
    total_output = limit * answers if limit is not None and answers is not None else None
    priced = _Priced(price_id, model, body.get("service_tier"), batch_share)
    prompt = priced.cost(tokens, 0)
    worst = priced.worst(bound, total_output) if total_output is not None else None
    return Estimate(
        input_tokens=tokens,
        counted=counted is not None,
        bound_tokens=bound,
        max_output_tokens=limit,
        input_cost_usd=0.0 if free else prompt.get("input_cost_usd"),
        worst_cost_usd=0.0 if free else worst,
        price_version=prompt.get("price_version"),
        free=free,
    )


def usd(amount: float) -> str:
    """Format US dollars: two decimals, or two significant digits for small amounts.

    Examples
    --------
    >>> [usd(x) for x in (0, 0.000031, 0.0123, 0.5, 12.5)]
    ['$0', '$0.000031', '$0.012', '$0.50', '$12.50']
    """
    if amount == 0:
        return "$0"
    if abs(amount) >= 0.1:
        return f"${amount:,.2f}"
    from math import floor, log10

    return f"${amount:.{1 - floor(log10(abs(amount)))}f}"


class _Size:
    """Size of a body: characters and bytes of text, parts that are not text, items."""

    def __init__(self) -> None:
        self.chars = self.bytes = self.parts = self.items = 0

    def add(self, name: str, value: Any) -> None:
        self.chars += len(name)
        self.bytes += len(name.encode())
        self._value(value)

    def _value(self, value: Any) -> None:
        if isinstance(value, str):
            self.chars += len(value)
            self.bytes += len(value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, Mapping):
            self.items += 1
            if value.get("type") in _PARTS:
                self.parts += 1
                return
            for name, inner in value.items():
                self.add(str(name), inner)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                self._value(inner)
        elif value is not None:
            self.add(str(value), None)


class _Priced(NamedTuple):
    """What tokens of a call cost."""

    price_id: str | None
    model: str
    tier: Any
    batch_share: float | None

    def worst(self, tokens: int, output: int) -> float | None:
        """Highest possible price: some services charge more for a prompt that is written to the cache."""
        plain = self.cost(tokens, output).get("cost_usd")
        cached = self.cost(tokens, output, cache_write_tokens=tokens).get("cost_usd")
        return plain if cached is None or plain is None else max(plain, cached)

    def cost(self, tokens: int, output: int, **more: int) -> dict[str, Any]:
        """As `prices.cost`."""
        if self.price_id is None:
            return {}
        prices.load()
        known = {"model": self.model, "input_tokens": tokens, "output_tokens": output, **more}
        tier = self.tier if self.batch_share is None else "batch"
        facts = {**known, "service_tier": tier}
        return prices.cost(facts, self.price_id, batch_share=self.batch_share)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
