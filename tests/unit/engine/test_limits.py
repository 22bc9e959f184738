"""The limiter alone, on a loop of its own; its minute lasts a tenth of a second."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Callable, Coroutine
from itertools import pairwise
from time import monotonic
from typing import Any

import pytest

from allos.engine import retry
from allos.engine.limits import Limiter, LimiterRegistry, Limits, Permit, estimate
from allos.engine.pauses import Reason
from allos.errors import RateLimitError
from allos.messages import Message
from allos.secret import Secret
from tests.support.decoding import request

MINUTE_S = 0.1
Scenario = Callable[[Limiter], Coroutine[Any, Any, None]]


def play(scenario: Scenario, **limits: float) -> Limiter:
    limiter = Limiter()
    limiter.minute_s = MINUTE_S
    limiter.configure(Limits(**limits) if limits else None)
    asyncio.run(asyncio.wait_for(scenario(limiter), 10))
    return limiter


async def acquire(
    limiter: Limiter, lane: object = "a", tokens: float = 0, model: str = "m"
) -> Permit:
    permit = limiter.try_acquire(tokens=tokens, model=model)
    if permit is None:
        permit = await limiter.acquire(lane, limiter.number(), tokens, model)
    return permit


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_no_limit() -> None:
    """Without a limit every call goes at once, and nothing is kept of it."""

    async def scenario(limiter: Limiter) -> None:
        for _ in range(1000):
            assert limiter.try_acquire(tokens=1e9, model="m") is not None

    limiter = play(scenario)

    assert limiter.in_flight == 1000
    assert not limiter._sent


def test_in_flight_in_order() -> None:
    """No more run at once than allowed; a caller's own calls go in their order."""
    order: list[int] = []

    async def scenario(limiter: Limiter) -> None:
        most = 0

        async def one(number: int) -> None:
            nonlocal most
            permit = await acquire(limiter)
            order.append(number)
            most = max(most, limiter.in_flight)
            await asyncio.sleep(0)
            limiter.release(permit)

        await asyncio.gather(*(one(number) for number in range(50)))
        assert most == 3

    limiter = play(scenario, max_in_flight=3)

    assert order == list(range(50))
    assert (limiter.in_flight, limiter.waiting, len(limiter._lanes)) == (0, 0, 0)


def test_callers_take_turns() -> None:
    """A single call is served next but one, however long another caller's queue is."""
    order: list[str] = []

    async def scenario(limiter: Limiter) -> None:
        async def one(lane: str) -> None:
            permit = await acquire(limiter, lane)
            order.append(lane)
            limiter.release(permit)

        held = await acquire(limiter)
        batch = [asyncio.ensure_future(one("batch")) for _ in range(100)]
        await settle()
        single = [asyncio.ensure_future(one("single")) for _ in range(2)]
        await settle()
        limiter.release(held)
        await asyncio.gather(*batch, *single)

    play(scenario, max_in_flight=1)

    assert order[:5] == ["batch", "single", "batch", "single", "batch"]


def test_repeated_attempts_keep_their_place() -> None:
    """A call that comes back goes before the younger ones of the same caller."""
    order: list[str] = []

    async def scenario(limiter: Limiter) -> None:
        async def one(name: str, number: int) -> None:
            permit = await limiter.acquire("a", number, 0, "m")
            order.append(name)
            limiter.release(permit)

        old = limiter.number()
        held = await acquire(limiter)
        waiting = [asyncio.ensure_future(one("young", limiter.number())) for _ in range(3)]
        await settle()
        waiting.append(asyncio.ensure_future(one("old", old)))
        await settle()
        limiter.release(held)
        await asyncio.gather(*waiting)

    play(scenario, max_in_flight=1)

    assert order == ["old", "young", "young", "young"]


def test_requests_per_minute() -> None:
    """In no minute more requests go out than allowed, and none waits longer than it must."""
    times: list[float] = []

    async def scenario(limiter: Limiter) -> None:
        for _ in range(10):
            permit = await acquire(limiter)
            times.append(permit.at)
            limiter.release(permit)

    play(scenario, requests_per_minute=4)
    gaps = [late - early for early, late in zip(times, times[4:], strict=False)]

    assert min(gaps) >= MINUTE_S
    assert max(gaps) < 5 * MINUTE_S


def test_tokens_per_minute() -> None:
    """Tokens count as estimated until they are known, then as they were."""
    times: list[float] = []

    async def scenario(limiter: Limiter) -> None:
        for _ in range(8):
            permit = await acquire(limiter, tokens=60)
            times.append(permit.at)
            limiter.release(permit, tokens=25)

    play(scenario, tokens_per_minute=100)
    gaps = [late - early for early, late in pairwise(times)]

    # 25 + 25 are spent, and 60 more do not fit: every third call waits for the first to be forgotten.
    assert gaps[0] < MINUTE_S
    assert gaps[1] >= MINUTE_S / 2
    assert max(gaps) < 5 * MINUTE_S


