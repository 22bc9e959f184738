from __future__ import annotations

from allos.engine.redacted_events import redact_events
from allos.events import (
    Event,
    Finished,
    RawPart,
    ReasoningDelta,
    ResponseFacts,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from allos.redaction import Redactor
from allos.usage import Usage

KEY = "opaque-0123456789"
EXAMPLE = "sk-example-0123456789"
REDACTOR = Redactor([KEY])


def test_events_without_credentials_are_the_same_list() -> None:
    """Nothing is copied on the usual way."""
    events: list[Event] = [
        TextDelta("Hello, "),
        TextDelta("a piece that is longer than the shortest key"),
        ReasoningDelta("hm"),
        ToolCallDelta(0, arguments='{"a": 1}'),
        ToolCallDelta(0, "call_1", "look_up"),
        ResponseFacts(request_id="req_1", response_model="m"),
        UsageReport(Usage(input_tokens=1, raw={"prompt_tokens": 1})),
        Finished("stop", "stop"),
    ]

    assert redact_events(events, REDACTOR) is events


def test_every_event_is_masked() -> None:
    """Known keys in content, and what looks like one in facts as well; the list itself is kept."""
    events: list[Event] = [
        TextDelta(f"{KEY} {EXAMPLE}"),
        ReasoningDelta(KEY),
        ToolCallDelta(0, EXAMPLE, KEY, KEY, {"a": KEY}),
        ToolCallDelta(0, arguments=f'{{"a": "{KEY}"'),
        RawPart({"id": EXAMPLE, "signature": f"{KEY} {EXAMPLE}"}),
        ResponseFacts(request_id=f"id-{KEY}", service_tier=EXAMPLE),
        UsageReport(Usage(raw={"tier": KEY})),
        Finished("other", EXAMPLE),
    ]
    before = list(events)

    assert redact_events(events, REDACTOR) == [
        TextDelta(f"*** {EXAMPLE}"),
        ReasoningDelta("***"),
        ToolCallDelta(0, "***", "***", "***", {"a": "***"}),
        ToolCallDelta(0, arguments='{"a": "***"'),
        RawPart({"id": "***", "signature": f"*** {EXAMPLE}"}),
        ResponseFacts(request_id="id-***", service_tier="***"),
        UsageReport(Usage(raw={"tier": "***"})),
        Finished("other", "***"),
    ]
    assert events == before
