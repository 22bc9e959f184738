"""Formulas become MathML of a short list of elements, or nothing."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.render.mathml import MAX_FORMULA_CHARS, mathml
from tests.support.judge import judge

_PIECES = st.sampled_from(
    [
        *[
            r"{",
            r"}",
            r"[",
            r"]",
            r"^",
            r"_",
            r"&",
            r"\\",
            r"\(",
            r"x",
            r"1",
            r"'",
            r"~",
            r"%",
            r"$",
            r"#",
            r"<",
            r">",
            r"\frac",
            r"\sqrt",
            r"\left(",
            r"\right)",
            r"\middle|",
            r"\text{",
            r"\sum",
        ],
        *[
            r"\begin{matrix}",
            r"\end{matrix}",
            r"\begin{align}",
            r"\end{align}",
            r"\begin{array}{c}",
            r"\end{array}",
        ],
        *[
            r"\def",
            r"\newcommand",
            r"\href{",
            r"\class{",
            r"\style{",
            r"\color{",
            r"\hspace{",
            r"-9em}",
            r"\operatorname{",
            r"\over",
        ],
        *[
            r"\hat",
            r"\overline",
            r"\binom",
            r"\limits",
            r"\not",
            r"\tag{",
            r"\boxed{",
            r"\mathbf{",
            r"\unicode{",
            r"&lt;script&gt;",
        ],
        *("<script>", "javascript:", '" onload="x', "\u202e", "\x00", "é"),
    ]
)


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        ("x^2", "<msup><mi>x</mi><mn>2</mn></msup>"),
        (r"\frac{a}{b}", "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>"),
        (r"\alpha \le \infty", "<mi>α</mi><mo>≤</mo><mo>∞</mo>"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "<mtd><mn>2</mn></mtd></mtr><mtr>"),
        (r"\begin{aligned} a &= b \\ &= c \end{aligned}", '<mtd columnalign="right">'),
        (r"\begin{alignat}{2} a &= b \end{alignat}", '<mtd columnalign="right">'),
        (r"\begin{equation} a \label{e} \nonumber \end{equation}", "<mrow><mi>a</mi></mrow>"),
        (r"\begin{gather} a \\ b \end{gather}", "<mtr><mtd><mi>b</mi></mtd></mtr>"),
        (r"\begin{bmatrix} 1 \end{bmatrix}^\top", "<mo>]</mo></mrow><mo>⊤</mo></msup>"),
        (r"a \\ b", "<mtr><mtd><mi>b</mi></mtd></mtr>"),
        (r"\boxed{42}", "<mpadded><mrow><mn>42</mn></mrow></mpadded>"),
        (r"\boldsymbol{\theta} \mathbf{Ax}", "<mi>𝜽</mi></mrow><mrow><mi>𝐀</mi><mi>𝐱</mi></mrow>"),
        (r"a \not= b, x \not\in A", "<mo>≠</mo>"),
        (r"\arg\max_x", "<mo>arg</mo>"),
        (r"\lim_{n \to \infty} x", '<munder><mo movablelimits="true">lim</mo><mrow><mi>n</mi>'),
        (r"\max_x f", '<munder><mo movablelimits="true">max</mo><mi>x</mi></munder>'),
        (r"\operatorname*{arg\,min}_x f", '<munder><mo movablelimits="true">argmin</mo>'),
        (r"\operatorname{arg\,min} f", "<mo>argmin</mo>"),
        (r"\text{if } x < 0", "<mtext>if\u00a0</mtext><mi>x</mi><mo>&lt;</mo>"),
        ("50% of x", "<mi>%</mi><mi>o</mi><mi>f</mi><mi>x</mi>"),
        (r"\color{red}{x}", "<mstyle><mrow><mi>x</mi></mrow></mstyle>"),
    ],
)
def test_common_formulas_are_converted(tex: str, shown: str) -> None:
    """Fractions, matrices, environments and what models write most."""
    assert shown in mathml(tex, display=True)


@pytest.mark.parametrize(
    "tex",
    [
        r"\foo x",
        r"\frac{a",
        r"a & b",
        r"\ce{H2O}",
        r"\cancel{x}",
        r"\begin{foo} x \end{foo}",
        r"\begin{tikzpicture} x \end{tikzpicture}",
        r"\frac{a}",
        r"\sqrt[3]",
        r"\binom{n}",
        r"\href{https://example.org}{x}",
        r"\url{https://example.org}",
        r"\class{jp-Dialog}{x}",
        r"\cssId{a}{x}",
        r"\style{color:red}{x}",
        r"\htmlClass{a}{x}",
        r"\data{a=b}{x}",
        r"\includegraphics{a.png}",
        r"\require{html} x",
        r"\unicode{x202e}",
        r"\def\a{\a\a}\a",
        r"\newcommand{\a}{x}\a",
        r"\renewcommand\frac{x}",
        r"\DeclareMathOperator{\x}{y}",
        r"\left( x",
        "x" * (MAX_FORMULA_CHARS + 1),
        "{" * 60 + "x" + "}" * 60,
        r"\sqrt" * 60 + "x",
        "x^{" * 60 + "y" + "}" * 60,
    ],
)
def test_what_cannot_be_converted_gives_nothing(tex: str) -> None:
    """Unknown, incomplete, too much, or a command that defines, links, loads or styles."""
    assert mathml(tex) == ""


@given(tex=st.lists(_PIECES, max_size=60).map("".join))
def test_any_formula_is_inert(tex: str) -> None:
    """Only elements of formulas, with sizes and booleans; quickly."""
    began_s = time.process_time()
    converted = mathml(tex, display=True)
    faults, _ = judge(converted)

    assert [fault for fault in faults if "character" not in fault] == []
    assert not re.search(
        r"\s(?:class|style|href|src|on[a-z]+)=", re.sub(">[^<]*<", "><", converted)
    )
    assert time.process_time() - began_s < 1


@pytest.mark.parametrize("tex", [r"\hspace{-90em}x", r"\hspace{9999em}x"])
def test_sizes_are_small(tex: str) -> None:
    """A space that would move a formula over the page is none."""
    assert "width" not in mathml(tex)
