"""A comparison in its cell in JupyterLab: table and board together, saved, reopened, exported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import expect

from tests.support.fake_server import FakeServer, Fault, Reply
from tests.support.jupyter import Lab

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer("A **quick** answer.") as started:
        started.reply(Reply(chunks=["slow "] * 400, delay_s=0.03), on="slow")
        started.reply(Fault.bad_key(), on="bad")
        yield started


def _setting(server: FakeServer) -> str:
    return (
        "import os\n"
        f"os.environ.update(GROQ_BASE_URL={server.base_url!r}, GROQ_API_KEY='gsk-test-key')\n"
        "%load_ext allos"
    )


def test_board_hides_the_table_and_the_table_survives(lab: Lab, server: FakeServer) -> None:
    """Live, the board alone is seen while the next cell runs; reopened, the table alone is."""
    lab.write(
        "compare.ipynb",
        _setting(server),
        "%%allos compare groq/a groq/slow groq/bad -o cmp\nHow?",
        "6 * 7",
        "cmp.cells[1].stop(); cmp.wait(20); print('ended')",
    )
    notebook = lab.open("compare.ipynb")
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.run_cell(2)
    board = notebook.outputs(1).locator(".allos-board")
    table = notebook.outputs(1).locator(".allos-cmp")
    expect(board).to_contain_text("slow slow")
    expect(notebook.outputs(2)).to_contain_text("42")
    expect(table).to_be_hidden()
    notebook.run_cell(3)
    expect(notebook.outputs(3)).to_contain_text("ended")
    expect(board.locator("strong").first).to_have_text("quick")
    expect(board).to_contain_text("1 answered")
    notebook.screenshot("compare-live")
    notebook.save()
    again = notebook.reopen()
    table = again.outputs(1).locator(".allos-cmp")
    expect(table).to_be_visible()
    expect(table.locator("strong").first).to_have_text("quick")
    expect(table).to_contain_text("slow slow")
    expect(table).to_contain_text("1 stopped")
    gone = again.page.get_by_text("Error displaying widget")
    expect(gone).to_be_hidden()
    # As long as JupyterLab still looks for the board its output says so, without a mark of its own.
    gone.evaluate(
        "e => { e.textContent = 'Loading widget...'; e.classList.remove('jupyter-widgets'); }"
    )
    loading = again.page.get_by_text("Loading widget...")
    expect(loading).to_be_attached()
    expect(loading).to_be_hidden()
    again.screenshot("compare-reopened")

    assert notebook.foreign_requests == []
    assert again.foreign_requests == []
    assert notebook.errors == []


def test_exported_page_shows_the_table(lab: Lab, server: FakeServer, tmp_path: Path) -> None:
    """Executed and exported by nbconvert, the page holds the answers once, and no widget."""
    path = lab.write("export.ipynb", _setting(server), "%%allos compare groq/a groq/bad\nHow?")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "nbconvert",
            "--execute",
            "--to",
            "html",
            "--output-dir",
            str(tmp_path),
            str(path),
        ],
        env=lab.environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
    page = lab.browser.new_page()
    # What nbconvert's own template loads (MathJax, require.js) is not ours; only our part counts.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"file://{tmp_path / 'export.html'}", wait_until="domcontentloaded")
    expect(page.locator(".allos-cmp strong").first).to_have_text("quick")
    expect(page.locator(".allos-cmp")).to_contain_text("1 failed")
    hosts = {urlsplit(url).netloc for url in asked} - {""}
    page.close()

    assert "127.0.0.1" not in {host.partition(":")[0] for host in hosts}
    assert all(host.endswith(("cloudflare.com", "jsdelivr.net")) for host in hosts)


@pytest.mark.model
def test_compare_notebook_and_picture(lab: Lab) -> None:
    """The notebook on comparing runs in the page; its first board is the README's picture."""
    book = nbformat.read(NOTEBOOKS / "02-compare.ipynb", as_version=4)
    book.cells.insert(0, nbformat.v4.new_code_cell("%env ALLOS_LOG=compare.sqlite"))
    nbformat.write(book, lab.root / "02-compare.ipynb")
    notebook = lab.open("02-compare.ipynb")
    notebook.run_all()
    notebook.screenshot("compare-notebook")

    expect(notebook.outputs().locator(".allos-board")).to_have_count(2)
    expect(notebook.outputs().locator(".allos-board").first).to_contain_text("2 of 2 done")
    assert notebook.foreign_requests == []
    assert notebook.errors == []


@pytest.mark.model
def test_picture_of_the_board(lab: Lab) -> None:
    """Three settings of the embedded model, side by side: the picture on top of the README, in both themes."""
    lab.write(
        "picture.ipynb",
        "%env ALLOS_LOG=picture.sqlite",
        "%load_ext allos\nimport allos",
        "allos.compare(\n"
        '    "Explain gravity in two sentences.",\n'
        '    models=["local/smollm2"],\n'
        '    params=[{"temperature": 0}, {"temperature": 0.7}, {"temperature": 1.2}],\n'
        "    max_tokens=90,\n"
        ")",
    )
    notebook = lab.open("picture.ipynb")
    notebook.run_all()
    board = notebook.outputs(2).locator(".allos-board")
    expect(board).to_contain_text("3 of 3 done", timeout=60_000)
    notebook.run_cell(0)  # the frame of the active cell does not belong in the picture
    whole = notebook.screenshot("board-picture-whole")
    notebook.page.set_viewport_size({"width": 1320, "height": 1100})
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        notebook.page.locator(".jp-Notebook .jp-Cell").nth(2).screenshot(
            path=str(whole.with_name(f"board-picture-{theme}.png")), animations="disabled"
        )

    expect(board.locator("section")).to_have_count(3)
