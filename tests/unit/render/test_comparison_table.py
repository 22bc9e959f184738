"""A comparison as an HTML table, and every state of a call in both forms."""

from __future__ import annotations

import html
import re
import time
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from allos.errors import IncompleteStreamError
from allos.messages import Message, MessageRole, ToolCall
from allos.render.comparison_columns import COLOURS, root_class
from allos.render.comparison_table import bare_comparison_html, comparison_html
from allos.render.comparison_text import comparison_text
from allos.render.comparison_view import CellView, ColumnView, ComparisonView, PromptView
from allos.render.plain import clean_text
from allos.render.style import COMPARISON_CSS, CSS, DIRECTION_CSS
from allos.response import ProviderResponse
from tests.support.hostile import HOSTILE, judge
from tests.unit.render.comparison_views import (
    ID,
    answer,
    comparison,
    finished,
    hostile,
    repeats,
    view_of,
    with_params,
)


def faults(page: str, comparison_id: str = ID) -> list[str]:
    """What must not be in the table; beside the usual, only its own classes may."""
    ours = {f"allos-c{slot}" for slot in range(COLOURS)} | {root_class(comparison_id)}
    sheets = frozenset({CSS + COMPARISON_CSS, CSS + COMPARISON_CSS + DIRECTION_CSS})
    return judge(page, styles=sheets, classes=frozenset(ours), images=True)[0]


def shown(view: ComparisonView) -> str:
    """Text that a reader sees; the HTML must be clean."""
    page = comparison_html(view)
    assert faults(page) == []
    words = re.sub(r"<style>.*?</style>|<br>|</pre>", " ", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", "", words).split())


def test_the_board_can_find_the_table_of_its_comparison() -> None:
    """The root holds a class made of the id; there is no data attribute, and no id but those of answers."""
    page = comparison_html(comparison(groq_llama=answer()))

    assert page.startswith(
        '<div class="allos-out allos-cmp allos-cmp-cmp_01kan3t5w8yq2b7c9d0efghjkm'
        ' mathjax_ignore tex2jax_ignore"><style>'
    )
    assert not re.search(r"<[^>]+ (data-[a-z]+|on[a-z]+)=", page)
    assert re.findall(r'<[^>]+ id="(.*?)"', page) == ["allos-cmp-cmp_01kan3t5w8yq2b7c9d0efghjkm-a1"]


def test_a_link_finds_each_answer_once() -> None:
    """By the letter of its model and the number of its prompt; of repeats the first."""
    page = comparison_html(repeats(answer("One"), answer("Two")))
    other = bare_comparison_html(comparison(groq_a=answer(), groq_b=answer()))

    assert re.findall(r' id="(.*?)"', page) == [f"{root_class(ID)}-a1"]
    assert re.findall(r' id="(.*?)"', other) == ["allos-a1", "allos-b1"]


def test_it_is_a_table_without_its_styles() -> None:
    """Three rows: models, answers, numbers; one cell in each for every column."""
    page = comparison_html(comparison(groq_llama=answer("**One**"), openai_gpt=answer("Two")))
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page, flags=re.S)
    words = [[re.sub(r"<[^>]+>", "", c) for c in re.split(r"</t[hd]>", r)[:-1]] for r in rows]

    assert [[" ".join(cell.split()) for cell in row] for row in words] == [
        ["A llamagroq", "B gptopenai"],
        ["One", "Two"],
        ["0.92 s · first token 0.18 s · 210 tok/s · 42 in, 187 out · $0.00002"] * 2,
    ]
    assert "<strong>One</strong>" in page


def test_the_last_line_sums_up() -> None:
    """Fastest, cheapest among known costs, how many are done, what was spent, where it is kept."""
    view = comparison(
        a_a=answer(latency_s=2.0, cost_usd=None), b_b=answer(cost_usd=0.5), c_c=answer(latency_s=9)
    )
    running = CellView(column=2, state="running")
    view = replace(view, cells=(*view.cells[:2], running))

    assert shown(view).endswith(
        "first to finish B 0.92 s at 210 tok/s · cheapest B $0.5 · 2 of 3 done · spent $0.5 + 1 unknown"
        f" · {ID}"
    )
    assert shown(replace(view, logged=False)).endswith("1 unknown · not logged")


def test_an_unknown_cost_says_why_on_hover() -> None:
    """Below the answer and in the last line; a known cost needs no word."""
    facts = {"provider": "vllm", "model": "<smollm2>"}
    page = comparison_html(comparison(a_a=answer(**facts, cost_usd=None), b_b=answer(cost_usd=0.5)))
    hint = 'title="no price known for vllm/&lt;smollm2&gt;"'

    assert faults(page) == []
    assert f"<span {hint}>cost unknown</span>" in page
    assert f"<b {hint}>$0.5 + 1 unknown</b>" in page
    assert "title=" not in comparison_html(comparison(b_b=answer(cost_usd=0.5)))


