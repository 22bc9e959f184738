"""What a person has chosen on a board is there again after the page was loaded again."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.fake_server import FakeServer
from tests.support.jupyter import Lab

KEPT = "from allos.notebook.board.widget import _views\nprint(_views.get(c))"


def test_choices_survive_a_reload_and_another_display(lab: Lab, fake_server: FakeServer) -> None:
    """With the same kernel: view and search, in the same cell and in a new one."""
    expect.set_options(timeout=20_000)
    setting = (
        "import os\n"
        f"os.environ.update(GROQ_API_KEY='gsk-test-key', GROQ_BASE_URL={fake_server.base_url!r})\n"
        "import allos\n"
        "c = allos.compare('Hi', models=['groq/one', 'groq/two']).wait(60)"
    )
    lab.write("kept.ipynb", setting, "c", KEPT, "c")
    notebook = lab.open("kept.ipynb")
    notebook.run_cell(0)
    notebook.run_cell(1)
    board = notebook.outputs(1).locator(".allos-board")
    board.get_by_role("button", name="Table").click()
    board.locator(".search input").fill("is:done")
    # The page tells the kernel once there is a pause.
    for _ in range(40):
        notebook.run_cell(2)
        if "is:done" in notebook.outputs(2).inner_text():
            break
    notebook.save()
    notebook.page.reload()
    board = notebook.page.locator(".jp-Notebook .allos-board").first
    expect(board.get_by_role("button", name="Table")).to_have_attribute("aria-pressed", "true")
    expect(board.locator(".search input")).to_have_value("is:done")
    notebook.run_cell(3)
    again = notebook.outputs(3).locator(".allos-board")
    expect(again.get_by_role("button", name="Table")).to_have_attribute("aria-pressed", "true")
    expect.set_options(timeout=5_000)

    assert notebook.errors == []
