"""The layers around a call: their order, what ends it, and who sees what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from allos import wire
from allos.engine import PreparedCall
from allos.engine.interceptors import (
    Decision,
    complete,
    complete_now,
    complete_ready,
    decide,
)
from allos.errors import AllosError, BudgetError
from allos.response import ProviderResponse
from tests.support.decoding import request
from tests.support.layers import Layer, prepared

ANSWER = ProviderResponse("From the file.")


def decided(*layers: Layer) -> Decision:
    return decide(prepared(request("chat"), wire.get("chat")), layers)


def noting(name: str, order: list[str]) -> Layer:
    """A layer that notes when its two halves run."""

    def before(_: PreparedCall) -> None:
        order.append(f"{name} before")

    def after(response: ProviderResponse) -> ProviderResponse:
        order.append(f"{name} after")
        return response

    return Layer(before, after)


def finish(
    decision: Decision, report: Callable[[str, Exception], None] = lambda *_: None
) -> ProviderResponse:
    response, _ = asyncio.run(complete(ProviderResponse("x"), decision.afters, report))
    return response


def test_they_nest_like_the_layers_of_an_onion() -> None:
    """Before in the order of the list, after in reverse."""
    order: list[str] = []
    finish(decided(noting("log", order), noting("budget", order)))

    assert order == ["log before", "budget before", "budget after", "log after"]


def test_an_answer_ends_the_call_for_the_layers_inside() -> None:
    """Interceptors after an answer are not called; those before it see the response."""
    order: list[str] = []
    decision = decided(
        noting("log", order), Layer(before=lambda _: ANSWER), noting("budget", order)
    )
    finish(decision)

    assert decision.outcome is ANSWER
    assert order == ["log before", "log after"]


@pytest.mark.parametrize("raised", [BudgetError("It is used up."), ValueError("odd")])
def test_an_error_refuses_the_call(raised: Exception) -> None:
    """An error of ours is the outcome as it is, any other one is named; layers outside see it."""
    order: list[str] = []

    def refuse(_: PreparedCall) -> Any:
        raise raised

    decision = decided(noting("log", order), Layer(before=refuse), noting("price", order))
    finish(decision)

    assert isinstance(decision.outcome, AllosError)
    assert str(raised) in str(decision.outcome)
    assert order == ["log before", "log after"]


def test_a_layer_without_news_is_passed() -> None:
    """A layer that has nothing to do afterwards leaves no trace."""
    assert decided(Layer()) == Decision(None, [])


def test_a_failing_layer_is_reported_and_passed() -> None:
    """An error of an interceptor is reported, and the response is kept."""
    reports: list[str] = []

    def broken(_: ProviderResponse) -> ProviderResponse:
        raise ValueError("odd")

    layers = [Layer(after=lambda r: r.with_metadata({"cost_usd": 1.0})), Layer(after=broken)]
    response = finish(decided(*layers), lambda _, exc: reports.append(str(exc)))

    assert response.cost_usd == 1.0
    assert reports == ["odd"]


def test_without_a_loop_only_what_is_ready_is_done() -> None:
    """Where nothing may be waited for, an async layer is left out, without a warning."""

    async def slow(response: ProviderResponse) -> ProviderResponse:
        await asyncio.sleep(1)
        return response

    layers = [Layer(after=lambda r: r.with_metadata({"cost_usd": 1.0})), Layer(after=slow)]
    response = complete_now(ProviderResponse("x"), decided(*layers).afters, lambda *_: None)

    assert response.cost_usd == 1.0


def test_what_is_ready_runs_at_once_and_the_rest_is_left() -> None:
    """Nothing runs twice: an awaitable that was made is what is left to await."""
    made: list[str] = []

    async def slow(response: ProviderResponse) -> ProviderResponse:
        return response.with_metadata({"cost_usd": 2.0})

    def start_slow(response: ProviderResponse) -> Awaitable[ProviderResponse]:
        made.append("slow")
        return slow(response)

    def broken(_: ProviderResponse) -> ProviderResponse:
        raise ValueError("odd")

    reports: list[str] = []
    layers = [
        Layer(after=lambda r: r.with_metadata({"model": "m"})),
        Layer(after=start_slow),
        Layer(after=broken),
        Layer(after=lambda r: r.with_metadata({"cost_usd": 1.0})),
    ]
    response, left = complete_ready(
        ProviderResponse("x"), decided(*layers).afters, lambda _, exc: reports.append(str(exc))
    )
    ready = (response.cost_usd, response.model, len(left))
    response, _ = asyncio.run(complete(response, left, lambda *_: None))

    assert ready == (1.0, None, 2)
    assert (response.cost_usd, response.model) == (2.0, "m")
    assert (made, reports) == (["slow"], ["odd"])
