from __future__ import annotations

import json
from typing import Any

import pytest

from allos.errors import BadRequestError, InvalidResponseError, ServerError
from allos.wire.openai_batches import OpenAIBatches

API = OpenAIBatches("/chat/completions")


def test_a_line_names_the_path_that_the_service_documents() -> None:
    """Whatever the base URL is."""
    line = json.loads(API.line("k_1_0", {"model": "m"}))
    assert line == {
        "custom_id": "k_1_0",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "m"},
    }


@pytest.mark.parametrize(
    ("line", "outcome", "error"),
    [
        ({"response": {"status_code": 200, "body": {"id": "x"}}}, "answered", None),
        ({"response": {"body": {"id": "x"}}, "error": None}, "answered", None),
        ({"response": {"status_code": 400, "body": {"error": {"message": "no"}}}}, "failed", BadRequestError),
        ({"response": {"status_code": 500, "body": None}}, "failed", ServerError),
        ({"response": None, "error": {"code": "server_error", "message": "no"}}, "failed", ServerError),
        ({"error": {"code": "batch_expired", "message": "late"}}, "expired", None),
        ({"error": {"code": "batch_cancelled"}}, "cancelled", None),
    ],
)  # fmt: skip
def test_lines(line: dict[str, Any], outcome: str, error: type[Exception] | None) -> None:
    """What a line says of its request."""
    read = API.read_line({"custom_id": "k", **line})
    assert read is not None
    assert (read.key, read.outcome, read.error and type(read.error)) == ("k", outcome, error)
    assert API.read_line(line) is None


def test_states() -> None:
    """An id is needed, everything else may be missing."""
    found = API._batch(
        {"id": "b", "status": "validating", "metadata": None, "request_counts": None}
    )
    assert (found.is_ended, found.done, found.total, list(found.results)) == (False, 0, None, [])
    ended = API._batch(
        {"id": "b", "status": "expired", "output_file_id": "o/1", "error_file_id": "e"}
    )
    assert ended.is_ended
    assert list(ended.results) == ["/files/o%2F1/content", "/files/e/content"]
    with pytest.raises(InvalidResponseError):
        API._batch({"status": "completed"})


def test_pages() -> None:
    """By the last id of the page, where there are more."""
    assert API._listing({"data": [{"id": "a"}, {"id": "b"}], "has_more": True}) == (
        "/batches?limit=100&after=b"
    )
    assert API._listing({"data": [{"id": "a"}], "has_more": False}) is None
    assert API._listing({"data": [], "has_more": True}) is None
