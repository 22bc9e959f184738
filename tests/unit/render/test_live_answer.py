"""What a cell shows of an answer while it arrives."""

from __future__ import annotations

import re

import pytest

from allos.messages import ToolCall
from allos.render.answer import answer_html
from allos.render.live_answer import LiveAnswer
from allos.render.plain import clean_text
from allos.render.static_styles import with_inline_styles
from allos.response import ProviderResponse
from tests.support.hostile import HOSTILE, judge

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def live(text: str) -> LiveAnswer:
    """An answer of which this has arrived."""
    answer = LiveAnswer()
    answer.add_text(text)
    return answer


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_hostile_text_is_inert_while_it_streams(text: str) -> None:
    """At every cut only our elements, and no blank line."""
    for end in (1, len(text) // 3, len(text) // 2, len(text)):
        html = live(text[:end]).html()
        faults, _ = judge(html, styles=frozenset(_STYLE.findall(html)))

        assert faults == []
        assert "\n\n" not in html


def test_one_block_is_text_alone() -> None:
    """Half a block is not interpreted."""
    html = live("**a** [b](https://example.org) \x1b[31m<b>").html()

    assert '<pre class="allos-text">**a** [b](https://example.org) &lt;b&gt;</pre></div>' in html
    assert "<a" not in html


def test_finished_blocks_are_those_of_the_answer() -> None:
    """The finished answer begins with what was on the screen."""
    text = "# A\n\nSome *text*.\n\n```python\nx = 1\n```\nNow"
    shown = _STYLE.sub("", live(text).html())
    final = _STYLE.sub("", answer_html(ProviderResponse(text, metadata={"model": "m"})))
    rendered = shown.partition('</div>\n<pre class="allos-text">')[0]

    assert "<h1" in rendered
    assert final.startswith(with_inline_styles(rendered))


def test_state_is_a_quiet_line_below() -> None:
    """What is going on stands below the text, escaped; before the first word it stands alone."""
    assert "<small" not in live("x").html()
    assert (
        live("x")
        .html("try 2 <b>")
        .endswith(
            '<pre class="allos-text">x</pre><small class="allos-state">try 2 &lt;b&gt;</small></div>'
        )
    )
    assert "<pre" not in LiveAnswer().html("waiting")


def test_reasoning_has_its_line_above_from_the_beginning() -> None:
    """The finished answer has the same line, with the words in it: nothing moves."""
    answer = LiveAnswer()
    answer.add_reasoning("Hm. " * 300)
    answer.add_text("So.\n\n")
    html = answer.html()

    assert "<summary>Reasoning, 1,200 characters</summary></details>" in html
    assert html.index("Reasoning") < html.index("<p>So.</p>")


def test_text_that_was_reasoning_is_taken_back() -> None:
    """It is counted as reasoning."""
    answer = live("Hm.\n\nHm.")

    assert answer.take_back_text() == 8
    assert "Hm." not in answer.html()
    assert "Reasoning, 8 characters" in answer.html()


def test_steps_of_a_run_stand_below_each_other() -> None:
    """The text of a step, its calls, and the next one."""
    answer = live("I *look*.")
    answer.end_step([ToolCall("1", "weather", {"city": "<b>"})])
    answer.add_text("It rains.\n\nSo")
    html = answer.html()

    assert [
        html.index(part) for part in ("<em>look</em>", "<b>weather</b>", "<p>It rains.</p>")
    ] == sorted(
        html.index(part) for part in ("<em>look</em>", "<b>weather</b>", "<p>It rains.</p>")
    )
    assert "<b>&quot;" not in html
    assert answer.text() == clean_text("I *look*.\n→ weather\nIt rains.\n\nSo")
