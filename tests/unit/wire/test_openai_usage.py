"""Usage objects under the names of either API, and with placeholders beside the real counts."""

from __future__ import annotations

from typing import Any

import pytest

from allos.profiles import Api
from tests.support.decoding import accumulate, complete, streamed

BASE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}


def _answers(api: Api, usage: dict[str, Any]) -> list[Any]:
    if api == "chat":
        chunk = {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]}
        whole = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}
        return [
            complete(api, {**whole, "usage": usage}),
            streamed(api, [{**chunk, "usage": usage}]),
        ]
    items = [{"type": "message", "content": [{"type": "output_text", "text": "x"}]}]
    response = {"status": "completed", "output": items, "usage": usage}
    last = {"type": "response.completed", "response": response}
    return [complete(api, response), streamed(api, [last])]


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 100, "output_tokens": 50}, {}),
        ({**BASE, "input_tokens": 0, "output_tokens": 0}, {}),
        ({**BASE, "reasoning_tokens": 30}, {"reasoning_tokens": 30}),
        ({**BASE, "output_tokens_details": {"reasoning_tokens": 30}}, {"reasoning_tokens": 30}),
        ({**BASE, "cached_tokens": 64}, {"cache_read_tokens": 64}),
        (
            {**BASE, "prompt_cache_hit_tokens": 64, "prompt_tokens_details": {"cached_tokens": 0}},
            {"cache_read_tokens": 64},
        ),
        (
            {**BASE, "cache_read_input_tokens": 64, "cache_creation_input_tokens": 10},
            {"cache_read_tokens": 64, "cache_write_tokens": 10},
        ),
        (
            {**BASE, "prompt_tokens_details": {"cache_creation_input_tokens": 10}},
            {"cache_write_tokens": 10},
        ),
    ],
)
def test_names(api: Api, usage: dict[str, Any], expected: dict[str, int]) -> None:
    """A count is found under each of its names; a zero beside it is a placeholder."""
    for events in _answers(api, usage):
        found = accumulate(events).usage
        assert found is not None
        assert (found.input_tokens, found.output_tokens, found.total_tokens) == (100, 50, 150)
        for name in ("reasoning_tokens", "cache_read_tokens", "cache_write_tokens"):
            assert getattr(found, name) == expected.get(name)


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(("field", "cost"), [("cost", 0.5), ("estimated_cost", 0.25)])
def test_cost(api: Api, field: str, cost: float) -> None:
    """A cost that the service names is the call's."""
    for events in _answers(api, {**BASE, field: cost}):
        assert accumulate(events).facts["cost_usd"] == cost
