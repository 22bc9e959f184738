"""What the answers of a comparison cost together, and why a cost is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from allos.money import EMBEDDED
from allos.render.fact import Fact
from allos.render.format import UNKNOWN, money
from allos.response import ProviderResponse

FREE = "free"
"""Cost of what the embedded model answers, on this machine."""


def total_cost(responses: Sequence[ProviderResponse], *, spent_now: bool = False) -> Fact:
    """Sum of the known costs and the number of the unknown ones, such as ``$0.12 + 3 unknown``.

    Parameters
    ----------
    responses : sequence of ProviderResponse
    spent_now : bool
        Count replayed answers as free: they cost nothing today.

    Returns
    -------
    Fact
        ``free`` where the embedded model gave all of them, a dash when no cost is known. `hint` says why costs are unknown.

    Examples
    --------
    >>> total_cost([ProviderResponse("Hi", metadata={"provider": "groq", "model": "llama"})])
    Fact(text='–', before='', after='', hint='groq/llama reported no token counts')
    """
    if responses and all(map(is_free, responses)):
        return Fact(FREE)
    costs = [0.0 if spent_now and r.replayed else cost_usd(r) for r in responses]
    known = [cost for cost in costs if cost is not None]
    reasons = [why_unknown(r) for r, cost in zip(responses, costs, strict=True) if cost is None]
    return cost_fact(
        sum(known) if known else None,
        unknown=len(reasons),
        reasons=reasons,
        estimated=is_estimated(responses),
    )


def cost_fact(
    known_usd: float | None, *, unknown: int, reasons: Iterable[str], estimated: bool
) -> Fact:
    """Sum of known costs and number of unknown ones; see `total_cost`.

    Parameters
    ----------
    known_usd : float or None
        US dollars; None when no cost is known.
    unknown : int
        How many costs are unknown.
    reasons : iterable of str
        Why, see `why_unknown`; repeated ones count once.
    estimated : bool
        Whether the sum is an estimate.
    """
    hint = "; ".join(sorted(set(reasons)))
    if known_usd is None:
        return Fact(UNKNOWN, hint=hint)
    total = money(known_usd, about=estimated)
    return Fact(f"{total} + {unknown} unknown" if unknown else total, hint=hint)


def is_estimated(responses: Iterable[ProviderResponse]) -> bool:
    """Whether some token counts are estimates."""
    return any(r.metadata.get("usage_source") == "estimated" for r in responses)


def is_free(response: ProviderResponse) -> bool:
    """Whether the embedded model answered, on this machine."""
    return response.provider == EMBEDDED and not response.cost_usd


def cost_usd(response: ProviderResponse) -> float | None:
    """Cost of a response in US dollars; None when it is unknown."""
    return 0.0 if is_free(response) else response.cost_usd


def was_sent(response: ProviderResponse) -> bool:
    """Whether the call went out at all."""
    return response.metadata.get("attempts") != 0


def why_unknown(response: ProviderResponse) -> str:
    """Why a response has no cost."""
    name = "/".join(part for part in (response.provider, response.model) if part) or "the model"
    usage = response.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return f"{name} reported no token counts"
    return f"no price known for {name}"


def model_cost(model: str, usd: float | None) -> str:
    """Cost of a model's calls as text; the embedded model is free.

    Examples
    --------
    >>> model_cost("local/smollm2", None), model_cost("groq/llama-3.1-8b-instant", 0.12)
    ('free', '$0.12')
    """
    return FREE if not usd and model.partition("/")[0] == EMBEDDED else money(usd)
