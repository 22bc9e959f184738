"""The numbers that tell the equal requests of a run apart."""

from __future__ import annotations

import threading

import pytest

from allos.context import RunContext
from allos.replaying.request_numbering import RequestNumber, RequestNumbering

NOWHERE = RunContext()


def cell(name: str, count: int, **more: str) -> RunContext:
    return RunContext(cell_id=name, execution_count=count, **more)  # type: ignore[arg-type]


def drawn(numbering: RequestNumbering, digest: str, origin: RunContext, count: int) -> list[int]:
    return [numbering.draw(digest, origin).key[1] for _ in range(count)]


def test_the_kth_request_draws_k() -> None:
    """Equal requests are counted one by one, each hash by itself."""
    numbering = RequestNumbering()

    assert drawn(numbering, "a", NOWHERE, 3) == [0, 1, 2]
    assert numbering.draw("b", NOWHERE).key == ("b", 0)


def test_a_cell_that_runs_again_draws_its_own_numbers() -> None:
    """A cell that is executed again gets what it had, in order, then new ones; others go on."""
    numbering = RequestNumbering()
    first = drawn(numbering, "a", cell("one", 1), 2)
    other = drawn(numbering, "a", cell("two", 2), 1)
    again = drawn(numbering, "a", cell("one", 3), 3)
    short = drawn(numbering, "a", cell("one", 4), 1)
    after = drawn(numbering, "a", cell("one", 5), 4)

    assert (first, other) == ([0, 1], [2])
    assert again == [0, 1, 3]
    assert short == [0]
    assert after == [0, 1, 3, 4], "what the short execution left is not lost"


def test_a_late_request_of_an_earlier_execution() -> None:
    """What still runs from an earlier execution draws no number of the present one."""
    numbering = RequestNumbering()
    drawn(numbering, "a", cell("one", 1), 1)
    again = drawn(numbering, "a", cell("one", 2), 1)

    assert drawn(numbering, "a", cell("one", 1), 1) == [1]
    assert again == [0]


def test_a_released_number_is_drawn_next() -> None:
    """Of several released numbers the smallest is drawn first, then new ones."""
    numbering = RequestNumbering()
    numbers = [numbering.draw("a", NOWHERE) for _ in range(4)]
    for number in (numbers[2], numbers[0]):
        number.release()

    assert [number.is_held for number in numbers] == [False, True, False, True]
    assert drawn(numbering, "a", NOWHERE, 3) == [0, 2, 4]


def test_each_call_releases_its_own_number() -> None:
    """Of two equal calls under way, the one that fails first gives back its own number."""
    numbering = RequestNumbering()
    first, second = numbering.draw("a", NOWHERE), numbering.draw("a", NOWHERE)
    second.release()
    retry = numbering.draw("a", NOWHERE)

    assert (first.key, second.key, retry.key) == (("a", 0), ("a", 1), ("a", 1))
    assert (first.is_held, second.is_held, retry.is_held) == (True, False, True)


def test_a_number_is_released_once() -> None:
    """A second release changes nothing, also when another request holds the number by then."""
    numbering = RequestNumbering()
    first = numbering.draw("a", NOWHERE)
    first.release()
    first.release()
    second = numbering.draw("a", NOWHERE)
    first.release()

    assert second.is_held
    assert numbering.draw("a", NOWHERE).key == ("a", 1)


def test_a_cell_that_runs_again_takes_the_number_over() -> None:
    """A call left from the earlier execution neither holds nor releases the number any more."""
    numbering = RequestNumbering()
    left_over = numbering.draw("a", cell("one", 1))
    now = numbering.draw("a", cell("one", 2))
    left_over.release()

    assert left_over.key == now.key == ("a", 0)
    assert (left_over.is_held, now.is_held) == (False, True)
    assert drawn(numbering, "a", NOWHERE, 1) == [1]


def test_a_failed_request_of_a_cell_keeps_its_position() -> None:
    """Executed again, the cell draws the released number where it drew it before."""
    numbering = RequestNumbering()
    failed = numbering.draw("a", cell("one", 1))
    drawn(numbering, "a", cell("one", 1), 1)
    failed.release()

    assert drawn(numbering, "a", cell("one", 2), 3) == [0, 1, 2]


def test_a_released_number_belongs_to_one_cell() -> None:
    """A number that another cell has drawn since does not come back to the first one."""
    numbering = RequestNumbering()
    numbering.draw("a", cell("one", 1)).release()
    other = drawn(numbering, "a", cell("two", 2), 1)

    assert other == [0]
    assert drawn(numbering, "a", cell("one", 3), 1) == [1]
    assert drawn(numbering, "a", cell("two", 4), 1) == [0]


def test_order_of_a_comparison_does_not_depend_on_its_threads() -> None:
    """Calls of one comparison are ordered by what they request, all others by first use."""
    orders = []
    for names in (["m1", "m2", "m3"], ["m3", "m1", "m2"]):
        numbering = RequestNumbering()
        numbering.draw("first", NOWHERE, ("z",))
        for name in names:
            numbering.draw(name, RunContext(comparison_id=f"cmp_{names[0]}"), (name,))
        numbering.draw("last", NOWHERE, ("a",))
        order = numbering.order
        orders.append([key[0] for key in sorted(order, key=order.__getitem__)])

    assert orders == [["first", "m1", "m2", "m3", "last"]] * 2


def test_no_number_has_two_holders() -> None:
    """Threads that draw at once each get a number of their own."""
    numbering = RequestNumbering()
    numbers: list[RequestNumber] = []
    ready = threading.Barrier(8)

    def draw() -> None:
        ready.wait(5)
        for _ in range(200):
            numbers.append(numbering.draw("a", NOWHERE))  # noqa: PERF401 - interleaves with others

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(number.key[1] for number in numbers) == list(range(1600))
    assert all(number.is_held for number in numbers)


@pytest.mark.parametrize("origin", [RunContext(cell_id="one"), RunContext(execution_count=3)])
def test_a_cell_needs_an_id_and_a_count(origin: RunContext) -> None:
    """Without both, requests are only counted."""
    assert drawn(RequestNumbering(), "a", origin, 2) == [0, 1]