def test_the_question_stands_above_with_what_all_have_in_common() -> None:
    """System text, last prompt with its lines, shared parameters; the others stand at their column."""
    messages = (
        Message(MessageRole.SYSTEM, "Be <terse>."),
        Message(MessageRole.USER, "One"),
        Message(MessageRole.ASSISTANT, "Two"),
        Message(MessageRole.USER, "Three\nfour" + "x" * 5_000),
    )
    view = with_params(
        comparison(a_a=answer(), b_b=answer()),
        {"seed": 7, "temperature": 0},
        {"seed": 7, "temperature": 1},
    )
    view = replace(view, prompt=PromptView.of(messages), n=2)
    page = comparison_html(view)
    text = shown(view)

    assert text.startswith("system Be &lt;terse&gt;. prompt after 2 messages Three four")
    assert "Three<br>four" in page
    assert "x" * 1_989 + "… n = 2 · seed 7" in text
    assert "A a a · temperature 0" in text
    assert "One" not in text


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (CellView(column=0, state="queued"), "queued …"),
        (
            CellView(column=0, state="running", text="**Half** <b>"),
            "**Half** &lt;b&gt; running …",
        ),
        (
            CellView(
                column=0,
                state="waiting",
                attempt={"attempt": 1, "max_attempts": 5, "message": "Rate <limited>."},
            ),
            "waiting for try 2 of 5 … Rate &lt;limited&gt;.",
        ),
        (finished(ProviderResponse("Half", metadata={"status": "cancelled"})), "Half stopped"),
        (
            finished(
                ProviderResponse(
                    error=IncompleteStreamError("It broke."), metadata={"status": "error"}
                )
            ),
            "It broke.",
        ),
        (finished(ProviderResponse(refusal="No.")), "Refused. No."),
        (
            finished(ProviderResponse(tool_calls=[ToolCall("1", "f", {"x": 1})])),
            "f {&quot;x&quot;: 1}",
        ),
        (finished(ProviderResponse()), "The model returned no text."),
    ],
)
def test_every_state_shows_what_there_is(cell: CellView, words: str) -> None:
    """Unfinished, stopped, failed, refused, calling a tool, empty: each says so, in both forms."""
    view = view_of([ColumnView(index=0, name="a/b")], [cell])
    text = " ".join(comparison_text(view).split())

    assert words in shown(view)
    assert html.unescape(words) in text


def test_equal_repeats_stand_once() -> None:
    """Each distinct answer once, with how many gave it; numbers are medians, the cost is the sum."""
    same = repeats(answer("Canberra."), answer("Sydney."), answer("Canberra.\n", latency_s=3.0))
    text = shown(same)

    assert "2 of 3 repeats are the same Canberra. repeat 2 of 3 Sydney." in text
    assert (
        "median 0.92 s · first token 0.18 s · 210 tok/s · 42 in, 187 out · $0.00006 in all" in text
    )
    assert text.count("Canberra.") == 1
    assert "all 2 repeats are the same Hi" in shown(repeats(answer(), answer()))


def test_a_comparison_that_grows_is_shown_as_it_stands() -> None:
    """A column whose calls are not there yet, and no column at all, are no fault."""
    view = comparison(a_a=answer())
    odd = ColumnView(index=1, name="odd")

    assert "B odd" in shown(replace(view, columns=(*view.columns, odd)))
    assert "0 of 0 done" in shown(view_of([], []))
    assert "0 of 0 done" in comparison_text(view_of([], [], ()))


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_hostile_text_in_every_field_is_inert(text: str) -> None:
    """Whatever field a model, a server or a user writes to, the table holds only what it may."""
    view = hostile(text[:3_000])
    plain = comparison_text(view)
    started_s = time.process_time()
    page = comparison_html(view)

    assert faults(page, view.id) == []
    assert page.count("<table class=") == 1
    assert clean_text(plain) == plain
    assert time.process_time() - started_s < 4


@given(text=st.one_of(st.text(max_size=200), st.text(st.characters(), max_size=80)))
@settings(max_examples=settings.default.max_examples * 3 // 2)
@example(text="\u05e9\u05dc\u05d5\u05dd")  # runs from right to left
def test_any_text_is_inert(text: str) -> None:
    """The same holds for texts that nobody thought of."""
    view = hostile(text)
    plain = comparison_text(view)

    assert faults(comparison_html(view), view.id) == []
    assert clean_text(plain) == plain


def test_its_style_sheet_is_scoped_and_small() -> None:
    """Every rule lies under the table's own class, but for the one that hides the lost board behind
    it; nothing is loaded, every slot has a colour."""
    *selectors, gone = re.findall(r"(?:^|[{};])([^{};:]*[^{};]*?)\{", COMPARISON_CSS)

    assert gone.startswith(".jp-OutputArea-child:has(.allos-cmp)+")
    assert selectors[0] == ".allos-cmp.allos-cmp.allos-cmp"
    assert all(part.strip().startswith("& .") for s in selectors[1:] for part in s.split(","))
    assert not re.search(r"url\(|@import|https?:|expression|<", COMPARISON_CSS)
    assert len(COMPARISON_CSS) < 4_500
    assert all(f"& .allos-c{slot}{{" in COMPARISON_CSS for slot in range(COLOURS))
