from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from allos.engine import MustWait
from allos.messages import Message, MessageRole
from allos.response import ProviderResponse
from allos.runs import scheduler
from allos.runs.scheduler import MAX_UNFINISHED, STARTERS, Scheduler
from allos.runs.task import Task


@pytest.fixture(autouse=True)
def threads_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread of another test is counted."""
    monkeypatch.setattr(scheduler, "IDLE_S", 0.01)
    for thread in threading.enumerate():
        if thread.name == "allos-start":
            thread.join(5)


HELLO = (Message(MessageRole.USER, "Hello!"),)


class Starts:
    """Submits tasks that stay in flight until they are told to finish; blocks those in `blocked`."""

    def __init__(self, *blocked: str) -> None:
        self.open = threading.Event()
        self.blocked = blocked
        self.keys: list[str] = []
        self.most_threads = 0
        self.futures: list[Future[ProviderResponse]] = []
        self._changed = threading.Condition()

    def submit(self, task: Task) -> Future[ProviderResponse]:
        self.most_threads = max(self.most_threads, _starters())
        if task.model in self.blocked:
            assert self.open.wait(20)
        future: Future[ProviderResponse] = Future()
        with self._changed:
            self.keys.append(task.key)
            self.futures.append(future)
            self._changed.notify_all()
        return future

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.keys) >= count, 20), self.keys

    def finish(self, count: int) -> None:
        for _ in range(count):
            self.futures.pop(0).set_result(ProviderResponse())


def column(name: str, count: int, *, taken: Callable[[str], object] = str) -> Iterator[Task]:
    for number in range(count):
        key = f"{name}{number}"
        taken(key)
        yield Task(key=key, column=0, sample=number, messages=HELLO, model=name)


def _starters() -> int:
    return sum(thread.name == "allos-start" for thread in threading.enumerate())


def _settled(value: Callable[[], object]) -> object:
    """The value once it has not changed for a moment."""
    seen = value()
    for _ in range(100):
        time.sleep(0.02)
        if seen == (seen := value()):
            return seen
    raise AssertionError("it goes on changing")


def test_columns_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """One starter goes around the columns: the first task of each, then the second of each."""
    monkeypatch.setattr(scheduler, "STARTERS", 1)
    starts = Starts()
    services = {"a": "groq", "b": "openai", "c": "groq"}
    Scheduler(starts.submit).add((services[name], column(name, 3)) for name in "abc")
    starts.wait_for(9)

    assert starts.keys == ["a0", "b0", "c0", "b1", "a1", "b2", "c1", "a2", "c2"]


def test_tasks_of_a_column_start_in_order() -> None:
    """Also with many starters: the first repeat of a column is what a board shows."""
    starts = Starts()
    Scheduler(starts.submit).add((name, column(name, 50)) for name in "abc")
    starts.wait_for(150)

    for name in "abc":
        of_column = [key for key in starts.keys if key[0] == name]
        assert of_column == [f"{name}{number}" for number in range(50)]


def test_a_column_that_is_slow_to_start_holds_up_no_other() -> None:
    """One column blocks before its first call; every call of the others starts meanwhile."""
    starts = Starts("slow")
    run = Scheduler(starts.submit)
    for name in ("slow", "a", "b"):
        run.add([("same", column(name, 30))])
    starts.wait_for(60)

    assert not any(key.startswith("slow") for key in starts.keys)
    starts.open.set()
    starts.wait_for(90)


def test_a_service_that_blocks_leaves_starters_to_the_others() -> None:
    """More columns of one blocking service than there are starters: the other service's still start."""
    blocked = [f"slow{number}-" for number in range(2 * STARTERS)]
    starts = Starts(*blocked)
    run = Scheduler(starts.submit)
    for name in blocked:
        run.add([("slow", column(name, 1))])
    run.add([("quick", column("quick", 40))])
    starts.wait_for(40)

    assert all(key.startswith("quick") for key in starts.keys)
    starts.open.set()
    starts.wait_for(40 + len(blocked))


def test_few_threads_start_many_tasks() -> None:
    """Two thousand tasks need no more threads than there are starters, and leave none behind."""
    starts = Starts()
    run = Scheduler(starts.submit)
    names = [f"column{number}-" for number in range(20)]
    for name in names:
        run.add([(name, column(name, 100))])
    starts.wait_for(2000)

    assert 1 <= starts.most_threads <= STARTERS
    assert _settled(_starters) == 0


