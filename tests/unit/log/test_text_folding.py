from __future__ import annotations

import pytest

from allos.log.text_folding import fold, snippet


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
