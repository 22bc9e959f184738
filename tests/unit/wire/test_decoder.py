"""What every API's decoder does with events that are not of its API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from allos import errors
from allos.profiles import Api
from tests.support.decoding import APIS, accumulate, complete, sse, streamed

TEXT_PART = {"type": "output_text", "text": "Hi"}
ITEM = {"type": "message", "content": [TEXT_PART]}
BEGINNINGS: dict[Api, list[Any]] = {
    "chat": [{"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]}],
    "responses": [{"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"}],
    "messages": [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    ],
}
ENDS: dict[Api, list[Any]] = {
    "chat": [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, "[DONE]"],
    "responses": [
        {"type": "response.completed", "response": {"status": "completed", "output": [ITEM]}}
    ],
    "messages": [
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ],
}
ANSWERS: dict[Api, dict[str, Any]] = {
    "chat": {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]},
    "responses": {"status": "completed", "output": [ITEM]},
    "messages": {"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"},
}
FAILURES: list[tuple[dict[str, Any], type[errors.ProviderError]]] = [
    ({"object": "error", "message": "Engine died", "code": 500}, errors.ServerError),
    (
        {"object": "error", "message": "maximum context length is 8", "code": 400},
        errors.ContextLengthError,
    ),
    ({"detail": "Invalid API key"}, errors.AuthenticationError),
    ({"code": 429, "msg": "Enough", "success": False}, errors.RateLimitError),
    ({"success": False, "errors": [{"message": "Authentication error"}]}, errors.AuthenticationError),
    ({"status": "error", "message": "Internal server error"}, errors.ServerError),
    ({"message": "Internal server error"}, errors.ServerError),
]  # fmt: skip


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("failure", "kind"), FAILURES)
def test_failure_without_an_error(
    api: Api, failure: dict[str, Any], kind: type[errors.ProviderError]
) -> None:
    """An object that reports a failure in its own way never passes for a part of an answer."""
    with pytest.raises(kind):
        complete(api, failure)
    with pytest.raises(kind):
        streamed(api, [failure, *ENDS[api]])
    with pytest.raises(kind):
        streamed(api, [*BEGINNINGS[api], failure, "[DONE]"])


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    "tail",
    [
        b'error: {"code": 503, "message": "Overloaded"}\n\n',
        b'error: {"error": {"code": 503, "message": "Overloaded"}}\n\n',
        b'event: error\ndata: {"message": "Overloaded"}\n\n',
        b"event: error\ndata: Overloaded\n\n",
        b'{"error": {"message": "Overloaded"}}\n',
    ],
)
def test_errors_that_end_a_stream(api: Api, tail: bytes) -> None:
    """However a server or a gateway writes the error that ends its stream, it is read."""
    with pytest.raises(errors.ServerError, match="Overloaded"):
        streamed(api, sse(BEGINNINGS[api]) + tail)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    "error", [None, "", {}, {"message": "", "code": 0}, {"code": None, "message": None}]
)
def test_placeholder_of_an_error(api: Api, error: Any) -> None:
    """An error that says nothing leaves the answer as it is."""
    assert accumulate(complete(api, {**ANSWERS[api], "error": error})).text("text") == "Hi"
    events = [{**event, "error": error} for event in BEGINNINGS[api]]
    found = accumulate(streamed(api, [*events, *ENDS[api]]))

    assert (found.text("text"), found.finish_reason) == ("Hi", "stop")


@pytest.mark.parametrize("api", APIS)
def test_events_within_events(api: Api) -> None:
    """JSON in a string of JSON is read, and so is a field of a stream within another one."""
    events = [*BEGINNINGS[api], *ENDS[api]]
    texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
    for wrapped in ([json.dumps(text) for text in texts], [f"data: {text}" for text in texts]):
        found = accumulate(streamed(api, "".join(f"data: {each}\n\n" for each in wrapped).encode()))

        assert (found.text("text"), found.finish_reason) == ("Hi", "stop")