def test_tasks_are_taken_when_they_can_start() -> None:
    """Of a hundred thousand tasks only so many are made and started that their column allows."""
    taken: list[str] = []
    starts = Starts()
    Scheduler(starts.submit).add([("a", column("a", 100_000, taken=taken.append))])
    starts.wait_for(MAX_UNFINISHED)
    before = _settled(lambda: len(taken))
    starts.finish(MAX_UNFINISHED // 2)
    starts.wait_for(MAX_UNFINISHED + MAX_UNFINISHED // 2)

    assert before == MAX_UNFINISHED
    assert _settled(lambda: len(taken)) == MAX_UNFINISHED + MAX_UNFINISHED // 2


def test_a_run_may_limit_what_is_in_flight() -> None:
    """`max_in_flight` counts over all columns; each that ends makes room for one."""
    starts = Starts()
    run = Scheduler(starts.submit, max_in_flight=3)
    run.add([("a", column("a", 5))])
    run.add([("b", column("b", 5))])
    starts.wait_for(3)
    counts = [_settled(lambda: len(starts.keys))]
    for number in range(1, 8):
        starts.finish(1)
        starts.wait_for(3 + number)
        counts.append(len(starts.keys))

    assert counts == [3, 4, 5, 6, 7, 8, 9, 10]


def test_cancel_starts_nothing_more_and_what_is_added_later_starts() -> None:
    """After `cancel` no task of before starts, also when calls end; a new one does."""
    starts = Starts()
    run = Scheduler(starts.submit, max_in_flight=2)
    run.add([("a", column("a", 10))])
    starts.wait_for(2)
    run.cancel()
    starts.finish(2)
    run.add([("a", column("b", 1))])
    starts.wait_for(3)

    assert _settled(lambda: starts.keys) == ["a0", "a1", "b0"]


def test_a_task_that_is_not_under_way_takes_no_room() -> None:
    """A task that ended before it was sent counts as finished."""
    seen: list[str] = []

    def submit(task: Task) -> None:
        seen.append(task.key)

    Scheduler(submit, max_in_flight=1).add([("a", column("a", 5))])

    assert _settled(lambda: len(seen)) == 5


def test_tasks_run_in_the_context_of_their_run() -> None:
    """Starters see the context variables of whoever made the scheduler."""
    variable = contextvars.ContextVar("variable", default="outside")
    seen: list[str] = []
    done = threading.Event()

    def submit(task: Task) -> None:
        seen.append(variable.get())
        if task.sample == 1:
            done.set()

    token = variable.set("inside")
    run = Scheduler(submit)
    variable.reset(token)
    run.add([("a", column("a", 2))])

    assert done.wait(10)
    assert seen == ["inside"] * 2


def test_a_call_starts_where_one_ends_once_a_service_has_all_it_may() -> None:
    """On the thread of the end, in the run's context; threads start what comes before, and after a pause."""
    variable = contextvars.ContextVar("variable", default="outside")
    starts = Starts()
    where: list[tuple[str, str]] = []

    def submit(task: Task) -> Future[ProviderResponse]:
        where.append((threading.current_thread().name, variable.get()))
        return starts.submit(task)

    token = variable.set("inside")
    run = Scheduler(submit, max_in_flight=3, starts_at_once=lambda name: name == "a")
    variable.reset(token)
    here = (threading.current_thread().name, "inside")
    run.add([("a", column("a", 20))])
    starts.wait_for(3)
    _settled(_starters)
    starts.finish(4)

    assert where == [("allos-start", "inside")] * 3 + [here] * 4
    assert starts.keys == [f"a{number}" for number in range(7)]
    run.pause()
    starts.finish(3)
    assert len(where) == 7
    run.resume()
    starts.wait_for(10)
    assert where[7:] == [("allos-start", "inside")] * 3
    run.cancel()
    starts.finish(3)
    assert len(starts.keys) == 10


def test_a_service_that_may_wait_is_left_to_threads() -> None:
    """Whether it may is asked each time; the others go on where calls end."""
    starts = Starts()
    where: list[str] = []
    quick = {"a", "b"}

    def submit(task: Task) -> Future[ProviderResponse]:
        where.append(f"{task.model} {threading.current_thread().name}")
        return starts.submit(task)

    run = Scheduler(submit, max_in_flight=2, starts_at_once=quick.__contains__)
    run.add([("a", column("a", 9)), ("b", column("b", 9))])
    starts.wait_for(2)
    _settled(_starters)
    starts.finish(2)
    quick.remove("b")
    starts.finish(2)
    starts.wait_for(6)

    assert sorted(where[2:4]) == ["a MainThread", "b MainThread"]
    assert sorted(where[4:6]) == ["a MainThread", "b allos-start"]


def test_a_task_that_must_wait_after_all_is_started_by_a_thread() -> None:
    """It keeps its turn."""
    starts = Starts()
    where: list[str] = []

    def submit(task: Task) -> Future[ProviderResponse]:
        where.append(threading.current_thread().name)
        if task.key == "a2" and where[-1] == "MainThread":
            raise MustWait
        return starts.submit(task)

    run = Scheduler(submit, max_in_flight=2, starts_at_once=lambda name: True)
    run.add([("a", column("a", 6))])
    starts.wait_for(2)
    _settled(_starters)
    starts.finish(1)
    starts.wait_for(3)
    _settled(_starters)
    starts.finish(3)
    starts.wait_for(5)

    assert where[:4] == ["allos-start"] * 2 + ["MainThread", "allos-start"]
    assert starts.keys[:5] == [f"a{number}" for number in range(5)]


def test_a_slow_start_is_the_last_one_where_a_call_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything on the loop thread waited for it."""
    monkeypatch.setattr(scheduler, "SLOW_S", -1.0)
    starts = Starts()
    where: list[str] = []

    def submit(task: Task) -> Future[ProviderResponse]:
        where.append(threading.current_thread().name)
        return starts.submit(task)

    run = Scheduler(submit, max_in_flight=1, starts_at_once=lambda name: True)
    run.add([("a", column("a", 4))])
    for count in range(1, 4):
        starts.wait_for(count)
        _settled(_starters)
        starts.finish(1)
    starts.wait_for(4)

    assert where == ["allos-start", "MainThread", "allos-start", "allos-start"]
