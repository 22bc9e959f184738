"""Styles that an answer keeps where pages drop style sheets."""

from __future__ import annotations

import pytest

from allos.render.answer import answer_html
from allos.render.comparison_table import comparison_html
from allos.render.static_styles import with_inline_styles
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


@pytest.mark.parametrize("make", [answer_html, lambda r: comparison_html(comparison(a_a=r))])
def test_aligned_columns_stay_aligned(make: object) -> None:
    """A column of numbers in an answer stays at the right, in a cell as in a comparison."""
    page = make(answer(TEXT))  # type: ignore[operator]

    assert page.count("text-align:right;vertical-align:top") == 2


def test_words_that_look_like_tags_get_no_style() -> None:
    """What a model wrote is escaped before: styles are for our own tags."""
    page = answer_html(answer("`<td>` and <pre>"))

    assert with_inline_styles("&lt;td&gt;") == "&lt;td&gt;"
    assert "&lt;pre&gt;" in page
    assert not any("style" in fault for fault in judge(page)[0] if "sheet" not in fault)
