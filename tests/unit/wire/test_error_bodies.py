from __future__ import annotations

from typing import Any

import pytest

from allos.wire.error_bodies import describe


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
