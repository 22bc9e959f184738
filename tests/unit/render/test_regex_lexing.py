"""Lexers that skip what cannot match give the tokens that Pygments gives."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pygments.lexers import find_lexer_class_by_name

from allos.render import regex_lexing
from allos.render.highlight import LANGUAGES
from allos.render.regex_lexing import _beginnings, tokens

_NAMES = sorted(set(LANGUAGES.values()))
_SAMPLES = [
    '@d\nasync def f(x: int = 0x1F, *a) -> str:\n    r"""Text."""\n    return f"{x!r:>{3}}" + \'é\'  # c\n',
    "export class A<T> { async *f({ a = /b[/]c/g }) { return `x ${a?.b ?? 'c'} y`; } } // d\n",
    "SELECT a.b, COUNT(*) FROM c WHERE d = 'e''f' -- g\nGROUP BY 1;\nselect ſum, K from t;\n",
    'for f in *.csv; do\n  cat <<EOF | tr \',\' "$x" > "${f%.csv}" # c\nEOF\ndone\n',
    '#include <a.h>\nint main(void) { char *s = "\\n"; return 0x1u; } /* c */\n',
    'fn main() { let s = r#"a"#; println!("{s:?}"); \'x: loop { break \'x; } }\n',
    "<!doctype html><p class='a'>b &amp; <script>let c = 1;</script><style>d { e: #fff }</style>\n",
    'a: &b\n  - "c" # d\n  - |\n    e\n[f.g]\nh = 1979-05-27T07:32:00Z\ni = """\nj"""\n',
    "\\begin{a}[b] $c_1$ % d\n\\end{a}\n+ added\n- gone\n@@ -1 +1 @@\n",
]


@cache
def _lexer(name: str) -> Any:
    return find_lexer_class_by_name(name)(stripnl=False, ensurenl=False)


@pytest.mark.parametrize("name", _NAMES)
def test_every_language_has_the_tokens_of_pygments(name: str) -> None:
    """For code of its own and of other languages; empty tokens, which nothing shows, apart."""
    lexer = _lexer(name)
    for code in _SAMPLES:
        expected = [token for token in lexer.get_tokens_unprocessed(code) if token[2]]

        assert [token for token in tokens(lexer, code) if token[2]] == expected


@given(
    parts=st.lists(
        st.sampled_from([*"()[]{}<>'\"`#$%&|/\\=-+*.,:;!?@^~_ \n\tabxE01ſKé٣"])
        | st.text(max_size=2),
        max_size=40,
    ),
    name=st.sampled_from(_NAMES),
)
@example(parts=["#", "\u2028"], name="python")
@settings(deadline=None)
def test_any_text_has_the_tokens_of_pygments(parts: list[str], name: str) -> None:
    """Also for what is no code at all."""
    lexer, code = _lexer(name), "".join(parts) + "\n"
    expected = [token for token in lexer.get_tokens_unprocessed(code) if token[2]]

    assert [token for token in tokens(lexer, code) if token[2]] == expected


@pytest.mark.parametrize(
    "name", ["python", "javascript", "typescript", "java", "go", "rust", "sql"]
)
def test_common_languages_skip_most_rules(name: str) -> None:
    """Fewer than a third of the rules are tried for a letter."""
    lexer = _lexer(name)
    tried = regex_lexing._rules(lexer, "root")[ord("w")]

    assert regex_lexing._is_plain(lexer.__class__)
    assert len(tried) <= max(6, len(lexer._tokens["root"]) // 3)


@pytest.mark.parametrize(
    ("pattern", "flags", "some"),
    [
        (r"(?i:k)x", 0, "kK\u212a"),
        (r"[a-c]+|\d", 0, "abc1٣"),
        (r"[^a]", re.I, "bAa"),
        (r"[ā-ž]", 0, "ā"),
        (r"(?<=a)(?=b)b", 0, "b"),
        (r"(a)?(?:b{0,2}|c)d", 0, "abcd"),
        (r"a*", 0, "az"),
        (r"(?P<q>['\"])?(?(q)x|y)", 0, "'xy"),
        (r"(?s).", 0, "\n"),
        (r"^[ \t]*+(?>e)", re.M, " \te"),
    ],
)
def test_what_a_match_begins_with_is_never_left_out(pattern: str, flags: int, some: str) -> None:
    """Too many beginnings cost time, one too few would change the tokens."""
    codes = _beginnings(re.compile(pattern, flags))

    assert all(min(ord(char), 128) in codes for char in some)


def test_another_python_may_parse_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the parser of regular expressions Pygments does it, as slowly as ever."""
    monkeypatch.setattr(regex_lexing, "_is_plain", lambda _: False)

    assert [text for _, _, text in tokens(_lexer("python"), "x")] == ["x"]
