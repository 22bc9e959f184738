from __future__ import annotations

from itertools import count

import pytest

from allos.engine.adaptive_window import AdaptiveWindow, current, using
from allos.errors import BadRequestError, ProviderError, ProviderTimeoutError, RateLimitError


def window(**options: int) -> tuple[AdaptiveWindow, count[int]]:
    clock = count(1)
    return AdaptiveWindow(clock=lambda: float(next(clock)), **options), clock


def test_it_doubles_until_the_service_pushes_back_then_grows_by_one() -> None:
    """Each answer adds a call at first; after a refusal a whole round adds one."""
    tried, _ = window(start=4, most=64)
    for _ in range(8):
        tried.attempt_ended(0.0, None)
    doubled = tried.size
    tried.attempt_ended(0.5, RateLimitError("slow down"))
    halved = tried.size
    for _ in range(halved + 1):
        tried.attempt_ended(5.0, None)

    assert (doubled, halved, tried.size) == (12, 6, 7)


@pytest.mark.parametrize("error", [RateLimitError("no"), ProviderTimeoutError("late")])
def test_a_burst_of_refusals_halves_it_once(error: ProviderError) -> None:
    """What was sent before the last change says nothing about the new number."""
    tried, _ = window(start=16)
    for _ in range(10):
        tried.attempt_ended(0.0, error)

    assert tried.size == 8
    tried.attempt_ended(50.0, error)
    assert tried.size == 4


def test_other_errors_change_nothing_and_it_stays_in_its_bounds() -> None:
    """A bad request says nothing about load; at least one call is always sent, at most `most`."""
    tried, _ = window(start=2, most=3)
    tried.attempt_ended(0.0, BadRequestError("odd"))
    assert tried.size == 2
    for sent in range(100, 110):
        tried.attempt_ended(float(sent), RateLimitError("no"))
    assert tried.size == 1
    for _ in range(100):
        tried.attempt_ended(200.0, None)

    assert tried.size == 3


def test_calls_of_a_block_teach_its_window() -> None:
    """Outside of a block nobody adapts."""
    tried = AdaptiveWindow()
    with using(tried):
        assert current() is tried
    assert current() is None
