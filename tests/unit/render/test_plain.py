"""Text for terminals and for the time while an answer streams."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.render.plain import clean_text, streaming_html
from allos.render.style import LIVE_STYLE
from tests.support.hostile import HOSTILE, judge

_STYLES = frozenset({LIVE_STYLE.removeprefix("<style>").removesuffix("</style>")})
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


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_hostile_text_streams_as_text(text: str) -> None:
    """At every cut there is one block of text and no link."""
    for end in (1, len(text) // 3, len(text) // 2, len(text)):
        html = streaming_html(text[:end])
        faults, shown = judge(html, styles=_STYLES)

        assert faults == []
        assert "<a" not in html
        assert shown == clean_text(text[:end])


def test_state_is_a_quiet_line_below() -> None:
    """What is going on stands below the text, escaped; before the first word it stands alone."""
    assert "<small" not in streaming_html("x")
    assert streaming_html("x", state="try 2 <b>").endswith(
        '<pre class="allos-text">x</pre><small class="allos-state">try 2 &lt;b&gt;</small></div>'
    )
    assert "<pre" not in streaming_html("", state="waiting")
