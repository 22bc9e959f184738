from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.profiles import Api
from allos.providers.pricing.prices import cost
from allos.usage import Usage
from allos.wire.token_usage import reconcile
from tests.support.decoding import accumulate, complete, sse, streamed

COUNTS = st.none() | st.integers(0, 5000)
NAMES = ("input_tokens", "output_tokens", "total_tokens", "reasoning_tokens")


def counts(usage: Usage) -> tuple[int | None, ...]:
    """Input, output, total and cached input."""
    return usage.input_tokens, usage.output_tokens, usage.total_tokens, usage.cache_read_tokens


@pytest.mark.parametrize(
    ("given", "output", "total", "reasoning", "cached", "expected"),
    [
        # what agrees stays
        (20, 10, 30, None, None, (20, 10, 30, None)),
        (20, 10, 30, 8, 15, (20, 10, 30, 15)),
        (20, 10, None, 8, 15, (20, 10, 30, 15)),
        # reasoning apart from the output, told by the total, by its own count, or by both
        (20, 198, 623, None, None, (20, 603, 623, None)),
        (20, 10, 50, 20, None, (20, 30, 50, None)),
        (20, 10, None, 50, None, (20, 60, 80, None)),
        (20, 10, 30, 50, None, (20, 60, 80, None)),
        (20, 10, 45, 50, None, (20, 60, 80, None)),
        # an output that is not reported
        (20, None, 50, None, None, (20, 30, 50, None)),
        (20, None, 10, None, None, (20, None, None, None)),
        (None, 10, 50, None, None, (None, 10, 50, None)),
        # a total that is smaller than its parts
        (20, 198, 100, None, None, (20, 198, 218, None)),
        (None, 198, 100, None, None, (None, 198, None, None)),
        # cached input apart from the input, or larger than an input that the total confirms
        (20, 10, None, None, 70, (90, 10, 100, 70)),
        (20, 10, 100, None, 70, (90, 10, 100, 70)),
        (50, 10, 100, None, 40, (90, 10, 100, 40)),
        (20, 10, 30, None, 70, (20, 10, 30, None)),
        # the same rest may be reasoning: the dearer reading counts
        (20, 10, 50, 20, 20, (20, 30, 50, 20)),
        (None, None, None, None, 70, (None, None, None, 70)),
    ],
)
def test_rules(
    given: int | None,
    output: int | None,
    total: int | None,
    reasoning: int | None,
    cached: int | None,
    expected: tuple[int | None, ...],
) -> None:
    """Contradictions are resolved as the module says, never to fewer tokens."""
    usage = reconcile(
        {},
        input_tokens=given,
        output_tokens=output,
        total_tokens=total,
        reasoning_tokens=reasoning,
        cache_read_tokens=cached,
    )

    assert counts(usage) == expected


@given(values=st.tuples(*[COUNTS] * 6))
def test_never_less_than_reported(values: tuple[int | None, ...]) -> None:
    """The parts add up, none is larger than its whole, and nothing reported gets smaller."""
    given, output, total, reasoning, read, wrote = values
    usage = reconcile(
        {},
        input_tokens=given,
        output_tokens=output,
        total_tokens=total,
        reasoning_tokens=reasoning,
        cache_read_tokens=read,
        cache_write_tokens=wrote,
    )
    found = (usage.input_tokens, usage.output_tokens)

    assert all(new is None or new >= (old or 0) for new, old in zip(found, values, strict=False))
    assert usage.output_tokens is None or usage.output_tokens >= (reasoning or 0)
    if usage.input_tokens is not None:
        assert usage.input_tokens >= (usage.cache_read_tokens or 0) + (
            usage.cache_write_tokens or 0
        )
    if None not in found:
        assert usage.total_tokens == sum(count or 0 for count in found)
        assert usage.total_tokens >= (total or 0)


def chat(usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "choices": [{"index": 0, "message": {"content": "36"}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": usage["input"],
            "completion_tokens": usage["output"],
            "total_tokens": usage["total"],
        },
    }


def responses(usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "36"}]}],
        "usage": {f"{name}_tokens": value for name, value in usage.items()},
    }


def chunks(whole: dict[str, Any]) -> list[Any]:
    choice = {"index": 0, "delta": {"content": "36"}, "finish_reason": "stop"}
    return [{"choices": [choice]}, {"choices": [], "usage": whole["usage"]}, "[DONE]"]


@pytest.mark.parametrize("usage", [{"input": 20, "output": 198, "total": 623}])
def test_total_counts_on_every_api(usage: dict[str, Any]) -> None:
    """Tokens that only the total has are output, whole and streamed, and are priced as such."""
    found = [
        complete("chat", chat(usage)),
        streamed("chat", sse(chunks(chat(usage)))),
        complete("responses", responses(usage)),
        streamed("responses", sse([{"type": "response.completed", "response": responses(usage)}])),
    ]
    for events in found:
        reported = accumulate(events).usage
        assert reported is not None
        assert counts(reported) == (20, 603, 623, None)
        facts = {"model": "gpt-4o", "input_tokens": 20, "output_tokens": reported.output_tokens}
        assert cost(facts, "openai")["output_cost_usd"] == pytest.approx(603 * 10e-6)


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"cost": 0.5}, 0.5),
        ({"cost": "0.5"}, 0.5),
        ({"cost": 0, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.4}}, 0.0),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.4}}, 0.4),
        ({"cost": 0.02, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.4}}, 0.42),
        ({"cost": 0.02, "cost_details": {"upstream_inference_cost": 0.4}}, 0.42),
        ({"cost": 0.4, "cost_details": {"upstream_inference_cost": 0.4}}, 0.4),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, None),
        ({"cost": 0, "is_byok": True}, None),
        ({"cost": -1}, None),
        ({"cost": float("nan")}, None),
        ({"cost": True}, None),
    ],
)
def test_reported_cost(api: Api, usage: dict[str, Any], expected: float | None) -> None:
    """The fee of an intermediary is not the cost where the user's own key pays for the rest."""
    whole = (chat if api == "chat" else responses)({"input": 1, "output": 1, "total": 2})
    whole["usage"] |= usage
    found = accumulate(complete(api, whole)).facts.get("cost_usd")

    assert found == pytest.approx(expected) if expected is not None else found is None
