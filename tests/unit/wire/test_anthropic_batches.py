from __future__ import annotations

import json
from typing import Any

import pytest

from allos.errors import BadRequestError, ServerError
from allos.wire.anthropic_batches import AnthropicBatches

API = AnthropicBatches("/v1/messages")


@pytest.mark.parametrize(
    ("result", "outcome", "error"),
    [
        ({"type": "succeeded", "message": {"id": "x"}}, "answered", None),
        ({"type": "errored", "error": {"type": "error", "error": {"type": "invalid_request_error"}}}, "failed", BadRequestError),
        ({"type": "errored", "error": {"type": "error", "error": {"type": "api_error"}}}, "failed", ServerError),
        ({"type": "expired"}, "expired", None),
        ({"type": "canceled"}, "cancelled", None),
    ],
)  # fmt: skip
def test_lines(result: dict[str, Any], outcome: str, error: type[Exception] | None) -> None:
    """What a line says of its request."""
    read = API.read_line({"custom_id": "k", "result": result})
    assert read is not None
    assert (read.key, read.outcome, read.error and type(read.error)) == ("k", outcome, error)
    assert API.read_line({"result": result}) is None


def test_states_and_where_the_results_are() -> None:
    """Never at the address that the service names, which would get the key."""
    ended = API._batch(
        {
            "id": "b",
            "processing_status": "ended",
            "request_counts": {"processing": 0, "succeeded": 3, "errored": 1, "expired": 1},
            "created_at": "2026-11-29T12:00:00Z",
            "results_url": "https://elsewhere.example/results",
        }
    )
    assert (ended.is_ended, ended.done, ended.total) == (True, 5, 5)
    assert list(ended.results) == ["/v1/messages/batches/b/results"]
    assert ended.created_at == 1_795_953_600
    assert not API._batch({"id": "b", "created_at": "soon"}).results


def test_a_line_is_a_part_of_the_request() -> None:
    """And pages go by the last id."""
    assert json.loads(API.line("k", {"model": "m"})) == {"custom_id": "k", "params": {"model": "m"}}
    assert API._listing({"has_more": True, "last_id": "b"}) == (
        "/v1/messages/batches?limit=100&after_id=b"
    )
    assert API._listing({"has_more": True}) is None
