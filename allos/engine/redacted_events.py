"""Masks credentials in the events of a service, before anyone sees them."""

from __future__ import annotations

from allos.events import Event, ReasoningDelta, ResponseFacts, TextDelta, ToolCallDelta
from allos.redaction import Redactor


def redact_events(
    events: list[Event], redactor: Redactor, *, is_body_clean: bool = False
) -> list[Event]:
    """Return the events without credentials; the same list where there are none. Loop thread.

    A key that is cut by the pieces of a stream is masked in the response alone. Where the whole body is
    known to hold none (`is_body_clean`), only facts remain, some of which come from headers.
    """
    shortest = redactor.shortest
    redacted = events
    for at, event in enumerate(events):
        # Nearly every event is a piece of text that is shorter than any key.
        if is_body_clean and type(event) is not ResponseFacts:
            continue
        if type(event) is TextDelta or type(event) is ReasoningDelta:
            if len(event.text) < shortest:
                continue
        elif type(event) is ToolCallDelta and _is_only_arguments(event, shortest):
            continue
        masked = redactor.value(event)
        if masked is not event:
            if redacted is events:
                redacted = list(events)
            redacted[at] = masked
    return redacted


def _is_only_arguments(event: ToolCallDelta, shortest: float) -> bool:
    has_more = event.id or event.name or event.parsed_arguments is not None
    return not has_more and len(event.arguments or "") < shortest
