"""The engine on a wire that is a script: no network, no SDK."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from allos import context, engine
from allos.engine import After, retry, runtime
from allos.engine.limits import LimiterRegistry, Limits
from allos.errors import (
    ConfigurationError,
    IncompleteStreamError,
    InvalidResponseError,
    ProviderConnectionError,
    ProviderTimeoutError,
    RateLimitError,
    ServerError,
)
from allos.events import (
    Event,
    Finished,
    Queued,
    ReasoningDelta,
    RefusalDelta,
    ResponseFacts,
    Retrying,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from allos.request import Request
from allos.response import ProviderResponse
from allos.usage import Usage
from allos.wire.base import Body, Reply, Wire
from allos.wire.decoder import Decoder
from allos.wire.openai_chat import OPENAI
from tests.support.decoding import request
from tests.support.layers import CONNECTION, Layer, prepared

KEY = "sk-very-secret-key"
END = Finished("stop", "stop")
OK = [[TextDelta("Hel")], [TextDelta("lo"), END]]


class Script(Wire):
    """A wire whose attempts are lists of events, exceptions, or waits for ever (None)."""

    api = "chat"
    sdk = OPENAI
    path = "/"

    def __init__(self, *attempts: list[Any]) -> None:
        self.attempts = list(attempts)
        self.waiting = threading.Event()
        self.running = self.most = 0
        self.go: asyncio.Event | None = None

    def body(self, request: Request) -> Body:
        return Body({}, ())

    def decoder(self, request: Request) -> Decoder:
        raise NotImplementedError

    async def stream(self, client: Any, request: Request, body: Body) -> AsyncIterator[list[Event]]:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for step in self.attempts.pop(0) if len(self.attempts) > 1 else self.attempts[0]:
                if isinstance(step, BaseException):
                    raise step
                if step is None:
                    self.waiting.set()
                    await asyncio.Event().wait()
                elif callable(step):
                    await step()
                else:
                    yield step
        finally:
            self.running -= 1

    async def send(self, client: Any, request: Request, body: Body) -> Reply:
        events = [event async for batch in self.stream(client, request, body) for event in batch]
        return Reply(events=events, raw={"raw": True})


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    with retry.using(base_s=0):
        yield


SEEN: list[ProviderResponse] = []
"""What the outermost layer of every call has seen."""


@pytest.fixture
def observed() -> list[ProviderResponse]:
    SEEN.clear()
    return SEEN


@pytest.fixture(autouse=True)
def limiters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of one test share their limits."""
    monkeypatch.setitem(SHARED, "limiters", LimiterRegistry())


SHARED: dict[str, Any] = {}


def _observe(response: ProviderResponse) -> ProviderResponse:
    SEEN.append(response)
    return response


def start(wire: Script, *, after: After | None = None, **options: Any) -> engine.Call:
    """Start a call; `after` is what a layer around it does with its response."""
    on_events = options.pop("on_events", None)
    limits = options.pop("limits", None)
    layers = [Layer(after=_observe), *([] if after is None else [Layer(after=after)])]
    a_request = request("chat", **{"stream": True, **options})
    return engine.start(prepared(a_request, wire, limits=limits, **SHARED), layers, on_events)


def ask(*attempts: list[Any], **options: Any) -> ProviderResponse:
    return start(Script(*attempts), **options).wait(5)


@pytest.mark.parametrize("stream", [True, False])
def test_answer(stream: bool, observed: list[ProviderResponse]) -> None:
    """An answer becomes a response with an id, times and facts, and is observed once."""
    response = ask(OK, stream=stream)

    assert (response.content, response.status, response.finish_reason) == ("Hello", "ok", "stop")
    assert response.metadata["attempts"] == 1
    assert response.metadata["usage_source"] == "missing"
    assert "input_tokens" not in response.metadata
    assert "retry_log" not in response.metadata
    assert response.id
    assert response.created_at is not None
    assert response.completed_at is not None
    assert response.created_at <= response.completed_at
    assert ("time_to_first_token_s" in response.metadata) is stream
    assert response.reply == (None if stream else {"raw": True})
    assert observed == [response]


