"""States, equal repeats and the numbers below an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from allos.messages import ToolCall
from allos.render.comparison_facts import (
    equal_repeats,
    medians,
    numbers,
    repeats_label,
    state_label,
)
from allos.render.comparison_view import CellView, State
from allos.response import ProviderResponse
from tests.unit.render.comparison_views import answer


def response(content: str = "", *, replayed: bool = False, **facts: Any) -> ProviderResponse:
    """Response with these facts."""
    return ProviderResponse(content, metadata=facts, replayed=replayed)


def line(*responses: ProviderResponse) -> list[str]:
    """Texts of the numbers below an answer."""
    return [fact.text for fact in numbers(responses)]


def test_equal_repeats_are_grouped_in_order() -> None:
    """The same words, refusal and tool calls are the same; ends that differ are not."""
    call, other = ToolCall("1", "f", {"a": 1, "b": 2}), ToolCall("2", "f", {"b": 2, "a": 1})
    responses = [
        response("x"),
        response("y"),
        response(" x\n"),
        response("x", status="cancelled"),
        ProviderResponse(tool_calls=[call]),
        ProviderResponse(tool_calls=[other]),
        ProviderResponse(refusal="x"),
        None,
        None,
    ]
    cells = [CellView(column=0, sample_index=k, response=r) for k, r in enumerate(responses)]
    groups = equal_repeats(cells)

    assert [[cell.sample_index for cell in group] for group in groups] == [
        [0, 2],
        [1],
        [3],
        [4, 5],
        [6],
        [7],
        [8],
    ]


def test_repeats_are_named() -> None:
    """By how many say the same, or by their number; a single call needs no word."""
    assert repeats_label([1], 1) == ""
    assert repeats_label([1], 3) == "repeat 2 of 3"
    assert repeats_label([1, 2], 3) == "2 of 3 repeats are the same"
    assert repeats_label([1, 2], 2) == "all 2 repeats are the same"


@pytest.mark.parametrize(
    ("state", "attempt", "label"),
    [
        ("queued", None, "queued …"),
        ("running", None, "running …"),
        ("waiting", {"attempt": 1, "max_attempts": 5}, "waiting for try 2 of 5 …"),
        ("waiting", {}, "waiting …"),
        ("waiting", None, "waiting …"),
        ("ok", None, "done"),
        ("error", None, "failed"),
        ("cancelled", None, "stopped"),
    ],
)
def test_states_have_words(state: State, attempt: Mapping[str, Any] | None, label: str) -> None:
    """Each state in a word or two."""
    assert state_label(CellView(column=0, state=state, attempt=attempt)) == label


def test_unknown_numbers_are_left_out_but_the_cost() -> None:
    """A missing cost is not a free answer; a call that never went out has no numbers."""
    assert line() == []
    assert line(response()) == ["cost unknown"]
    assert line(response(cost_usd=0.5), response()) == ["$0.5 + 1 unknown in all"]
    assert line(response(cost_usd=0.0)) == ["$0"]
    assert line(response(attempts=0)) == ["not sent"]


def test_unusual_calls_say_so() -> None:
    """Retries, endings other than the usual, replays, estimates; of repeats how many."""
    odd = response(attempts=3, finish_reason="length", replayed=True, cost_usd=0.0)
    plain = response(attempts=1, finish_reason="stop", cost_usd=0.0)
    guess = response(input_tokens=4, cost_usd=0.0004, usage_source="estimated")

    assert line(odd) == ["$0", "3 attempts", "cut at max_tokens", "replayed"]
    assert line(odd, plain, odd)[1:] == [
        "3 attempts (2 of 3)",
        "cut at max_tokens (2 of 3)",
        "replayed (2 of 3)",
    ]
    assert line(guess) == ["about 4 in", "about $0.0004"]


def test_medians_are_of_the_known() -> None:
    """A slow repeat does not move them, an unknown number does not count."""
    known = medians(
        [response(latency_s=1.0, cost_usd=1), response(latency_s=9.0), response(latency_s=2.0)]
    )

    assert (known.latency_s, known.time_to_first_token_s, known.tokens) == (2.0, None, "")
    assert known.cost.text == "$1.00 + 2 unknown"
    assert medians([]).cost.text == "–"


def test_failed_repeats_are_not_fast() -> None:
    """Medians are those of the complete answers; without any, of what there is."""
    failed = response(latency_s=0.01, cost_usd=0.1, status="error")

    assert medians([failed, response(latency_s=2.0, cost_usd=0.1)]).latency_s == 2.0
    assert medians([failed, response(latency_s=2.0, cost_usd=0.1)]).cost.text == "$0.2"
    assert medians([failed]).latency_s == 0.01


def test_a_stopped_answer_keeps_its_estimate() -> None:
    """A service counts at the end; what was stopped or broke off is estimated, a whole answer never."""
    facts = {"input_tokens": None, "output_tokens": None, "latency_s": 1.0}
    text = "Gravity is a hug from the Earth."

    assert "about 6 out" in texts(answer(text, **facts, status="cancelled"))
    assert "about 9 out" in [
        fact.text for fact in numbers([answer(text, **facts, status="error")], pieces=9)
    ]
    assert not any("about" in fact for fact in texts(answer(text, **facts)))


def test_an_embedded_model_is_free_and_a_refused_call_has_no_cost() -> None:
    """A dollar sign with nothing behind it says less than the word."""
    assert "free" in texts(answer(provider="local", cost_usd=0.0))
    assert "free" not in texts(answer(provider="groq", cost_usd=0.0))
    assert "cost unknown" not in texts(answer("", status="error", cost_usd=None))


def test_the_whole_time_of_retries_is_told() -> None:
    """The seconds of the last attempt alone would hide how long a person has waited."""
    assert "3 attempts in 9.0 s" in texts(answer(attempts=3, total_time_s=9.0))
    assert "queued 1.5 s" in texts(answer(queue_s=1.5))
    assert not [text for text in texts(answer(queue_s=0.05)) if text.startswith("queued")]


def texts(response: ProviderResponse) -> list[str]:
    """Facts below one answer, as text."""
    return [fact.text for fact in numbers([response])]
