from __future__ import annotations

from typing import Any

import pytest

from allos.wire.error_bodies import describe, read, reported_error, reports_failure


def test_deep_bodies_cost_little() -> None:
    """A body that nests without end is read to a fixed depth."""
    lists: Any = "x"
    dicts: Any = "x"
    for _ in range(500):
        lists = [lists, lists, lists]
        dicts = {"error": dicts, "message": dicts}

    assert describe(lists) == (None, None)
    assert describe(dicts) == (None, None)


def test_message_of_a_server_controls_no_terminal() -> None:
    """Control characters do not get into an error's message, nor an odd code."""
    body = {"error": {"message": "no\x1b[2J\x1b]0;x\x07 \x9b31mway", "code": "bad\x1b[1m"}}

    assert describe(body) == ("no [2J ]0;x 31mway", None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": [{"loc": ["body", "top_k"], "msg": "Extra"}]}, "Extra (top_k)"),
        ({"error": {"message": "Unsupported value", "param": "seed"}}, "Unsupported value (seed)"),
        ({"error": {"message": "No 'seed' here", "param": "seed"}}, "No 'seed' here"),
        ({"error": {"message": "Bad", "param": None}}, "Bad"),
    ],
)
def test_message_names_the_field(body: Any, message: str) -> None:
    """A field that the server names separately is part of the message."""
    assert describe(body)[0] == message


@pytest.mark.parametrize(
    ("body", "is_failure"),
    [
        ({"object": "error", "message": "x", "type": "BadRequestError", "code": 400}, True),
        ({"detail": "x"}, True),
        ({"detail": [{"loc": ["body"], "msg": "x"}]}, True),
        ({"code": 500, "msg": "x", "success": False}, True),
        ({"success": False, "errors": [{"code": 1, "message": "x"}]}, True),
        ({"status": "error", "message": "x"}, True),
        ({"message": "x", "request_id": "y"}, True),
        ({"object": "chat.completion.chunk", "id": "x", "timings": {"code": 500}}, False),
        ({"type": "container_info", "title": "x"}, False),
        ({"message": {"role": "assistant", "content": "x"}}, False),
        ({"code": 500}, False),
        ({}, False),
    ],
)
def test_failure_without_an_error(body: dict[str, Any], *, is_failure: bool) -> None:
    """An object that only reports a failure is told from one that holds something else."""
    assert reports_failure(body) is is_failure


@pytest.mark.parametrize("error", [None, "", "null", {}, [], False, {"message": "", "code": 0}])
def test_placeholder_of_an_error(error: Any) -> None:
    """An error that says nothing is none."""
    assert reported_error({"error": error}) is None
    assert reported_error({"error": {"message": error, "code": "x"}}) is not None


def test_words_of_a_placeholder_are_no_code() -> None:
    """Gateways write the names of nothing where a code should stand."""
    assert read({"error": {"message": "x", "type": "None", "code": "null"}}).codes == []


def test_summary_and_message() -> None:
    """Where the error is a name and the message stands beside it, both are told."""
    assert describe({"error": "invalid_request", "message": "No such tool"}) == (
        "invalid_request: No such tool",
        None,
    )