def test_speed_needs_pieces() -> None:
    """Tokens per second are known for an answer in pieces, not for one that came at once."""
    usage = UsageReport(Usage(output_tokens=9, source="provider"))

    async def tick() -> None:
        await asyncio.sleep(0.002)

    pieces = ask([[TextDelta("a")], tick, [TextDelta("b"), usage, END]])
    at_once = ask([[TextDelta("ab"), usage, END]])

    took = pieces.metadata["latency_s"] - pieces.metadata["time_to_first_token_s"]
    assert pieces.metadata["tokens_per_second"] == pytest.approx(8 / took)
    assert "tokens_per_second" not in at_once.metadata


def test_transient_faults_are_repeated(observed: list[ProviderResponse]) -> None:
    """Failed attempts are told, kept in the retry log, and followed by the answer."""
    received: list[Retrying] = []
    response = ask(
        [RateLimitError("slow down " + KEY, status_code=429, retry_after_s=0.001)],
        [ServerError("sorry", status_code=503)],
        [ProviderConnectionError("gone")],
        OK,
        on_events=lambda events: received.extend(e for e in events if isinstance(e, Retrying)),
    )

    assert response.content == "Hello"
    assert response.metadata["attempts"] == 4
    assert response.metadata["retry_log"] == [
        {"attempt": 1, "error_type": "RateLimitError", "http_status": 429, "wait_s": 0.001},
        {"attempt": 2, "error_type": "ServerError", "http_status": 503, "wait_s": 0.0},
        {"attempt": 3, "error_type": "ProviderConnectionError", "http_status": None, "wait_s": 0.0},
    ]
    assert [event.attempt for event in received] == [1, 2, 3]
    assert KEY not in str(received)
    assert observed == [response]


def test_attempts_are_bounded() -> None:
    """After the last attempt the error comes, and says how often it was tried."""
    response = ask([ServerError("sorry", status_code=500)], max_attempts=3)

    assert response.status == "error"
    assert response.metadata["attempts"] == 3
    assert len(response.metadata["retry_log"]) == 2
    assert "Tried 3 times" in str(response.error)
    assert response.metadata["http_status"] == 500


def test_nothing_is_repeated_once_text_came() -> None:
    """A fault after the first piece ends the answer, and keeps the piece."""
    response = ask([[TextDelta("Hel")], ServerError("overloaded")], OK)

    assert (response.content, response.status) == ("Hel", "error")
    assert response.metadata["attempts"] == 1
    assert response.metadata["http_status"] == 200
    assert isinstance(response.error, ServerError)
    assert response.error.response is response


def test_lost_connection_in_the_answer() -> None:
    """A connection that breaks within the answer is a broken stream."""
    response = ask([[TextDelta("Hel")], ConnectionResetError("reset by peer")])

    assert isinstance(response.error, IncompleteStreamError)
    assert response.error.retryable
    assert response.content == "Hel"


def test_polite_end_before_anything_is_repeated() -> None:
    """A stream that ends before any of the answer came is tried again."""
    cut = IncompleteStreamError("ended", retryable=True)

    assert ask([[ResponseFacts()], cut], OK).content == "Hello"


@pytest.mark.parametrize("fault", [ValueError("odd"), RecursionError(), KeyError("x")])
def test_any_exception_is_typed(fault: Exception) -> None:
    """Whatever a wire raises, the caller sees one of our errors, without its chain."""
    error = ask([fault]).error

    assert isinstance(error, InvalidResponseError)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert (error.provider, error.model) == ("service", "m")


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([Finished(None, "stop")], InvalidResponseError),
        ([Finished("other", "stop")], InvalidResponseError),
        ([Finished("error", "stop")], ServerError),
        ([TextDelta("x"), Finished("error", "stop")], ServerError),
        ([END], None),
        ([Finished("length", "stop")], None),
        ([ReasoningDelta("x"), Finished(None, "stop")], None),
        ([ToolCallDelta(0, name="f"), END], None),
    ],
)
def test_judged_by_what_it_holds(events: list[Event], kind: type[Exception] | None) -> None:
    """A success without an answer, or one that says it failed, is an error that keeps its text."""
    response = ask([events], max_attempts=1)

    assert type(response.error) is (kind or type(None))
    assert response.content == "".join(e.text for e in events if isinstance(e, TextDelta))


