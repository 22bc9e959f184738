"""A comparison as plain text."""

from __future__ import annotations

from dataclasses import replace

from allos.messages import Message, MessageRole
from allos.render.comparison_text import comparison_text
from allos.render.comparison_view import ColumnView, PromptView
from tests.unit.render.comparison_views import ID, answer, comparison, repeats, with_params


def test_text_is_a_table_then_the_answers() -> None:
    """What `print` shows: numbers in columns, answers under their names, then the summary."""
    view = comparison(groq_llama=answer("Short."), openai_gpt=answer("x " * 80, cost_usd=None))
    view = with_params(view, {"temperature": 0.2}, {})

    assert comparison_text(view) == (
        "prompt: Explain gravity.\n"
        "\n"
        "   model       params           state  latency  first token          tokens      cost\n"
        "A  groq/llama  temperature 0.2  done    0.92 s       0.18 s  42 in, 187 out  $0.00002\n"
        "B  openai/gpt                   done    0.92 s       0.18 s  42 in, 187 out         –\n"
        "\n"
        "A  groq/llama  temperature 0.2\n"
        "    Short.\n"
        "\n"
        "B  openai/gpt\n"
        f"    {'x ' * 47}x\n"
        f"    {'x ' * 31}x\n"
        "\n"
        "first to finish A, B 0.92 s  cheapest A $0.00002  2 of 2 done  spent $0.00002 + 1 unknown\n"
        f"logged as {ID}"
    )
    assert comparison_text(replace(view, logged=False)).endswith(f"unknown\n{ID}")


def test_text_tells_what_was_not_as_usual() -> None:
    """What the page says below an answer stands behind its name: attempts, finish reason, replay."""
    odd = answer(attempts=3, finish_reason="length")
    view = repeats(odd, replace(answer("Other."), replayed=True))
    words = "  3 attempts (1 of 2)  cut at max_tokens (1 of 2)  replayed (1 of 2)\n"

    assert words in comparison_text(view)
    assert "\nNumbers are medians over the repeats; costs are totals.\n" in comparison_text(view)


def test_text_keeps_code_and_fits_a_terminal() -> None:
    """Prose is broken at 100 columns, code and long words are not; long names are cut."""
    code = "```\n" + "y = 1; " * 30 + "\n```"
    view = repeats(answer(f"{'word ' * 60}\n\n    {'deep ' * 40}\n{code}\n{' ' * 200}"))
    column = ColumnView(index=0, name=f"together/{'long-name-' * 20}", params={"stop": "s" * 90})
    prompt = PromptView.of([Message(MessageRole.USER, "why " * 100)])
    lines = comparison_text(replace(view, columns=(column,), prompt=prompt)).split("\n")

    assert {line for line in lines if len(line) > 100} == {f"    {'y = 1; ' * 30}"}
    assert any(line.startswith("        deep deep") for line in lines)
    assert any("together/long" in line and "…" in line for line in lines)
