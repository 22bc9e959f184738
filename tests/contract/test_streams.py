"""Streams, threads, loops and cancelling, on every API."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from allos.engine import runtime
from allos.errors import ConfigurationError, ProviderError
from allos.events import Event, Finished, ReasoningDelta, TextDelta, ToolCallDelta
from allos.profiles import Api
from allos.providers import AsyncStream, Provider, ProviderRegistry, ProviderResponse, Stream
from allos.providers import provider as provider_module
from tests.contract.conftest import Make
from tests.support.fake_server import Call, FakeServer, Fault, Reply
from tests.support.processes import Child

SLOW = Reply("one two three four five six seven eight", chunk_size=4, delay_s=0.01)
STALL = Fault.stall(after_deltas=2, reply=Reply("one two three", chunk_size=4))


def numbered(seen: object) -> Reply:
    """An answer that repeats its own prompt, in small pieces."""
    prompt = seen.prompt  # type: ignore[attr-defined]
    return Reply(prompt * 20, chunk_size=3, delay_s=0.001)


# ---- what a stream shows


def test_events(server: FakeServer, provider: Provider) -> None:
    """Events hold reasoning, text and tool calls in order, and end with the finish."""
    server.reply(Reply("text", reasoning="hm", tool_calls=[Call("add", {"a": 1})]))
    with provider.stream("Hi") as stream:
        kinds = [type(event) for event in stream.events]
    parts = [ReasoningDelta, TextDelta, ToolCallDelta]
    order = list(dict.fromkeys(k for k in kinds if k in parts))

    assert order == parts
    assert kinds.count(Finished) == 1
    assert list(stream.events) == []


def test_a_stream_is_its_own_iterator(server: FakeServer, provider: Provider) -> None:
    """`next` takes one piece after the other, a loop the rest; async likewise."""
    server.reply(Reply("one two three", chunk_size=4))

    async def main() -> list[str]:
        async with provider.astream("Hi") as stream:
            return [await anext(stream), *[text async for text in stream]]

    with provider.stream("Hi") as stream:
        pieces = [next(stream), next(stream), *stream]
        after = next(stream, "no more")

    assert pieces == asyncio.run(main())
    assert "".join(pieces) == "one two three"
    assert after == "no more"


def test_response_is_there_at_the_end(server: FakeServer, provider: Provider) -> None:
    """Until the end there is no response; afterwards it is the same object every time."""
    server.reply(STALL)
    with provider.stream("Hi") as stream:
        next(iter(stream))
        during = stream.response
    after = stream.response

    assert during is None
    assert after is not None
    assert after is stream.response


def test_failed_stream_raises_once_more(server: FakeServer, provider: Provider) -> None:
    """Asking a failed stream again raises its error again."""
    server.reply(Fault.status(400))
    with provider.stream("Hi") as stream:
        for _ in range(2):
            with pytest.raises(ProviderError):
                list(stream)


# ---- stopping


def test_leaving_early_closes_the_connection(
    server: FakeServer, provider: Provider, observed: list[ProviderResponse]
) -> None:
    """Leaving the block ends the call: the server sees it, and the part is a cancelled response."""
    server.reply(STALL)
    with provider.stream("Hi") as stream:
        for text in stream:
            assert text == "one "
            break
    response = stream.response

    assert response is not None
    assert (response.status, response.finish_reason) == ("cancelled", "cancelled")
    assert response.content.startswith("one ")
    assert observed == [response]
    assert server.wait_closed(server.requests[0])


@pytest.mark.parametrize("stream", [True, False])
def test_cancel(
    server: FakeServer, provider: Provider, observed: list[ProviderResponse], stream: bool
) -> None:
    """A cancelled call closes its socket at once, silent server or not."""
    server.reply(Fault.stall(first_delay_s=0))
    call = provider.start("Hi", {}, (lambda events: None) if stream else None)
    server.wait_requests(1)
    started = time.perf_counter()
    call.cancel()
    response = call.wait(5)
    closed = server.wait_closed(server.requests[0])

    assert closed
    assert time.perf_counter() - started < 2
    assert response.status == "cancelled"
    assert response.error is None
    assert observed == [response]


def test_task_cancelled(
    server: FakeServer, provider: Provider, observed: list[ProviderResponse]
) -> None:
    """Cancelling the task that awaits a call stops it; the response is observed all the same."""
    server.reply(Fault.stall())

    async def main() -> None:
        task = asyncio.create_task(provider.achat("Hi"))
        await asyncio.to_thread(server.wait_requests, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert server.wait_closed(server.requests[0])
    assert [response.status for response in observed] == ["cancelled"]


def test_time_limit_of_asyncio(server: FakeServer, provider: Provider) -> None:
    """`asyncio.timeout` works around a call."""
    server.reply(Fault.stall())

    async def main() -> None:
        async with asyncio.timeout(0.2):
            await provider.achat("Hi")

    with pytest.raises(TimeoutError):
        asyncio.run(main())

    assert server.wait_closed(server.requests[0])


def test_async_stream_left_early(
    server: FakeServer, provider: Provider, observed: list[ProviderResponse]
) -> None:
    """Leaving an async stream early ends the call, too."""
    server.reply(STALL)

    async def main() -> AsyncStream:
        async with provider.astream("Hi") as stream:
            async for text in stream:
                assert text == "one "
                break
        return stream

    stream = asyncio.run(main())

    assert stream.response is not None
    assert stream.response.status == "cancelled"
    assert observed == [stream.response]
    assert server.wait_closed(server.requests[0])


# ---- many at once


def test_interleaved_streams_never_mix(server: FakeServer, provider: Provider) -> None:
    """Two streams read in turns hold their own text each."""
    server.reply(numbered)
    with provider.stream("a") as one, provider.stream("b") as two:
        texts = ["", ""]
        for a, b in zip(one, two, strict=False):
            texts[0] += a
            texts[1] += b
        texts[0] += "".join(one)
        texts[1] += "".join(two)

    # zip takes one piece of the first stream before it sees that the second has ended.
    assert set(texts[0]) == {"a"}
    assert set(texts[1]) == {"b"}
    assert one.response is not None
    assert two.response is not None
    assert (one.response.content, two.response.content) == ("a" * 20, "b" * 20)


def test_threads(server: FakeServer, provider: Provider) -> None:
    """One provider answers many threads, each with its own answer."""
    server.reply(numbered)
    prompts = [f"<{n}>" for n in range(24)]

    def both(prompt: str) -> tuple[str, str]:
        with provider.stream(prompt) as stream:
            return provider.chat(prompt).content, "".join(stream)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(both, prompts))

    assert answers == [(prompt * 20, prompt * 20) for prompt in prompts]


def test_two_loops_in_a_row(server: FakeServer, provider: Provider) -> None:
    """One provider serves two event loops, one after the other, and a thread between."""

    async def main(prompt: str) -> tuple[str, str]:
        stream = provider.astream(prompt)
        return (await provider.achat(prompt)).content, "".join([text async for text in stream])

    server.reply(numbered)

    assert asyncio.run(main("a")) == ("a" * 20, "a" * 20)
    assert provider.chat("b").content == "b" * 20
    assert asyncio.run(main("c")) == ("c" * 20, "c" * 20)


def test_async_gather(server: FakeServer, provider: Provider) -> None:
    """Many awaited at once keep their order."""
    server.reply(numbered)

    async def main() -> list[str]:
        answers = await asyncio.gather(*(provider.achat(f"<{n}>") for n in range(20)))
        return [answer.content for answer in answers]

    assert asyncio.run(main()) == [f"<{n}>" * 20 for n in range(20)]


def test_async_events_and_errors(server: FakeServer, provider: Provider) -> None:
    """The async counterpart shows the same events and raises the same errors."""
    server.script(Reply("Hi", reasoning="hm"), Fault.status(400, message="odd"))

    async def main() -> tuple[list[type[Event]], ProviderResponse | None]:
        async with provider.astream("Hi") as stream:
            kinds = [type(event) async for event in stream.events]
        with pytest.raises(ProviderError, match="odd"):
            await provider.achat("Hi")
        return kinds, stream.response

    kinds, response = asyncio.run(main())

    assert {ReasoningDelta, TextDelta, Finished} <= set(kinds)
    assert response is not None
    assert response.content == "Hi"


def test_most_in_flight(server: FakeServer, make: Make) -> None:
    """A limit holds for all calls of one key, and the wait for a turn is recorded."""
    provider = make(api_key="sk-limited-key", max_in_flight=2)
    server.reply(Reply("x", first_delay_s=0.03))
    calls = [provider.start("Hi", {}) for _ in range(6)]
    responses = [call.wait(10) for call in calls]
    queued = sorted(response.metadata["queue_s"] for response in responses)

    assert server.max_concurrency_seen == 2
    assert all(response.ok for response in responses)
    assert queued[0] < 0.03
    assert queued[-1] >= 0.03
    assert all(
        r.metadata["latency_s"] + r.metadata["queue_s"] <= r.metadata["total_time_s"] + 1e-6
        for r in responses
    )


# ---- connections


def test_connection_is_kept(server: FakeServer, make: Make) -> None:
    """Calls in a row, whole, streamed and failed, share one connection."""
    provider = make()
    provider.chat("Hi")
    list(provider.stream("Hi"))
    server.script(Fault.status(429))
    make().chat("Hi")
    provider.chat("Hi")

    assert {seen.connection_id for seen in server.requests} == {1}


def test_close(server: FakeServer, make: Make) -> None:
    """A closed provider opens a new connection with its next call."""
    with make() as provider:
        provider.chat("Hi")
    first = server.requests[0]
    server.wait_for(lambda: first.closed)

    assert provider.chat("Hi").ok
    assert server.connections_seen == 2


# ---- where a call may be made


def test_sync_call_on_the_loop_thread(server: FakeServer, provider: Provider) -> None:
    """A call that would wait for its own thread raises at once, and nothing is sent."""

    async def inside() -> None:
        with pytest.raises(ConfigurationError, match="loop thread"):
            provider.chat("Hi")
        with pytest.raises(ConfigurationError, match="loop thread"):
            provider.stream("Hi")
        with pytest.raises(ConfigurationError, match="loop thread"):
            provider.list_models()

    runtime.get().submit(inside()).result(5)

    assert server.count == 0


def test_sync_call_inside_a_running_loop(server: FakeServer, provider: Provider) -> None:
    """In a notebook a loop runs already; the sync face works there."""

    async def main() -> str:
        return provider.chat("Hi").content

    assert asyncio.run(main()) == "Hello"


# ---- Ctrl-C

INTERRUPTED = """
import sys
from allos.engine import Interceptor
from allos.errors import Interrupted
from allos.providers import ProviderRegistry
from allos.session import current_session
seen = []
class Observer(Interceptor):
    def before(self, call):
        return lambda response: seen.append(response) or response
