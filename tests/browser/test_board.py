"""The live comparison board in JupyterLab in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.support.fake_server import FakeServer, Fault, Reply
from tests.support.jupyter import Lab, Notebook
from tests.support.jupyter.notebook import PICTURES, VIEWPORT

THREE = ["groq/llama-3.1-8b-instant", "openai/gpt-4.1-mini", "anthropic/claude-haiku-4-5"]
LLAMA, GPT, CLAUDE = (name.partition("/")[2] for name in THREE)
EIGHT = [
    *THREE,
    "mistral/mistral-small-latest",
    "together/meta-llama/Llama-3-70b-chat-hf",
    "deepseek/deepseek-chat",
    "fireworks/accounts/fireworks/models/qwen3-30b-a3b",
    "openrouter/google/gemma-3-27b-it",
]

SHORT = """Gravity is like an **invisible hug** from the Earth. It pulls everything toward the \
ground, which is why your ball comes back when you throw it up.

The bigger something is, the stronger its hug: the Sun hugs the Earth so tightly that we go round \
and round it every year. See `F = G·m₁·m₂/r²`."""

LONG = f"""{SHORT}

- Apples fall.
- The Moon falls too, but *sideways*.

```python
def fallen_m(t_s: float) -> float:
    return 0.5 * 9.81 * t_s**2
```

| where | g in m/s² |
| --- | ---: |
| Earth | 9.81 |
| Moon | 1.62 |

And that is all there is to it, apart from general relativity, which is another story for another \
evening.
"""

ROLLING = """Think of a trampoline with a bowling ball in the middle. If you roll a marble across \
it, the marble curves toward the ball, because the ball bends the sheet. The Earth bends space in \
the same way. """


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A busy machine may be slow."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as started:
        yield started


def _open(
    lab: Lab, server: FakeServer, models: list[str], arguments: str = "", *more: str
) -> tuple[Notebook, Locator]:
    """Open a notebook whose second cell shows the board of a comparison `c`."""
    names = {name.partition("/")[0] for name in models}
    # Calls with one key to one host share its limits, so that each service has a key of its own.
    environment = {f"{name.upper()}_API_KEY": f"sk-test-key-{name}" for name in names} | {
        f"{name.upper()}_BASE_URL": server.url if name == "anthropic" else server.base_url
        for name in names
    }
    lab.write(
        "board.ipynb",
        f"import os\nos.environ.update({environment!r})\nimport allos\n"
        "from allos.notebook.board import make_board",
        "c = allos.compare('Explain gravity to a child in three sentences.', "
        f"models={models!r}{arguments})\ndisplay(make_board(c))",
        *more,
    )
    notebook = lab.open("board.ipynb")
    notebook.run_cell(0)
    notebook.run_cell(1)
    return notebook, notebook.outputs(1).locator(".allos-board")


def _column(board: Locator, model: str) -> Locator:
    return board.locator(f'section.col[aria-label*=", {model}, "]')


def _state(column: Locator, state: str) -> None:
    expect(column).to_have_attribute("data-state", state)


def _picture(board: Locator, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    board.screenshot(path=str(PICTURES / f"{name}.png"), animations="disabled")


def test_columns_stream_at_once_while_another_cell_runs(lab: Lab, server: FakeServer) -> None:
    """One model is done, one streams, one waits for its next try, and the notebook goes on."""
    server.script(*[Reply(text=text, delay_s=0.002) for text in (LONG, LONG, SHORT)], on=LLAMA)
    server.reply(Reply(text=ROLLING * 4, delay_s=0.08, first_delay_s=0.4), on=GPT)
    server.reply(Fault.status(429, retry_after=30, message="50 requests a minute."), on=CLAUDE)
    notebook, board = _open(lab, server, THREE, ", temperature=0.2, n=3", "'the next cell'")
    done, streaming, waiting = (_column(board, name) for name in (LLAMA, GPT, CLAUDE))
    _state(done, "ok")
    expect(done.locator(".rep")).to_contain_text("2 of 3 repeats the same")
    expect(streaming.locator(".plain")).to_contain_text("marble curves")
    expect(streaming.locator(".word")).to_have_text(re.compile(r"\d+ tok/s"))
    expect(waiting.locator(".word")).to_have_text(re.compile(r"try 2 of 6 in \d+ s"))
    _picture(board, "board-light")
    notebook.run_cell(2)
    expect(notebook.outputs(2)).to_contain_text("the next cell")
    before = streaming.locator(".plain").inner_text()
    notebook.set_theme("dark")
    _picture(board, "board-dark")

    expect(streaming.locator(".plain")).not_to_have_text(before)
    _state(streaming, "running")
    expect(done.locator("strong").first).to_have_text("invisible hug")
    expect(waiting.locator(".aside")).to_contain_text("Rate limited (429). 50 requests a minute.")
    expect(board.locator(".sum")).to_contain_text("of 9 done")
    expect(board.locator(".chips")).to_have_text("n = 3temperature 0.2")
    assert notebook.foreign_requests == []
    assert notebook.errors == []


WIDE = r"""Here is *how*, with $\frac{1}{2} g t^2$ metres:

