"""Answers that need no service: what a source has goes the way of every other response."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from allos import context, seams
from allos.engine.call import Call, Emit, runtime_for_a_call
from allos.engine.response_facts import asked, deliver
from allos.engine.schema_parsing import parsed
from allos.errors import AllosError, ReplayError
from allos.events import (
    Event,
    Finished,
    RawPart,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from allos.ids import new_id
from allos.request import Request
from allos.response import ProviderResponse


def from_source(
    request: Request, *, dropped: Sequence[str] = (), emit: Emit | None = None
) -> Call | None:
    """Ask the sources for a request's answer; no client, server, key or limit is touched.

    Parameters
    ----------
    request : Request
    dropped : sequence of str
        Parameters that a call would not send.
    emit : callable or None
        Given the answer's events at once, on the loop thread.

    Returns
    -------
    Call or None
        A call that gives the answer; None when no source has one.

    Raises
    ------
    AllosError
        A source refuses the call (`ReplayMissError`), or failed.
    ConfigurationError
        Called on the loop thread.
    """
    seams.run_preludes()
    if not seams.sources:
        return None
    runtime = runtime_for_a_call()
    answer = _first(request)
    if answer is None:
        return None
    call = Call(runtime, served=True)
    given = _Given(call, request, answer, dropped, emit)
    # call_soon_threadsafe copies the caller's context, so provenance crosses by itself.
    runtime.loop.call_soon_threadsafe(given.begin)
    return call


def _first(request: Request) -> ProviderResponse | None:
    for source in list(seams.sources):
        try:
            answer = source(request)
        except AllosError:
            raise
        except Exception as exc:
            raise ReplayError(
                f"a source of recorded answers failed: {type(exc).__name__}: {exc}"
            ) from exc
        if answer is not None:
            return answer
    return None


class _Given:
    """One answer of a source on its way."""

    def __init__(
        self,
        call: Call,
        request: Request,
        answer: ProviderResponse,
        dropped: Sequence[str],
        emit: Emit | None,
    ) -> None:
        self.call = call
        self.request = request
        self.answer = answer
        self.dropped = dropped
        self.emit = emit
        self.created_at = datetime.now(UTC)

    def begin(self) -> None:  # loop thread
        try:
            if self.emit is not None:
                self.emit(events_of(self.answer))
            response = self._completed()
            if self.request.schema is None:
                deliver(self.call, response)
                return
        except Exception as exc:  # noqa: BLE001 - a waiter must never hang on a fault of our own
            self.call.future.set_exception(exc)
            return
        runtime = self.call._runtime
        task = runtime.loop.create_task(self._parsed(response))
        runtime.tasks.add(task)
        task.add_done_callback(runtime.tasks.discard)

    async def _parsed(self, response: ProviderResponse) -> None:
        try:
            deliver(self.call, await parsed(response))
        except BaseException as exc:  # a waiter must never hang on a fault of our own
            if not self.call.future.done():
                self.call.future.set_exception(exc)
            raise

    def _completed(self) -> ProviderResponse:
        """The recorded answer as an answer of now: its own id, time, request and provenance."""
        # Where a recorded answer came from is not known: an address is never recorded.
        facts = {**asked(self.request, self.dropped), "base_url": None, **self.answer.metadata}
        return replace(
            self.answer,
            metadata={name: value for name, value in facts.items() if value is not None},
            id=new_id(),
            created_at=self.created_at,
            completed_at=datetime.now(UTC),
            replayed=True,
            request=self.request,
            context=context.current(),
        )


def events_of(answer: ProviderResponse) -> list[Event]:
    """Events of a stream that adds up to a complete answer."""
    events: list[Event] = []
    if answer.reasoning:
        events.append(ReasoningDelta(answer.reasoning))
    if answer.content:
        events.append(TextDelta(answer.content))
    if answer.refusal:
        events.append(RefusalDelta(answer.refusal))
    for index, call in enumerate(answer.tool_calls):
        arguments = call.raw_arguments
        if arguments is None:
            arguments = json.dumps(call.arguments, ensure_ascii=False, default=str)
        events.append(ToolCallDelta(index, call.id, call.name, arguments))
    events += [RawPart(part) for part in answer.raw]
    events.append(UsageReport(answer.usage))
    events.append(Finished(answer.finish_reason, answer.metadata.get("finish_reason_raw")))
    return events
