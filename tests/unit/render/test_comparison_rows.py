"""How prompts are named, and how many a static table shows."""

from __future__ import annotations

from allos.render.comparison_rows import MAX_TABLE_ROWS, row_label, rows_title, table_rows
from allos.render.comparison_table import comparison_html
from allos.render.comparison_text import comparison_text
from allos.render.comparison_view import CellView, ColumnView, ComparisonView, PromptView, RowView
from tests.support.hostile import HOSTILE
from tests.unit.render.comparison_views import answer
from tests.unit.render.test_comparison_table import faults


def prompt(index: int, text: str, /, **values: str) -> RowView:
    return RowView(index=index, prompt=PromptView(text=text), values=values)


def view(*texts: str) -> ComparisonView:
    """Two models, asked each of the texts; each answer is the text in capitals."""
    return ComparisonView(
        id="cmp_1",
        prompt=PromptView(text="Say {{ text }}"),
        columns=(ColumnView(index=0, name="groq/a"), ColumnView(index=1, name="groq/b")),
        cells=tuple(
            CellView(column=column, row=at, state="ok", response=answer(text.upper()))
            for column in (0, 1)
            for at, text in enumerate(texts)
        ),
        rows=tuple(prompt(at, f"Say {text}", text=text) for at, text in enumerate(texts)),
    )


def test_a_column_without_a_name_is_called_so() -> None:
    """An empty name, or one of which nothing can be seen, would leave a blank heading."""
    prompt = PromptView(text="Hello")
    rows = [RowView(index=0, prompt=prompt, values={"": "a", "\u200b": "b", "lang": "Thai"})]

    assert rows_title(rows) == "unnamed column, unnamed column, lang"


def test_a_prompt_is_named_by_what_was_put_in() -> None:
    """Without values by its own text; on one line, cut where it is long."""
    assert row_label(prompt(0, "Say a", text="a", tone="kind")) == "a · kind"
    assert row_label(prompt(0, "Two\nlines")) == "Two lines"
    assert len(row_label(prompt(0, "x" * 900))) <= 121


def test_the_column_of_prompts_is_named_by_its_values() -> None:
    """Few names stand there; of many, and of none, a word."""
    assert (
        rows_title([prompt(0, "", text="a"), prompt(1, "", text="b", tone="kind")]) == "text, tone"
    )
    assert rows_title([prompt(0, "Hi")]) == "prompt"
    assert rows_title([prompt(0, "", a="", b="", c="", d="")]) == "row"


def test_every_prompt_is_a_row_of_the_table() -> None:
    """As HTML and as text, each answer beside its prompt."""
    html, text = comparison_html(view("one", "two")), comparison_text(view("one", "two"))

    assert html.count('<th class="allos-row"') == 3
    assert [html.count(each) for each in ("<p>ONE</p>", "<p>TWO</p>")] == [2, 2]
    assert text.index("A  groq/a") < text.index("  one\n    ONE") < text.index("  two\n    TWO")


def test_a_long_table_says_what_it_leaves_out() -> None:
    """And where the rest is."""
    long = view(*(f"t{at}" for at in range(MAX_TABLE_ROWS + 3)))
    line = "3 more rows are not in this table. allos.comparison('cmp_1') shows all of them."

    assert table_rows(long)[1] == line
    assert comparison_html(long).count('<th class="allos-row"') == 1 + MAX_TABLE_ROWS
    assert line in comparison_text(long)


def test_hostile_prompts_are_inert() -> None:
    """Names of values and prompts are as untrusted as answers."""
    for _, text in HOSTILE:
        texts = [text.encode(errors="ignore").decode(), "harmless"]
        assert faults(comparison_html(view(*texts)), "cmp_1") == []
