"""Calls that are not sent: replayed, refused, or cancelled before."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from allos import context
from allos.engine.call import Call
from allos.engine.interceptors import After, Decision, complete, complete_ready
from allos.engine.prepared_call import PreparedCall
from allos.engine.response_facts import request_facts, unsent_response
from allos.engine.schema_parsing import parsed
from allos.events import (
    Citation,
    Event,
    Finished,
    LogprobsDelta,
    RawPart,
    ReasoningDelta,
    RefusalDelta,
    ResponseExtra,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from allos.ids import new_id
from allos.response import ProviderResponse


class SettledRun:
    """Completes a call whose outcome is already known."""

    def __init__(
        self,
        handle: Call,
        call: PreparedCall,
        decision: Decision,
        on_events: Callable[[Sequence[Event]], None] | None,
    ) -> None:
        self.handle = handle
        self.call = call
        self.decision = decision
        self.on_events = on_events
        self.created_at = datetime.now(UTC)

    def begin(self) -> None:  # loop thread
        """Complete the call at once, or in a task where something is to be awaited."""
        try:
            response, left = self._known_response(), list(self.decision.afters)
            if self.call.request.schema is None:
                response, left = complete_ready(response, left, self.handle.report)
                if not left:
                    self.handle.resolve(response)
                    return
        except Exception as exc:  # noqa: BLE001 - a waiter must never hang, even after a bug of allos
            self.handle.future.set_exception(exc)
            return
        runtime = self.handle._runtime
        task = runtime.loop.create_task(self._finish(response, left))
        runtime.tasks.add(task)
        task.add_done_callback(runtime.tasks.discard)

    async def _finish(self, response: ProviderResponse, afters: Sequence[After]) -> None:
        try:
            if response.error is None:
                response = await parsed(response)
            response, _ = await complete(response, afters, self.handle.report)
            self.handle.resolve(response)
        except BaseException as exc:  # as above
            if not self.handle.future.done():
                self.handle.future.set_exception(exc)
            raise

    def _known_response(self) -> ProviderResponse:
        answer = self.decision.outcome
        if not isinstance(answer, ProviderResponse):
            return unsent_response(
                self.call.request, self.call.body.dropped, answer, self.created_at
            )
        if self.on_events is not None:
            self.on_events(events_of(answer))
        return self._as_of_now(answer)

    def _as_of_now(self, answer: ProviderResponse) -> ProviderResponse:
        """The recorded answer with its own id, time, request and provenance."""
        request = self.call.request
        # The base URL of a recorded answer is unknown, since it is never recorded.
        facts = {
            **request_facts(request, self.call.body.dropped),
            "base_url": None,
            **answer.metadata,
        }
        return replace(
            answer,
            metadata={name: value for name, value in facts.items() if value is not None},
            id=new_id(),
            created_at=self.created_at,
            completed_at=datetime.now(UTC),
            replayed=True,
            request=request,
            context=context.current(),
        )


def events_of(answer: ProviderResponse) -> list[Event]:
    """Events of a stream that accumulate to a complete answer."""
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
    known = answer.metadata
    content = {part.get("type") for part in known.get("parts") or ()}
    events += [RawPart(part, is_content=part.get("type") in content) for part in answer.raw]
    if tokens := known.get("logprobs"):
        events.append(LogprobsDelta(tokens))
    events += [Citation(source) for source in known.get("citations") or ()]
    if extra := known.get("response_extra"):
        events.append(ResponseExtra(extra))
    events.append(UsageReport(answer.usage))
    events.append(Finished(answer.finish_reason, answer.metadata.get("finish_reason_raw")))
    return events