```python
total_m = sum(fallen_m(t_s) for t_s in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
```

| where | g in m/s² | what falls there | what does not fall there, whatever one does |
| --- | ---: | --- | --- |
| Earth | 9.81 | apples | birds, for as long as they are in the mood for flying |
| Moon | 1.62 | a feather | a bird, for it has nothing there on which to fly |

1. First.
2. Second.

"""


def test_blocks_are_rendered_while_they_stream(lab: Lab, server: FakeServer) -> None:
    """Code, table, list and formula are there before the end, and stay as they are; wide ones scroll
    inside their column, with a faded edge."""
    server.reply(Reply(text=WIDE + ROLLING * 9, delay_s=0.03), on="m")
    notebook, board = _open(lab, server, ["groq/m"])
    notebook.page.set_viewport_size({"width": 520, "height": 900})
    column = _column(board, "m")
    expect(column.locator(".allos-md li")).to_have_count(2)
    _state(column, "running")
    expect(column.locator(".plain")).to_contain_text("trampoline")
    _picture(board, "board-blocks")
    before = column.locator(".allos-md").inner_html()
    _state(column, "ok")

    assert column.locator(".allos-md").inner_html().strip().startswith(before.strip())
    expect(column.locator("math")).to_have_count(1)
    expect(column.locator("td").first).to_have_text("Earth")
    for box in (column.locator("pre"), column.locator(".allos-wide")):
        assert box.evaluate("e => e.scrollWidth > e.clientWidth")
        assert "linear-gradient" in box.evaluate("e => getComputedStyle(e).maskImage")
    heights = column.locator("tr").evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert max(heights) < 90
    assert notebook.errors == []


def test_an_answer_that_is_expanded_changes_no_neighbour(lab: Lab, server: FakeServer) -> None:
    """A short answer and an error have no more lines than before."""
    server.reply(Reply(text=LONG), on="long")
    server.reply(Reply(text="Short."), on="short")
    server.reply(Fault.status(404, message="The model `bad` does not exist."), on="bad")
    _, board = _open(lab, server, ["groq/long", "groq/short", "groq/bad"])
    for name, state in (("long", "ok"), ("short", "ok"), ("bad", "error")):
        _state(_column(board, name), state)
    _column(board, "long").locator(".more").click()
    expect(_column(board, "long").locator(".more")).to_have_text("Show less")
    _picture(board, "board-expanded")

    for name in ("short", "bad"):
        expect(_column(board, name).locator(".more")).to_be_hidden()


def test_answers_and_code_are_copied(lab: Lab, server: FakeServer) -> None:
    """The answer as its Markdown, a block of code as its text, and the button says so."""
    server.reply(Reply(text=LONG), on="m")
    notebook, board = _open(lab, server, ["groq/m"])
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    column = _column(board, "m")
    _state(column, "ok")
    # A button beside "more lines" takes nothing from the column's width.
    inset = column.evaluate(
        "e => e.getBoundingClientRect().right - e.querySelector('.text').getBoundingClientRect().right"
    )
    copied = []
    for label in ("Copy the code", "Copy the answer of A, m"):
        button = column.get_by_label(label)
        button.click()
        expect(column.get_by_text("Copied").first).to_be_visible()
        copied.append(notebook.page.evaluate("navigator.clipboard.readText()"))

    assert inset == pytest.approx(14, abs=1)
    assert copied == [LONG.partition("```python\n")[2].partition("\n```")[0], LONG.strip()]


def test_a_call_that_waits_for_its_turn_is_queued(lab: Lab, server: FakeServer) -> None:
    """No clock runs while the limits hold it back; with its turn it writes."""
    server.reply(Reply(text=ROLLING * 20, delay_s=0.05), on="slow")
    notebook, board = _open(lab, server, ["groq/slow"], ", n=2, max_in_flight=1")
    column = _column(board, "slow")
    expect(column.locator(".plain")).to_contain_text("marble")
    board.get_by_label("Next repeat of A").click()
    _state(column, "queued")
    expect(column.locator(".word")).to_have_text("queued")
    expect(column.locator(".nums")).to_have_text("–")
    _picture(board, "board-queued")
    board.get_by_label("Previous repeat of A").click()
    column.get_by_role("button", name="Stop").click()
    _state(column, "cancelled")
    board.get_by_label("Next repeat of A").click()
    expect(column.locator(".plain")).to_contain_text("Think of a trampoline")
    expect(column.locator(".nums")).to_contain_text("first")
    assert notebook.errors == []


def test_repeats_are_paged(lab: Lab, server: FakeServer) -> None:
    """The pager walks through the repeats of a column, there and back."""
    server.script("one", "two", "three", on="m")
    _, board = _open(lab, server, ["groq/m"], ", n=3")
    expect(board.locator(".sum")).to_contain_text("3 of 3 done")
    seen = set()
    for place in ("1 / 3", "2 / 3", "3 / 3"):
        expect(board.locator(".pager")).to_contain_text(place)
        seen.add(board.locator(".allos-md").inner_text())
        board.get_by_role("button", name="Next repeat of A, m").click()

    expect(board.locator(".pager")).to_contain_text("1 / 3")
    assert seen == {"one", "two", "three"}


def test_stop_one_and_ask_it_again(lab: Lab, server: FakeServer) -> None:
    """Stop closes that call's connection, keeps its text and leaves the others alone; Retry asks."""
    server.reply(Reply(text=ROLLING * 20, delay_s=0.05), on="slow")
    server.reply(Reply(text=ROLLING * 2, delay_s=0.05), on="other")
    _, board = _open(lab, server, ["groq/slow", "groq/other"])
    slow, other = _column(board, "slow"), _column(board, "other")
    expect(slow.locator(".plain")).to_contain_text("trampoline")
    slow.get_by_role("button", name="Stop A, slow").click()
    _state(slow, "cancelled")
    first = next(seen for seen in server.requests if seen.model == "slow")
    server.wait_for(lambda: first.closed_early)
    _state(other, "running")
    expect(slow.locator(".allos-md")).to_contain_text("trampoline")
    _state(other, "ok")
    server.reply(Reply(text="Short **now**."), on="slow")
    expect(slow.get_by_role("button", name="Ask again A, slow")).to_be_enabled()
    # The button is deaf for a moment after it has changed its meaning.
    expect(async_click(slow, "Ask again A, slow").locator("strong")).to_have_text("now")

    _state(slow, "ok")
    expect(board.locator(".sum")).to_contain_text("2 of 2 done")
    assert [seen.model for seen in server.requests].count("other") == 1