current_session().add_interceptor(Observer())
p = ProviderRegistry.get_provider(
    "chat_completions", model="m", base_url=sys.argv[1], api=sys.argv[2], max_attempts=1)
print("ready", flush=True)
try:
    if sys.argv[3] == "chat":
        p.chat("Hi")
    else:
        with p.stream("Hi") as stream:
            for text in stream: print(text, flush=True)
except Interrupted as exc:
    assert isinstance(exc, KeyboardInterrupt)
    assert exc.__cause__ is None and (exc.__context__ is None or exc.__suppress_context__)
    assert seen == [exc.response]
    print("STATUS", exc.response.status, repr(exc.response.content), exc)
"""


@pytest.mark.parametrize("face", ["chat", "stream"])
def test_interrupt(server: FakeServer, api: Api, face: str) -> None:
    """Ctrl-C stops a call at once; the exception carries what had come, and it is observed."""
    server.reply(STALL if face == "stream" else Fault.stall())
    code = ("-X", "dev", "-W", "error", "-c", INTERRUPTED)
    with Child(
        [sys.executable, *code, server.base_url, api, face],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        server.wait_requests(1, timeout_s=30)
        if face == "stream":
            assert process.stdout is not None
            while "two" not in process.stdout.readline():
                pass
        started = time.perf_counter()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    kept = "'one two '" if face == "stream" else "''"

    assert err == ""
    assert f"STATUS cancelled {kept} Interrupted:" in out
    assert time.perf_counter() - started < 10
    assert server.wait_closed(server.requests[0])


def test_faces_are_public() -> None:
    """What the methods return can be named in annotations."""
    assert isinstance(Stream, type)
    assert isinstance(AsyncStream, type)
    assert provider_module.Provider is type(
        ProviderRegistry.get_provider("chat_completions", model="m", base_url="http://localhost/v1")
    )


def test_silence_after_the_end_is_not_waited_for(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that sent `finish_reason` and then neither counts nor hangs up costs no timeout.

    Chat Completions alone: the other two end with an event of their own.
    """
    monkeypatch.setattr("allos.wire.http_io._TAIL_S", 0.1)
    server.reply(Fault.stall(after=3, reply=Reply(text="Done.", chunk_size=99)))
    provider = ProviderRegistry.get_provider(
        "chat_completions", model="m", base_url=server.base_url, timeout_s=20
    )
    with provider.stream("Hi") as stream:
        pieces = list(stream)
    response = stream.response

    assert response is not None
    assert "".join(pieces) == response.content == "Done."
    assert (response.status, response.finish_reason) == ("ok", "stop")
    assert response.latency_s is not None
    assert response.latency_s < 10


