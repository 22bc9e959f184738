"""Styles that an answer keeps where pages drop style sheets."""

from __future__ import annotations

import pytest

from allos.errors import ServerError
from allos.render.answer import answer_html
from allos.render.comparison_table import comparison_html
from allos.render.markdown import markdown_html
from allos.render.static_styles import with_inline_styles
from allos.response import ProviderResponse
from tests.support.judge import judge
from tests.unit.render.comparison_views import answer, comparison

TEXT = "# Part\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\nx = 1\n```\n\nWords `code`."


def test_cells_of_a_comparison_are_left_and_on_top() -> None:
    """Prose is not at the right edge, short answers are not at mid-height, code is not broken."""
    page = comparison_html(comparison(a_a=answer(TEXT), b_b=answer("Hi")))

    assert (
        page.count('<td align="left" valign="top" style="text-align:left;vertical-align:top">') >= 4
    )
    assert '<pre style="white-space:pre;word-break:normal;overflow-x:auto' in page
    assert "table-layout:fixed" in page


def test_many_columns_scroll_sideways() -> None:
    """Beside many others an answer keeps a width that can be read."""
    few = comparison_html(comparison(a_a=answer(TEXT), b_b=answer("Hi")))
    many = comparison_html(comparison(**{f"a_{name}": answer(TEXT) for name in "abcdefgh"}))

    assert 'class="allos-grid" style="table-layout:fixed;width:100%;min-width:20em">' in few
    assert "width:100%;min-width:80em" in many


@pytest.mark.parametrize("make", [answer_html, lambda r: comparison_html(comparison(a_a=r))])
def test_aligned_columns_stay_aligned(make: object) -> None:
    """A column of numbers in an answer stays at the right, in a cell as in a comparison."""
    page = make(answer(TEXT))  # type: ignore[operator]

    assert page.count("text-align:right;vertical-align:top") == 2


@pytest.mark.parametrize("make", [answer_html, lambda r: comparison_html(comparison(a_a=r))])
def test_wide_tables_and_long_words_stay_in_their_column(make: object) -> None:
    """A table scrolls and has no towers of words, a word breaks, and so does one of an error."""
    table = f"| a | b |\n|---|---|\n| 1 | {'some words ' * 5} |\n\n$$x$$"
    page = make(answer(table))  # type: ignore[operator]
    failed = make(ProviderResponse("", error=ServerError("x" * 300)))  # type: ignore[operator]
    refused = make(ProviderResponse("", refusal="x" * 300))  # type: ignore[operator]

    assert page.count('<div class="allos-wide" style="overflow-x:auto">') == 2
    assert page.count(";min-width:12em") == 1
    assert 'tex2jax_ignore" style="overflow-wrap:break-word">' in page
    assert '<div class="allos-err" style="overflow-wrap:break-word">' in failed
    assert '<div class="allos-refusal" style="overflow-wrap:break-word">' in refused


def test_words_that_look_like_tags_get_no_style() -> None:
    """What a model wrote is escaped before: styles are for our own tags."""
    page = answer_html(answer("`<td>` and <pre>"))

    assert with_inline_styles("&lt;td&gt;") == "&lt;td&gt;"
    assert "&lt;pre&gt;" in page
    assert not any("style" in fault for fault in judge(page)[0] if "sheet" not in fault)


def test_right_to_left_stays_at_the_right() -> None:
    """The page's own rules for cells set the side of what stands in them."""
    html = with_inline_styles(markdown_html("שלום\n\n2. אחד\n\n| שם |\n|---|\n| א |\n"))

    assert '<p dir="rtl" style="text-align:right">' in html
    assert '<ol start="2" dir="rtl" style="text-align:right">' in html
    assert '<table dir="rtl" style="margin-left:auto">' in html
    assert html.count('align="right"') == 2


def test_many_columns_share_a_width() -> None:
    """A few keep ten letters each on a narrow page; eighty do not make a page of them."""

    def width(columns: int) -> str:
        heads = "<th>A</th>" * columns
        styled = with_inline_styles(
            f'<table class="allos-grid">\n<thead><tr>{heads}</tr></thead></table>'
        )
        return styled.partition("min-width:")[2].partition('"')[0]

    assert [width(columns) for columns in (2, 12, 80)] == ["20em", "120em", "120em"]