def async_click(column: Locator, name: str) -> Locator:
    """Press until the column takes it."""
    for _ in range(20):
        if column.get_attribute("data-state") not in ("ok", "error", "cancelled"):
            break
        column.get_by_role("button", name=name).click()
        if column.get_by_role("button", name=name).count() == 0:
            break
        column.page.wait_for_timeout(100)
    return column


def test_failures_stay_in_their_column(lab: Lab, server: FakeServer) -> None:
    """A 429 counts down and then answers, a 401 shows its error, the third one is just done."""
    server.script(Fault.status(429, retry_after=3), on="busy")
    server.reply(Reply(text="There you are."), on="busy")
    server.reply(Fault.bad_key(), on="locked")
    server.reply(Reply(text="Fine."), on="good")
    notebook, board = _open(lab, server, ["groq/busy", "groq/locked", "groq/good"])
    busy, locked, good = (_column(board, name) for name in ("busy", "locked", "good"))
    for left_s in (3, 2, 1):
        expect(busy.locator(".word")).to_have_text(f"try 2 of 6 in {left_s} s")
    _state(busy, "ok")
    _picture(board, "board-failures")

    expect(busy.locator(".allos-md")).to_have_text("There you are.")
    expect(busy.locator(".nums")).to_contain_text("2 attempts")
    _state(locked, "error")
    expect(locked.locator(".allos-err")).to_contain_text("the key was not accepted (401)")
    expect(locked.locator(".allos-err")).not_to_contain_text("sk-test-key")
    _state(good, "ok")
    assert notebook.errors == []