def test_refusal() -> None:
    """A refusal without text is a refusal, however the service calls its end."""
    assert ask([[RefusalDelta("no"), END]]).finish_reason == "refusal"
    assert ask([[RefusalDelta("no"), TextDelta("x"), END]]).finish_reason == "stop"


def test_cancel(observed: list[ProviderResponse]) -> None:
    """A cancelled call is a response with what had come, not an exception, and is observed."""
    wire = Script([[TextDelta("Hel")], None])
    call = start(wire)
    assert wire.waiting.wait(5)
    call.cancel()
    response = call.wait(5)
    call.cancel()

    assert (response.content, response.status, response.finish_reason) == (
        "Hel",
        "cancelled",
        "cancelled",
    )
    assert response.error is None
    assert observed == [response]
    assert wire.running == 0


def test_cancel_before_it_began(observed: list[ProviderResponse]) -> None:
    """A call cancelled at once is a cancelled response without an attempt or with an empty one."""
    call = start(Script([None]))
    call.cancel()
    response = call.wait(5)

    assert response.status == "cancelled"
    assert "latency_s" not in response.metadata or response.metadata["attempts"] == 1
    assert observed == [response]


def test_deadline() -> None:
    """The deadline ends the whole call, and keeps what had come."""
    response = ask([[TextDelta("Hel")], None], deadline_s=0.05)

    assert isinstance(response.error, ProviderTimeoutError)
    assert not response.error.retryable
    assert "0.05 s" in str(response.error)
    assert response.content == "Hel"


def test_deadline_covers_retries() -> None:
    """Waits between attempts count for the deadline."""
    response = ask([RateLimitError("x", retry_after_s=30)], deadline_s=0.05)

    assert isinstance(response.error, ProviderTimeoutError)
    assert response.metadata["attempts"] == 1


def test_limit_and_queue() -> None:
    """No more calls run at once than the limit says, and the wait is recorded."""
    gates: list[Callable[[], None]] = []
    go = threading.Event()

    async def gate() -> None:
        while not go.is_set():  # noqa: ASYNC110 - a thread's event has no loop to wait on
            await asyncio.sleep(0.001)

    wire = Script([[TextDelta("x")], gate, [END]])
    calls = [start(wire, limits=Limits(max_in_flight=2)) for _ in range(5)]
    go.set()
    responses = [call.wait(5) for call in calls]
    assert not gates

    assert wire.most <= 2
    assert all(response.ok for response in responses)
    assert all(response.metadata["queue_s"] >= 0 for response in responses)


def test_waiting_for_a_permit_is_an_event() -> None:
    """Who watches learns that a call is not under way yet, and when it is."""
    received: list[Event] = []
    queued = threading.Event()

    def take(events: Sequence[Event]) -> None:
        received.extend(events)
        queued.set()

    wire = Script([None], OK)
    first = start(wire, limits=Limits(max_in_flight=1), on_events=received.extend, model="turn")
    assert wire.waiting.wait(5)
    second = start(wire, limits=Limits(max_in_flight=1), on_events=take, model="turn")
    assert queued.wait(5)
    before = list(received)
    first.cancel()
    second.wait(5)

    assert before == [Queued(is_waiting=True)]
    assert received[1] == Queued(is_waiting=False)
    assert not any(isinstance(event, Queued) for event in received[2:])


def test_cancel_in_the_queue() -> None:
    """A call cancelled while it waits for its turn says how long it waited, and frees nothing."""
    wire = Script([[TextDelta("x")], None])
    first = start(wire, limits=Limits(max_in_flight=1), model="queue")
    assert wire.waiting.wait(5)
    second = start(wire, limits=Limits(max_in_flight=1), model="queue")
    second.cancel()
    waited = second.wait(5)
    first.cancel()
    first.wait(5)

    assert waited.status == "cancelled"
    assert waited.metadata["attempts"] == 0
    assert waited.metadata["queue_s"] <= waited.metadata["total_time_s"]
    assert ask(OK, limits=Limits(max_in_flight=1)).ok


@contextmanager
def reports_of_the_loop() -> Iterator[list[dict[str, Any]]]:
    found: list[dict[str, Any]] = []
    loop = runtime.get().loop
    loop.set_exception_handler(lambda _, report: found.append(report))
    try:
        yield found
    finally:
        loop.set_exception_handler(None)


