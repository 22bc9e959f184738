"""Which of the equal requests of a run a request is."""

from __future__ import annotations

import threading

import pytest

from allos.context import RunContext
from allos.replaying.request_numbering import RequestNumbering

NOWHERE = RunContext()


def cell(name: str, count: int, **more: str) -> RunContext:
    return RunContext(cell_id=name, execution_count=count, **more)  # type: ignore[arg-type]


def test_kth_request_has_number_k() -> None:
    """Equal requests are counted one by one, each hash by itself."""
    run = RequestNumbering()

    assert [run.number("a", NOWHERE) for _ in range(3)] == [0, 1, 2]
    assert run.number("b", NOWHERE) == 0


def test_cell_run_again_gets_its_own_numbers() -> None:
    """A cell that is executed again gets what it had, in order, then new ones; others go on."""
    run = RequestNumbering()
    first = [run.number("a", cell("one", 1)) for _ in range(2)]
    other = run.number("a", cell("two", 2))
    again = [run.number("a", cell("one", 3)) for _ in range(3)]
    short = run.number("a", cell("one", 4))
    after = [run.number("a", cell("one", 5)) for _ in range(4)]

    assert (first, other) == ([0, 1], 2)
    assert again == [0, 1, 3]
    assert short == 0
    assert after == [0, 1, 3, 4], "what the short execution left is not lost"


def test_late_request_of_an_earlier_execution() -> None:
    """What still runs from an earlier execution takes no number from the present one."""
    run = RequestNumbering()
    run.number("a", cell("one", 1))
    again = run.number("a", cell("one", 2))

    assert run.number("a", cell("one", 1)) == 1
    assert again == 0


def test_failed_request_gives_its_number_back() -> None:
    """The next equal request takes the number of one that came to nothing."""
    run = RequestNumbering()
    run.asking("a", run.number("a", NOWHERE))
    run.failed("a")
    run.asking("a", run.number("a", NOWHERE))

    assert run.answered("a") == 0
    assert run.number("a", NOWHERE) == 1
    run.failed("a")
    assert run.number("a", NOWHERE) == 2, "there was nothing to give back"


def test_answers_go_to_those_who_asked_first() -> None:
    """Equal requests under way at once are told apart by their order; a stranger has no number."""
    run = RequestNumbering()
    for _ in range(2):
        run.asking("a", run.number("a", NOWHERE))

    assert [run.answered("a") for _ in range(3)] == [0, 1, None]
    assert run.answered("b") is None


def test_order_of_a_comparison_does_not_depend_on_its_threads() -> None:
    """Calls of one comparison are ordered by what they ask, all others by first use."""
    orders = []
    for names in (["m1", "m2", "m3"], ["m3", "m1", "m2"]):
        run = RequestNumbering()
        run.number("first", NOWHERE, ("z",))
        for name in names:
            run.number(name, RunContext(comparison_id=f"cmp_{names[0]}"), (name,))
        run.number("last", NOWHERE, ("a",))
        orders.append([key[0] for key in sorted(run.order, key=run.order.__getitem__)])

    assert orders == [["first", "m1", "m2", "m3", "last"]] * 2


def test_no_number_is_given_twice() -> None:
    """Threads that ask at once each get a number of their own."""
    run = RequestNumbering()
    given: list[int] = []
    ready = threading.Barrier(8)

    def ask() -> None:
        ready.wait(5)
        for _ in range(200):
            given.append(run.number("a", NOWHERE))  # noqa: PERF401 - interleaves with the others

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(given) == list(range(1600))


@pytest.mark.parametrize("here", [RunContext(cell_id="one"), RunContext(execution_count=3)])
def test_half_known_cell_is_no_cell(here: RunContext) -> None:
    """Without both the cell and its execution, requests are only counted."""
    run = RequestNumbering()

    assert [run.number("a", here) for _ in range(2)] == [0, 1]