def test_larger_than_the_limit() -> None:
    """A call that alone is larger than the limit goes when nothing else counts."""

    async def scenario(limiter: Limiter) -> None:
        limiter.release(await acquire(limiter, tokens=500))
        limiter.release(await acquire(limiter, tokens=500))

    assert play(scenario, tokens_per_minute=100).in_flight == 0


def test_pause_holds_all() -> None:
    """What the service says to one call holds back every other."""

    async def scenario(limiter: Limiter) -> None:
        limiter.pause(0.05, "m")
        started = monotonic()
        turns = await asyncio.gather(
            *(acquire(limiter, lane, model=lane) for lane in ("a", "b", "c"))
        )
        assert min(permit.at for permit in turns) - started >= 0.045
        assert limiter.try_acquire(tokens=0, model="m") is not None

    play(scenario)


def test_pause_longer_than_is_waited() -> None:
    """A long pause fails the calls of that model at once, queued or new; others go on."""

    async def scenario(limiter: Limiter) -> None:
        held = await acquire(limiter)
        queued = asyncio.ensure_future(acquire(limiter, model="m"))
        other = asyncio.ensure_future(acquire(limiter, "b", model="other"))
        await settle()
        limiter.pause(86400, "m")
        with pytest.raises(RateLimitError) as caught:
            await queued
        assert caught.value.retry_after_s == 86400
        assert not caught.value.retryable
        with pytest.raises(RateLimitError):
            limiter.try_acquire(tokens=0, model="m")
        limiter.release(held)
        await other
        assert limiter.waiting == 0

    play(scenario, max_in_flight=1)


def test_refusals_repeat_what_the_service_said() -> None:
    """Queued and later calls that a pause refuses have the service's words, code and the wait left."""

    async def scenario(limiter: Limiter) -> None:
        await acquire(limiter)
        queued = asyncio.ensure_future(acquire(limiter))
        await settle()
        limiter.pause(86400, "m", Reason("Come back tomorrow", "daily_limit"))
        with pytest.raises(RateLimitError, match="it said: Come back tomorrow") as first:
            await queued
        with pytest.raises(RateLimitError) as second:
            limiter.try_acquire(tokens=0, model="m")
        for error in (first.value, second.value):
            assert (error.detail, error.code) == ("Come back tomorrow", "daily_limit")
            assert error.retry_after_s == pytest.approx(86400, abs=5)

    play(scenario, max_in_flight=1)


def test_reason_of_a_pause_lasts_as_long() -> None:
    """A short pause has the reason of the longest one, until it is over."""

    async def scenario(limiter: Limiter) -> None:
        limiter.pause(0.03, "m", Reason("busy"))
        limiter.pause(0.01, "m", Reason("other"))
        assert limiter.pause_reason == Reason("busy")
        await acquire(limiter)
        assert limiter.pause_reason is None

    play(scenario)


def test_long_pause_is_asked_again() -> None:
    """A long pause is believed for as long as the policy waits; then a call goes out to ask."""

    async def scenario(limiter: Limiter) -> None:
        with retry.using(max_hint_s=0.02):
            limiter.pause(3600, "m")
        with pytest.raises(RateLimitError):
            limiter.try_acquire(tokens=0, model="m")
        await asyncio.sleep(0.03)
        assert limiter.try_acquire(tokens=0, model="m") is not None

    play(scenario)


def test_cancelled_in_the_queue() -> None:
    """Who gives up leaves nothing behind, first, in the middle or as all of them."""

    async def scenario(limiter: Limiter) -> None:
        held = await acquire(limiter)
        waiting = [asyncio.ensure_future(acquire(limiter, n % 3)) for n in range(30)]
        await settle()
        assert limiter.waiting == 30
        for task in waiting[:29]:
            task.cancel()
        await asyncio.gather(*waiting[:29], return_exceptions=True)
        assert limiter.waiting == 1
        limiter.release(held)
        limiter.release(await waiting[29])
        assert limiter.in_flight == 0
        assert not limiter._lanes

    play(scenario, max_in_flight=1)


def test_cancelled_as_the_turn_comes() -> None:
    """A permit that comes in the same moment as the cancel goes to the next."""

    async def scenario(limiter: Limiter) -> None:
        held = await acquire(limiter)
        first = asyncio.ensure_future(acquire(limiter))
        second = asyncio.ensure_future(acquire(limiter))
        await settle()
        limiter.release(held)
        first.cancel()
        limiter.release(await second)
        with pytest.raises(asyncio.CancelledError):
            await first
        assert limiter.in_flight == 0

    play(scenario, max_in_flight=1)


def test_last_word_counts() -> None:
    """A later limit replaces an earlier one of its kind, and infinity lifts it."""
    limiter = Limiter()
    limiter.configure(Limits(max_in_flight=1, requests_per_minute=5))
    limiter.configure(Limits(max_in_flight=2))
    limiter.configure(None)

    assert limiter.limits == Limits(max_in_flight=2, requests_per_minute=5)

    limiter.configure(Limits(max_in_flight=float("inf"), requests_per_minute=float("inf")))
    turns = [limiter.try_acquire(tokens=0, model="m") for _ in range(100)]

    assert all(turns)


