"""Which parts of an answer are formulas, and what stands in the page for them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from allos.render import maths
from allos.render.markdown import markdown_html
from tests.support.judge import judge


def sources(text: str) -> list[str]:
    """Sources of the formulas that were found and converted."""
    return re.findall(r'<code class="allos-tex">(.*?)</code>', markdown_html(text), re.DOTALL)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Let $x^2$ be.", ["$x^2$"]),
        (r"Let \(x\) be.", [r"\(x\)"]),
        ("So $$x$$ holds.", ["$$x$$"]),
        (r"So \[x\] holds.", [r"\[x\]"]),
        ("$$\nx\n- y\n$$", ["$$\nx\n- y\n$$"]),
        ("\\[\nx\n= y\n\\]", ["\\[\nx\n= y\n\\]"]),
        ("So\n$$\nx\n$$\nholds.", ["$$\nx\n$$"]),
        ("\\begin{align}\na &= b\n\\end{align}", ["\\begin{align}\na &amp;= b\n\\end{align}"]),
        ("$$ a $$ and $$ b $$", ["$$ a $$", "$$ b $$"]),
        ("> \\[\n> x\n> \\]", ["\\[\nx\n\\]"]),
        ("1. So\n   $$\n   x\n   $$\n2. \\(y\\)", ["$$\n   x\n   $$", r"\(y\)"]),
        ("| a |\n|---|\n| $x_1$ and $x_2$ |", ["$x_1$", "$x_2$"]),
        ("**$x$** and *\\(y\\)*", ["$x$", r"\(y\)"]),
        (r"$a_1 * b * c_2$", ["$a_1 * b * c_2$"]),
        ("$2x$ and $10$", ["$2x$", "$10$"]),
    ],
)
def test_formulas_are_found(text: str, found: list[str]) -> None:
    """By every delimiter, in a line or as a block, wherever text stands."""
    assert sources(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10.",
        "$5-$10, $5/$10, ($5, $10), $5K–$10K",
        "US$5 or A$6, 5$ or 6$",
        "C$5, 6$; €7 or HK$8/9$",
        "$5 or 6$, $7 to 8$, $9 vs 10$",
        "**$5** and **$10**",
        "from $5 for tea, up to 9$",
        "$HOME/$USER and $PATH",
        "$ x $",
        "$x `y$` z",
        "$x\n\ny$",
        "$$x\n\ny$$",
        "```\n$x$\n```",
        "`$x$`",
        r"\$x\$",
        "a $x",
        r"\[ a",
        "\\begin{align} x",
        "$$",
    ],
)
def test_prices_variables_and_code_are_no_formulas(text: str) -> None:
    """They stand there as they were typed."""
    html = markdown_html(text)
    _, shown = judge(html)

    assert "<math" not in html
    assert "allos-tex" not in html
    assert shown.count("$") == text.count("$")


def test_words_behind_a_block_are_kept() -> None:
    """A formula takes its own lines alone."""
    _, shown = judge(markdown_html("\\[x\\] and more\n\n$$y$$ and more\n\n\\[a\nb\\] and more"))

    assert shown.count("and more") == 3


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (r"So $\foo$.", r"<p>So <code>$\foo$</code>.</p>"),
        (r"So \(\foo\).", r"<p>So <code>\(\foo\)</code>.</p>"),
        ("$$\n\\foo\n$$", "<pre><code>$$\n\\foo\n$$</code></pre>"),
        ("\\[\\href{x}{y}\\]", "<pre><code>\\[\\href{x}{y}\\]</code></pre>"),
    ],
)
def test_a_formula_that_cannot_be_converted_shows_its_source(text: str, html: str) -> None:
    """As code, with its delimiters."""
    assert html in markdown_html(text)


def test_a_page_that_drops_mathml_shows_the_source() -> None:
    """The source stands beside the formula, which is hidden where nothing shows it."""
    html = markdown_html("Let $x^2$ be.")

    assert (
        '<code class="allos-tex">$x^2$</code><span class="allos-math" hidden="hidden"><rp><math'
        in html
    )


def test_conversion_has_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it a formula shows its source, and nothing is lost."""
    long = "x + " * 100 + "x"
    many = markdown_html(f"$${long}$$\n\n" * 60)
    monkeypatch.setattr(maths, "MAX_CONVERSION_S", -1.0)
    late = markdown_html("It is $x$ too late.")

    assert many.count("<math") == maths.MAX_FORMULA_CHARS_IN_ALL // len(long)
    assert many.count("<math") + many.count("<pre><code>") == 60
    assert "<code>$x$</code>" in late


@pytest.mark.process
def test_an_answer_without_formulas_loads_none_of_it() -> None:
    """The plugins and the converter are loaded by the first formula."""
    code = (
        "import sys; from allos.render.markdown import markdown_html; markdown_html('**Hi** `x`'); "
        "print([m for m in ('mdit_py_plugins', 'latex2mathml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
