"""The board outside of JupyterLab: in Notebook 7, and in a page that Voila serves."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.support.jupyter import Lab
from tests.support.jupyter.notebook import PICTURES
from tests.support.processes import Child

SETUP = """\
import allos
from allos import testing
testing.register("kind", ["I am **sorry**. We look into it."] * 9)
testing.register("short", ["I am busy. We look into it soon."] * 9)
models = ["kind/model-a", "short/model-b"]"""
COMPARE = 'allos.compare("Where is my parcel?", models=models)'
LAYOUT = """\
import ipywidgets
from allos.notebook.board import make_board
ipywidgets.VBox([make_board(allos.compare("Why?", models=models))])"""
# Icons of its own page.
VOILA_ICONS = "https://cdn.jsdelivr.net/npm/@fortawesome/"


@contextmanager
def _page(lab: Lab, picture: str) -> Iterator[tuple[Page, list[str]]]:
    """A page, and the addresses on other machines that it asks for; a picture is made at its end."""
    page = lab.browser.new_page()
    foreign: list[str] = []
    page.on(
        "request", lambda request: foreign.append(request.url) if _is_foreign(request.url) else None
    )
    try:
        yield page, foreign
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(PICTURES / f"{picture}.png"))
    finally:
        page.close()


def _is_foreign(url: str) -> bool:
    parts = urlsplit(url)
    return parts.hostname != "127.0.0.1" and parts.scheme not in {"data", "blob", "about"}


def _compare_by_word(board: Locator) -> None:
    """An answer is there to read, and a click marks what differs."""
    expect(board.locator(".text strong").first).to_have_text("sorry", timeout=60_000)
    board.get_by_role("button", name="Diff: off").click()
    expect(board.locator(".differs").last).to_have_text("2 words new, 1 gone", timeout=20_000)
    expect(board.locator("del.gone")).to_have_text("sorry")


def test_notebook_7(lab: Lab) -> None:
    """The same server shows a notebook in Notebook 7, where the board is the same."""
    lab.write("seven.ipynb", SETUP, COMPARE)
    with _page(lab, "notebook-7") as (page, foreign):
        page.goto(f"{lab.url}/notebooks/seven.ipynb?token={lab.token}")
        _wait_for_kernel(lab)  # what runs before the page has one is dropped without a word
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        _compare_by_word(page.locator(".allos-board"))
        expect(page.locator(".jp-OutputArea .allos-cmp")).to_be_hidden()
        assert foreign == []


def test_voila(lab: Lab) -> None:
    """The page has the finished table of a comparison, and a live board in a layout of ipywidgets."""
    path = lab.write("voila.ipynb", SETUP, COMPARE, LAYOUT)
    with (
        _served_by_voila(lab, path) as address,
        _page(lab, "voila") as (page, foreign),
    ):
        page.goto(address, timeout=60_000)
        expect(page.locator(".allos-cmp strong").first).to_have_text("sorry", timeout=60_000)
        _compare_by_word(page.locator(".allos-board"))
        assert [url for url in foreign if not url.startswith(VOILA_ICONS)] == []


@contextmanager
def _served_by_voila(lab: Lab, path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (lab.folder / "voila.log").open("wb") as out:
        served = Child[bytes](
            [
                *(sys.executable, "-m", "voila", str(path), "--no-browser"),
                *(f"--port={port}", "--Voila.ip=127.0.0.1"),
            ],
            env=lab.environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for_port(port, served)
        yield f"http://127.0.0.1:{port}/"
    finally:
        served.kill_group()


def _wait_for_kernel(lab: Lab) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        kernels = [session["kernel"] for session in lab.request("GET", "api/sessions")]
        if any(each["connections"] and each["execution_state"] == "idle" for each in kernels):
            return
        time.sleep(0.05)  # between two looks, not instead of one
    raise TimeoutError("no kernel is connected to the page")


def _wait_for_port(port: int, process: Child[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)  # between two looks, not instead of one
    raise TimeoutError(f"nothing listens on {port}")
