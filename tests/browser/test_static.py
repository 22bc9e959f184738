"""What a saved comparison looks like where nothing is trusted, and where no style sheet is kept."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.support.fake_server import FakeServer, Fault, Reply
from tests.support.jupyter import Lab
from tests.support.jupyter.notebook import PICTURES

LONG = "\n\n".join(
    f"## Part {part}\n\n" + "Gravity is the curvature of spacetime. " * 12 for part in range(1, 9)
)
HEBREW = "שלום, *עולם*.\n\n- אחד\n- שתיים\n\nEnglish words.\n"
CODE = (
    "Here is a function.\n\n```python\ndef gcd(a: int, b: int) -> int:\n"
    '    """Greatest common divisor, by Euclid\'s algorithm; works for negative numbers as well."""\n'
    "    while b:\n        a, b = b, a % b\n    return abs(a)\n```\n\n1. First\n2. Second\n\n"
    "| name | n |\n|---|--:|\n| a | 1 |\n"
)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer("Short.") as started:
        started.reply(LONG, on="long")
        started.reply(CODE, on="code")
        started.reply(Fault.bad_key(), on="bad")
        started.reply(Reply(chunks=["slow "] * 400, delay_s=0.03), on="slow")
        yield started


def _cells(server: FakeServer, call: str) -> tuple[str, str, str]:
    setting = (
        "import os, io, allos\n"
        f"os.environ.update(GROQ_BASE_URL={server.base_url!r}, GROQ_API_KEY='gsk-test-key')\n"
        "os.environ['ALLOS_LOG'] = 'static.sqlite'"
    )
    return setting, f"c = {call}\nc", "c.wait(30); print('ended')"


PIXELS = (
    "iVBORw0KGgoAAAANSUhEUgAAAGAAAABACAIAAABqVuVZAAAAhUlEQVR42u3aUQ0AIAhFUfKYwmJ2spINjECNN3Y2"
    "ArDD3x31746adV7UFCBAgAABAgQIECBAgAABAgQI0DCgtIXSDgYIECBAgAABAgQIECBAgAABAjQNSDBTFAEBAgQI"
    "ECBAgAABAgQIECBA/oMEM0URECBAgAABAgQIECBAgAABAjQWqAF+buJZQawlFgAAAABJRU5ErkJggg=="
)
"""A PNG with four fields."""
MODELS = "['groq/long', 'groq/code', 'groq/bad', 'groq/short']"


def _reads_well(table: Locator) -> None:
    """Prose at the left, short answers at the top, code unbroken, the rest of a long answer folded."""
    answers = table.locator("table.allos-grid > tbody > tr:first-child > td")
    expect(answers).to_have_count(4)
    for at in range(4):
        expect(answers.nth(at)).to_have_css("text-align", "left")
        expect(answers.nth(at)).to_have_css("vertical-align", "top")
    expect(table.locator("h2").first).to_have_css("text-align", "left")
    expect(table.locator("pre").first).to_have_css("white-space", "pre")
    expect(table.locator("pre").first).to_have_css("word-break", "normal")
    expect(table.locator("pre code").first).to_have_css("white-space", "pre")
    expect(table.locator("details")).to_have_count(1)
    expect(table.get_by_text("Part 8")).to_be_hidden()
    table.locator("summary").click()
    expect(table.get_by_text("Part 8")).to_be_visible()


def test_an_untrusted_comparison_reads_well(lab: Lab, server: FakeServer) -> None:
    """Made without the magics; opened unsigned it shows the table alone, and no line of the board."""
    lab.write("static.ipynb", *_cells(server, f"allos.compare('How?', models={MODELS})"))
    notebook = lab.open("static.ipynb")
    notebook.run_all()
    board = notebook.outputs(1).locator(".allos-board")
    expect(board).to_contain_text("3 answered")
    expect(board).to_contain_text("1 failed")
    notebook.screenshot("static-live")
    notebook.save()
    again = notebook.reopen(trust=False)
    output = again.outputs(1)
    again.screenshot("static-untrusted")

    expect(output).not_to_contain_text("Board(")
    expect(output).to_contain_text("3 answered")
    _reads_well(output)
    assert notebook.errors == []


