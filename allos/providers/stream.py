"""Streams: iterate over an answer while it arrives, from a thread or a coroutine.

Events cross from the loop thread in batches, one for each chunk that the network hands over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from allos.engine.call import Call
from allos.events import Event, TextDelta
from allos.providers.waiting import asettle, checked, interrupted, settle, ticking
from allos.response import ProviderResponse

if TYPE_CHECKING:
    import asyncio
    from queue import SimpleQueue

Emit = Callable[[Sequence[Event]], None]


class Stream:
    """An answer under way: a context manager and an iterator over its text.

    Examples
    --------
    ::

        with provider.stream("Tell me a joke.") as stream:
            for text in stream:
                print(text, end="")
        stream.response.metadata["output_tokens"]
    """

    def __init__(self, begin: Callable[[Emit], Call]) -> None:
        from queue import SimpleQueue

        batches: SimpleQueue[Sequence[Event] | None] = SimpleQueue()
        self._batches = batches
        self._call = begin(batches.put)
        # The future is done after the last batch was put, so the end comes last. The call must not
        # hold the stream: a stream that nobody holds stops its call.
        self._call.future.add_done_callback(lambda _: batches.put(None))
        self._texts: deque[str] = deque()
        self._ended = False
        self._response: ProviderResponse | None = None

    @property
    def response(self) -> ProviderResponse | None:
        """The response; None until the stream has ended."""
        if self._response is None and self._call.future.done():
            self._response = self._call.wait(0)
        return self._response

    @property
    def events(self) -> Iterator[Event]:
        """Everything that arrives: text, reasoning, tool calls, waits, failed attempts, the finish.

        Raises
        ------
        ProviderError
            The stream failed; `.response` holds what had arrived.
        Interrupted
            It was stopped with Ctrl-C; `.response` holds what had arrived.
        """
        for batch in self._arriving():
            yield from batch

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> str:
        while not self._texts:
            batch = self._next_batch()
            if batch is None:
                raise StopIteration
            self._texts += [event.text for event in batch if isinstance(event, TextDelta)]
        return self._texts.popleft()

    def _arriving(self) -> Iterator[Sequence[Event]]:
        while (batch := self._next_batch()) is not None:
            yield batch

    def _next_batch(self) -> Sequence[Event] | None:
        """What arrives next; None at the end of a complete answer, an error at that of any other."""
        self._call.check_process()
        if not self._ended:
            try:
                batch = self._batches.get()
            except KeyboardInterrupt:
                self._ended = True
                stopped = interrupted(self._call)
                raise stopped from None
            if batch is not None:
                return batch
            self._ended = True
        checked(settle(self._call))
        return None

    def close(self) -> None:
        """Stop the call if it still runs, and wait until its connection is closed."""
        if not self._call.future.done():
            self._call.cancel()
            settle(self._call)

    def __del__(self) -> None:
        # Nobody can read on: a loop over `provider.stream(...)` was left, or the stream forgotten.
        call = getattr(self, "_call", None)
        if call is not None and not call.future.done():
            call.cancel()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        if kind is KeyboardInterrupt:  # Ctrl-C reached the caller's own lines between two pieces
            raise interrupted(self._call) from None
        self.close()


class AsyncStream:
    """An answer under way, for ``async with`` and ``async for``; see `Stream`.

    The call starts with the first iteration or with ``async with``.
    """

    def __init__(self, begin: Callable[[Emit], Awaitable[Call]]) -> None:
        self._begin = begin
        self._call: Call | None = None
        self._batches: asyncio.Queue[Sequence[Event] | None] | None = None
        self._texts: deque[str] = deque()
        self._ended = False

    @property
    def response(self) -> ProviderResponse | None:
        """The response; None until the stream has ended."""
        if self._call is None or not self._call.future.done():
            return None
        return self._call.wait(0)

    @property
    def events(self) -> AsyncIterator[Event]:
        """Everything that arrives; see `Stream.events`."""
        return self._each()

    async def _each(self) -> AsyncIterator[Event]:
        async for batch in self._arriving():
            for event in batch:
                yield event

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> str:
        while not self._texts:
            batch = await self._next_batch()
            if batch is None:
                raise StopAsyncIteration
            self._texts += [event.text for event in batch if isinstance(event, TextDelta)]
        return self._texts.popleft()

    async def _started(self) -> tuple[Call, asyncio.Queue[Sequence[Event] | None]]:
        if self._call is None or self._batches is None:
            import asyncio

            loop = asyncio.get_running_loop()
            batches: asyncio.Queue[Sequence[Event] | None] = asyncio.Queue()
            self._batches = batches

            def cross(batch: Sequence[Event] | None) -> None:  # loop thread
                if not loop.is_closed():
                    loop.call_soon_threadsafe(batches.put_nowait, batch)

            self._call = await self._begin(cross)
            self._call.future.add_done_callback(lambda _: cross(None))
        return self._call, self._batches

    async def _arriving(self) -> AsyncIterator[Sequence[Event]]:
        while (batch := await self._next_batch()) is not None:
            yield batch

    async def _next_batch(self) -> Sequence[Event] | None:
        import asyncio

        call, batches = await self._started()
        if not self._ended:
            try:
                with ticking():
                    batch = await batches.get()
            except asyncio.CancelledError:
                call.cancel()
                raise
            if batch is not None:
                return batch
            self._ended = True
        checked(await asettle(call))
        return None

    async def close(self) -> None:
        """Stop the call if it still runs, and wait until its connection is closed."""
        if self._call is not None and not self._call.future.done():
            self._call.cancel()
            await asettle(self._call)

    def __del__(self) -> None:
        # As in `Stream`.
        if self._call is not None and not self._call.future.done():
            self._call.cancel()

    async def __aenter__(self) -> AsyncStream:
        await self._started()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
