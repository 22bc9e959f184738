"""Markdown of a model becomes safe HTML, whatever it holds."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.render import limits, markdown
from allos.render.markdown import OPEN, fragment_html, markdown_html
from allos.render.markdown_stream import MarkdownStream
from tests.support.hostile import HOSTILE, MARK, judge

# Pieces that mean something to a Markdown or HTML parser, so that random texts reach its corners.
_PIECES = st.sampled_from(
    [
        *"[]()<>!*_`#|-+:\\&\n\t\"'=$ xé\u05e9\u0639",
        *(
            "**",
            "```",
            "~~~",
            "~~",
            "1. ",
            "> ",
            "    ",
            "\n\n",
            "\n|-|-|\n",
            ":-:",
            "[r]: ",
            "://",
            "$$",
        ),
        *(
            "&#x6a;",
            "&Tab;",
            "&colon;",
            "&lt;",
            "javascript:",
            "data:",
            "https://a.b",
            "http:",
            "{#i}",
        ),
        *(
            "mailto:a@b",
            "<script>",
            "</pre>",
            "<img src=x ",
            "onerror=",
            "<!--",
            "]]>",
            "```python\n",
        ),
        *("```html\n", "\x1b[", "\x1b]", "\x9d", "\x00", "\u202e", "&#x202e;", "\ud800"),
    ]
)
_TEXTS = st.one_of(
    st.text(max_size=300),
    st.text(st.characters(), max_size=100),
    st.lists(_PIECES, max_size=80).map("".join),
)


def inner(text: str) -> str:
    """HTML between the wrapper's own tags."""
    html = markdown_html(text)
    start = '<div class="allos-md mathjax_ignore tex2jax_ignore">\n'
    assert html.startswith(start)
    assert html.endswith("</div>\n")
    return html.removeprefix(start).removesuffix("</div>\n").strip()


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_hostile_text_comes_out_inert(text: str) -> None:
    """Only allowed elements, attributes and links, quickly, and never an error."""
    started_s = time.process_time()
    faults, _ = judge(markdown_html(text))

    assert faults == []
    assert time.process_time() - started_s < 2


@given(text=_TEXTS)
@settings(max_examples=4 * settings.default.max_examples)
def test_any_text_comes_out_inert(text: str) -> None:
    """The same holds for texts that nobody thought of."""
    faults, _ = judge(markdown_html(text))

    assert faults == []


_WORDS = st.sampled_from(
    ["Hello", "a", "x1", "1", "www.example.com", "https://a.b", "mailto:a", "C:", "--", "'s", '"q"']
)
_SIGNS = st.sampled_from([" ", "  ", ", ", ". ", ": ", "; ", "? ", "! ", "(c)", "...", "-", "1) "])


@given(
    text=st.one_of(
        st.from_regex(markdown._PLAIN, fullmatch=True),
        st.lists(st.one_of(_WORDS, _SIGNS), min_size=1, max_size=20).map("".join),
    )
)
@settings(max_examples=4 * settings.default.max_examples)
def test_the_short_way_gives_what_the_parser_gives(text: str) -> None:
    """A plain line skips parser and sanitiser, and nobody can tell."""
    parsed = inner(f"{text}\n\n*x*")

    assert inner(text) == parsed.removesuffix("<p><em>x</em></p>").strip()


@given(text=st.lists(_PIECES, max_size=30).map("".join))
@settings(max_examples=2 * settings.default.max_examples)
def test_the_sanitiser_finds_nothing_left_to_do(text: str) -> None:
    """The writers alone are safe already: the second fence is a second fence."""
    once = markdown_html(text)
    body = once.split("\n", 1)[-1].rsplit("</div>", 1)[0]

    assert markdown._cleaner().clean(body) == body


_SHORT = (
    *("![", "*a ", "**a_ ", "~~a", "`a``b", "> a\n", "- ", "  - a\n", "|a", "|a|b\n", "a\n", "=\n"),
    *("<a ", "&amp;", "](", "[a](", "[a][", "[a]: b\n", "[a](b)", "<http://a>", "```\n", "1. "),
)