# ---- many streams, and streams without a reference


def test_many_interleaved_streams_never_mix(server: FakeServer, provider: Provider) -> None:
    """Forty streams of one provider, read a piece at a time in turns, hold their own text each."""
    server.reply(lambda seen: Reply(f"{seen.prompt} " * 12, chunk_size=5))
    streams = [provider.stream(f"<{n}>") for n in range(40)]
    texts = [""] * len(streams)
    readers = {n: iter(stream) for n, stream in enumerate(streams)}
    while readers:
        for n, reader in list(readers.items()):
            piece = next(reader, None)
            if piece is None:
                del readers[n]
            else:
                texts[n] += piece

    assert texts == [f"<{n}> " * 12 for n in range(40)]
    assert [s.response.content if s.response else None for s in streams] == texts


def test_many_interleaved_async_streams_never_mix(server: FakeServer, provider: Provider) -> None:
    """The same with coroutines."""
    server.reply(lambda seen: Reply(f"{seen.prompt} " * 12, chunk_size=5))

    async def read(n: int) -> str:
        return "".join([text async for text in provider.astream(f"<{n}>")])

    async def main() -> list[str]:
        return await asyncio.gather(*(read(n) for n in range(40)))

    assert asyncio.run(main()) == [f"<{n}> " * 12 for n in range(40)]


