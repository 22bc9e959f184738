"""Reasoning in tags is separated from the answer, wherever the tags are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.events import ReasoningDelta, TextDelta, TextWasReasoning
from allos.wire.reasoning_tags import ReasoningTagSplitter


def split(*pieces: str) -> tuple[str, str]:
    splitter = ReasoningTagSplitter()
    reasoning = text = ""
    for part in [part for piece in pieces for part in splitter.feed(piece)] + splitter.end():
        match part:
            case TextWasReasoning(shown):
                assert reasoning == ""
                reasoning, text = shown, ""
            case ReasoningDelta(piece):
                reasoning += piece
            case TextDelta(piece):
                text += piece
    return reasoning, text


def check_every_cut(answer: str, reasoning: str, text: str) -> None:
    assert split(answer) == (reasoning, text)
    assert split(*answer) == (reasoning, text)
    for at in range(len(answer) + 1):
        assert split(answer[:at], answer[at:]) == (reasoning, text)


@pytest.mark.parametrize(
    ("answer", "reasoning", "text"),
    [
        ("<think>hm</think>Hi", "hm", "Hi"),
        ("\n <think>hm</think>\n\nHi", "hm", "Hi"),
        ("<thinking>hm</thinking>Hi", "hm", "Hi"),
        ("<thought>hm</thought>Hi", "hm", "Hi"),
        ("<reasoning>hm</reasoning>\nHi", "hm", "Hi"),
        ("<Think>hm</THINK>Hi", "hm", "Hi"),
        ("[THINK]hm[/THINK]Hi", "hm", "Hi"),
        ("<seed:think>hm</seed:think>Hi", "hm", "Hi"),
        ("◁think▷hm◁/think▷Hi", "hm", "Hi"),
        ("<|START_THINKING|>hm<|END_THINKING|>Hi", "hm", "Hi"),
        ("<mm:think>hm</mm:think>Hi", "hm", "Hi"),
        ("<|channel>thought\nhm<channel|>Hi", "\nhm", "Hi"),
        ("<|inner_prefix|>hm<|inner_suffix|>Hi", "hm", "Hi"),
        ("<think>hm", "hm", ""),
        ("<think>a < b </thin", "a < b </thin", ""),
        ("<think></think>Hi", "", "Hi"),
        ("<think>a</think>b</think>c", "a", "b</think>c"),
        ("<think>a</think><think>b</think>", "ab", ""),
        ("<think>a</think>\n\n<thinking>b</thinking>\nHi", "ab", "Hi"),
        ("<think>say `</think>` aloud</think>Hi", "say `</think>` aloud", "Hi"),
        ('<think>{"end":"</think>"}</think>Hi', '{"end":"</think>"}', "Hi"),
        ('<think>标签“</think>”和"</think>"</think>Hi', '标签“</think>”和"</think>"', "Hi"),
        ('<think>It is "2"</think>"2"', 'It is "2"', '"2"'),
        ("<think>Call `f`.</think>`f()`", "Call `f`.", "`f()`"),
        ("<think>Call `f`</think>`f()`", "Call `f`", "`f()`"),
        ("<think>```\na\n```</think>```\nb\n```", "```\na\n```", "```\nb\n```"),
        ("<think>a</think>\n</think>\nHi", "a", "Hi"),
        ("<think>a</think>Say <think>b</think>", "a", "Say <think>b</think>"),
        ("<thi", "", "<thi"),
        ("< think>x", "", "< think>x"),
        ("<think >x", "", "<think >x"),
        ("  plain", "", "  plain"),
        ("", "", ""),
    ],
)
def test_tags(answer: str, reasoning: str, text: str) -> None:
    """Wherever the answer is cut, blocks at its start are reasoning and the rest is text."""
    check_every_cut(answer, reasoning, text)


@pytest.mark.parametrize(
    ("answer", "reasoning", "text"),
    [
        ("One and one.\n</think>\n\n2", "One and one.\n", "2"),
        ("hm</think>Hi", "hm", "Hi"),
        ("hm. </think> Hi", "hm. ", "Hi"),
        ("</think>\n\nHi", "", "Hi"),
        ("hm[/THINK]Hi", "hm", "Hi"),
        ("hm\n◁/think▷\nHi", "hm\n", "Hi"),
        ("hm</thought>Hi", "hm", "Hi"),
        ("A `</think>` ends it.\n</think>\nHi", "A `</think>` ends it.\n", "Hi"),
        ("a > b, a[0] > c\n</think>Hi", "a > b, a[0] > c\n", "Hi"),
        ("hm</think>\n<think>more</think>Hi", "hmmore", "Hi"),
        ("hm</think>Hi</think>", "hm", "Hi</think>"),
        ("hm</think></THINK>Hi", "hm", "Hi"),
        ("hm<channel|>Hi", "hm", "Hi"),
        ('It is "2"</think>"2"', 'It is "2"', '"2"'),
        ("hm\n</think>", "hm\n", ""),
    ],
)
def test_end_tag_that_nothing_opened(answer: str, reasoning: str, text: str) -> None:
    """The text before an end tag is reasoning, although its start tag was in the prompt."""
    check_every_cut(answer, reasoning, text)


@pytest.mark.parametrize(
    "answer",
    [
        "The tag <think> opens, </think> ends it",
        "Use <think>draft</think> for that.",
        "The </think> tag ends it.",
        "It ends with </think>.",
        "It ends with </think>",
        "Write `</think>` there.",
        'Write "</think>".',
        "```html\n</think>\n```\nHi",
        "~~~\n[/THINK]\n~~~",
        "analysis of variance, assistantfinal",
        "Channels: <|channel|>analysis",
    ],
)
def test_prose_about_tags(answer: str) -> None:
    """Tags that are quoted, in code or within a sentence are text."""
    check_every_cut(answer, "", answer)


@pytest.mark.parametrize(
    ("answer", "reasoning", "text"),
    [
        (
            "<|channel|>analysis<|message|>hm<|end|>"
            "<|start|>assistant<|channel|>final<|message|>Hi<|return|>",
            "hm",
            "Hi",
        ),
        (
            "<|start|>assistant<|channel|>analysis<|message|>a<|end|><|start|>assistant"
            "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>",
            "a{}",
            "",
        ),
        (
            '<|channel|>analysis<|message|>a<|end|><|channel|>final <|constrain|>json<|message|>{"a": 1}',
            "a",
            '{"a": 1}',
        ),
        ("<|channel|>final<|message|>a <| b", "", "a <| b"),
        ("<|channel|>analysis<|message|>hm", "hm", ""),
        ("<|channel|>analysis<|message|>hm<|end|>\nHi", "hm", "Hi"),
        ("hm<|end|><|start|>assistant<|channel|>final<|message|>Hi", "hm", "Hi"),
        ("analysisWe add.assistantfinal2", "We add.", "2"),
        (
            "hm<|end|><|start|>assistant<|channel|>final <|constrain|>JSON<|message|>{}<|return|>",
            "hm",
            "{}",
        ),
        ("analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hi", "hm", "Hi"),
        ("<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hi", "hm", "Hi"),
    ],
)
def test_channels(answer: str, reasoning: str, text: str) -> None:
    """Of an answer in channels, the final one is the text and the others are reasoning."""
    check_every_cut(answer, reasoning, text)


TAGS = ["<think>", "</think>", "[THINK]", "[/THINK]", "<|channel|>", "final", "<|message|>"]
PIECES = [
    *TAGS,
    "<|end|>",
    "<|start|>assistant",
    "<",
    "th",
    "ink>",
    "/",
    " ",
    "\n",
    "a",
    "`",
    "```",
]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=12),
    st.lists(st.integers(0, 100), max_size=6),
)
def test_cuts_never_matter(parts: list[str], cuts: list[int]) -> None:
    """Any text cut anywhere gives the same as whole."""
    answer = "".join(parts)
    places = sorted({0, *(min(cut, len(answer)) for cut in cuts), len(answer)})

    assert split(*(answer[a:b] for a, b in itertools.pairwise(places))) == split(answer)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "th", "ink>", "/", " ", "\n", "a"])))
def test_no_letter_is_lost(parts: list[str]) -> None:
    """Whatever the tags are, every letter outside of them is reasoning or text."""
    answer = "".join(parts)
    reasoning, text = split(*answer)

    assert (reasoning + text).count("a") == answer.count("a")


def test_pieces_are_not_held_back() -> None:
    """Only what may still become a tag waits."""
    splitter = ReasoningTagSplitter()

    assert splitter.feed("<think>one ") == [ReasoningDelta("one ")]
    assert splitter.feed("two</t") == [ReasoningDelta("two")]
    assert splitter.feed("ry") == [ReasoningDelta("</try")]


def test_text_is_taken_back_at_its_end_tag() -> None:
    """Text is handed out as it comes, and called reasoning once an end tag says so."""
    splitter = ReasoningTagSplitter()

    assert splitter.feed("One and ") == [TextDelta("One and ")]
    assert splitter.feed("one.</th") == [TextDelta("one.</th")]
    assert splitter.feed("ink>\n\n2") == [TextWasReasoning("One and one."), TextDelta("2")]
    assert splitter.passes("<b>")


def test_any_number_of_blocks() -> None:
    """Blocks are not nested, so their number has no limit."""
    assert split("<think>a</think>" * 5_000) == ("a" * 5_000, "")


def test_long_text_is_watched_in_linear_time() -> None:
    """A long answer full of brackets is scanned once, piece by piece."""
    pieces = ["`</think>` <b>]> "] * 20_000

    assert split(*pieces) == ("", "".join(pieces))
