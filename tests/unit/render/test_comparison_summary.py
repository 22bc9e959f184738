"""Fastest, cheapest, done and spent."""

from __future__ import annotations

from typing import Any

import pytest

from allos.render.comparison_summary import Best, Summary, summary
from allos.render.comparison_view import CellView, ColumnView
from allos.render.fact import Fact
from allos.response import ProviderResponse
from tests.unit.render.comparison_views import finished, view_of


def response(*, replayed: bool = False, **facts: Any) -> ProviderResponse:
    """Response with these facts."""
    return ProviderResponse(metadata=facts, replayed=replayed)


def summed(*columns: list[ProviderResponse | None]) -> Summary:
    """Summary of a comparison with these answers, column by column."""
    heads = [ColumnView(index=k, name="a/b") for k in range(len(columns))]
    cells = [
        CellView(column=k) if r is None else finished(r, k)
        for k, column in enumerate(columns)
        for r in column
    ]
    return summary(view_of(heads, cells))


def test_fastest_and_cheapest_look_at_complete_answers() -> None:
    """A failure is fast and cheap; it must not win. Ties are told, unknown costs do not count."""
    result = summed(
        [response(latency_s=0.1, cost_usd=0.0, status="error")],
        [response(latency_s=1.0, cost_usd=0.2), response(latency_s=3.0, cost_usd=0.4)],
        [response(latency_s=2.0), None],
    )

    assert result.first == Best(columns=(1, 2), value=2.0)
    assert result.cheapest is not None
    assert result.cheapest.columns == (1,)
    assert result.cheapest.value == pytest.approx(0.3)
    assert (result.answered, result.failed, result.stopped, result.total) == (3, 1, 0, 5)
    assert result.facts[:4] == [
        Fact("B, C 2.0 s", before="first to finish"),
        Fact("B $0.3", before="cheapest"),
        Fact("4", after="of 5 done"),
        Fact("1", after="failed"),
    ]


def test_counts_tell_failures() -> None:
    """Once all have ended it counts how; with nothing but answers there is nothing to tell apart."""
    bad, stopped = response(status="error"), response(status="cancelled")

    assert [str(fact) for fact in summed([response(), bad], [stopped]).facts][:3] == [
        "1 answered",
        "1 failed",
        "1 stopped",
    ]
    assert "2 of 2 done" in map(str, summed([response()], [response()]).facts)


def test_the_first_to_finish_counts_queue_and_retries() -> None:
    """A fast last attempt after a long wait was not first; its speed while it wrote is beside it."""
    result = summed(
        [response(latency_s=0.2, total_time_s=9.0, attempts=2, tokens_per_second=500.0)],
        [response(latency_s=2.0, tokens_per_second=40.0)],
    )

    assert str(result.facts[0]) == "first to finish B 2.0 s at 40 tok/s"


def test_one_column_has_no_rival() -> None:
    """Fastest of one says nothing."""
    result = summed([response(latency_s=1.0, cost_usd=0.2)])

    assert (result.first, result.cheapest) == (None, None)
    assert result.facts == [Fact("1", after="of 1 done"), Fact("$0.2", before="spent")]


@pytest.mark.parametrize(
    ("responses", "spent"),
    [
        ([None], None),
        ([response(cost_usd=0.12), response(), response()], "$0.12 + 2 unknown"),
        ([response(), response()], "–"),
        ([response(cost_usd=0.0)], "$0"),
        ([response(cost_usd=0.5, replayed=True), response(replayed=True)], "$0"),
        ([response(cost_usd=0.5), response(attempts=0)], "$0.5"),
        ([response(attempts=0)], None),
        ([response(cost_usd=0.5, usage_source="estimated")], "about $0.5"),
    ],
)
def test_spent_is_honest(responses: list[ProviderResponse | None], spent: str | None) -> None:
    """Unknown costs are counted, replays are free now, what never went out cost nothing."""
    found = summed(responses).spent

    assert (found and found.text) == spent


def test_an_unknown_cost_has_a_reason() -> None:
    """No price, or no token counts; each model once. A replayed answer costs nothing now."""
    counted = {"input_tokens": 1, "output_tokens": 2}
    local = response(provider="vllm", model="smollm2", **counted)
    other = response(provider="groq", model="m", input_tokens=1)
    found = summed([local, local, other, response(cost_usd=0.1)]).spent
    replayed = summed([response(replayed=True)]).spent

    assert found is not None
    assert found.text == "$0.1 + 3 unknown"
    assert found.hint == "groq/m reported no token counts; no price known for vllm/smollm2"
    assert replayed is not None
    assert replayed.hint == ""


def test_the_embedded_model_costs_nothing() -> None:
    """What ran on this machine is free: no sum, and no cheapest among its settings."""
    free = response(provider="local", latency_s=1.0)

    assert [str(fact) for fact in summed([free], [None]).facts[1:]] == ["1 of 2 done"]
    assert [str(fact) for fact in summed([free], [free]).facts[1:]] == ["2 of 2 done"]
    mixed = summed([free], [response(provider="groq", cost_usd=0.5)])
    assert [str(fact) for fact in mixed.facts] == [
        "first to finish A 1.0 s",
        *("cheapest A free", "2 of 2 done", "spent $0.5"),
    ]
