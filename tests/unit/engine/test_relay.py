"""Calls one after the other in one task, each in its own context."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from allos.engine.relay import Relay

WHOSE: ContextVar[str] = ContextVar("whose", default="nobody")


def test_what_starts_while_a_task_ends_goes_on_in_it_before_anything_else() -> None:
    """In the same step of the loop, in the context of its start, which changes no other."""
    seen: list[tuple[str, str, bool]] = []

    async def main() -> None:
        relay = Relay()

        def note(name: str) -> None:
            seen.append((name, WHOSE.get(), asyncio.current_task() is task))

        async def first() -> None:
            await asyncio.sleep(0)
            asyncio.get_running_loop().call_soon(note, "other callback")
            token = WHOSE.set("second")
            with relay.ending(asyncio.current_task()):
                assert relay.hand_on(second()) is task
                late = second()
                assert relay.hand_on(late) is None
                late.close()
            WHOSE.reset(token)

        async def second() -> None:
            note("second")
            WHOSE.set("changed by second")
            await asyncio.sleep(0)
            note("second again")
            with relay.ending(asyncio.current_task()):
                relay.hand_on(third())

        async def third() -> None:
            note("third")

        task = asyncio.ensure_future(relay.run(first()))
        await task
        seen.append(("outside", WHOSE.get(), False))

    asyncio.run(main())

    assert seen == [
        ("second", "second", True),
        ("other callback", "nobody", False),
        ("second again", "changed by second", True),
        ("third", "changed by second", True),
        ("outside", "nobody", False),
    ]


def test_nothing_is_handed_on_unless_a_task_ends() -> None:
    """Then it needs a task of its own."""

    async def work() -> None:
        raise AssertionError("never run")

    relay = Relay()
    for task in (None, "no block"):
        unused = work()
        if task is None:
            with relay.ending(None):
                assert relay.hand_on(unused) is None
        else:
            assert relay.hand_on(unused) is None
        unused.close()


def test_a_coroutine_is_cancelled_and_fails_as_in_a_task() -> None:
    """It sees the cancellation where it waits; what it raises ends the task."""
    seen: list[str] = []

    async def main() -> None:
        relay = Relay()

        async def first() -> None:
            with relay.ending(asyncio.current_task()):
                relay.hand_on(second())

        async def second() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                seen.append("cancelled")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await asyncio.Event().wait()
            raise ZeroDivisionError

        task = asyncio.ensure_future(relay.run(first()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(ZeroDivisionError):
            await task

    asyncio.run(main())

    assert seen == ["cancelled"]