def _stands_at_the_right(answer: Locator) -> None:
    """Hebrew runs from right to left; the English block among it does not."""
    for block in ("p >> nth=0", "ul", "li >> nth=0"):
        expect(answer.locator(block)).to_have_css("direction", "rtl")
        expect(answer.locator(block)).to_have_css("text-align", re.compile("right|start"))
    expect(answer.get_by_text("English")).to_have_css("direction", "ltr")
    expect(answer.get_by_text("English")).to_have_css("text-align", re.compile("left|start"))


def test_hebrew_and_long_words(lab: Lab, server: FakeServer) -> None:
    """On the board and unsigned: Hebrew stands at the right, a word breaks at the end of its column."""
    server.reply(HEBREW, on="hebrew")
    server.reply(Reply(refusal=f"No {'gravity' * 30}"), on="refusal")
    call = f"allos.compare({'g' * 200!r}, models=['groq/hebrew', 'groq/refusal', 'groq/short'])"
    lab.write("words.ipynb", *_cells(server, call))
    notebook = lab.open("words.ipynb")
    notebook.run_all()
    board = notebook.outputs(1).locator(".allos-board")
    expect(board).to_contain_text("3 of 3 done")
    _stands_at_the_right(board.locator(".text").first)
    notebook.screenshot("words-live")
    notebook.save()
    again = notebook.reopen(trust=False)
    output = again.outputs(1)
    again.screenshot("words-untrusted")
    _stands_at_the_right(output.locator(".allos-answer").first)
    wide = "e => e.scrollWidth > e.clientWidth + 1"

    for part in (".allos-refusal", ".allos-ask"):
        assert not output.locator(part).first.evaluate(wide)
    assert notebook.errors == []


def test_an_exported_comparison_reads_well(lab: Lab, server: FakeServer, tmp_path: Path) -> None:
    """nbconvert's page, executed without a person; with and without its styles."""
    path = lab.write("page.ipynb", *_cells(server, f"allos.compare('How?', models={MODELS})"))
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", "--output-dir"]
    subprocess.run(
        [*command, str(tmp_path), str(path)],
        env=lab.environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
    page = lab.browser.new_page()
    page.goto(f"file://{tmp_path / 'page.html'}", wait_until="domcontentloaded")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / "static-exported.png", full_page=True)
    _reads_well(page.locator(".allos-cmp"))
    page.close()


def test_a_board_tells_settings_images_and_ends(lab: Lab, server: FakeServer) -> None:
    """Shades for settings, the prompt's image, Ask again or Retry, Esc after Run again."""
    image = "allos.Image(data=__import__('base64').b64decode('" + PIXELS + "'))"
    call = (
        f"allos.compare(['What is this?', {image}], models=['groq/slow', 'groq/bad'], "
        "params=[{'temperature': 0}, {'temperature': 1}])"
    )
    lab.write("board.ipynb", *_cells(server, call)[:2])
    notebook = lab.open("board.ipynb")
    notebook.run_all()
    board = notebook.outputs(1).locator(".allos-board")
    expect(board.locator(".allos-sent img")).to_be_visible()
    expect(board).to_contain_text("slow slow")
    board.get_by_role("button", name="Stop all").click()
    expect(board).to_contain_text("2 stopped")
    expect(board.get_by_role("button", name="Ask again A")).to_be_enabled()
    expect(board.get_by_role("button", name="Retry C")).to_be_enabled()
    expect(board.locator("section").first.locator(".nums")).to_contain_text("about")
    strips = [
        board.locator("section")
        .nth(at)
        .evaluate("e => getComputedStyle(e, '::before').backgroundColor")
        for at in (0, 1)
    ]
    notebook.screenshot("board-settings")
    board.get_by_role("button", name="Run again").click()
    notebook.page.keyboard.press("Escape")
    expect(board.get_by_role("button", name="Run again")).to_be_enabled()
    expect(board).to_contain_text(re.compile("[234] stopped"))

    assert strips[0] != strips[1]
    assert notebook.errors == []
