from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.events import ReasoningDelta, TextDelta
from allos.wire.reasoning_tags import ReasoningTagSplitter


def split(*pieces: str) -> tuple[str, str]:
    splitter = ReasoningTagSplitter()
    found = [part for piece in pieces for part in splitter.feed(piece)] + splitter.end()
    reasoning, text = (
        "".join(delta.text for delta in found if isinstance(delta, kind))
        for kind in (ReasoningDelta, TextDelta)
    )
    return reasoning, text


@pytest.mark.parametrize(
    ("answer", "reasoning", "text"),
    [
        ("<think>hm</think>Hi", "hm", "Hi"),
        ("\n <think>hm</think>\n\nHi", "hm", "Hi"),
        ("<think>hm", "hm", ""),
        ("<think>a < b </thin", "a < b </thin", ""),
        ("<think></think>Hi", "", "Hi"),
        ("<think>a</think>b</think>c", "a", "b</think>c"),
        ("<think>a</think><think>b</think>", "a", "<think>b</think>"),
        ("The tag <think> opens </think> it", "", "The tag <think> opens </think> it"),
        ("<thinking>no</thinking>", "", "<thinking>no</thinking>"),
        ("<thi", "", "<thi"),
        ("< think>x", "", "< think>x"),
        ("  plain", "", "  plain"),
        ("", "", ""),
    ],
)
def test_every_cut(answer: str, reasoning: str, text: str) -> None:
    """Wherever the answer is cut, reasoning and text come apart alike; prose stays prose."""
    assert split(answer) == (reasoning, text)
    assert split(*answer) == (reasoning, text)
    for at in range(len(answer) + 1):
        assert split(answer[:at], answer[at:]) == (reasoning, text)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<", "th", "ink>", "/", " ", "\n", "a"])),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_cuts_never_matter(parts: list[str], cuts: list[int]) -> None:
    """Any text cut anywhere gives the same as whole, and no letter outside the tags is lost."""
    answer = "".join(parts)
    places = sorted({0, *(min(cut, len(answer)) for cut in cuts), len(answer)})
    pieces = [answer[a:b] for a, b in itertools.pairwise(places)]
    reasoning, text = split(*pieces)

    assert (reasoning, text) == split(answer)
    assert (reasoning + text).count("a") == answer.count("a")


def test_pieces_are_not_held_back() -> None:
    """Only what may still become a tag waits."""
    splitter = ReasoningTagSplitter()

    assert splitter.feed("<think>one ") == [ReasoningDelta("one ")]
    assert splitter.feed("two</t") == [ReasoningDelta("two")]
    assert splitter.feed("ry") == [ReasoningDelta("</try")]
