"""Text for terminals, and for what is not rendered."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.render.plain import clean_text

_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain é 日本 👩‍👧\n\ttab", "plain é 日本 👩‍👧\n\ttab"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred\x9b0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;https://evil.invalid\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b]0;never ended", "0;never ended"),
        ("\x1bPq#0;2\x1b\\x", "x"),
        ("\x1b(Bx\x1b7y\x1bcz", "xyz"),
        ("a\x00b\x07c\x08d\x7fe\x85f", "abcdef"),
        ("rm -rf /\rls", "rm -rf /\nls"),
        ("a\r\nb\u2028c", "a\nb\nc"),
        ("a\u202eb\u2066c\u200f", "a⟦U+202E⟧b⟦U+2066⟧c⟦U+200F⟧"),
        ("\U000e0068\U000e0069", "⟦U+E0068⟧⟦U+E0069⟧"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
        ("\ud800x", "\ufffdx"),
    ],
)
def test_clean_text(text: str, clean: str | None) -> None:
    """What a terminal would obey is gone, what hides is visible, everything else stays."""
    assert clean_text(text) == (text if clean is None else clean)


@given(st.text(st.characters(), max_size=200))
def test_clean_text_leaves_nothing_to_obey(text: str) -> None:
    """No control, bidi or unencodable character is left, and a second pass changes nothing."""
    clean = clean_text(text)
    flagless = re.sub("🏴[\U000e0060-\U000e007f]+", "", clean)

    assert not _FORBIDDEN.search(flagless)
    assert clean_text(clean) == clean
    clean.encode()
