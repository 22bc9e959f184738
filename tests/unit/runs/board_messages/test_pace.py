"""When finished blocks are rendered."""

from __future__ import annotations

import pytest

from allos.runs.board_messages.pace import MAX_WAIT_S, RenderPace


class Clocks:
    """The time and the CPU time that a test sets."""

    def __init__(self) -> None:
        self.now = self.used = 100.0

    def pace(self, max_wait_s: float = MAX_WAIT_S) -> RenderPace:
        return RenderPace(max_wait_s, clock=lambda: self.now, cpu=lambda: self.used)

    def render(self, pace: RenderPace, cost_s: float) -> bool:
        with pace.turn() as is_due:
            self.used += cost_s
        return is_due


@pytest.mark.parametrize(("cost_s", "wait_s"), [(0.001, 0.1), (0.003, 0.3), (1.0, MAX_WAIT_S)])
def test_a_wait_is_as_long_as_what_it_saves(cost_s: float, wait_s: float) -> None:
    """What took little is soon done again; nothing waits longer than the longest wait."""
    clocks = Clocks()
    pace = clocks.pace()
    first = clocks.render(pace, cost_s)
    clocks.now += 0.99 * wait_s
    too_early = clocks.render(pace, 0)
    clocks.now += 0.02 * wait_s

    assert (first, too_early, clocks.render(pace, 0)) == (True, False, True)


def test_without_a_wait_it_is_always_time() -> None:
    """As for a board that nobody watches while it fills."""
    clocks = Clocks()
    pace = clocks.pace(0)

    assert [clocks.render(pace, 1) for _ in range(3)] == [True] * 3