@pytest.mark.parametrize("piece", [*"[*_`>|<&\\($~!#-\r\x9d\u202e", "\x1b]", *_SHORT], ids=repr)
def test_repetition_does_not_hang(piece: str) -> None:
    """Of one sign a hundred thousand, of a few together a fifth of it: a second of CPU or two."""
    size = 100_000 if len(piece) == 1 else 20_000
    started_s = time.process_time()
    html = markdown_html(piece * (size // len(piece)))

    assert time.process_time() - started_s < 3
    assert html.endswith("</div>\n")


def test_common_markdown_is_rendered() -> None:
    """Emphasis, lists, quotes, code, rules and breaks become their elements."""
    html = inner("# A\n\n**b** *c* ~~d~~ `e`\\\nf\n\n- g\n\n3. h\n\n> i\n\n---\n\n    j")

    assert '<h1 class="jp-toc-ignore">A</h1>' in html
    assert "<strong>b</strong> <em>c</em> <s>d</s> <code>e</code><br>\nf" in html
    assert "<ul>\n<li>g</li>\n</ul>" in html
    assert '<ol start="3">\n<li>h</li>\n</ol>' in html
    assert "<blockquote>\n<p>i</p>\n</blockquote>" in html
    assert "<hr>" in html
    assert "<pre><code>j</code></pre>" in html


def test_table_keeps_its_alignment_as_our_classes() -> None:
    """Cells carry a class of ours, no style attribute."""
    html = inner("| a | b | c |\n|:-|-:|:-:|\n| 1 | 2 | 3 |")

    assert html.startswith('<div class="allos-wide"><table>')
    assert '<td>1</td>\n<td class="allos-right">2</td>\n<td class="allos-mid">3</td>' in html


def test_long_cells_may_wrap_and_short_ones_do_not() -> None:
    """Neither becomes a tower in a narrow column."""
    html = inner(f"| a | b |\n|---|--:|\n| {'word ' * 9} | {'word ' * 9} |")
    formula = inner(r"| a |" "\n|---|\n" r"| $(X^\top X)^{-1}X^\top y + \varepsilon$ |")

    assert "allos-long" not in formula
    assert "<th>a</th>" in html
    assert '<td class="allos-long">word' in html
    assert '<td class="allos-long allos-right">word' in html


def test_fence_is_coloured_with_our_classes_only() -> None:
    """The language chooses the colours and appears nowhere."""
    html = inner("```python evil-class {.x}\ndef f(): pass\n```")

    assert html == (
        '<pre><code><span class="allos-k">def</span> <span class="allos-f">f</span>(): '
        '<span class="allos-k">pass</span></code></pre>'
    )


@pytest.mark.parametrize(
    "language", ["mermaid", "vega", "vega-lite", "geojson", "math", "nope", ""]
)
def test_other_fences_are_plain_code(language: str) -> None:
    """No viewer of JupyterLab and no unknown lexer is woken."""
    assert inner(f"```{language}\n<a> & b\n```") == "<pre><code>&lt;a&gt; &amp; b</code></pre>"


def test_raw_html_is_shown_as_text() -> None:
    """A reader sees what the model wrote."""
    _, text = judge(
        markdown_html('<b onclick="x()">bold</b> <!-- note -->\n\n<div>\nblock\n</div>')
    )

    assert '<b onclick="x()">bold</b> <!-- note -->' in text
    assert "<div>\nblock\n</div>" in text


def test_link_opens_in_a_new_tab_without_a_referrer() -> None:
    """A web link keeps its address and gets our fixed attributes."""
    assert inner('[docs](https://pandas.pydata.org/docs?a=1&b=2 "title")') == (
        '<p><a href="https://pandas.pydata.org/docs?a=1&amp;b=2" target="_blank" '
        'rel="noopener noreferrer">docs</a></p>'
    )


def test_refused_link_stays_as_written() -> None:
    """A link that may not be one is shown as its source, so nothing is lost or hidden."""
    assert inner("[x](javascript:alert)") == "<p>[x](javascript:alert)</p>"


def test_link_that_names_another_host_says_where_it_goes() -> None:
    """`https://bank.example` that opens evil.invalid is followed by the real host."""
    _, deceiving = judge(markdown_html(f"[https://bank.example/in](https://{MARK}/)"))
    _, honest = judge(markdown_html("[www.bank.example](https://bank.example/in)"))

    assert f"https://bank.example/in ({MARK})" in deceiving
    assert "(" not in honest


def test_image_becomes_alt_text_and_a_visible_link() -> None:
    """Nothing is loaded; the reader sees where the image would have come from."""
    html = inner(f"![A *chart*](https://{MARK}/a.png?q=1)")

    assert html.startswith('<p>A chart <span class="allos-where">[image: <a href="https://evil')
    assert f">https://{MARK}/a.png?q=1</a>]</span></p>" in html


def test_image_inside_a_link_is_no_second_link() -> None:
    """The outer link stays whole; the image's address is text."""
    html = inner(f"[![alt](https://{MARK}/a.png)](https://jupyter.org)")

    assert html.count("<a ") == 1
    assert f"[image: https://{MARK}/a.png]" in html


def test_hidden_characters_are_shown_even_as_entities() -> None:
    """A bidi control cannot come back through an entity."""
    assert inner("a\u202eb &#x202e; &rlm;") == "<p>a⟦U+202E⟧b ⟦U+202E⟧ ⟦U+200F⟧</p>"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * (limits.MAX_CHARS + 1), "longer than 100,000 characters"),
        ("[" * (limits.MAX_BRACKETS + 1), "more than 5,000 brackets"),
        ("[x](https://a.b) " * 1_001, "more than 1,000 links"),
        (
            "|" + "a|" * 200 + "\n|" + "-|" * 200 + "\n" + "x\n" * 100,
            "tables of more than 10,000 cells",
        ),
        ("$x$ " * 1_001, "more than 1,000 formulas"),
        ("> " * 30 + "x", "nested too deep"),
        ("**a " * 80 + "x" + " b**" * 80, "nested too deep"),
    ],
)
def test_too_much_is_shown_whole_as_plain_text(text: str, reason: str) -> None:
    """Beyond a limit nothing is formatted, nothing is lost, and the page says why."""
    faults, shown = judge(markdown_html(text))

    assert faults == []
    assert f"Shown as plain text: {reason}." in shown
    assert text.strip() in shown