def test_stream_without_a_reference(
    server: FakeServer, provider: Provider, observed: list[ProviderResponse]
) -> None:
    """A loop over a stream that is left with `break`, without a `with`, ends the call as well."""
    server.reply(STALL)
    for text in provider.stream("Hi"):
        assert text == "one "
        break

    assert server.wait_closed(server.requests[0])
    server.wait_for(lambda: bool(observed))
    assert observed[0].status == "cancelled"


def test_async_stream_without_a_reference(
    server: FakeServer, provider: Provider, observed: list[ProviderResponse]
) -> None:
    """The same for its async counterpart, while its event loop goes on."""
    server.reply(STALL)

    async def main() -> bool:
        async for text in provider.astream("Hi"):
            assert text == "one "
            break
        return await asyncio.to_thread(server.wait_closed, server.requests[0])

    assert asyncio.run(main())
    server.wait_for(lambda: bool(observed))
    assert observed[0].status == "cancelled"


def test_async_stream_is_read_on(server: FakeServer, provider: Provider) -> None:
    """A stream that is held may be left and read on, async like sync."""
    server.reply(SLOW)

    async def main() -> str:
        stream = provider.astream("Hi")
        first = await anext(aiter(stream))
        return first + "".join([text async for text in stream])

    stream = provider.stream("Hi")
    first = next(iter(stream))

    assert first + "".join(stream) == SLOW.text
    assert asyncio.run(main()) == SLOW.text


# ---- closing


def test_close_leaves_the_calls_of_an_equal_provider_alone(server: FakeServer, make: Make) -> None:
    """Providers of one configuration share a connection; one that closes cuts no call of another."""
    server.reply(Reply("one two three four", chunk_size=4, delay_s=0.02))
    one, other = make(), make()
    with other.stream("Hi") as stream:
        first = next(iter(stream))
        one.close()
        again = one.chat("Hi").content
        text = first + "".join(stream)

    assert text == again == "one two three four"
    # The connection that was given up closes with its last call.
    server.wait_for(lambda: server.requests[0].closed)
    assert server.requests[0].connection_id != server.requests[1].connection_id


def test_async_with(server: FakeServer, make: Make) -> None:
    """A provider is a context manager for both kinds of code."""

    async def main() -> str:
        async with make() as provider:
            return (await provider.achat("Hi")).content

    assert asyncio.run(main()) == "Hello"
    server.wait_for(lambda: server.requests[0].closed)
