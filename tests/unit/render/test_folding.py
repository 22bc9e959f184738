"""Long answers of a comparison, folded behind their beginning."""

from __future__ import annotations

import pytest

from allos.render.answer import body_html
from allos.render.folding import folded
from tests.support.hostile import HOSTILE
from tests.support.judge import judge
from tests.unit.render.comparison_views import answer

PART = "## Part\n\n" + "Gravity bends space. " * 30 + "\n\n- one\n- two > three & `<i>`\n\n"


def test_the_rest_of_a_long_answer_is_folded() -> None:
    """It begins in sight, and nothing of it is lost; how long it is stands on the fold."""
    whole = body_html(answer(PART * 6))
    page = folded(whole)
    head, _, rest = page.partition('<details class="allos-rest"><summary>')

    assert head.count("<h2") == 2
    assert rest.count("<h2") == 4
    assert "words</summary>" in rest
    assert page.count("<div") == page.count("</div>")
    assert page.count("Gravity bends") == whole.count("Gravity bends")


@pytest.mark.parametrize("text", ["Hi", PART, "word " * 2_000, "```\n" + "x = 1\n" * 600 + "```"])
def test_what_is_short_or_one_block_stays_whole(text: str) -> None:
    """A click for a few lines is not worth it, and a block is not cut."""
    page = body_html(answer(text))

    assert folded(page) == page


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_folding_makes_nothing_live(text: str) -> None:
    """Behind a fold a hostile text is as inert as before it."""
    page = body_html(answer(PART * 3 + text[:3_000] + PART * 3))

    assert judge(folded(page), images=True)[0] == judge(page, images=True)[0] == []
