"""States, equal repeats, numbers and totals of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from allos.messages import Message, ToolCall
from allos.render.comparison_facts import (
    Best,
    Summary,
    equal_repeats,
    numbers,
    repeats_label,
    state_label,
    summary,
    typical,
)
from allos.response import ProviderResponse


@dataclass
class Column:
    """What is read of a column."""

    index: int = 0
    name: str = "a/b"
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Cell:
    """What is read of a call."""

    response: ProviderResponse | None = None
    column: Column = field(default_factory=Column)
    sample_index: int = 0
    state: str = "ok"
    text: str = ""
    attempt: Mapping[str, Any] | None = None


@dataclass
class Comparison:
    """What is read of a comparison."""

    columns: list[Column]
    cells: list[Cell]
    messages: tuple[Message, ...] = ()
    n: int = 1
    id: str = "cmp_1"


def told(content: str = "", *, replayed: bool = False, **facts: Any) -> ProviderResponse:
    """Response with these facts."""
    return ProviderResponse(content, metadata=facts, replayed=replayed)


def summed(*columns: list[ProviderResponse | None]) -> Summary:
    """Summary of a comparison with these answers, column by column."""
    heads = [Column(at) for at in range(len(columns))]
    cells = [Cell(r, heads[at]) for at, column in enumerate(columns) for r in column]
    return summary(Comparison(heads, cells))


def test_equal_repeats_are_grouped_in_order() -> None:
    """The same words, refusal and tool calls are the same; ends that differ are not."""
    call, other = ToolCall("1", "f", {"a": 1, "b": 2}), ToolCall("2", "f", {"b": 2, "a": 1})
    responses = [
        told("x"),
        told("y"),
        told(" x\n"),
        told("x", status="cancelled"),
        ProviderResponse(tool_calls=[call]),
        ProviderResponse(tool_calls=[other]),
        ProviderResponse(refusal="x"),
        None,
        None,
    ]
    groups = equal_repeats([Cell(r, sample_index=at) for at, r in enumerate(responses)])

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
    one, two = Cell(sample_index=1), Cell(sample_index=2)

    assert repeats_label([one], 1) == ""
    assert repeats_label([one], 3) == "repeat 2 of 3"
    assert repeats_label([one, two], 3) == "2 of 3 repeats are the same"
    assert repeats_label([one, two], 2) == "all 2 repeats are the same"


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
def test_states_have_words(state: str, attempt: Mapping[str, Any] | None, label: str) -> None:
    """Each state in a word or two."""
    assert state_label(Cell(state=state, attempt=attempt)) == label


def test_unknown_numbers_are_left_out_but_the_cost() -> None:
    """A missing cost is not a free answer; a call that never went out has no numbers."""
    assert numbers([]) == []
    assert numbers([told()]) == ["cost –"]
    assert numbers([told(cost_usd=0.0)]) == ["$0"]
    assert numbers([told(attempts=0)]) == ["not sent"]


def test_unusual_calls_are_told() -> None:
    """Retries, endings other than the usual, replays, estimates; of repeats how many."""
    odd = told(attempts=3, finish_reason="length", replayed=True, cost_usd=0.0)
    plain = told(attempts=1, finish_reason="stop", cost_usd=0.0)
    guess = told(input_tokens=4, cost_usd=0.0004, usage_source="estimated")

    assert numbers([odd]) == ["$0", "3 attempts", "stopped: length", "replayed"]
    assert numbers([odd, plain, odd])[1:] == [
        "3 attempts (2 of 3)",
        "stopped: length (2 of 3)",
        "replayed (2 of 3)",
    ]
    assert numbers([guess]) == ["about 4 → – tok", "about $0.0004"]


def test_typical_numbers_are_medians_of_the_known() -> None:
    """A slow repeat does not move them, an unknown number does not count."""
    seen = typical([told(latency_s=1.0, cost_usd=1), told(latency_s=9.0), told(latency_s=2.0)])

    assert (seen.latency_s, seen.first_s, seen.tokens, seen.cost) == (
        2.0,
        None,
        "",
        "$1.00 + 2 unknown",
    )
    assert typical([]).cost == "–"


def test_failed_repeats_are_not_fast() -> None:
    """Medians are those of the complete answers; without any, of what there is."""
    failed = told(latency_s=0.01, cost_usd=0.1, status="error")

    assert typical([failed, told(latency_s=2.0, cost_usd=0.1)]).latency_s == 2.0
    assert typical([failed, told(latency_s=2.0, cost_usd=0.1)]).cost == "$0.2"
    assert typical([failed]).latency_s == 0.01


def test_fastest_and_cheapest_look_at_complete_answers() -> None:
    """A failure is fast and cheap; it must not win. Ties are told, unknown costs do not count."""
    result = summed(
        [told(latency_s=0.1, cost_usd=0.0, status="error")],
        [told(latency_s=1.0, cost_usd=0.2), told(latency_s=3.0, cost_usd=0.4)],
        [told(latency_s=2.0), None],
    )

    assert result.fastest == Best(columns=(1, 2), value=2.0)
    assert result.cheapest is not None
    assert result.cheapest.columns == (1,)
    assert result.cheapest.value == pytest.approx(0.3)
    assert (result.done, result.total) == (4, 5)
    assert result.facts[:3] == [
        ("fastest", "B, C 2.0 s", ""),
        ("cheapest", "B $0.3", ""),
        ("", "4", "of 5 done"),
    ]


def test_one_column_has_no_rival() -> None:
    """Fastest of one says nothing."""
    result = summed([told(latency_s=1.0, cost_usd=0.2)])

    assert (result.fastest, result.cheapest) == (None, None)
    assert result.facts == [("", "1", "of 1 done"), ("spent", "$0.2", "")]


@pytest.mark.parametrize(
    ("responses", "spent"),
    [
        ([None], ""),
        ([told(cost_usd=0.12), told(), told()], "$0.12 + 2 unknown"),
        ([told(), told()], "–"),
        ([told(cost_usd=0.0)], "$0"),
        ([told(cost_usd=0.5, replayed=True), told(replayed=True)], "$0"),
        ([told(cost_usd=0.5), told(attempts=0)], "$0.5"),
        ([told(attempts=0)], ""),
        ([told(cost_usd=0.5, usage_source="estimated")], "about $0.5"),
    ],
)
def test_spent_is_honest(responses: list[ProviderResponse | None], spent: str) -> None:
    """Unknown costs are counted, replays are free now, what never went out cost nothing."""
    assert summed(responses).spent == spent