def test_an_added_column_leaves_the_others_as_they_were(lab: Lab, server: FakeServer) -> None:
    """What is open stays open, turned to, focused and selected; the new column works like the others."""
    server.script(Reply(text=LONG), Reply(text=f"{LONG}\nOr not."), on="long")
    server.reply(Reply(text=LONG), on="added")
    server.reply(Reply(text=ROLLING * 60, delay_s=0.02), on="slow")
    server.reply(Reply(text="Short."), on="short")
    add = "column = c.add('groq/added')"
    models = ["groq/long", "groq/slow", "groq/short"]
    notebook, board = _open(lab, server, models, ", n=2", add)
    long, slow, short, added = (_column(board, name) for name in ("long", "slow", "short", "added"))
    _state(long, "ok")
    long.get_by_label("Next repeat of A").click()
    long.get_by_label("Show the whole answer of A, long").click()
    expect(slow.get_by_label("Show the whole answer of B, slow")).to_be_visible()
    slow.get_by_label("Show the whole answer of B, slow").click()
    opened = long.get_by_label("Show less of the whole answer of A, long")
    opened.focus()
    height = long.locator(".text").bounding_box()["height"]
    notebook.page.evaluate(
        "selector => getSelection().selectAllChildren(document.querySelector(selector))",
        ".allos-board section.col .allos-md p",
    )
    # As from another cell that runs, but the focus stays where it is.
    notebook.page.evaluate(
        """code => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
            .requestExecute({ code }).done.then(reply => reply.content.status)""",
        add,
    )
    expect(added.locator(".allos-md")).to_contain_text("invisible hug")
    expect(board.locator("section.col")).to_have_count(4)
    _picture(board, "board-added")

    expect(opened).to_be_focused()
    expect(opened).to_have_attribute("aria-expanded", "true")
    assert long.locator(".text").bounding_box()["height"] >= height
    expect(long.locator(".pager")).to_contain_text("2 / 2")
    expect(slow.get_by_label("Show less of the whole answer of B")).to_be_visible()
    assert notebook.page.evaluate("getSelection().toString()").startswith("Gravity is like")
    _state(slow, "running")
    expect(short.locator(".more")).to_be_hidden()  # however high the open ones are
    # And the new one opens, shuts and asks again.
    added.get_by_label("Show the whole answer of D, added").click()
    expect(added.get_by_text("another story for another")).to_be_visible()
    added.get_by_label("Show less of the whole answer of D, added").click()
    expect(added.get_by_label("Show the whole answer of D, added")).to_be_visible()
    server.reply(Reply(text="Short **now**."), on="added")
    expect(async_click(added, "Ask again D, added").locator("strong")).to_have_text("now")
    expect(opened).to_be_visible()
    assert notebook.errors == []


def test_reloaded_page_shows_the_board_again(lab: Lab, server: FakeServer) -> None:
    """With the kernel alive a reloaded page has finished and streaming columns, and goes on."""
    server.reply(Reply(text=SHORT), on="quick")
    server.reply(Reply(text=ROLLING * 6, delay_s=0.1), on="slow")
    notebook, board = _open(lab, server, ["groq/quick", "groq/slow"])
    expect(_column(board, "slow").locator(".plain")).to_contain_text("trampoline")
    notebook.save()
    notebook.page.reload()
    expect(_column(board, "quick").locator("strong")).to_have_text("invisible hug")
    expect(_column(board, "slow").locator(".plain")).to_contain_text("Think of a trampoline")
    _state(_column(board, "slow"), "running")
    _state(_column(board, "slow"), "ok")

    expect(_column(board, "slow").locator(".allos-md")).to_have_text((ROLLING * 6).strip())
    expect(board.locator(".sum")).to_contain_text("2 of 2 done")


def test_a_board_opened_late_or_twice_is_whole(lab: Lab, server: FakeServer) -> None:
    """A second view, shown while the first streams, has all text at once; both end alike."""
    server.reply(Reply(text=ROLLING * 5, delay_s=0.05))
    again = "b = make_board(c)\ndisplay(b)\ndisplay(b)"
    notebook, board = _open(lab, server, ["groq/m"], "", again)
    expect(board.locator(".plain")).to_contain_text("marble curves")
    notebook.run_cell(2)
    views = notebook.outputs(2).locator(".allos-board")
    expect(views).to_have_count(2)
    for view in views.all():
        expect(view.locator(".plain")).to_contain_text("Think of a trampoline")
    for view in [board, *views.all()]:
        expect(view.locator(".allos-md")).to_have_text((ROLLING * 5).strip())


