from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.wire.sse import ServerEvent, SseDecoder


def events(*chunks: bytes) -> list[tuple[str, bytes]]:
    decoder = SseDecoder()
    found = [tuple(event) for chunk in chunks for event in decoder.feed(chunk)]
    return found + [tuple(event) for event in decoder.end()]  # type: ignore[return-value]


RICH = (
    '\ufeff: a comment\nevent: one\nid: 7\nretry: 3000\ncolour\ndata: {"a":\ndata:1}\n\n'
    "data: ü🙂\n\n:\n\nevent: none\n\ndata\n\nevent:two\ndata:  padded\n\n"
)
EXPECTED = [
    ("one", b'{"a":\n1}'),
    ("", "ü🙂".encode()),
    ("", b""),
    ("two", b" padded"),
]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_every_cut_of_every_line_ending(newline: str) -> None:
    """Wherever a stream is cut in two, and whatever ends its lines, the events are the same."""
    data = RICH.replace("\n", newline).encode()

    assert events(data) == EXPECTED
    for at in range(len(data) + 1):
        assert events(data[:at], data[at:]) == EXPECTED
    assert events(*(data[at : at + 1] for at in range(len(data)))) == EXPECTED


def test_mixed_line_endings() -> None:
    """Each line may end in its own way."""
    assert events(b"event: a\rdata: 1\r\n\ndata: 2\n\r\ndata: 3\r\r") == [
        ("a", b"1"),
        ("", b"2"),
        ("", b"3"),
    ]


def test_event_comes_as_soon_as_its_blank_line_does() -> None:
    """An event that ends in CR CR is not held back to see whether an LF follows."""
    decoder = SseDecoder()

    assert decoder.feed(b"data: x\r\r") == [ServerEvent("", b"x")]
    assert decoder.feed(b"\ndata: y\r\n\r") == [ServerEvent("", b"y")]
    assert decoder.feed(b"\n") == []


def test_byte_order_mark_only_at_the_start() -> None:
    """A mark opens the stream, even cut in two; later it is text."""
    assert events(b"\xef", b"\xbb\xbfda", b"ta: x\n\n") == [("", b"x")]
    assert events(b"data: \xef\xbb\xbfx\n\n") == [("", b"\xef\xbb\xbfx")]


def test_without_a_last_blank_line() -> None:
    """What the end of the stream cuts off before its blank line, or its line end, is handed out."""
    assert events(b"data: x\n") == [("", b"x")]
    assert events(b"event: e\ndata: x") == [("e", b"x")]
    assert events(b"event: only\n") == []
    assert events() == []


def test_comments_are_no_sign_of_a_stream() -> None:
    """Only a field makes a body look like an event stream; a web page has none."""
    decoder = SseDecoder()
    decoder.feed(b"<html>\n: comment\n\n")
    before = decoder.seen_field
    decoder.feed(b"data: x\n\n")

    assert (before, decoder.seen_field) == (False, True)


class Counted(bytes):
    """Bytes that count how many of them are searched."""

    searched = 0

    def __contains__(self, key: object) -> bool:
        Counted.searched += len(self)
        return super().__contains__(key)  # type: ignore[arg-type]


def test_large_event_costs_linear_time() -> None:
    """Every byte of a large event in small chunks is looked at a fixed number of times."""
    size, pieces = 4096, 1024
    Counted.searched = 0
    decoder = SseDecoder()
    decoder.feed(b"data: ")
    for _ in range(pieces):
        decoder.feed(Counted(b"x" * size))
        held = decoder._tail[-1]
        assert len(held) <= size  # nothing is joined before the line ends
    (event,) = decoder.feed(b"\n\n")

    assert len(event.data) == size * pieces
    assert Counted.searched <= 2 * size * pieces


@settings(deadline=None)
@given(st.data())
def test_any_cut_of_any_stream(data: st.DataObject) -> None:
    """Any bytes at all, cut anywhere, give the events of the uncut bytes."""
    pieces = st.sampled_from(
        [
            b"data:",
            b"data: ",
            b"event: e",
            b"id: 1",
            b":",
            b"\n",
            b"\r",
            b"\r\n",
            b" ",
            b"x",
            b"\xff",
        ]
    )
    stream = b"".join(data.draw(st.lists(st.one_of(pieces, st.binary(max_size=3)), max_size=30)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[a:b] for a, b in itertools.pairwise([0, *cuts, len(stream)])]

    assert events(*chunks) == events(stream)


def test_error_field() -> None:
    """A field `error` is an event of that name; the events before it stay."""
    decoder = SseDecoder()
    events = decoder.feed(b'data: 1\n\nerror: {"code": 500}\n\ndata: 2\n\n')

    assert events == [("", b"1"), ("error", b'{"code": 500}'), ("", b"2")]
    assert SseDecoder().feed(b"error: no\n") == [("error", b"no")]


def test_line_of_json_without_a_field() -> None:
    """What a gateway writes into a stream that broke is read; a stream does not begin so."""
    decoder = SseDecoder()

    assert decoder.feed(b'data: 1\n\n{"error": "no"}\n') == [("", b"1"), ("", b'{"error": "no"}')]
    assert SseDecoder().feed(b'{"error": "no"}\n\n') == []
