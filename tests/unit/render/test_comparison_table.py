"""A comparison as a table and as text."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos.errors import IncompleteStreamError
from allos.messages import Message, MessageRole, ToolCall
from allos.render.comparison_columns import COLOURS, root_class
from allos.render.comparison_table import comparison_html, comparison_text
from allos.render.plain import clean_text
from allos.render.style import COMPARISON_CSS, CSS
from allos.response import ProviderResponse
from tests.support.hostile import HOSTILE, judge

_ID = "cmp_01KAN3T5W8YQ2B7C9D0EFGHJKM"
_FACTS: dict[str, Any] = {
    "latency_s": 0.92,
    "time_to_first_token_s": 0.18,
    "tokens_per_second": 209.8,
    "input_tokens": 42,
    "output_tokens": 187,
    "cost_usd": 0.00002,
    "finish_reason": "stop",
}


@dataclass
class Column:
    """What the table reads of a column."""

    index: int
    name: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Cell:
    """What the table reads of a call."""

    column: Column
    response: ProviderResponse | None = None
    sample_index: int = 0
    state: str = "ok"
    text: str = ""
    attempt: Mapping[str, Any] | None = None


@dataclass
class Comparison:
    """What the table reads of a comparison."""

    columns: list[Column]
    cells: list[Cell]
    messages: tuple[Message, ...] = (Message(MessageRole.USER, "Explain gravity."),)
    n: int = 1
    id: str = _ID


def answer(text: str = "Hi", **changes: Any) -> ProviderResponse:
    """Response with all facts of a call; None is unknown."""
    return ProviderResponse(text, metadata={**_FACTS, **changes})


def comparison(**answers: ProviderResponse) -> Comparison:
    """One column for each response, called after its keyword."""
    columns = [Column(at, name.replace("_", "/", 1)) for at, name in enumerate(answers)]
    return Comparison(columns, [Cell(c, r) for c, r in zip(columns, answers.values(), strict=True)])


def repeats(*responses: ProviderResponse) -> Comparison:
    """One column with a repeat for each response."""
    column = Column(0, "local/smollm2")
    cells = [Cell(column, response, at) for at, response in enumerate(responses)]
    return Comparison([column], cells, n=len(cells))


def faults(page: str, comparison_id: str = _ID) -> list[str]:
    """What must not be in the table; beside the usual, only its own classes may."""
    ours = {f"allos-c{slot}" for slot in range(COLOURS)} | {root_class(comparison_id)}
    return judge(page, styles=frozenset({CSS + COMPARISON_CSS}), classes=frozenset(ours))[0]


def shown(it: Comparison, **options: Any) -> str:
    """Text that a reader sees; the HTML must be clean."""
    page = comparison_html(it, **options)
    assert faults(page) == []
    words = re.sub(r"<style>.*?</style>|<br>|</pre>", " ", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", "", words).split())


def test_the_board_can_find_the_table_of_its_comparison() -> None:
    """The root holds a class made of the id; there is no id, no data and no style attribute."""
    page = comparison_html(comparison(groq_llama=answer()))

    assert page.startswith(
        '<div class="allos-out allos-cmp allos-cmp-cmp_01kan3t5w8yq2b7c9d0efghjkm'
        ' mathjax_ignore tex2jax_ignore"><style>'
    )
    assert not re.search(r"<[^>]+ (id|style|data-[a-z]+|on[a-z]+)=", page)


def test_it_is_a_table_without_its_styles() -> None:
    """Three rows: models, answers, numbers; one cell in each for every column."""
    page = comparison_html(comparison(groq_llama=answer("**One**"), openai_gpt=answer("Two")))
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page, flags=re.S)
    words = [[re.sub(r"<[^>]+>", "", c) for c in re.split(r"</t[hd]>", r)[:-1]] for r in rows]

    assert [[" ".join(cell.split()) for cell in row] for row in words] == [
        ["A llamagroq", "B gptopenai"],
        ["One", "Two"],
        ["0.92 s · first 0.18 s · 210 tok/s · 42 → 187 tok · $0.00002"] * 2,
    ]
    assert "<strong>One</strong>" in page


def test_the_last_line_sums_up() -> None:
    """Fastest, cheapest among known costs, how many are done, what was spent, where it is kept."""
    it = comparison(
        a_a=answer(latency_s=2.0, cost_usd=None), b_b=answer(cost_usd=0.5), c_c=answer(latency_s=9)
    )
    it.cells[2].response, it.cells[2].state = None, "running"

    assert shown(it).endswith(
        "fastest B 0.92 s · cheapest B $0.5 · 2 of 3 done · spent $0.5 + 1 unknown"
        f" · logged as {_ID}"
    )
    assert shown(it, logged=False).endswith(f"1 unknown · {_ID}")


def test_the_question_stands_above_with_what_all_have_in_common() -> None:
    """System text, last turn with its lines, shared parameters; the others stand at their column."""
    it = comparison(a_a=answer(), b_b=answer())
    it.messages = (
        Message(MessageRole.SYSTEM, "Be <terse>."),
        Message(MessageRole.USER, "One"),
        Message(MessageRole.ASSISTANT, "Two"),
        Message(MessageRole.USER, "Three\nfour" + "x" * 5_000),
    )
    it.n = 2
    for column, heat in zip(it.columns, (0, 1), strict=True):
        column.params = {"seed": 7, "temperature": heat}
    page = comparison_html(it)
    text = shown(it)

    assert text.startswith("system Be &lt;terse&gt;. prompt after 2 turns Three four")
    assert "Three<br>four" in page
    assert "x" * 1_989 + "… n = 2 · seed 7" in text
    assert "A a a · temperature 0" in text
    assert "One" not in text


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (Cell(Column(0, "a/b"), state="queued"), "queued …"),
        (
            Cell(Column(0, "a/b"), state="running", text="**Half** <b>"),
            "**Half** &lt;b&gt; running …",
        ),
        (
            Cell(
                Column(0, "a/b"),
                state="waiting",
                attempt={"attempt": 1, "max_attempts": 5, "message": "Rate <limited>."},
            ),
            "waiting for try 2 of 5 … Rate &lt;limited&gt;.",
        ),
        (
            Cell(Column(0, "a/b"), ProviderResponse("Half", metadata={"status": "cancelled"})),
            "Half stopped",
        ),
        (
            Cell(
                Column(0, "a/b"),
                ProviderResponse(
                    error=IncompleteStreamError("It broke."), metadata={"status": "error"}
                ),
            ),
            "It broke.",
        ),
        (Cell(Column(0, "a/b"), ProviderResponse(refusal="No.")), "Refused. No."),
        (
            Cell(Column(0, "a/b"), ProviderResponse(tool_calls=[ToolCall("1", "f", {"x": 1})])),
            "f {&quot;x&quot;: 1}",
        ),
        (Cell(Column(0, "a/b"), ProviderResponse()), "The model wrote no text."),
    ],
)
def test_every_state_shows_what_there_is(cell: Cell, words: str) -> None:
    """Unfinished, stopped, failed, refused, calling a tool, empty: each says so, in both forms."""
    it = Comparison([cell.column], [cell])
    text = " ".join(comparison_text(it).split())

    assert words in shown(it)
    assert html.unescape(words) in text


def test_equal_repeats_stand_once() -> None:
    """Each distinct answer once, with how many gave it; numbers are medians, the cost is the sum."""
    same = repeats(answer("Canberra."), answer("Sydney."), answer("Canberra.\n", latency_s=3.0))
    text = shown(same)

    assert "2 of 3 repeats are the same Canberra. repeat 2 of 3 Sydney." in text
    assert "median 0.92 s · first 0.18 s · 210 tok/s · 42 → 187 tok · $0.00006 in all" in text
    assert text.count("Canberra.") == 1
    assert "all 2 repeats are the same Hi" in shown(repeats(answer(), answer()))


def test_a_comparison_that_grows_is_shown_as_it_stands() -> None:
    """A column whose calls are not there yet, and no column at all, are no fault."""
    it = comparison(a_a=answer())
    it.columns.append(Column(1, "odd"))

    assert "B odd" in shown(it)
    assert "0 of 0 done" in shown(Comparison([], []))
    assert "0 of 0 done" in comparison_text(Comparison([], [], ()))


def test_text_is_a_table_then_the_answers() -> None:
    """What `print` shows: numbers in columns, answers under their names, then the summary."""
    it = comparison(groq_llama=answer("Short."), openai_gpt=answer("x " * 80, cost_usd=None))
    it.columns[0].params = {"temperature": 0.2}

    assert comparison_text(it) == (
        "prompt: Explain gravity.\n"
        "\n"
        "   model       params           state  latency   first    tokens      cost\n"
        "A  groq/llama  temperature 0.2  done    0.92 s  0.18 s  42 → 187  $0.00002\n"
        "B  openai/gpt                   done    0.92 s  0.18 s  42 → 187         –\n"
        "\n"
        "A  groq/llama  temperature 0.2\n"
        "    Short.\n"
        "\n"
        "B  openai/gpt\n"
        f"    {'x ' * 47}x\n"
        f"    {'x ' * 31}x\n"
        "\n"
        "fastest A, B 0.92 s  cheapest A $0.00002  2 of 2 done  spent $0.00002 + 1 unknown\n"
        f"logged as {_ID}"
    )


def test_text_tells_what_went_another_way() -> None:
    """What the page tells below an answer stands behind its name: attempts, endings, replay."""
    odd = answer(attempts=3, finish_reason="length")
    it = repeats(odd, replace(answer("Other."), replayed=True))
    words = "  3 attempts (1 of 2)  stopped: length (1 of 2)  replayed (1 of 2)\n"

    assert words in comparison_text(it)


def test_text_keeps_code_and_fits_a_terminal() -> None:
    """Prose is broken at 100 columns, code and long words are not; long names are cut."""
    code = "```\n" + "y = 1; " * 30 + "\n```"
    it = repeats(answer(f"{'word ' * 60}\n\n    {'deep ' * 40}\n{code}\n{' ' * 200}"))
    it.columns[0].name = f"together/{'long-name-' * 20}"
    it.columns[0].params = {"stop": "s" * 90}
    it.messages = (Message(MessageRole.USER, "why " * 100),)
    lines = comparison_text(it).split("\n")

    assert {line for line in lines if len(line) > 100} == {f"    {'y = 1; ' * 30}"}
    assert any(line.startswith("        deep deep") for line in lines)
    assert any("together/long" in line and "…" in line for line in lines)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE])
def test_hostile_text_in_every_field_is_inert(text: str) -> None:
    """Whatever field a model, a server or a user writes to, the table holds only what it may."""
    it = hostile(text[:3_000])
    plain = comparison_text(it)
    started_s = time.process_time()
    page = comparison_html(it)

    assert faults(page, it.id) == []
    assert page.count("<table class=") == 1
    assert clean_text(plain) == plain
    assert time.process_time() - started_s < 4


@given(text=st.one_of(st.text(max_size=200), st.text(st.characters(), max_size=80)))
@settings(max_examples=settings.default.max_examples * 3 // 2)
def test_any_text_is_inert(text: str) -> None:
    """The same holds for texts that nobody thought of."""
    it = hostile(text)
    plain = comparison_text(it)

    assert faults(comparison_html(it), it.id) == []
    assert clean_text(plain) == plain


def hostile(text: str) -> Comparison:
    """Comparison that holds a text wherever there can be one."""
    full = ProviderResponse(
        text,
        reasoning=text,
        refusal=text,
        tool_calls=[ToolCall("1", text, {text: text}), ToolCall("2", "f", {}, text, text)],
        error=IncompleteStreamError(text),
        metadata={**_FACTS, "provider": text, "model": text, "finish_reason": text},
    )
    columns = [Column(0, text, {text: 1, "stop": text}), Column(1, f"a/{text}", {"stop": [text]})]
    waiting = {"message": text, "attempt": 1, "max_attempts": 5}
    cells = [
        Cell(columns[0], full),
        Cell(columns[0], None, 1, text, text),
        Cell(columns[1], answer(text)),
        Cell(columns[1], None, 1, "waiting", text, waiting),
    ]
    asked = (Message(MessageRole.SYSTEM, text), Message(MessageRole.USER, text))
    return Comparison(columns, cells, asked, n=2, id=f"cmp_{text}")


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
