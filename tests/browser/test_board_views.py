"""The views of a board in Chromium, without JupyterLab: what is shown, what keys do, what differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from allos.errors import ServerError
from allos.render.comparison_view import CellView, ColumnView, ComparisonView, PromptView, RowView
from allos.response import ProviderResponse
from allos.runs.finished import FinishedComparison
from tests.support.board_page import BoardPage, shown
from tests.support.hostile import FLAG, HOSTILE
from tests.support.jupyter import Lab

MODELS = ("groq/llama-3.1-8b-instant", "openai/gpt-5-mini", "anthropic/claude-haiku-4-5")
TICKETS = ("Parcel late again", "Wrong size", "أين طلبي؟")
SORRY = "I am sorry that your parcel is late again. We will refund you today."
CARRIER = "I am sorry that your parcel is late again. I have **asked the carrier** where it is."
LABEL = (
    "- You can send it back.\n- A label is in your account, see `orders`.\n\n```python\nx = 1\n```"
)
ARABIC = "سنرد عليك اليوم."
VIEWS = ("Columns", "Grid", "Table", "Focus")


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A busy machine may be slow."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


class _Runnable(FinishedComparison):
    """Shows the buttons of a comparison that can run; nobody listens to them."""

    can_run = True


def source(
    *columns: Sequence[Sequence[str]], rows: Sequence[str] = TICKETS, system: str = "Be kind."
) -> FinishedComparison:
    """A board of answers: of each column the repeats to each prompt; an empty one has failed."""
    cells = []
    for column, prompts in enumerate(columns):
        for row, repeats in enumerate(prompts):
            for sample, text in enumerate(repeats):
                error = None if text else ServerError("The model is overloaded.", status_code=503)
                facts = {
                    "provider": MODELS[column % 3].partition("/")[0],
                    "status": "error" if error else "ok",
                    "latency_s": 0.9 + column,
                    "time_to_first_token_s": 0.2,
                    "output_tokens": len(text.split()),
                    "cost_usd": 0.0004 * (column + 1),
                    "finish_reason": "stop",
                }
                cells.append(
                    CellView(
                        column=column,
                        row=row,
                        sample_index=sample,
                        state="error" if error else "ok",
                        response=ProviderResponse(text, metadata=facts, error=error),
                    )
                )
    several = tuple(
        RowView(index=at, prompt=PromptView(text=f"Answer: {text}"), values={"subject": text})
        for at, text in enumerate(rows)
    )
    view = ComparisonView(
        id="cmp_01KAN3",
        prompt=PromptView(system=system, text="Answer: {{ subject }}"),
        columns=tuple(
            ColumnView(index=at, name=MODELS[at % 3], params={"seed": at // 3})
            for at in range(len(columns))
        ),
        cells=tuple(cells),
        rows=several if len(rows) > 1 else (),
        n=max(len(repeats) for prompts in columns for repeats in prompts),
    )
    return _Runnable(view)


def tickets() -> FinishedComparison:
    """Three models, three prompts, three repeats; one has failed."""
    return source(
        [[SORRY] * 3, [LABEL] * 3, [ARABIC] * 3],
        [[CARRIER, CARRIER, SORRY], [SORRY, LABEL, LABEL], [ARABIC] * 3],
        [[SORRY, CARRIER, LABEL], [""] * 3, [f"{ARABIC} {ARABIC}"] * 3],
    )


@pytest.fixture
def board(lab: Lab) -> Iterator[BoardPage]:
    with shown(lab.browser, tickets()) as page:
        yield page
        assert page.errors == []
        assert page.requests == []


def _choose(page: BoardPage, *names: str) -> None:
    for name in names:
        bar = page.board.locator(".bar")
        bar.get_by_role("button", name=re.compile(rf"^{name}( \d+|: off)?$")).click()


def _new(page: Page) -> list[str]:
    """What is marked as new, in the order of the page."""
    return page.evaluate(
        """() => [...CSS.highlights.get("allos-new") ?? []]
            .map((marked) => {
                const range = document.createRange();
                range.setStart(marked.startContainer, marked.startOffset);
                range.setEnd(marked.endContainer, marked.endOffset);
                return range;
            })
            .sort((a, b) => a.compareBoundaryPoints(Range.START_TO_START, b)).map(String)"""
    )


def test_who_types_at_once_loses_no_letter(lab: Lab) -> None:
    """The field for one more model is there with the click, also while the kernel is in a cell."""
    with shown(lab.browser, tickets(), second=False) as page:
        page.board.get_by_role("button", name="+ model").click()
        page.page.keyboard.type("groq/fdv?x")
        field = page.board.get_by_role("textbox", name="One more model")
        assert field.input_value() == "groq/fdv?x"


def test_a_grid_has_a_row_for_each_prompt(board: BoardPage) -> None:
    """Answers beside their prompt, equal repeats as one, an error where it happened."""
    rows = board.board.locator("tbody tr")

    expect(rows).to_have_count(3)
    expect(rows.nth(0).locator("th")).to_contain_text("Parcel late again")
    expect(rows.nth(0).locator("td").nth(0)).to_contain_text("all 3 repeats the same")
    second = rows.nth(0).locator("td").nth(1)
    expect(second).to_contain_text("2 of 3 repeats the same")
    second.get_by_role("button", name="Next repeat").click()
    expect(second.locator(".text")).to_contain_text("We will refund you")
    expect(rows.nth(1).locator("td").nth(2)).to_contain_text("The model is overloaded.")


def test_filters_and_search_leave_what_matches(board: BoardPage) -> None:
    """Each filter with its count; what is found is marked; Escape takes the search back."""
    filters = board.board.get_by_role("group", name="Filter").get_by_role("button")
    rows = board.board.locator("tbody tr")

    assert filters.all_inner_texts() == ["All 3", "Errors 1"]
    _choose(board, "Errors")
    expect(rows).to_have_count(1)
    expect(rows.locator("th")).to_contain_text("Wrong size")
    _choose(board, "All")
    board.board.focus()
    board.page.keyboard.press("/")
    board.page.keyboard.type("carrier")
    expect(rows).to_have_count(1)
    found = 'CSS.highlights.get("allos-found")?.size ?? 0'
    board.page.wait_for_function(f"({found}) > 0")
    board.page.keyboard.press("Escape")
    expect(rows).to_have_count(3)
    board.page.wait_for_function(f"({found}) === 0")


def test_the_table_sorts_and_opens(board: BoardPage) -> None:
    """By any of its heads; an answer of it is shown alone, and `f` returns."""
    _choose(board, "Table")
    lines = board.board.locator("tbody tr")
    head = board.board.locator("th", has_text="latency")
    head.get_by_role("button").click()
    head.get_by_role("button").click()

    expect(head).to_have_attribute("aria-sort", "descending")
    expect(lines.first.locator(".model")).to_contain_text("claude-haiku-4-5")
    lines.first.locator(".alone-link").click()
    expect(board.board.locator(".col")).to_have_count(1)
    expect(board.board.locator(".col")).to_have_attribute(
        "aria-label", "C, claude-haiku-4-5, anthropic"
    )
    board.board.focus()
    board.page.keyboard.press("f")
    expect(head).to_be_visible()


def test_differences_are_marked_over_the_answer(board: BoardPage) -> None:
    """What is new is highlighted, what is gone stands before it; the answer keeps its elements."""
    _choose(board, "Columns")
    board.board.focus()
    board.page.keyboard.press("d")
    second = board.board.locator(".col").nth(1)

    expect(second.locator("del")).to_have_text("We will refund you today")
    assert "".join(_new(board.page)[:4]).startswith("I have asked the carrier")
    expect(second.locator("strong")).to_have_text("asked the carrier")
    expect(second.locator(".differs")).to_have_text("8 words new, 5 gone")
    expect(board.board.locator(".col").first.locator("del")).to_have_count(0)
    board.board.get_by_role("combobox", name="Compare by").select_option("only here")
    expect(second.locator("del")).to_have_count(0)
    expect(second.locator(".differs")).to_contain_text("words that no other has")
    board.page.keyboard.press("Tab")
    _choose(board, "Diff")
    expect(second.locator(".differs")).to_have_text("")
    board.page.wait_for_function('CSS.highlights.get("allos-new").size === 0')


def test_repeats_are_compared_with_each_other(board: BoardPage) -> None:
    """Where they part; a column without another answer has nothing to compare."""
    _choose(board, "Columns", "Diff")
    board.board.get_by_role("combobox", name="Compare against").select_option("against repeats")
    first, second, third = board.board.locator(".col").all()

    expect(second.locator(".differs")).to_contain_text("new")
    expect(third.locator(".differs")).to_contain_text("new")
    expect(first.locator(".differs")).to_have_text("")
    expect(second.locator(".rep")).to_contain_text("alike for 9 words")


def test_json_is_compared_by_what_it_says(lab: Lab) -> None:
    """Order and blanks do not matter, a value does."""
    answers = ['{"b": 1, "a": 2}', '```json\n{"a": 2,\n "b": 1}\n```', '{"a": 3, "b": 1}']
    with shown(lab.browser, source(*([[each]] for each in answers), rows=["one"])) as page:
        _choose(page, "Diff")
        page.board.get_by_role("combobox", name="Compare by").select_option("JSON")
        _, second, third = page.board.locator(".col").all()

        expect(second.locator(".differs")).to_have_text("no difference")
        expect(third.locator(".differs")).to_have_text("1 lines new, 1 gone")
        expect(third.locator("del")).to_have_text('"a": 2,')


def test_columns_are_pinned_moved_and_hidden(board: BoardPage) -> None:
    """From the list of each column; what is hidden comes back by one button."""
    heads = board.board.locator("thead .name b")

    def choose(letter: str, item: str) -> None:
        board.board.locator(f'select[aria-label^="More for {letter},"]').select_option(item)

    choose("C", "Pin to the front")
    expect(heads.first).to_have_text("claude-haiku-4-5")
    choose("B", "Move left")
    assert heads.all_inner_texts() == [
        name.partition("/")[2] for name in (MODELS[2], *MODELS[1::-1])
    ]
    choose("A", "Hide")
    expect(heads).to_have_count(2)
    board.board.get_by_role("button", name="1 hidden: show").click()
    expect(heads).to_have_count(3)


def test_any_variable_becomes_columns_rows_or_colours(board: BoardPage) -> None:
    """Three lists below the toolbar; answers that share a place are turned to, each with its name."""
    _choose(board, "Arrange")
    choices = board.board.get_by_role("group", name="Arrange")

    def choose(name: str, value: str) -> None:
        choices.get_by_role("combobox", name=name).select_option(value)
        board.page.evaluate("null")  # what the page has sent comes before its answer
        board.flush()

    choose("Columns", "subject")
    heads, rows = board.board.locator("thead th .name b"), board.board.locator("tbody tr")
    expect(heads).to_have_text(list(TICKETS))
    expect(rows.locator("th .label")).to_have_text(list(MODELS))
    expect(rows.nth(0).locator("td").nth(1)).to_contain_text("all 3 repeats the same")

    choose("Columns", "model")
    choose("Rows", "repeat")
    place = rows.nth(0).locator("td").nth(2)
    expect(place).to_contain_text(TICKETS[0])
    place.get_by_role("button", name="Next repeat of").click()
    expect(place).to_contain_text(TICKETS[1])

    choose("Colour", "subject")
    expect(place).to_have_class(re.compile(r"\bown\b"))
    choices.get_by_role("button", name="As asked").click()
    expect(choices.get_by_role("combobox", name="Columns")).to_have_value("model")
    board.flush()
    expect(choices.get_by_role("combobox", name="Columns")).to_have_value("")


def test_keys_and_buttons_reach_the_kernel(board: BoardPage) -> None:
    """Run, retry what failed, one more model; a letter in a field is a letter."""
    board.board.get_by_role("button", name="+ model").click()
    expect(board.board.get_by_role("textbox", name="One more model")).to_be_focused()
    board.page.keyboard.type("groq/fd")
    board.page.keyboard.press("Enter")
    board.board.get_by_role("button", name="Retry failed 3").click()
    board.page.keyboard.press("?")
    expect(board.board.locator(".help")).to_contain_text("show differences")
    board.page.keyboard.press("Escape")
    expect(board.board.locator(".help")).to_have_count(0)
    board.page.keyboard.press("2")

    assert board.actions == [
        {"action": "add", "model": "groq/fd"},
        {"action": "retry_failed"},
    ]
    expect(board.board.locator(".diff select")).to_have_count(0)


def test_a_long_board_has_in_the_page_what_is_seen(lab: Lab) -> None:
    """Its texts come when they are seen; the last row is there once it is scrolled to."""
    count = 400
    rows = [f"row {at}" for at in range(count)]
    with shown(lab.browser, source([[f"answer {at}"] for at in range(count)], rows=rows)) as page:
        page.page.wait_for_timeout(300)
        page.flush()
        expect(page.board.locator("td .text").first).to_have_text("answer 0")
        assert page.board.locator("tbody tr th").count() < 80
        assert sum(len(action["cells"]) for action in page.actions) < 80

        page.board.locator(".scroller").evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
        expect(page.board.get_by_role("button", name="row 399", exact=True)).to_be_attached()
        page.page.wait_for_timeout(200)
        page.flush()
        expect(page.board.locator("td .text", has_text="answer 399")).to_be_attached()
        spread = """(box) => {
            const inner = box.getBoundingClientRect();
            const rows = [...box.querySelectorAll("tbody tr:not([aria-hidden])")];
            return [rows[0].getBoundingClientRect().top - inner.top,
                    rows.at(-1).getBoundingClientRect().bottom - inner.bottom];
        }"""
        for place in (0.5, 0.2, 0):  # the window is full, and its ends are out of sight
            page.board.locator(".scroller").evaluate(
                f"(box) => {{ box.scrollTop = {place} * box.scrollHeight; }}"
            )
            page.page.wait_for_timeout(200)
            above, below = page.board.locator(".scroller").evaluate(spread)
            assert below > 0, (place, above, below)
            assert above < 0 or not place, (place, above, below)
        page.board.locator(".search input").fill("answer 123")
        page.page.wait_for_timeout(500)
        page.flush()
        expect(page.board.locator("tbody tr th.row")).to_have_count(1)
        assert page.errors == []


_AXE = files("axe_playwright_python").joinpath("axe.min.js")
_RUN_AXE = """() => axe.run(".allos-board", {resultTypes: ["violations"]}).then((found) =>
    found.violations.map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 160))]))"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_view_is_accessible(lab: Lab, dark: bool) -> None:
    """axe-core finds nothing: names, roles, contrast."""
    with shown(lab.browser, tickets(), dark=dark) as page:
        page.page.evaluate(_AXE.read_text("utf-8"))
        found: dict[str, Any] = {}
        for view in VIEWS:
            _choose(page, view)
            found[view] = page.page.evaluate(_RUN_AXE)
        _choose(page, "Grid", "Diff")
        page.board.get_by_role("button", name="Keys").click()
        page.board.get_by_role("button", name="+ model").click()
        expect(page.board.locator("del").first).to_be_visible()
        found["open"] = page.page.evaluate(_RUN_AXE)
        page.board.get_by_role("button", name="Arrange").click()
        page.board.get_by_role("combobox", name="Columns").select_option("subject")
        page.page.evaluate("null")
        page.flush()
        expect(page.board.locator("td.own").first).to_be_visible()
        found["arrange"] = page.page.evaluate(_RUN_AXE)

        assert [each for each in found.items() if each[1]] == []


