"""One call on the loop thread: rate limits, attempts, deadline, response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from threading import get_ident
from time import perf_counter
from typing import TYPE_CHECKING, Any

from allos import context, redaction
from allos.engine import adaptive_window, learned_profiles, retry
from allos.engine.call import Call
from allos.engine.interceptors import After, complete, complete_now
from allos.engine.limits import Limiter, Permit, estimate
from allos.engine.pauses import Reason
from allos.engine.prepared_call import PreparedCall
from allos.engine.redacted_events import redact_events
from allos.engine.response_accumulator import ResponseAccumulator
from allos.engine.response_facts import (
    content_facts,
    counted,
    outcome_facts,
    request_facts,
    speed_facts,
    unsent_response,
    usage_facts,
)
from allos.engine.schema_parsing import parsed
from allos.errors import (
    AllosError,
    IncompleteStreamError,
    InvalidResponseError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitError,
    ServerError,
)
from allos.events import Event, Queued, Retrying
from allos.ids import new_id
from allos.response import ProviderResponse
from allos.wire import error_mapping, error_messages
from allos.wire.error_bodies import shorten

if TYPE_CHECKING:
    import asyncio

    from allos.engine.runtime import SharedClient
    from allos.wire.connection import Connection

_LONGEST_DEADLINE_S = 1e8
"""Three years: longer deadlines are ignored, since event loops limit the delay of timers."""


class AttemptRun:
    """Sends one call, with retries."""

    def __init__(
        self,
        handle: Call,
        call: PreparedCall,
        afters: Sequence[After],
        connection: Connection,
        shared: SharedClient,
        on_events: Callable[[Sequence[Event]], None] | None,
    ) -> None:
        self.handle = handle
        self.request = call.request
        self.wire = call.wire
        self.body = call.body
        self.limits = call.limits
        self.limiters = call.limiters
        self.afters = afters
        self.connection = connection
        self.redactor = redaction.current()
        self.shared, self.client = shared, shared.client
        self.is_borrowed = True
        self.on_events = on_events
        self.limiter: Limiter | None = None
        self.window = adaptive_window.current()
        self.is_amended = False
        origin = context.current()
        self.caller = origin.run_id or origin.comparison_id or get_ident()
        self.created_at = datetime.now(UTC)
        self.started = self.sent = perf_counter()
        self.queue_s = 0.0
        self.attempts = 0
        self.retry_log: list[dict[str, Any]] = []
        self.received = ResponseAccumulator()
        self.reply: Any = None

    def begin(self) -> None:  # loop thread
        """Go on in the task of the call that ends now, or in one of its own."""
        runtime = self.handle._runtime
        work = self._run()
        task = runtime.relay.hand_on(work)
        if task is None:
            task = runtime.loop.create_task(runtime.relay.run(work))
            runtime.tasks.add(task)
            task.add_done_callback(partial(self._ended, work))
        self.handle.run_on(task)

    def _ended(self, work: Coroutine[Any, Any, None], task: asyncio.Task[None]) -> None:
        self.handle._runtime.tasks.discard(task)  # loop thread
        work.close()  # where the task was cancelled before its first step
        self._give_back()
        if not self.handle.future.done():
            # Cancelled before its first step, so nothing of it was executed.
            response = self._response(None, cancelled=True)
            self.handle.resolve(complete_now(response, self.afters, self.handle.report))

    def _give_back(self) -> None:
        if self.is_borrowed:
            self.is_borrowed = False
            self.handle._runtime.give_back(self.shared)

    async def _run(self) -> None:
        import asyncio

        error: AllosError | None = None
        cancelled = False
        try:
            if self.request.deadline_s is None or self.request.deadline_s > _LONGEST_DEADLINE_S:
                await self._attempts()
            else:
                async with asyncio.timeout(self.request.deadline_s):
                    await self._attempts()
        except asyncio.CancelledError:
            cancelled = True
        except TimeoutError as exc:
            error = self._completed(self._deadline_error(exc))
        except ProviderError as exc:
            error = exc
        except Exception as exc:  # noqa: BLE001 - the caller gets a typed error for any exception
            error = self._completed(error_mapping.from_exception(exc))
        if isinstance(error, ProviderConnectionError) and not self.connection.direct:
            # The next call reads the proxy anew, which the user may have corrected by then.
            self.handle._runtime.release(self.connection, self.shared)
        try:
            response = await self._parsed(self._response(error, cancelled=cancelled))
            response, stopped = await complete(response, self.afters, self.handle.report)
            self._give_back()
            ends = None if cancelled or stopped else asyncio.current_task()
            with self.handle._runtime.relay.ending(ends):
                self.handle.resolve(response)
        except BaseException as exc:  # a waiter must never hang, even after a bug of allos
            if not self.handle.future.done():
                self._abandon(exc)
            raise
        if cancelled or stopped:
            raise asyncio.CancelledError

    def _abandon(self, exc: BaseException) -> None:
        """End a call that has no response because of a bug of allos."""
        bug = AllosError(self.connection.redact(f"{type(exc).__name__}: {exc}"))
        response = unsent_response(self.request, self.body.dropped, bug, self.created_at)
        response = response.with_metadata({"attempts": self.attempts})
        complete_now(response, self.afters, self.handle.report)
        self.handle.future.set_exception(exc)

    def _deadline_error(self, exc: TimeoutError) -> ProviderError:
        if self.request.deadline_s is None:
            return error_mapping.from_exception(exc)
        what = "finished" if self.attempts else "sent (no rate-limit capacity before the deadline)"
        message = f"not {what} within the deadline of {self.request.deadline_s} s"
        reason = self.limiter.pause_reason if self.limiter else None
        if reason is not None:
            message += f"; the service had said: {reason.text}"
        return ProviderTimeoutError(message, retryable=False)

    async def _parsed(self, response: ProviderResponse) -> ProviderResponse:
        if self.request.schema is None or response.error is not None:
            return response
        import asyncio

        try:
            return await parsed(response)
        except asyncio.CancelledError:  # cancelled when the answer was already complete
            return response

    async def _attempts(self) -> None:
        import asyncio

        loop = self.handle._runtime.loop
        limiter = self.limiters.get(loop, self.connection.base_url, self.connection.api_key)
        limiter.configure(self.limits)
        self.limiter = limiter
        number = limiter.number()
        model = self.request.model
        counts_tokens = limiter.limits.tokens_per_minute is not None
        tokens = estimate(self.request) if counts_tokens else 0.0
        while True:
            try:
                permit = limiter.try_acquire(tokens=tokens, model=model)
                if permit is None:
                    self._emit(Queued(is_waiting=True))
                    permit = await self._queue(limiter.acquire(self.caller, number, tokens, model))
                    self._emit(Queued(is_waiting=False))
            except RateLimitError as exc:
                raise self._completed(exc) from None
            self.attempts += 1
            self.received = ResponseAccumulator()
            self.sent = perf_counter()
            try:
                error = await self._attempt()
            finally:
                limiter.release(permit, self._used_tokens())
            if self.window is not None:
                self.window.attempt_ended(self.sent, error)
            if error is None:
                return
            is_hint = isinstance(error, RateLimitError) and self.wire.is_real_time
            if is_hint and error.retry_after_s:
                limiter.pause(error.retry_after_s, model, self._reason(error))
            wait_s = None
            if self._amend(error):
                wait_s = 0.0
            elif self.received.empty:
                wait_s = retry.policy.wait_s(error, self.attempts, self.request.max_attempts)
            if wait_s is None:
                raise self._completed(error)
            entry: dict[str, Any] = {
                "attempt": self.attempts,
                "error_type": type(error).__name__,
                "http_status": error.status_code,
                "wait_s": round(wait_s, 3),
            }
            self.retry_log.append(entry)
            message = shorten(self.connection.redact(str(error)))
            most = self.request.max_attempts
            self._emit(Retrying(**entry, max_attempts=most, message=message))
            await asyncio.sleep(wait_s if self.wire.is_real_time else 0)

    def _reason(self, error: ProviderError) -> Reason:
        """What the service said, as later calls may repeat it."""
        redact = self.connection.redact
        text = shorten(redact(error.detail or error.message).rstrip("."))
        return Reason(text, redact(error.code) if error.code else None)

    def _emit(self, event: Event) -> None:
        if self.on_events is not None:
            self.on_events([event])

    def _amend(self, error: ProviderError) -> bool:
        """Adapt the body to an unknown server that rejected a field added by allos; once per call."""
        if self.is_amended:
            return False
        amended = self.wire.amend(self.body, error)
        if amended is None:
            return False
        self.is_amended, self.body = True, amended.body
        learned_profiles.remember(self.request, amended.profile)
        return True

    async def _queue(self, acquiring: Awaitable[Permit]) -> Permit:
        since = perf_counter()
        try:
            return await acquiring
        finally:
            self.queue_s += perf_counter() - since

    def _used_tokens(self) -> float | None:
        """Tokens of the attempt, as reported by the service."""
        usage = counted(self.received)
        if usage is None:
            return None
        if usage.total_tokens is None and usage.input_tokens is None:
            return None
        return usage.total_tokens or (usage.input_tokens or 0) + (usage.output_tokens or 0)

    def _receive(self, events: list[Event], *, is_body_clean: bool = False) -> list[Event]:
        """Add events, and apply rate-limit hints of the service; returns them without credentials."""
        events = redact_events(events, self.redactor, is_body_clean=is_body_clean)
        received = self.received
        received.add(events, perf_counter())
        if received.rate_limit_hint is not None:
            if self.limiter is not None:
                self.limiter.pause(received.rate_limit_hint.wait_s, self.request.model)
            received.rate_limit_hint = None
        return events

    async def _attempt(self) -> ProviderError | None:
        """One attempt; returns its error, so that no chain of exceptions contains headers."""
        import asyncio

        try:
            if self.request.stream:
                async for events in self.wire.stream(self.client, self.request, self.body):
                    redacted = self._receive(events)
                    if self.on_events is not None:
                        self.on_events(redacted)
            else:
                reply = await self.wire.send(self.client, self.request, self.body)
                self.reply = self.redactor.value(reply.raw)
                is_clean = self.reply is not None and self.reply is reply.raw
                self._receive(reply.events, is_body_clean=is_clean)
                self.received.first_at = None
                if reply.error is not None:
                    raise reply.error
        except asyncio.CancelledError:
            raise
        except Exception as exc:  # noqa: BLE001 - classified by error_mapping
            error = error_mapping.from_exception(exc)
        else:
            return self._check_answer()
        if isinstance(error, ProviderConnectionError) and not self.received.empty:
            return IncompleteStreamError(str(error), detail=error.detail, retryable=True)
        return error

    def _check_answer(self) -> ProviderError | None:
        """Return an error for a successful reply without an answer."""
        received = self.received
        raw = received.finish_reason_raw
        if received.finish_reason == "error":
            return ServerError(f"the service ended the answer with finish reason {raw!r}", code=raw)
        if not received.empty or received.finish_reason not in (None, "other"):
            return None
        return InvalidResponseError(
            error_messages.EMPTY + (f" (finish reason {raw!r})" if raw else "")
        )

    def _completed(self, error: ProviderError) -> ProviderError:
        """Complete an error: provider, model, credentials masked."""
        request = self.request
        error_messages.redact(error, self.connection)
        error.provider = error.provider or request.provider
        error.model = error.model or request.model
        if error.detail is not None:
            error.detail = shorten(error.detail)
        error_messages.complete(error, error.message, self.attempts)
        # Frames and causes of the SDK contain the headers of the request, so they are removed.
        error.__cause__ = error.__context__ = None
        return error

    def _response(self, error: AllosError | None, *, cancelled: bool) -> ProviderResponse:
        ended = perf_counter()
        received, redactor = self.received, self.redactor
        usage = counted(received)
        facts: dict[str, Any] = {
            **request_facts(self.request, self.body.dropped),
            **outcome_facts(received, error, cancelled=cancelled),
            **content_facts(received),
            **usage_facts(usage),
            **speed_facts(received, self.sent if self.attempts else None, ended),
            "total_time_s": ended - self.started,
            "queue_s": self.queue_s,
            "attempts": self.attempts,
            "retry_log": self.retry_log or None,
            **received.facts,
            "usage": dict(usage.raw) if usage else None,
        }
        return ProviderResponse(
            # Again, since a key may have been cut by the pieces of a stream.
            content=redactor.content(received.text("text"))
            or getattr(error, "failed_generation", None)
            or "",
            tool_calls=redactor.value(received.tool_calls()),
            metadata={name: value for name, value in facts.items() if value is not None},
            reasoning=redactor.content(received.text("reasoning")) or None,
            refusal=redactor.content(received.text("refusal")) or None,
            error=error,
            id=new_id(),
            created_at=self.created_at,
            completed_at=datetime.now(UTC),
            request=self.request,
            context=context.current(),
            raw=tuple(received.raw),
            body=self.body.body,
            reply=self.reply,
        )
