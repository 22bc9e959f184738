from __future__ import annotations

from typing import Any

import pytest

from allos.engine.tool_arguments import read_arguments


@pytest.mark.parametrize(
    ("pieces", "value", "expected"),
    [
        ([], None, {}),
        (["", " "], None, {}),
        (["null"], None, {}),
        (['{"a": ', "1}"], None, {"a": 1}),
        (["{}", '{"a": 1}'], None, {"a": 1}),
        (['{"a"', ": 1}", ' {"a": 1} '], None, {"a": 1}),
        (['{"a"', '{"a": 1', '{"a": 1}'], None, {"a": 1}),
        (['"{\\"a\\": 1}"'], None, {"a": 1}),
        ([], '{"a": 1}', {"a": 1}),
        ([], {"a": 1}, {"a": 1}),
        (['{"a"'], {"a": 1}, {"a": 1}),
        (['{"a": 2}'], {"a": 1}, {"a": 2}),
    ],
)
def test_readable(pieces: list[str], value: Any, expected: dict[str, Any]) -> None:
    """Arguments are read in pieces, repeated, as a value, and as JSON within JSON."""
    assert read_arguments(pieces, value) == (expected, None, None)


@pytest.mark.parametrize(
    ("pieces", "raw"),
    [
        (['{"a": '], '{"a": '),
        (['{"a": ', '{"b": 1}'], '{"a": {"b": 1}'),
        (['{"a": 1}', '{"a": 2}'], '{"a": 1}{"a": 2}'),
        (["[1]"], "[1]"),
        (["[1]", "[1]"], "[1][1]"),
        (['"{"'], '"{"'),
    ],
)
def test_unreadable(pieces: list[str], raw: str) -> None:
    """What is no one object is kept as text, with the reason; no part of it passes for the whole."""
    found = read_arguments(pieces)

    assert (found.arguments, found.raw) == ({}, raw)
    assert found.error is not None
