"""Boards of logged rows in JupyterLab: after a restart of the kernel, and beside the notebook's own keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.fake_server import FakeServer, Reply
from tests.support.jupyter import Lab
from tests.support.jupyter.notebook import PICTURES

SORRY = "I am sorry that your parcel is late again. We will refund you today."
CARRIER = "I am sorry that your parcel is late again. I have **asked the carrier** where it is."


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


def test_a_comparison_of_the_log_is_a_board(lab: Lab, server: FakeServer) -> None:
    """Also after the kernel was restarted: it is read, compared and arranged anew, and nothing is sent."""
    server.reply(Reply(text=SORRY), on="one")
    server.reply(Reply(text=CARRIER), on="two")
    setting = (
        "import os\n"
        f"os.environ.update(GROQ_API_KEY='gsk-test-key', GROQ_BASE_URL={server.base_url!r})\n"
        "import allos\nallos.log.open('logged.sqlite')"
    )
    run = (
        "c = allos.compare('Answer: {{ subject }}', models=['groq/one', 'groq/two'], n=2,\n"
        "    data=[{'subject': 'Parcel late again'}, {'subject': 'Wrong size'}]).wait(60)\n"
        "open('id.txt', 'w').write(c.id)\nallos.log.flush()"
    )
    lab.write(
        "logged.ipynb",
        setting,
        run,
        "allos.comparison(open('id.txt').read())",
        "allos.board(allos.responses(), allos.responses(model='one'))",
    )
    notebook = lab.open("logged.ipynb")
    notebook.run_cell(0)
    notebook.run_cell(1)
    kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    notebook.page.evaluate(f"() => {kernel}.restart()")
    notebook.run_cell(0)
    sent = server.count
    notebook.run_cell(2)
    board = notebook.outputs(2).locator(".allos-board")
    table = notebook.outputs(2).locator(".allos-cmp")
    expect(board.locator("tbody tr")).to_have_count(2)
    expect(board.locator("td .text strong").first).to_have_text("asked the carrier")
    expect(table).to_be_hidden()
    expect(board.get_by_role("button", name="Run again")).to_have_count(0)
    # `d` twice deletes a cell where the notebook gets the keys.
    cells = notebook.page.locator(".jp-Cell").count()
    board.locator(".head").click()
    for key in ("d", "d", "d"):
        notebook.page.keyboard.press(key)
    expect(board.locator("del").first).to_have_text("We will refund you today")
    PICTURES.mkdir(parents=True, exist_ok=True)
    board.screenshot(path=str(PICTURES / "board-logged.png"), animations="disabled")
    notebook.set_theme("dark")
    board.screenshot(path=str(PICTURES / "board-logged-dark.png"), animations="disabled")
    board.get_by_role("button", name="Arrange").click()
    board.get_by_role("combobox", name="Columns").select_option("subject")
    for shown in (board.locator("thead .name b"), table.locator("thead .allos-head > b + b")):
        expect(shown).to_have_text(["Parcel late again", "Wrong size"])
    expect(board.locator("tbody th .label")).to_have_text(["groq/one", "groq/two"])
    board.screenshot(path=str(PICTURES / "board-arranged.png"), animations="disabled")
    notebook.run_cell(3)
    both = notebook.outputs(3).locator(".allos-board")

    expect(both.locator("thead .name")).to_contain_text(
        ["onegroqrun 1", "onegroqrun 2", "twogroqrun 1"]
    )
    assert notebook.page.locator(".jp-Cell").count() == cells
    assert server.count == sent == 8
    assert notebook.foreign_requests == []
    assert notebook.errors == []