def test_long_answer_with_a_table_is_not_too_much() -> None:
    """The limits leave room for an ordinary long answer."""
    text = (
        "| a | b | c |\n|---|---|---|\n" + "| 1 | 2 | 3 |\n" * 500 + "\n- [x](https://a.b)\n" * 300
    )
    _, shown = judge(markdown_html(text))

    assert "Shown as plain text" not in shown


def test_fault_of_the_parser_costs_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails inside, the words are shown."""

    def fail(*, maths: bool) -> None:
        raise RuntimeError("parser fault")

    monkeypatch.setattr(markdown, "parser", fail)
    faults, shown = judge(markdown_html("**not seen before** <b>"))

    assert faults == []
    assert "**not seen before** <b>" in shown


def test_threads_share_the_parser() -> None:
    """Many threads at once get the same HTML as one alone."""
    texts = [f"# {n}\n\n[x](https://a.b/{n}) **{n}**\n\n```python\n{n}\n```" for n in range(40)]
    alone = [fragment_html(text, {}) for text in texts]
    together: dict[int, list[str]] = {}

    def work(number: int) -> None:
        together[number] = [fragment_html(text, {}) for text in texts]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert list(together.values()) == [alone] * 4


@pytest.mark.process
def test_importing_the_room_loads_no_parser() -> None:
    """markdown-it, nh3 and Pygments are loaded by the first answer, not by the import."""
    code = (
        "import sys, allos.render.answer, allos.render.markdown; "
        "print([m for m in ('markdown_it', 'nh3', 'pygments') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_block_runs_the_way_of_its_first_letter() -> None:
    """Headings, text, lists, quotes and tables of Hebrew or Arabic; code, and what is English, do not."""
    html = markdown_html(
        "## שלום\n\nמרחב *a*\n\n3. אחד\n4. two\n\n> مرحبا\n\n| שם | n |\n|---|:-:|\n| א | 1 |\n\n"
        "English שלום.\n\n- a\n- ב\n\n```\nשלום\n```\n"
    )

    assert re.findall(r"<(\w+)[^>]* dir=\"rtl\"", html) == ["h2", "p", "ol", "blockquote", "table"]
    assert '<th class="allos-right">שם</th>\n<th class="allos-mid">n</th>' in html
    assert "<p>English שלום.</p>" in html


def test_a_block_that_streams_runs_the_same_way() -> None:
    """Each block decides for itself."""
    text = "שלום\n\nHello\n\n- אחד\n- שתיים\n\nEnd"
    stream = MarkdownStream()
    for char in text:
        stream.add(char)

    assert markdown_html(text).startswith(f"{OPEN}\n{''.join(stream.blocks)}")


def test_hostile_text_from_right_to_left_is_inert() -> None:
    """A direction is all that it gains."""
    for _, text in HOSTILE:
        html = markdown_html(f"שלום {text[:300]}\n\n- א {text[:60]}")

        assert judge(html)[0] == []
