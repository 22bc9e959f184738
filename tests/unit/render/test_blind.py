"""A comparison without what tells its models apart."""

from __future__ import annotations

from allos.errors import ServerError
from allos.render.blind import HIDDEN, blind_view
from allos.render.comparison_table import comparison_html
from allos.render.comparison_view import CellView, ColumnView, ComparisonView, PromptView
from allos.response import ProviderResponse

NAMES = ("groq/llama-3.1-8b", "openai/gpt-5-mini", "anthropic/claude-haiku-4-5")


def _view(rows: int, *, failed: bool = False, running: bool = False) -> ComparisonView:
    cells = []
    for column, name in enumerate(NAMES):
        for row in range(rows):
            facts = {"provider": name, "model": name, "latency_s": 1.5, "cost_usd": 0.25}
            error = ServerError("groq is down") if failed and column == 0 else None
            facts["status"] = "error" if error else "ok"
            response = ProviderResponse(f"answer {column}", metadata=facts, error=error)
            is_running = running and column == 2
            cells.append(
                CellView(
                    column=column,
                    row=row,
                    state="running" if is_running else "ok",
                    text="so far",
                    response=None if is_running else response,
                )
            )
    columns = tuple(
        ColumnView(index=at, name=name, params={"seed": at}) for at, name in enumerate(NAMES)
    )
    prompt = PromptView(text="Hi")
    return ComparisonView(id="cmp_1", prompt=prompt, columns=columns, cells=tuple(cells))


def test_no_name_and_no_number_is_left() -> None:
    """Of names, settings, times, costs and errors; the answers are all there."""
    html = comparison_html(blind_view(_view(1, failed=True)))

    assert html.count(HIDDEN) >= len(NAMES)
    for word in (*NAMES, "llama", "seed", "1.5 s", "0.25", "is down"):
        assert word not in html
    assert "answer 1" in html
    assert "answer 2" in html


def test_each_prompt_has_an_order_of_its_own() -> None:
    """The same for the same comparison, so that a table does not change when it is drawn again."""
    view = blind_view(_view(12))
    orders = {tuple(cell.text for cell in view.cells if cell.row == row) for row in range(12)}

    assert len(orders) > 2
    assert all(sorted(order) == ["answer 0", "answer 1", "answer 2"] for order in orders)
    assert view == blind_view(_view(12))


def test_no_text_is_shown_before_the_last_answer() -> None:
    """How fast one comes tells whose it is."""
    view = blind_view(_view(1, running=True))

    assert {(cell.state, cell.text, cell.response) for cell in view.cells} == {("queued", "", None)}
