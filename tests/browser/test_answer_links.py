"""A link to one answer: on the live board, and in the saved notebook, also where nothing is trusted."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.browser.test_board_views import tickets
from tests.support.board_page import shown
from tests.support.fake_server import FakeServer, Reply
from tests.support.jupyter import Lab


def test_a_link_in_the_text_leads_to_an_answer(lab: Lab, fake_server: FakeServer) -> None:
    """From a cell of Markdown: the board shows the answer alone, the saved table scrolls to it."""
    expect.set_options(timeout=20_000)
    fake_server.reply(Reply(text="An answer. " * 400))
    setting = (
        "import os\n"
        f"os.environ.update(GROQ_API_KEY='gsk-test-key', GROQ_BASE_URL={fake_server.base_url!r})\n"
        "import allos\n"
        "c = allos.compare(prompts=['One', 'Two', 'Three'], models=['groq/one', 'groq/two']).wait(60)"
    )
    lab.write("links.ipynb", setting, "c", "1 + 1")
    notebook = lab.open("links.ipynb")
    notebook.run_cell(0)
    notebook.run_cell(1)
    board = notebook.outputs(1).locator(".allos-board")
    board.get_by_role("button", name="Columns").click()
    expect(board.get_by_role("combobox", name="More for B").locator("option").last).to_have_text(
        "Copy a link to it"
    )
    anchor = notebook.outputs(1).locator(".allos-answer[id$='-b3']").get_attribute("id")
    path = notebook.save()
    saved = json.loads(path.read_text("utf-8"))
    saved["cells"][2] = {
        "cell_type": "markdown",
        "metadata": {},
        "id": "words",
        "source": f"See [the answer](#{anchor}).",
    }
    path.write_text(json.dumps(saved), "utf-8")
    notebook = notebook.reopen(trust=False)
    answer = notebook.page.locator(f"[data-jupyter-id='{anchor}']")
    expect(answer).not_to_be_in_viewport()
    notebook.page.get_by_role("link", name="the answer").click()
    expect(answer).to_be_in_viewport()
    expect.set_options(timeout=5_000)

    assert notebook.errors == []


def test_the_live_board_follows_a_link(lab: Lab) -> None:
    """It shows the answer alone; links of other boards are left to the notebook."""
    with shown(lab.browser, tickets()) as page:
        page.page.evaluate(
            """() => {
                for (const name of ["allos-cmp-cmp_01kan3-b3", "allos-cmp-cmp_9-b3"])
                    document.body.insertAdjacentHTML("beforeend", `<a href="#${name}">${name}</a>`);
            }"""
        )
        page.page.get_by_role("link", name="cmp_9").click()
        expect(page.board.get_by_role("button", name="Grid")).to_have_attribute(
            "aria-pressed", "true"
        )
        page.page.get_by_role("link", name="cmp_01kan3").click()
        expect(page.board.locator(".col")).to_have_count(1)
        expect(page.board.locator(".col .key")).to_have_text("B")
        expect(page.board.locator(".chips")).to_contain_text("row 3 of 3")
        assert page.errors == []