def test_a_raised_limit_lets_more_go() -> None:
    """Calls that wait go as soon as the limit allows it."""

    async def scenario(limiter: Limiter) -> None:
        waiting = [asyncio.ensure_future(acquire(limiter)) for _ in range(3)]
        await settle()
        assert limiter.in_flight == 1
        limiter.configure(Limits(max_in_flight=3))
        await asyncio.gather(*waiting)

    assert play(scenario, max_in_flight=1).in_flight == 3


def test_estimate() -> None:
    """A quarter of the characters, and what may be written."""
    a_request = request("chat", Message("system", "x" * 40), Message("user", "y" * 40))

    assert estimate(a_request) == 20 + 256
    assert estimate(request("chat", params={"max_tokens": 10})) == 0.5 + 10


def test_large_calls_do_not_starve() -> None:
    """A call that needs many tokens is not overtaken for ever by small ones."""
    order: list[str] = []

    async def scenario(limiter: Limiter) -> None:
        async def one(lane: str, tokens: float) -> None:
            permit = await acquire(limiter, lane, tokens)
            order.append(lane)
            limiter.release(permit)

        limiter.release(await acquire(limiter, "first", 60))
        large = asyncio.ensure_future(one("large", 90))
        await settle()
        small = [asyncio.ensure_future(one("small", 10)) for _ in range(20)]
        await asyncio.gather(large, *small)

    play(scenario, tokens_per_minute=100)

    assert order[0] == "large"


def test_cancel_while_paused_leaves_no_timer() -> None:
    """When the last one gives up, nothing is left that would wake the loop."""

    async def scenario(limiter: Limiter) -> None:
        limiter.pause(30, "m")
        waiting = [asyncio.ensure_future(acquire(limiter, n)) for n in range(5)]
        await settle()
        assert limiter._timer is not None
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert limiter._timer is None
        assert not limiter._lanes

    play(scenario)


def test_cancelled_as_it_is_refused() -> None:
    """A refusal and a cancel in the same moment are a cancel, and nothing is raised afterwards."""

    async def scenario(limiter: Limiter) -> None:
        reports: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        held = await acquire(limiter)
        queued = asyncio.ensure_future(acquire(limiter))
        await settle()
        limiter.pause(86400, "m")
        queued.cancel()
        with pytest.raises(asyncio.CancelledError):
            await queued
        del queued
        gc.collect()
        limiter.release(held)
        await settle()
        assert limiter.in_flight == 0
        assert not limiter._lanes
        assert reports == []

    play(scenario, max_in_flight=1)


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_events(seed: int) -> None:
    """Whatever comes in whatever order, limits hold, turns add up, and nothing is left behind."""
    chance = random.Random(seed)
    most = chance.choice([1, 2, 5])
    ends = {"done": 0, "cancelled": 0, "refused": 0}

    async def scenario(limiter: Limiter) -> None:
        async def one(lane: int) -> None:
            try:
                for _ in range(chance.randint(1, 3)):  # attempts of one call
                    permit = await acquire(limiter, lane, chance.uniform(0, 30), f"m{lane % 2}")
                    try:
                        assert limiter.in_flight <= most
                        await asyncio.sleep(chance.choice([0, 0, 0.001]))
                    finally:
                        limiter.release(permit, chance.choice([None, 5.0, 50.0]))
                ends["done"] += 1
            except asyncio.CancelledError:
                ends["cancelled"] += 1
                raise
            except RateLimitError:
                ends["refused"] += 1

        tasks = []
        for _ in range(120):
            tasks.append(asyncio.ensure_future(one(chance.randint(0, 4))))
            if chance.random() < 0.3:
                chance.choice(tasks).cancel()
            if chance.random() < 0.05:
                limiter.pause(chance.choice([0.002, 0.01, 3600.0]), "m1")
            if chance.random() < 0.5:
                await asyncio.sleep(chance.choice([0, 0.001]))
        await asyncio.gather(*tasks, return_exceptions=True)
        assert limiter.in_flight == 0
        assert limiter.waiting == 0
        assert not limiter._lanes
        assert limiter._timer is None
        started = sum(ends.values())
        never_began = len(tasks) - started
        assert 0 <= never_began <= sum(task.cancelled() for task in tasks)
        assert ends["done"] > 0

    with retry.using(max_hint_s=0.02):
        play(scenario, max_in_flight=most, requests_per_minute=200, tokens_per_minute=2000)


def test_one_limiter_for_each_key_and_host() -> None:
    """Calls with one key to one host share a limiter, on one loop; other keys and hosts do not."""
    registry, loop, other_loop = (
        LimiterRegistry(),
        asyncio.new_event_loop(),
        asyncio.new_event_loop(),
    )
    key, another = Secret("sk-one-key"), Secret("sk-another")
    found = registry.get(loop, "https://a.example/v1", key)

    assert registry.get(loop, "https://a.example/v2", key) is found
    assert registry.get(loop, "https://b.example/v1", key) is not found
    assert registry.get(loop, "https://a.example/v1", another) is not found
    assert registry.get(other_loop, "https://a.example/v1", key) is not found
    loop.close()
    other_loop.close()
