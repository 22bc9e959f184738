from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.providers.pricing.estimates import PART_BOUND, PART_TOKENS, estimate, usd


def _body(content: Any, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": content}], **more}


@given(st.text(max_size=200))
def test_bound_is_never_below_the_bytes_of_the_prompt(text: str) -> None:
    """A byte-pair tokenizer makes at most one token of a byte, so the bound is one."""
    found = estimate(_body(text), "gpt-4o", None)

    assert found.bound_tokens > len(text.encode("utf-8", "surrogatepass"))
    assert found.input_tokens <= found.bound_tokens


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9000}},
        {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 9000},
        {"type": "image", "source": {"type": "base64", "data": "A" * 9000}},
        {"type": "document", "source": {"type": "base64", "data": "A" * 9000}},
    ],
)
def test_images_count_as_parts_not_as_letters(part: dict[str, Any]) -> None:
    """The base64 text of an image does not count as prompt: a flat number does."""
    found = estimate(_body([part]), "m", None)

    assert PART_TOKENS <= found.input_tokens < PART_TOKENS + 50
    assert PART_BOUND <= found.bound_tokens < PART_BOUND + 500


def test_tools_count() -> None:
    """Descriptions of tools are part of the prompt."""
    tools = [{"type": "function", "function": {"name": "f", "description": "d" * 400}}]
    bare, with_tools = (
        estimate(_body("Hi"), "m", None),
        estimate(_body("Hi", tools=tools), "m", None),
    )

    assert with_tools.input_tokens >= bare.input_tokens + 100
    assert with_tools.bound_tokens >= bare.bound_tokens + 400


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "max_output_tokens"])
def test_limit_is_found_under_every_name(name: str) -> None:
    """Whatever the API calls the limit of the answer, it is the worst case."""
    found = estimate(_body("Hi", **{name: 1000}), "gpt-4o", "openai")

    assert found.max_output_tokens == 1000
    assert found.worst_cost_usd == pytest.approx(0.01, rel=0.1)


def test_worst_case_takes_the_dearer_way_to_bill() -> None:
    """Where writing a cache costs more than reading the prompt, the worst case is that one."""
    found = estimate(_body("a" * 100_000, max_tokens=1), "claude-haiku-4-5", "anthropic")

    assert found.worst_cost_usd is not None
    assert found.worst_cost_usd >= 100_000 * 1.25e-6


@pytest.mark.parametrize("value", [None, 0, -5, "9", True, 1.5])
def test_nonsense_is_no_limit(value: Any) -> None:
    """Only a integer >= 1 limits an answer."""
    assert estimate(_body("Hi", max_tokens=value), "gpt-4o", "openai").worst_cost_usd is None


def test_unknown_price_is_none() -> None:
    """No table, or no such model in it: every cost is None."""
    for price_id, model in ((None, "gpt-4o"), ("openai", "no-such-model-at-all")):
        found = estimate(_body("Hi", max_tokens=5), model, price_id)

        assert (found.input_cost_usd, found.worst_cost_usd, found.price_version) == (None,) * 3
        assert "price unknown" in str(found)


def test_dollars() -> None:
    """Two digits below ten cents, cents above."""
    assert [usd(x) for x in (0.0999, 0.1, 1234.5)] == ["$0.100", "$0.10", "$1,234.50"]
