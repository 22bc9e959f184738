"""One call: attempts, limits, time, cancel, and the response that is always there at the end.

`start` returns a `Call` at once. The work runs on the loop thread; its future resolves to a
`ProviderResponse` whatever happens: an answer, a failure (`response.error`) or a cancelled part.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from threading import get_ident
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from allos import context, seams
from allos.engine import retry
from allos.engine.limits import Limits, Turn, estimate
from allos.engine.response_accumulator import ResponseAccumulator
from allos.engine.response_facts import asked, deliver, report
from allos.engine.runtime import Runtime, Shared, get
from allos.engine.schema_parsing import parsed
from allos.errors import (
    AllosError,
    BudgetError,
    ConfigurationError,
    IncompleteStreamError,
    InvalidResponseError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitError,
    ServerError,
)
from allos.events import Event, Queued, RateLimitHint, Retrying
from allos.ids import new_id
from allos.request import Request
from allos.response import ProviderResponse
from allos.wire import error_mapping
from allos.wire.base import Body, Connection, Wire

if TYPE_CHECKING:
    import asyncio

_NEVER_S = 1e8
"""Three years: loops count their timers in numbers of limited size, and infinity is none of them."""

Emit = Callable[[Sequence[Event]], None]
Finish = Callable[[ProviderResponse], Awaitable[ProviderResponse]]
Advise = Callable[[ProviderError], str | None]
Learn = Callable[[Mapping[str, Any]], None]


class Gate(Protocol):
    """Lets a call pass, or not, and learns how it ended: that is the budget. Loop thread."""

    def enter(self) -> None:
        """Pass, or raise `BudgetError`: nothing is sent then. Not asked for a replayed answer."""

    def leave(self, response: ProviderResponse | None) -> None:
        """Take note of the end; None where a fault of our own left no response."""


class Call:
    """A call under way."""

    def __init__(self, runtime: Runtime, *, served: bool = False) -> None:
        self._runtime = runtime
        self.served = served
        """Whether a source answers it, and no service."""
        self._task: asyncio.Task[None] | None = None  # loop thread
        self._cancelled = False
        self._pid = os.getpid()
        self.future: Future[ProviderResponse] = Future()
        # A waiter that is cancelled must not take the result from the others.
        self.future.set_running_or_notify_cancel()

    def cancel(self) -> None:
        """Stop the call; what has arrived becomes a cancelled response. Any thread, any time."""
        self._cancelled = True
        if self._pid == os.getpid():  # a forked copy shares the loop's pipe, but not the call
            with suppress(RuntimeError):  # the loop is closed, so nothing runs any more
                self._runtime.loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:  # loop thread
        if self._task is not None and not self._task.done():
            self._task.cancel()

    def wait(self, timeout_s: float | None = None) -> ProviderResponse:
        """Wait for the response. Any thread but the loop's.

        Raises
        ------
        TimeoutError
            It is not there after `timeout_s` seconds; the call goes on.
        ConfigurationError
            The call belongs to another process: this one was forked while it ran.
        """
        self.check_process()
        return self.future.result(timeout_s)

    def check_process(self) -> None:
        """Refuse to wait for ever: a fork has the call, but not the thread that runs it."""
        if self._pid != os.getpid() and not self.future.done():
            raise ConfigurationError(
                "this call runs in the process that started it, not in its fork; start a new one"
            )


def start(
    request: Request,
    wire: Wire,
    body: Body,
    connection: Connection,
    *,
    limits: Limits | None = None,
    emit: Emit | None = None,
    finish: Finish | None = None,
    advise: Advise | None = None,
    learn: Learn | None = None,
    gate: Gate | None = None,
) -> Call:
    """Start a call and return at once.

    Parameters
    ----------
    request : Request
    wire : Wire
        Speaks the request's API.
    body : Body
        The translated request.
    connection : Connection
        Where and as whom.
    limits : Limits or None
        What the caller allows for this host and key; the calls of a process share them.
    emit : callable or None
        Given the events of each arriving chunk, on the loop thread. Streams only.
    finish : callable or None
        Completes the response (cost, facts of the model) before anyone sees it.
    advise : callable or None
        What to do about an error, in place of the general advice.
    learn : callable or None
        Given what the service turned out not to take, by fields of `ServiceProfile`; on the loop thread.
    gate : Gate or None
        Asked before anything is sent.

    Raises
    ------
    ConfigurationError
        Called on the loop thread.
    """
    runtime = runtime_for_a_call()
    seams.run_preludes()
    shared = runtime.borrow(connection)
    call = Call(runtime)
    run = _Run(
        *(call, request, wire, body, shared, connection),
        *(limits, emit, finish, advise, learn, gate),
    )
    # call_soon_threadsafe copies the caller's context, so provenance crosses by itself.
    runtime.loop.call_soon_threadsafe(run.begin)
    return call


def runtime_for_a_call() -> Runtime:
    """Return the runtime; starting a call on its own thread is refused."""
    runtime = get()
    if runtime.here:
        raise ConfigurationError(
            "a call cannot be started on allos's own loop thread; start it from your own thread"
        )
    return runtime


class _Run:
    """The state of one call on the loop thread."""

    def __init__(
        self,
        call: Call,
        request: Request,
        wire: Wire,
        body: Body,
        shared: Shared,
        connection: Connection,
        limits: Limits | None,
        emit: Emit | None,
        finish: Finish | None,
        advise: Advise | None,
        learn: Learn | None,
        gate: Gate | None,
    ) -> None:
        self.call = call
        self.request = request
        self.wire = wire
        self.body = body
        self.shared, self.client = shared, shared.client
        self.connection = connection
        self.limits = limits
        self.emit = emit
        self.finish = finish
        self.advise = advise
        self.learn = learn
        self.amended = False
        self.gate = gate
        here = context.current()
        self.caller = here.run_id or here.comparison_id or get_ident()
        self.created_at = datetime.now(UTC)
        self.started = self.sent = perf_counter()
        self.queue_s = 0.0
        self.attempts = 0
        self.retry_log: list[dict[str, Any]] = []
        self.fold = ResponseAccumulator()
        self.reply: Any = None

    def begin(self) -> None:  # loop thread
        runtime = self.call._runtime
        task = runtime.loop.create_task(self.run())
        self.call._task = task
        runtime.tasks.add(task)
        task.add_done_callback(self.ended)
        if self.call._cancelled:
            task.cancel()

    def ended(self, task: asyncio.Task[None]) -> None:  # loop thread
        self.call._runtime.tasks.discard(task)
        self.call._runtime.give_back(self.shared)
        if not self.call.future.done():
            # Cancelled before its first step, so nothing of `run` was executed.
            self._deliver(self._response(None, cancelled=True))

    async def run(self) -> None:
        import asyncio

        error: AllosError | None = None
        cancelled = False
        try:
            if self.gate is not None:
                self.gate.enter()
            if self.request.deadline_s is None or self.request.deadline_s > _NEVER_S:
                await self._attempts()
            else:
                async with asyncio.timeout(self.request.deadline_s):
                    await self._attempts()
        except asyncio.CancelledError:
            cancelled = True
        except TimeoutError as exc:
            said = "finished" if self.attempts else "sent (its limits had no room)"
            late = ProviderTimeoutError(
                f"not {said} within the deadline of {self.request.deadline_s} s", retryable=False
            )
            in_time = self.request.deadline_s is None
            error = self._named(error_mapping.from_exception(exc) if in_time else late)
        except (ProviderError, BudgetError) as exc:
            error = exc
        except Exception as exc:  # noqa: BLE001 - whatever it is, the caller gets a typed error
            error = self._named(error_mapping.from_exception(exc))
        try:
            response = self._response(error, cancelled)
            if self.finish is not None:
                try:
                    response = await self.finish(response)
                except asyncio.CancelledError:  # stopped while only the cost was missing
                    cancelled = True
                except Exception as exc:  # noqa: BLE001 - facts about an answer never cost it
                    report(self.call, "the facts of a response could not be completed", exc)
            self._deliver(await self._parsed(response))
        except BaseException as exc:  # a waiter must never hang on a fault of our own
            if not self.call.future.done():
                if self.gate is not None:
                    self.gate.leave(None)
                self.call.future.set_exception(exc)
            raise
        if cancelled:
            raise asyncio.CancelledError

    async def _parsed(self, response: ProviderResponse) -> ProviderResponse:
        if self.request.schema is None or response.error is not None:
            return response
        import asyncio

        try:
            return await parsed(response)
        except asyncio.CancelledError:  # stopped while the answer was already complete
            return response

    async def _attempts(self) -> None:
        import asyncio

        limiter = self.call._runtime.limiter(self.connection)
        limiter.use(self.limits)
        self.limiter = limiter
        place = limiter.number()
        model = self.request.model
        counts_tokens = limiter.limits.tokens_per_minute is not None
        tokens = estimate(self.request) if counts_tokens else 0.0
        while True:
            try:
                turn = limiter.enter_at_once(tokens=tokens, model=model)
                if turn is None:
                    self._emit(Queued(is_waiting=True))
                    turn = await self._queue(limiter.enter(self.caller, place, tokens, model))
                    self._emit(Queued(is_waiting=False))
            except RateLimitError as refused:
                raise self._named(refused) from None
            self.attempts += 1
            self.fold = ResponseAccumulator()
            self.sent = perf_counter()
            try:
                error = await self._attempt()
            finally:
                limiter.leave(turn, self._used())
            if error is None:
                return
            if isinstance(error, RateLimitError) and error.retry_after_s:
                limiter.pause(error.retry_after_s, model)
            wait_s = None
            if self._amend(error):
                wait_s = 0.0
            elif self.fold.empty:
                wait_s = retry.policy.wait_s(error, self.attempts, self.request.max_attempts)
            if wait_s is None:
                raise self._named(error)
            entry: dict[str, Any] = {
                "attempt": self.attempts,
                "error_type": type(error).__name__,
                "http_status": error.status_code,
                "wait_s": round(wait_s, 3),
            }
            self.retry_log.append(entry)
            words = error_mapping.shorten(self.connection.redact(str(error)))
            most = self.request.max_attempts
            self._emit(Retrying(**entry, max_attempts=most, message=words))
            await asyncio.sleep(wait_s)

    def _emit(self, event: Event) -> None:
        if self.emit is not None:
            self.emit([event])

    def _amend(self, error: ProviderError) -> bool:
        """Leave out what an unknown server refuses of our own doing; once for each call."""
        if self.amended:
            return False
        changed = self.wire.amend(self.body, error)
        if changed is None:
            return False
        self.amended, self.body = True, changed.body
        if self.learn is not None:
            self.learn(changed.profile)
        return True

    async def _queue(self, entering: Awaitable[Turn]) -> Turn:
        asked = perf_counter()
        try:
            return await entering
        finally:
            self.queue_s += perf_counter() - asked

    def _used(self) -> float | None:
        """Tokens that the attempt used, as the service counts them."""
        usage = self.fold.usage
        if usage is None:
            return None
        if usage.total_tokens is None and usage.input_tokens is None:
            return None
        return usage.total_tokens or (usage.input_tokens or 0) + (usage.output_tokens or 0)

    def _take(self, events: list[Event]) -> None:
        """Add up what arrived, and heed what the service says of its limits."""
        self.fold.add(events, perf_counter())
        for event in events:
            if isinstance(event, RateLimitHint):
                self.limiter.pause(event.wait_s, self.request.model)

    async def _attempt(self) -> ProviderError | None:
        """One attempt; returns what ended it, so that no chain of exceptions holds a header."""
        import asyncio

        try:
            if self.request.stream:
                async for events in self.wire.stream(self.client, self.request, self.body):
                    self._take(events)
                    if self.emit is not None:
                        self.emit(events)
            else:
                reply = await self.wire.send(self.client, self.request, self.body)
                self.reply = reply.raw
                self._take(reply.events)
                self.fold.first_at = None
                if reply.fault is not None:
                    raise reply.fault
        except asyncio.CancelledError:
            raise
        except Exception as exc:  # noqa: BLE001 - told apart by faults
            error = error_mapping.from_exception(exc)
        else:
            return self._judge()
        if isinstance(error, ProviderConnectionError) and not self.fold.empty:
            return IncompleteStreamError(str(error), detail=error.detail, retryable=True)
        return error

    def _judge(self) -> ProviderError | None:
        """Refuse a success that holds no answer."""
        fold = self.fold
        raw = fold.finish_reason_raw
        if fold.finish_reason == "error":
            return ServerError(f"the service ended the answer with finish reason {raw!r}", code=raw)
        if not fold.empty or fold.finish_reason not in (None, "other"):
            return None
        return InvalidResponseError(
            error_mapping.EMPTY + (f" (finish reason {raw!r})" if raw else "")
        )

    def _named(self, error: ProviderError) -> ProviderError:
        """Complete an error: who, which model, key masked."""
        request, redact = self.request, self.connection.redact
        error.provider = error.provider or request.provider
        error.model = error.model or request.model
        if error.detail is not None:
            error.detail = error_mapping.shorten(redact(error.detail))
        if error.code is not None:
            error.code = redact(error.code)
        advice = None
        if self.advise is not None:
            try:
                advice = self.advise(error)
            except Exception as exc:  # noqa: BLE001 - advice on an error never replaces it
                report(self.call, "there was no advice on an error", exc)
        error.message = error_mapping.sentence(error, redact(error.message), self.attempts, advice)
        error.args = (error.message,)
        # Frames and causes of the SDK hold the headers of the request; none may leave with the error.
        error.__cause__ = error.__context__ = None
        return error

    def _response(self, error: AllosError | None, cancelled: bool) -> ProviderResponse:
        ended = perf_counter()
        request, fold = self.request, self.fold
        usage = fold.usage
        latency_s = ended - self.sent if self.attempts else None
        ttft_s = fold.first_at - self.sent if fold.first_at is not None else None
        in_pieces = fold.first_at != fold.last_at
        refusal = fold.text("refusal") or None
        tool_calls = fold.tool_calls()
        finish_reason = fold.finish_reason
        if cancelled:
            finish_reason = "cancelled"
        elif error is not None:
            finish_reason = "error"
        elif finish_reason == "stop" and refusal and not fold.texts["text"]:
            finish_reason = "refusal"
        facts: dict[str, Any] = {
            **asked(request, self.body.dropped),
            "status": "cancelled" if cancelled else "ok" if error is None else "error",
            "finish_reason": finish_reason,
            "finish_reason_raw": fold.finish_reason_raw,
            "input_tokens": usage and usage.input_tokens,
            "cache_read_tokens": usage and usage.cache_read_tokens,
            "cache_write_tokens": usage and usage.cache_write_tokens,
            "output_tokens": usage and usage.output_tokens,
            "reasoning_tokens": usage and usage.reasoning_tokens,
            "total_tokens": usage and usage.total_tokens,
            "usage_source": usage.source if usage else "missing",
            "latency_s": latency_s,
            "total_time_s": ended - self.started,
            "queue_s": self.queue_s,
            "time_to_first_token_s": ttft_s,
            "tokens_per_second": _speed(usage.output_tokens, latency_s, ttft_s)
            if usage and in_pieces
            else None,
            "error_type": type(error).__name__ if error else None,
            "error_message": str(error) if error else None,
            "http_status": getattr(error, "status_code", None) or (200 if fold.answered else None),
            "attempts": self.attempts,
            "retry_log": self.retry_log or None,
            "request_id": getattr(error, "request_id", None),
            **fold.facts,
            "usage": dict(usage.raw) if usage else None,
        }
        return ProviderResponse(
            content=fold.text("text"),
            tool_calls=tool_calls,
            metadata={name: value for name, value in facts.items() if value is not None},
            reasoning=fold.text("reasoning") or None,
            refusal=refusal,
            error=error,
            id=new_id(),
            created_at=self.created_at,
            completed_at=datetime.now(UTC),
            request=request,
            context=context.current(),
            raw=tuple(fold.raw),
            body=self.body.body,
            reply=self.reply,
        )

    def _deliver(self, response: ProviderResponse) -> None:
        if self.gate is not None:  # before a waiter wakes up and looks at its budget
            self.gate.leave(response)
        deliver(self.call, response)


def _speed(
    output_tokens: int | None, latency_s: float | None, ttft_s: float | None
) -> float | None:
    """Tokens per second after the first one; None for answers that came in one piece."""
    if not output_tokens or output_tokens < 2 or latency_s is None or ttft_s is None:
        return None
    spent = latency_s - ttft_s
    return (output_tokens - 1) / spent if spent > 0 else None
