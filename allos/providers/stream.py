"""Streams: iterate over an answer while it arrives, from a thread or a coroutine.

Events come from the loop thread in batches, one per chunk received from the network.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from allos.engine.call import Call
from allos.events import Event, TextDelta
from allos.providers.waiting import (
    await_response,
    interrupted,
    keep_loop_awake,
    raise_for_error,
    wait_for_response,
)
from allos.response import ProviderResponse

if TYPE_CHECKING:
    import asyncio
    from queue import SimpleQueue

Emit = Callable[[Sequence[Event]], None]


class Stream:
    """A streaming answer: a context manager and an iterator over its text.

    Examples
    --------
    ::

        with provider.stream("Tell me a joke.") as stream:
            for text in stream:
                print(text, end="")
        stream.response.metadata["output_tokens"]
    """

    def __init__(self, start: Callable[[Emit], Call]) -> None:
        from queue import SimpleQueue

        batches: SimpleQueue[Sequence[Event] | None] = SimpleQueue()
        self._batches = batches
        self._call = start(batches.put)
        # The future is done after the last batch was put, so the end comes last. The call must not
        # reference the stream: a stream that is garbage-collected cancels its call.
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
        """All events: text, reasoning, tool calls, waits, failed attempts, the end.

        Raises
        ------
        ProviderError
            The stream failed; `.response` is the partial response.
        Interrupted
            Ctrl-C or the interrupt button; `.response` is the partial response.
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
        """The next batch; None at the end of a complete answer, raises at the end of any other."""
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
        raise_for_error(wait_for_response(self._call))
        return None

    def close(self) -> None:
        """Cancel the call if it still runs, and wait until its connection is closed."""
        if not self._call.future.done():
            self._call.cancel()
            wait_for_response(self._call)

    def __del__(self) -> None:
        # Nothing can read on: a loop over `provider.stream(...)` was left early, for example.
        call = getattr(self, "_call", None)
        if call is not None and not call.future.done():
            call.cancel()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        if kind is KeyboardInterrupt:  # Ctrl-C in the caller's own code between two batches
            raise interrupted(self._call) from None
        self.close()


class AsyncStream:
    """A streaming answer for ``async with`` and ``async for``; see `Stream`.

    The call starts with the first iteration or with ``async with``.
    """

    def __init__(self, start: Callable[[Emit], Awaitable[Call]]) -> None:
        self._start = start
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
        """All events; see `Stream.events`."""
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

            def put_threadsafe(batch: Sequence[Event] | None) -> None:  # loop thread
                if not loop.is_closed():
                    loop.call_soon_threadsafe(batches.put_nowait, batch)

            self._call = await self._start(put_threadsafe)
            self._call.future.add_done_callback(lambda _: put_threadsafe(None))
        return self._call, self._batches

    async def _arriving(self) -> AsyncIterator[Sequence[Event]]:
        while (batch := await self._next_batch()) is not None:
            yield batch

    async def _next_batch(self) -> Sequence[Event] | None:
        import asyncio

        call, batches = await self._started()
        if not self._ended:
            try:
                with keep_loop_awake():
                    batch = await batches.get()
            except asyncio.CancelledError:
                call.cancel()
                raise
            if batch is not None:
                return batch
            self._ended = True
        raise_for_error(await await_response(call))
        return None

    async def close(self) -> None:
        """Cancel the call if it still runs, and wait until its connection is closed."""
        if self._call is not None and not self._call.future.done():
            self._call.cancel()
            await await_response(self._call)

    def __del__(self) -> None:
        # As in `Stream`.
        if self._call is not None and not self._call.future.done():
            self._call.cancel()

    async def __aenter__(self) -> AsyncStream:
        await self._started()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
