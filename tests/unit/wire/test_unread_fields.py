from __future__ import annotations

from typing import Any

from allos.events import Citation, Event, ResponseExtra
from allos.wire.unread_fields import CUT, MAX_CHARS, UnreadFields, merge


def added(*objects: dict[str, Any], **options: Any) -> list[Event]:
    """Events of these objects, one after the other."""
    events: list[Event] = []
    unread = UnreadFields()
    for fields in objects:
        unread.add(fields, {"read"}, events, **options)
    return events


def last(*objects: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What is kept in the end."""
    found = [event for event in added(*objects, **options) if isinstance(event, ResponseExtra)]
    return found[-1].fields if found else {}


def test_what_is_read_or_empty_is_left_out() -> None:
    """Fields that the decoder reads, and those that say nothing, are not kept; zero and false are."""
    assert added({"read": 1, "a": None, "b": "", "c": [], "d": {}}) == []
    assert last({"e": 0, "f": False}) == {"e": 0, "f": False}


def test_the_last_value_counts_and_repeats_are_silent() -> None:
    """A field that every piece repeats gives one event."""
    assert len(added({"provider": "A"}, {"provider": "A"})) == 1
    assert last({"provider": "A"}, {"provider": "B"}) == {"provider": "B"}


def test_pieces_go_on() -> None:
    """Texts and lists of a message in pieces are joined, below their place."""
    found = last(
        {"mood": "gl", "tools": [1]}, {"mood": "ad", "tools": [2]}, within="message", in_pieces=True
    )

    assert found == {"message": {"mood": "glad", "tools": [1, 2]}}


def test_merge() -> None:
    """Labels stay, items of one index belong together, and what cannot be joined is replaced."""
    assert merge({"type": "a", "text": "x"}, {"type": "a", "text": "y", "n": None}) == {
        "type": "a",
        "text": "xy",
    }
    assert merge([{"index": 0, "t": "a"}], [{"index": 1, "t": "b"}, {"index": 0, "t": "c"}]) == [
        {"index": 0, "t": "ac"},
        {"index": 1, "t": "b"},
    ]
    assert merge("a", 3) == 3


def test_sources_are_citations_once() -> None:
    """Lists of sources that every piece repeats are told once, a URL as an object."""
    events = added({"citations": ["u"]}, {"citations": ["u"]}, {"citations": ["u", {"url": "v"}]})

    assert events == [Citation({"url": url}) for url in ("u", "u", "v")]


def test_too_much_is_cut_and_named() -> None:
    """Beyond the limit a field is left out and its name is kept; what fits stays."""
    big = "x" * MAX_CHARS
    found = last({"a": 1, "b": big}, {"b": big + "y", "c": 2})

    assert found == {"a": 1, CUT: ["b"], "c": 2}
    pieces = [{"text": letter * (MAX_CHARS // 2)} for letter in "xyz"]
    assert last(*pieces, within="message", in_pieces=True)[CUT] == ["message.text"]


def test_a_field_with_the_name_of_a_place() -> None:
    """A top field called as a place inside does not lose either by an error."""
    events: list[Event] = []
    unread = UnreadFields()
    unread.add({"message": "odd"}, (), events)
    unread.add({"mood": "glad"}, (), events, within="message")

    assert events == [ResponseExtra({"message": "odd"})]
