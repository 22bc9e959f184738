"""Colours for code."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.render import highlight
from allos.render.highlight import LANGUAGES, TOKEN_CLASSES, code_html
from tests.support.hostile import judge

_NAMES = sorted(set(LANGUAGES.values()))


@pytest.mark.parametrize("language", _NAMES)
def test_every_language_has_a_lexer_and_keeps_the_text(language: str) -> None:
    """Colouring adds spans of our classes and changes no character."""
    code = "\n\n  def f(x): return 'é <b>' # 1\n\tif (a && b) { \"c\" }\n+ x\n- y\n"
    faults, shown = judge(code_html(code, language))

    assert faults == []
    assert shown == code


@given(code=st.text(max_size=120), language=st.sampled_from(_NAMES))
@settings(max_examples=settings.default.max_examples * 3 // 2)
def test_any_code_keeps_its_text(code: str, language: str) -> None:
    """The same for random code: a lexer that would change the text is not used."""
    code = code.replace("\r", "").translate(dict.fromkeys(range(0x7F, 0xA0))).replace("\x00", "")
    _, shown = judge(code_html(code, language))

    assert shown == code


@pytest.mark.parametrize("language", _NAMES)
@pytest.mark.parametrize("code", ["()", "a()", "[]", "''", "{"])
def test_short_code_ends_where_it_ended(code: str, language: str) -> None:
    """The line end that lexers expect is taken off again, also behind a lexer's empty last token."""
    _, shown = judge(code_html(code, language))

    assert shown == code


def test_classes_are_ours() -> None:
    """No name of Pygments and none of the model reaches the page."""
    html = code_html("@d\ndef f():\n    return [1, 'a']  # c\n", "PYTHON")
    used = {piece.split('"')[0] for piece in html.split('class="')[1:]}

    assert used == {"allos-d", "allos-k", "allos-f", "allos-m", "allos-s", "allos-c"}
    assert used <= TOKEN_CLASSES


def test_diff_shows_both_sides() -> None:
    """The last line is coloured too, though it has no line end."""
    assert code_html("- a\n+ b", "diff") == (
        '<span class="allos-x">- a</span>\n<span class="allos-m">+ b</span>'
    )


@pytest.mark.parametrize(
    "code",
    ["x" * (highlight.MAX_CODE_CHARS + 1), " " * 300, "a = 1; " * 200],
    ids=["long", "blank", "line"],
)
def test_odd_code_stays_plain(code: str) -> None:
    """Sizes at which lexers backtrack are not coloured."""
    assert code_html(code, "python") == code


def test_time_that_is_over_leaves_code_plain() -> None:
    """A limit that is used up stops the colouring, and nothing is lost."""
    assert code_html("def f(): pass", "python", limit_s=-1) == "def f(): pass"
