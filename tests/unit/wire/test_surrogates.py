"""Halves of characters come together across events; one alone becomes U+FFFD, once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.events import (
    Event,
    RawPart,
    ReasoningDelta,
    RefusalDelta,
    ResponseFacts,
    TextDelta,
    TextWasReasoning,
    ToolCallDelta,
)
from allos.wire.surrogates import HalfJoiner, join_halves, parse_with_halves, without_halves

FIRST, SECOND = "\ud83d", "\ude00"


def joined(*events: Event) -> list[Event]:
    joiner = HalfJoiner()
    return [*joiner.join(events), *joiner.end()]


@pytest.mark.parametrize("kind", [TextDelta, ReasoningDelta, RefusalDelta])
def test_texts(kind: Any) -> None:
    """A first half waits for the next piece of its own text."""
    assert joined(kind(f"a{FIRST}"), kind(f"{SECOND}b")) == [kind("a"), kind("😀b")]
    assert joined(kind(FIRST), kind(SECOND)) == [kind("😀")]
    assert joined(kind(FIRST), kind("b")) == [kind("\ufffdb")]
    assert joined(kind(f"{SECOND}b")) == [kind("\ufffdb")]
    assert joined(kind("a"), kind(FIRST)) == [kind("a"), kind("\ufffd")]


def test_texts_do_not_mix() -> None:
    """Text, reasoning and each tool call are texts of their own."""
    found = joined(
        TextDelta(FIRST),
        ReasoningDelta("hm"),
        ToolCallDelta(0, "a", "add", FIRST),
        ToolCallDelta(1, "b", "sub", f"x{FIRST}"),
        ToolCallDelta(0, arguments=SECOND),
        TextDelta(SECOND),
        ToolCallDelta(1, arguments=SECOND),
    )

    assert found == [
        ReasoningDelta("hm"),
        ToolCallDelta(0, "a", "add"),
        ToolCallDelta(1, "b", "sub", "x"),
        ToolCallDelta(0, arguments="😀"),
        TextDelta("😀"),
        ToolCallDelta(1, arguments="😀"),
    ]


def test_everything_else() -> None:
    """No string of any event keeps a half."""
    assert joined(
        RawPart({"thinking": f"{FIRST}{SECOND}", "more": [FIRST]}),
        ResponseFacts(response_id=f"r{FIRST}"),
        ToolCallDelta(0, parsed_arguments={"a": FIRST}),
    ) == [
        RawPart({"thinking": "😀", "more": ["\ufffd"]}),
        ResponseFacts(response_id="r\ufffd"),
        ToolCallDelta(0, parsed_arguments={"a": "\ufffd"}),
    ]


def test_text_that_was_reasoning() -> None:
    """Half a character in front of an end tag is part of the reasoning, once."""
    assert joined(TextDelta(f"hm{FIRST}"), TextWasReasoning(f"hm{FIRST}"), TextDelta("Hi")) == [
        TextDelta("hm"),
        TextWasReasoning("hm\ufffd"),
        TextDelta("Hi"),
    ]


def test_events_before_an_error() -> None:
    """What came before an error is handed out."""

    def failing() -> Iterator[Event]:
        yield TextDelta("Hi")
        raise ValueError("cut")

    found: list[Event] = []
    with pytest.raises(ValueError, match="cut"):
        found.extend(HalfJoiner().join(failing()))

    assert found == [TextDelta("Hi")]


@given(st.text(st.characters(), max_size=20), st.lists(st.integers(0, 40), max_size=5))
def test_any_text_cut_by_javascript(text: str, cuts: list[int]) -> None:
    """Any text cut between any two UTF-16 units comes together again."""
    units = text.encode("utf-16-le", "surrogatepass")
    places = sorted({0, *(min(2 * cut, len(units)) for cut in cuts), len(units)})
    pieces = [
        units[a:b].decode("utf-16-le", "surrogatepass") for a, b in itertools.pairwise(places)
    ]
    found = joined(*(TextDelta(piece) for piece in pieces))

    assert "".join(event.text for event in found if isinstance(event, TextDelta)) == join_halves(
        text
    )


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (rb'{"a": "\ud83d\ude00\ud83d"}', {"a": "😀\ufffd"}),
        (b'{"a": "\xed\xa0\xbd\xed\xb8\x80"}', {"a": "😀"}),
        (b'{"a": "\xe2\x82"}', {"a": "\ufffd"}),
        (rb'["\\ud83d"]', ["\\ud83d"]),
    ],
)
def test_damaged_json(data: bytes, value: Any) -> None:
    """Halves as escapes or as bytes are read, and other bad bytes are replaced."""
    assert without_halves(parse_with_halves(data)) == value


def test_what_is_no_json() -> None:
    """Only characters are repaired."""
    for data in (b'{"a": "\\ud83d"', b"[" * 100_000):
        with pytest.raises(ValueError, match=r"."):
            parse_with_halves(data)
