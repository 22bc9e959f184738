"""The two streams over a call that the test plays by hand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import pytest

from allos.errors import IncompleteStreamError, Interrupted
from allos.events import Event, ReasoningDelta, Retrying, TextDelta
from allos.providers.stream import AsyncStream, Stream
from allos.providers.waiting import interrupted
from allos.response import ProviderResponse

Emit = Callable[[Sequence[Event]], None]


class Played:
    """A call whose events the test sends."""

    def __init__(self) -> None:
        self.future: Future[ProviderResponse] = Future()
        self.emit: Emit | None = None
        self.cancelled = 0

    def begin(self, emit: Emit) -> Played:
        self.emit = emit
        return self

    async def abegin(self, emit: Emit) -> Played:
        return self.begin(emit)

    def check_process(self) -> None:
        """It is of this process."""

    def send(self, *texts: str) -> None:
        assert self.emit is not None
        self.emit([TextDelta(text) for text in texts])

    def end(self, response: ProviderResponse | None = None) -> None:
        self.future.set_result(response or ProviderResponse("done"))

    def cancel(self) -> None:
        self.cancelled += 1
        if not self.future.done():
            self.end(ProviderResponse("", metadata={"status": "cancelled"}))

    def wait(self, timeout_s: float | None = None) -> ProviderResponse:
        return self.future.result(timeout_s)


def test_text_and_response() -> None:
    """Text comes in order, batch by batch; the response is there after the last piece."""
    call = Played()
    stream = Stream(call.begin)  # type: ignore[arg-type]
    call.send("a", "b")
    call.send("c")
    before = stream.response
    call.end()

    assert before is None
    assert list(stream) == ["a", "b", "c"]
    assert stream.response is call.future.result()
    assert list(stream) == []


def test_reading_waits_for_the_next_piece() -> None:
    """A reader that is ahead waits, and gets the piece that another thread sends."""
    call = Played()
    stream = Stream(call.begin)  # type: ignore[arg-type]
    call.send("a")
    pieces = iter(stream)
    first = next(pieces)
    timer = threading.Timer(0.01, lambda: (call.send("b"), call.end()))
    timer.start()

    assert (first, list(pieces)) == ("a", ["b"])
    timer.join()


def test_events_hold_everything() -> None:
    """The text iterator shows text alone; the events show all kinds."""
    call = Played()
    stream = Stream(call.begin)  # type: ignore[arg-type]
    assert call.emit is not None
    retrying = Retrying(
        attempt=1, max_attempts=2, error_type="E", http_status=None, wait_s=0.0, message=""
    )
    call.emit([ReasoningDelta("hm"), TextDelta("x"), retrying])
    call.end()

    assert [*stream.events] == [ReasoningDelta("hm"), TextDelta("x"), retrying]


def test_error_comes_after_the_text() -> None:
    """A failed stream hands out what came, then raises."""
    call = Played()
    stream = Stream(call.begin)  # type: ignore[arg-type]
    call.send("a")
    error = IncompleteStreamError("cut")
    error.response = ProviderResponse("a", error=error, metadata={"status": "error"})
    call.end(error.response)
    pieces = iter(stream)

    assert next(pieces) == "a"
    with pytest.raises(IncompleteStreamError) as caught:
        next(pieces)
    assert caught.value is error


def test_leaving_early_stops_the_call() -> None:
    """The block's end stops a running call, and leaves a finished one alone."""
    running, finished = Played(), Played()
    with Stream(running.begin) as stream:  # type: ignore[arg-type]
        running.send("a")
        assert next(iter(stream)) == "a"
    with Stream(finished.begin):  # type: ignore[arg-type]
        finished.end()

    assert (running.cancelled, finished.cancelled) == (1, 0)
    assert stream.response is not None
    assert stream.response.status == "cancelled"


def test_interrupt_between_two_pieces() -> None:
    """Ctrl-C in the caller's own lines stops the call and carries the partial answer as well."""
    call = Played()

    def read() -> None:
        with Stream(call.begin):  # type: ignore[arg-type]
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        read()

    assert call.cancelled == 1
    assert caught.value.response is call.future.result()


def test_other_exceptions_pass() -> None:
    """An exception of the caller's own passes through, and the call is stopped."""
    call = Played()

    def read() -> None:
        with Stream(call.begin):  # type: ignore[arg-type]
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        read()

    assert call.cancelled == 1


@pytest.mark.parametrize(
    ("content", "words"), [("", "nothing had arrived"), ("abc", "3 characters had arrived")]
)
def test_interrupted_says_what_is_kept(content: str, words: str) -> None:
    """The message says how much is kept."""
    call = Played()
    call.end(ProviderResponse(content))

    assert words in str(interrupted(call))  # type: ignore[arg-type]


def test_async_stream() -> None:
    """The async counterpart yields the same text, events from another thread included."""

    async def main() -> tuple[list[str], ProviderResponse | None, ProviderResponse | None]:
        call = Played()
        stream = AsyncStream(call.abegin)  # type: ignore[arg-type]
        async with stream:
            before = stream.response
            thread = threading.Thread(target=lambda: (call.send("a", "b"), call.end()))
            thread.start()
            pieces = [text async for text in stream]
            thread.join()
        return pieces, before, stream.response

    pieces, before, after = asyncio.run(main())

    assert pieces == ["a", "b"]
    assert before is None
    assert after is not None
    assert after.content == "done"


def test_async_stream_starts_when_it_is_read() -> None:
    """Making an async stream starts nothing."""
    call = Played()
    AsyncStream(call.abegin)  # type: ignore[arg-type]

    assert call.emit is None


def test_async_task_cancelled() -> None:
    """Cancelling the task that reads stops the call."""

    async def main() -> Played:
        call = Played()

        async def read() -> None:
            async for _ in AsyncStream(call.abegin):  # type: ignore[arg-type]
                pass

        task = asyncio.create_task(read())
        for _ in range(5):  # until the reader waits for its first piece
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return call

    assert asyncio.run(main()).cancelled >= 1
