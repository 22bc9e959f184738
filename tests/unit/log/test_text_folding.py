from __future__ import annotations

import pytest

from allos.log.text_folding import fold, has_words, snippet, split_words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Crème BRÛLÉE", "creme brulee"),
        ("Łódź, Ångström, smørrebrød", "lodz, angstrom, smorrebrod"),
        ("İstanbul ıspanak", "istanbul ispanak"),
        ("ﬁne ＡＢＣ ½", "fine abc 1⁄2"),
        ("가나", "가나"),
        ("がぎ", "がぎ"),
        ("हिन्दी", "हिन्दी"),
        ("שָׁלוֹם", "שלום"),
        ("a\ud800b", "a\ufffd\ufffd\ufffdb"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    """Case and accents go; marks that change what is read stay; twice is the same as once."""
    assert fold(text) == folded
    assert fold(folded) == folded


def test_a_snippet_is_around_the_match() -> None:
    """Also where folding has changed the length of what is before it; spaces are one space."""
    text = "ß" * 300 + " before\n\n the   Brûlée " + "after " * 100
    part = snippet(text, ["brulee"], before=20, length=60)

    assert part is not None
    assert part.startswith("… ")
    assert "before the Brûlée after" in part
    assert part.endswith("…")
    assert snippet("short", ["short"]) == "short"
    assert snippet("short", ["long"]) is None
    assert snippet("a trampoline, a ramp", ["ramp"], before=2) == "… a ramp"
    assert snippet("今天 天气很好", ["天 气"], before=0) == "… 天气很好"
    assert snippet("see foo_bar()", ["foo bar"], before=0) == "… foo_bar()"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What's 3.5°C, really?", "what s 3 5 c really"),
        ("foo_bar(baz) → C++", "foo bar baz c"),
        ("今天、天气「好」", "今 天 天 气 好"),
        ("ภาษาไทย", "ภ า ษ า ไ ท ย"),
        ("हिन्दी भाषा।", "हिन्दी भाषा"),
        ("서울의 날씨", "서울의 날씨"),
        ("ما اسمك؟ العربية", "ما اسمك العربية"),
        ("party 🎉 time", "party 🎉 time"),
        ("— … ‘’ \u3000\xa0\0", ""),
    ],
)
def test_words(text: str, words: str) -> None:
    """Letters, digits and marks of any script; what has no spaces is split into its signs."""
    assert split_words(text) == words
    assert split_words(words) == words


@pytest.mark.parametrize(
    ("words", "whole", "inside"),
    [
        ("tramp", True, True),
        ("ramp", False, True),
        ("a tramp", True, True),
        ("ramp is", False, False),
        ("is trampoline", False, False),
    ],
)
def test_words_in_a_text(words: str, whole: bool, inside: bool) -> None:
    """The beginning of a word matches; a part of one only where that is wanted."""
    text = split_words("What a trampoline is")

    assert has_words(text, words) is whole
    assert has_words(text, words, inside=True) is inside