def test_layer_that_fails(observed: list[ProviderResponse]) -> None:
    """A layer that fails afterwards costs neither the answer nor the layers around it."""

    def broken(response: ProviderResponse) -> ProviderResponse:
        raise ValueError("disk full")

    with reports_of_the_loop() as reports:
        response = ask(OK, after=broken)

    assert response.ok
    assert observed == [response]
    assert [str(report["exception"]) for report in reports] == ["disk full"]


def test_layers_may_complete_a_response(observed: list[ProviderResponse]) -> None:
    """A layer, async or not, completes every response before those around it see it."""

    def price(response: ProviderResponse) -> ProviderResponse:
        return response.with_metadata({"cost_usd": 1.5})

    async def later(response: ProviderResponse) -> ProviderResponse:
        await asyncio.sleep(0)
        return price(response)

    found = [ask(OK, after=price), ask([ValueError("x")], after=later)]

    assert [response.cost_usd for response in found] == [1.5, 1.5]
    assert observed == found


def test_cancel_while_a_layer_waits(observed: list[ProviderResponse]) -> None:
    """A stop during the last step keeps the answer that had come, and it is observed."""
    waiting = threading.Event()

    async def slow(response: ProviderResponse) -> ProviderResponse:
        waiting.set()
        await asyncio.Event().wait()
        return response

    call = start(Script(OK), after=slow)
    assert waiting.wait(5)
    call.cancel()
    response = call.wait(5)

    assert (response.content, response.status) == ("Hello", "ok")
    assert observed == [response]


def test_context_crosses() -> None:
    """The caller's run context is that of the response."""
    with context.using(tags=("demo",), cell_id="c1"):
        call = start(Script(OK))
    response = call.wait(5)

    assert response.context.tags == ("demo",)
    assert response.context.cell_id == "c1"


def test_a_call_that_starts_where_one_ends() -> None:
    """It has its own context; cancelling the one that has ended does not reach it, cancelling it does."""
    waiting = Script([[TextDelta("Hel")], None])
    started: list[engine.Call] = []

    def start_next(ended: Future[ProviderResponse]) -> None:
        with context.using(tags=("second",)):
            a_request = request("chat", stream=True)
            started.append(engine.start_on_loop(prepared(a_request, waiting, **SHARED), []))

    go = threading.Event()
    with context.using(tags=("first",)):
        first = start(Script([*OK, lambda: asyncio.to_thread(go.wait, 5)]))
    first.future.add_done_callback(start_next)
    go.set()
    assert waiting.waiting.wait(5)
    first.cancel()
    with pytest.raises(TimeoutError):
        started[0].wait(0.05)
    started[0].cancel()
    second = started[0].wait(5)

    assert first.wait(5).status == "ok"
    assert (second.status, second.content) == ("cancelled", "Hel")
    assert (first.wait().context.tags, second.context.tags) == (("first",), ("second",))
    runtime.get().submit(asyncio.sleep(0)).result(5)
    assert runtime.get().tasks == set()
    shared = runtime.get().borrow(CONNECTION)
    assert shared.calls == 1  # the calls that have ended gave it back
    runtime.get().give_back(shared)


def test_wait_with_a_limit() -> None:
    """A waiter may give up; the call goes on."""
    wire = Script([None])
    call = start(wire)
    with pytest.raises(TimeoutError):
        call.wait(0.01)
    call.cancel()

    assert call.wait(5).status == "cancelled"


def test_not_on_the_loop_thread() -> None:
    """A call that would wait for its own thread is refused at once."""

    async def inside() -> None:
        start(Script(OK))

    with pytest.raises(ConfigurationError, match="loop thread"):
        runtime.get().submit(inside()).result(5)


@pytest.mark.parametrize("at", range(380, 420))
def test_key_cut_at_the_edge_is_masked(at: int) -> None:
    """A key that stands where a long text is cut leaves no part of itself."""
    response = ask([ServerError("x" * at + KEY, detail="x" * at + KEY)], max_attempts=1)
    error = response.error
    assert error is not None
    shown = f"{error} {error.detail} {error!r} {response.metadata}"

    assert "sk-" not in shown
