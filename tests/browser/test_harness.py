"""The browser harness itself: JupyterLab runs a notebook in a real Chromium, and we see it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.jupyter import Lab


@pytest.fixture
def trap() -> Iterator[str]:
    """Address of a foreign server that a page must not call, for tests that call it on purpose."""
    server = http.server.HTTPServer(("127.0.0.1", 0), _Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


class _Silent(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


def test_notebook_runs_and_shows_its_outputs(lab: Lab) -> None:
    """Printed text and HTML appear in the outputs of their own cells, with no request elsewhere."""
    lab.write(
        "hello.ipynb",
        "for i in range(3): print('line', i)",
        "from IPython.display import HTML, display\n"
        "display(HTML('<p class=\"greeting\"><b>Hello</b> from a cell</p>'))",
        "import pandas as pd\npd.DataFrame({'model': ['a', 'b'], 'latency_s': [0.2, 0.4]})",
    )
    notebook = lab.open("hello.ipynb")
    notebook.run_all()
    light = notebook.screenshot("harness-light")
    notebook.set_theme("dark")
    dark = notebook.screenshot("harness-dark")

    expect(notebook.outputs(0)).to_have_text("line 0\nline 1\nline 2\n")
    expect(notebook.outputs(1).locator(".greeting b")).to_have_text("Hello")
    expect(notebook.outputs().locator("table")).to_have_count(1)
    assert notebook.foreign_requests == []
    assert notebook.errors == []
    assert light.stat().st_size > 10_000
    assert light.read_bytes() != dark.read_bytes()


def test_next_notebook_starts_light_again(lab: Lab) -> None:
    """A theme that one test chose does not reach the next one."""
    lab.write("plain.ipynb", "1")
    notebook = lab.open("plain.ipynb")

    assert notebook.page.evaluate("document.body.dataset.jpThemeLight") == "true"


def test_screenshot_holds_what_is_below_the_fold(lab: Lab) -> None:
    """The picture of a long notebook is as tall as the notebook."""
    lab.write("long.ipynb", *[f"for i in range(20): print({n}, i)" for n in range(5)])
    notebook = lab.open("long.ipynb")
    notebook.run_all()
    picture = notebook.screenshot("harness-long").read_bytes()
    height_px = int.from_bytes(picture[20:24], "big")  # the PNG header's own field

    assert height_px > 2000
    assert notebook.page.viewport_size == {"width": 1280, "height": 900}


def test_foreign_requests_are_seen(lab: Lab, trap: str) -> None:
    """Images and web sockets to other servers are all recorded, reached or not; the own server's are not."""
    lab.write(
        "leak.ipynb",
        "from IPython.display import HTML\n"
        f'HTML(\'<img src="http://{trap}/pixel.png">'
        f'<script>new WebSocket("ws://{trap}/socket")</script>\')',
        'HTML(\'<img src="https://leak.example/pixel.png">'
        '<script>new WebSocket("wss://leak.example/socket")</script>\')',
    )
    notebook = lab.open("leak.ipynb")
    notebook.run_all()
    expect(notebook.outputs().locator("img")).to_have_count(2)

    assert sorted(set(notebook.foreign_requests)) == [
        f"http://{trap}/pixel.png",
        "https://leak.example/pixel.png",
        f"ws://{trap}/socket",
        "wss://leak.example/socket",
    ]


def test_console_errors_are_seen(lab: Lab) -> None:
    """An exception of a page's script is recorded."""
    lab.write(
        "broken.ipynb",
        "from IPython.display import HTML\nHTML('<script>console.error(\"boom\")</script>')",
    )
    notebook = lab.open("broken.ipynb")
    notebook.run_all()

    assert "boom" in notebook.errors


@pytest.mark.parametrize("trust", [True, False])
def test_reopened_notebook_is_trusted_or_not(lab: Lab, trust: bool) -> None:
    """A saved notebook reopens with its outputs; an untrusted one does not run their scripts."""
    name = f"saved-{trust}.ipynb"
    lab.write(
        name,
        "from IPython.display import HTML\n"
        "HTML('<p>kept</p><script>document.body.dataset.ran = \"yes\"</script>')",
    )
    notebook = lab.open(name)
    notebook.run_all()
    notebook.save()
    again = notebook.reopen(trust=trust)

    expect(again.outputs(0)).to_contain_text("kept")
    assert again.trusted is trust
    assert again.page.evaluate("document.body.dataset.ran ?? 'no'") == ("yes" if trust else "no")


def test_single_cell_runs(lab: Lab) -> None:
    """One cell can be run alone; the others stay as they are."""
    lab.write("two.ipynb", "print('first')", "print('second')")
    notebook = lab.open("two.ipynb")
    notebook.run_cell(1)

    expect(notebook.outputs(1)).to_have_text("second\n")
    expect(notebook.outputs(0)).to_have_text("")