@pytest.mark.parametrize(("count", "width", "across"), [(2, 700, 2), (8, 700, 2), (8, 1900, 4)])
def test_it_fits_any_width(
    lab: Lab, server: FakeServer, count: int, width: int, across: int
) -> None:
    """Columns stand in equal rows, nothing is cut off at the side."""
    server.reply(Reply(text=LONG))
    server.reply(Reply(text=ROLLING * 3, delay_s=0.1), on=EIGHT[1].partition("/")[2])
    notebook, board = _open(lab, server, EIGHT[:count])
    notebook.page.set_viewport_size({"width": width, "height": 2600})
    expect(board.locator(".sum")).to_contain_text(f"{count - 1} of {count} done")
    _picture(board, f"board-{width}" if count == 8 else "board-2")
    if (count, width) == (8, 700):
        notebook.page.set_viewport_size({**VIEWPORT, "height": 1400})
        expect(board.locator(".cols")).to_have_attribute("style", "--across: 4;")
        _picture(board, "board-8")
        notebook.page.set_viewport_size({"width": width, "height": 2600})
    expect(board.locator(".cols")).to_have_attribute("style", f"--across: {across};")
    sideways = board.evaluate(
        "b => [...b.querySelectorAll('*')].filter(e => getComputedStyle(e).overflowX === 'visible'"
        " && e.getBoundingClientRect().right > b.getBoundingClientRect().right + 1"
        " && !e.closest('pre, .allos-wide')).length"
    )

    assert sideways == 0


def test_keyboard(lab: Lab, server: FakeServer) -> None:
    """Tab walks from the whole to the columns, Escape stops all, Run again asks all again."""
    server.reply(Reply(text=ROLLING * 20, delay_s=0.05))
    notebook, board = _open(lab, server, ["groq/a", "groq/b"])
    expect(_column(board, "a").locator(".plain")).to_contain_text("trampoline")
    press = notebook.page.keyboard.press
    board.locator(".prompt, .words").first.click()
    names = []
    while "Stop B, b" not in names and len(names) < 30:
        press("Tab")
        names.append(notebook.page.evaluate("document.activeElement.ariaLabel"))
    press("Escape")
    for column in board.locator("section.col").all():
        _state(column, "cancelled")
    server.wait_for(lambda: server.in_flight == 0)
    expect(board.get_by_role("status")).to_contain_text("stopped")
    server.reply(Reply(text="Quick."))
    board.get_by_role("button", name="Run again").press("Enter")
    expect(board.locator(".allos-md")).to_have_text(["Quick.", "Quick."])

    stops = [name for name in names if name and name.startswith("Stop")]
    assert stops == ["Stop all models", "Stop A, a", "Stop B, b"]
    assert len(server.requests) == 4
    assert notebook.errors == []


def test_it_hides_the_static_table_while_it_lives(lab: Lab, server: FakeServer) -> None:
    """The table gives way to the board, also when it is updated, and is back when the kernel ends."""
    both = (
        "from IPython.display import HTML\n"
        "from allos.render.comparison_columns import root_class\n"
        "html = f'<div class=\"{root_class(c.id)}\">static {c.done}</div>'\n"
        "table = display(HTML(html), display_id=True)\n"
        "display(make_board(c))\n"
        "table.update(HTML(html))"
    )
    notebook, _ = _open(lab, server, ["groq/m"], "", "c.wait();", both)
    notebook.run_cell(2)
    notebook.run_cell(3)
    board = notebook.outputs(3).locator(".allos-board")
    table = notebook.outputs(3).get_by_text("static")
    expect(board.locator(".allos-md")).to_have_text("Hello")
    expect(table).to_be_hidden()
    kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    notebook.page.evaluate(f"() => {kernel}.restart()")

    expect(table).to_be_visible()
    expect(board).to_be_hidden()
    # Without a table the board keeps what it has; its buttons are dead and say so.
    first = notebook.outputs(1).locator(".allos-board")
    expect(first.locator(".allos-md")).to_be_visible()
    expect(first.get_by_role("button", name="Run again")).to_be_disabled()
    assert notebook.errors == []