@pytest.mark.parametrize("width", [480, 700, 1300, 1900])
def test_nothing_leaves_the_board(lab: Lab, width: int) -> None:
    """At any width: what is too wide scrolls in its own box."""
    with shown(lab.browser, tickets()) as page:
        page.page.set_viewport_size({"width": width, "height": 900})
        for view in VIEWS:
            _choose(page, view)
            overflow = page.page.evaluate(
                """() => [document.documentElement.scrollWidth - innerWidth,
                    ...[...document.querySelectorAll(".bar, .head, .cols, .sum")].map(
                        (each) => each.scrollWidth - each.clientWidth)]"""
            )
            assert max(overflow) <= 0, view


def test_hostile_texts_do_nothing_in_any_view(lab: Lab) -> None:
    """As answers, prompts, names of values and errors; with differences and a search over them."""
    texts = [text.encode(errors="ignore").decode() for _, text in HOSTILE]
    short = [text[:2_000] or "-" for text in texts]
    shifted = [*texts[1:], texts[0]]
    board = source([[t or "-"] for t in texts], [[t or "-"] for t in shifted], rows=short)
    with shown(lab.browser, board) as page:
        page.page.evaluate(
            f"""() => {{ let count = 0; Object.defineProperty(window, "{FLAG}",
                {{ get: () => count, set: () => {{ count += 1; }} }}); }}"""
        )
        page.updates.send_texts([cell["key"] for cell in page.updates.snapshot()["cells"]])
        page.flush()
        for view in ("Columns", "Table", "Grid"):
            _choose(page, view)
            scroller = page.board.locator(".scroller")
            for _ in range(0 if view == "Columns" else 12):
                scroller.evaluate("(box) => { box.scrollTop += box.scrollHeight / 12; }")
                page.page.wait_for_timeout(40)
        _choose(page, "Diff")
        for unit in ("sentences", "only here", "JSON", "words"):
            page.board.get_by_role("combobox", name="Compare by").select_option(unit)
            page.page.wait_for_timeout(150)
        page.board.locator(".search input").fill("script <img")
        page.page.wait_for_timeout(500)
        page.flush()
        kept = "script, iframe, object, embed, form, base, link, meta, [onerror], [onload]"

        assert page.page.evaluate(f"() => window.{FLAG}") == 0
        assert page.board.locator(kept.replace("form, ", "")).count() == 0
        assert page.requests == []
        assert page.errors == []
        assert len(page.page.context.pages) >= 1
