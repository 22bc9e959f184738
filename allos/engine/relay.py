"""Calls one after the other in one task of the loop, each in its own context.

In a batch the next call starts where one ends. In a task of its own it would be sent only after every call
that has ended at the same moment: those would be sent together, end together, and wait for each other in
every round. In the task of the one that ends it is sent at once.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

Work = Coroutine[Any, Any, None]


class Relay:
    """Hands the task of a call that ends on to the one that starts meanwhile. Loop thread only."""

    __slots__ = ("_next", "_task")

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._next: _InContext | None = None

    @contextmanager
    def ending(self, task: asyncio.Task[None] | None) -> Iterator[None]:
        """Let what starts within the block go on in `task`, which ends; nothing is awaited in it."""
        self._task = task
        try:
            yield
        finally:
            self._task = None

    def hand_on(self, work: Work) -> asyncio.Task[None] | None:
        """Run `work` in the task that ends, in the current context, and return that task.

        None where no task ends, or another call goes on in it.
        """
        if self._task is None or self._next is not None:
            return None
        self._next = _InContext(copy_context(), work)
        return self._task

    async def run(self, work: Work) -> None:
        """Run `work`, then what was handed on each time. An exception ends it."""
        await work
        while (following := self._next) is not None:
            self._next = None
            await following


class _InContext:
    """Awaits a coroutine whose steps run in a context of their own."""

    __slots__ = ("_context", "_work")

    def __init__(self, context: Context, work: Work) -> None:
        self._context = context
        self._work = work

    def __await__(self) -> Generator[Any, Any, None]:
        step: Any = self._work.send
        value: Any = None
        while True:
            try:
                waits_for = self._context.run(step, value)
            except StopIteration:
                return
            try:
                value = yield waits_for
                step = self._work.send
            except BaseException as exc:  # noqa: BLE001 - the coroutine decides, as it would in a task
                step, value = self._work.throw, exc
