"""The playground in JupyterLab: typed, clicked, run, reloaded, by keyboard alone, with hostile names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.support.fake_server import FakeServer
from tests.support.hostile import FLAG, HOSTILE
from tests.support.jupyter import Lab, Notebook
from tests.support.jupyter.notebook import PICTURES

_AXE = files("axe_playwright_python").joinpath("axe.min.js")
_RUN_AXE = """() => axe.run(".allos-playground", {resultTypes: ["violations"]}).then((found) =>
    found.violations.map((each) => `${each.id}: ${each.nodes.map((n) => n.html).join(" ")}`))"""

SETUP = """
import os
os.environ.update(GROQ_BASE_URL={url!r}, GROQ_API_KEY="gsk-test-key")
%load_ext allos
import allos, pandas as pd
tickets = pd.DataFrame({{"subject": ["Parcel late", "Wrong size"], "text": ["Where is it?", "Too small."]}})
"""
PLAYGROUND = """
pg = allos.playground(
    "Answer kindly: {{ subject }}", models=["groq/llama-3.3-70b-versatile"], data=tickets, system="Be brief."
)
pg
"""


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A busy machine may be slow."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer("A **kind** answer.") as started:
        yield started


def opened(lab: Lab, server: FakeServer, *cells: str) -> Notebook:
    lab.write("playground.ipynb", SETUP.format(url=server.base_url), *cells)
    notebook = lab.open("playground.ipynb")
    for index in range(len(cells) + 1):
        notebook.run_cell(index)
    return notebook


def fields(notebook: Notebook, cell: int = 1) -> Locator:
    return notebook.outputs(cell).locator(".allos-playground").first


def prompt_of(fields: Locator) -> Locator:
    return fields.get_by_label("Prompt", exact=True)


def picker_of(fields: Locator) -> Locator:
    return fields.get_by_role("combobox", name="Models", exact=True)


def options_of(fields: Locator) -> Locator:
    return fields.locator("[role=option]")


def test_by_mouse_from_a_prompt_to_two_boards(lab: Lab, server: FakeServer) -> None:
    """A missing column is told, a model is picked, each run is a board, and a reload keeps what was typed."""
    notebook = opened(lab, server, PLAYGROUND)
    page, pg = notebook.page, fields(notebook)
    boards = notebook.outputs(1).locator(".allos-board")

    prompt_of(pg).fill("Answer: {{ subjekt }}")
    expect(pg.locator("mark.unknown")).to_have_text("{{ subjekt }}")
    expect(pg.get_by_role("alert")).to_have_text(
        "{{ subjekt }} is not a column of the data. Did you mean 'subject'?"
    )
    expect(pg.get_by_role("button", name="Run")).to_be_disabled()
    prompt_of(pg).fill("Answer: ")
    pg.get_by_role("button", name="subject").click()
    expect(prompt_of(pg)).to_have_value("Answer: {{ subject }}")
    expect(pg.locator(".sums")).to_contain_text("2 calls")

    picker_of(pg).click()
    options = options_of(pg)
    expect(options.filter(has_text=re.compile("^openai ?no"))).to_contain_text("no key: add one")
    options.filter(has_text="openai/gpt-oss-20b").first.click()
    expect(pg.locator(".model")).to_have_count(2)
    expect(pg.locator(".model").nth(1)).to_contain_text("$0.075 in, $0.30 out · 131k")
    expect(pg.locator(".sums")).to_contain_text("4 calls")
    expect(pg.locator(".sums")).to_contain_text("at most $")

    pg.get_by_role("button", name="Run").click()
    expect(boards).to_have_count(1)
    expect(boards.first).to_contain_text("4 of 4 done")
    prompt_of(pg).fill("Answer rudely: {{ subject }}")
    pg.get_by_role("button", name="Run").click()
    expect(boards).to_have_count(2)
    expect(boards.nth(1)).to_contain_text("Answer rudely")
    expect(boards.nth(1)).to_contain_text("4 of 4 done")
    expect(pg.locator(".runs")).to_contain_text(re.compile(r"2 runs.*2 models · 2 rows · \$"))
    # A board is where another playground begins, with what it had asked.
    boards.first.get_by_role("button", name="Edit").click()
    edited = notebook.outputs(1).locator(".allos-playground").nth(1)
    expect(prompt_of(edited)).to_have_value("Answer: {{ subject }}")
    expect(edited.locator(".model")).to_have_count(2)
    # The static version has all of it too, and is hidden as long as this one is here.
    static = notebook.outputs(1).locator(".allos-cmp")
    expect(static).to_have_count(2)
    expect(static.first).to_be_hidden()

    pg.get_by_role("button", name="As code").click()
    expect(pg.locator(".source")).to_contain_text("data=tickets,")
    prompt_of(pg).fill("Never run: {{ text }}")
    expect(pg.locator(".source")).to_contain_text("Never run: {{ text }}")
    notebook.save()
    page.reload()
    notebook._when(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
        timeout_s=90,
    )
    pg = fields(notebook)
    expect(prompt_of(pg)).to_have_value("Never run: {{ text }}")
    expect(boards).to_have_count(2)
    expect(boards.nth(1)).to_contain_text("4 of 4 done")
    # The cell runs again: what was typed is there, and so are the runs.
    notebook.run_cell(1)
    expect(prompt_of(pg)).to_have_value("Never run: {{ text }}")
    expect(boards).to_have_count(2)
    assert notebook.foreign_requests == []


@pytest.mark.model
def test_picture(lab: Lab) -> None:
    """The picture of the guide, in both themes: two settings of the embedded model, and the list of models."""
    lab.write(
        "picture.ipynb",
        "import allos\nimport pandas as pd\n"
        'tickets = pd.DataFrame({"subject": ["Parcel late again", "Wrong size"],\n'
        '    "text": ["I waited all day.", "The shoes are too small."]})',
        'allos.playground(\n    "Answer this ticket. Be kind, promise nothing.\\n\\n{{ subject }}\\n{{ text }}",\n'
        '    models=["local/smollm2", {"model": "local/smollm2", "temperature": 1.2}], data=tickets, max_tokens=60\n)',
    )
    notebook = lab.open("picture.ipynb")
    notebook.run_all()
    pg = fields(notebook)
    expect(pg.locator(".sums")).to_contain_text("4 calls")
    picker_of(pg).click()
    picker_of(pg).fill("haiku")
    expect(options_of(pg).first).to_contain_text("claude")
    notebook.page.set_viewport_size({"width": 1320, "height": 1100})
    PICTURES.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        notebook.page.locator(".jp-Notebook .jp-Cell").nth(1).screenshot(
            path=str(PICTURES / f"playground-picture-{theme}.png"), animations="disabled"
        )


def test_by_keyboard_alone(lab: Lab, server: FakeServer) -> None:
    """Tab reaches everything, arrows and Enter choose, Enter is a line, Ctrl+Enter runs and not the cell, Esc closes."""
    notebook = opened(lab, server, PLAYGROUND, "%allos last")
    page, pg = notebook.page, fields(notebook)
    boards = notebook.outputs(1).locator(".allos-board")

    pg.get_by_label("System", exact=True).focus()
    page.keyboard.press("Tab")
    expect(prompt_of(pg)).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Say {{ text }}\n")
    expect(prompt_of(pg)).to_have_value("Say {{ text }}\n")
    for _ in range(6):  # two columns, one more parameter, repeats, rows, the model's own parameter
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(picker_of(pg)).to_be_focused()
    page.keyboard.type("gpt-oss-20")
    expect(options_of(pg).first).to_contain_text("openai/gpt-oss-20b")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(pg.locator(".model")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(pg.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("Escape")
    expect(pg.get_by_role("listbox")).to_be_hidden()
    page.keyboard.press("Control+Enter")
    expect(boards).to_have_count(1)
    expect(boards.first).to_contain_text("4 of 4 done")
    assert notebook.page.locator(".jp-Cell").count() == 3

    # Many calls are asked about first.
    repeats = pg.get_by_label("repeats")
    repeats.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("30")
    page.keyboard.press("Control+Enter")
    expect(pg.get_by_role("alertdialog")).to_contain_text("120 calls, at most $")
    page.keyboard.press("Escape")
    expect(pg.get_by_role("alertdialog")).to_be_hidden()
    expect(boards).to_have_count(1)
    repeats.fill("none")
    expect(pg.get_by_role("alert")).to_have_text("repeats must be an integer >= 1, not 'none'.")


def test_hostile_names_are_text_and_axe_finds_nothing(lab: Lab, server: FakeServer) -> None:
    """Columns, cells, models and prompts that are markup; both themes, live and saved."""
    notebook = opened(
        lab,
        server,
        "import sys\n"
        f"sys.path.insert(0, {str(files('tests').joinpath('..'))!r})\n"
        "from tests.support.hostile import HOSTILE\n"
        "from allos.providers.catalog import model_cache\n"
        "from allos.providers.catalog.model_list import ModelInfo, ModelList\n"
        "texts = [text for _, text in HOSTILE]\n"
        "model_cache.remember('groq', None, ModelList(\n"
        "    [ModelInfo(id=text, provider='groq') for text in texts if text.strip()]), on_disk=False)\n"
        "bad = [{text: text for text in texts[:60]}]\n"
        "allos.playground(''.join(texts[:40]), models=['groq/' + text for text in texts[:8] if text.strip()],\n"
        "    system=texts[1], data=bad)",
    )
    page, pg = notebook.page, fields(notebook)
    expect(pg.locator(".model").first).to_be_visible()
    picker_of(pg).click()
    expect(options_of(pg).nth(3)).to_be_visible()
    page.keyboard.press("Escape")
    pg.get_by_role("button", name="As code").click()
    expect(pg.locator(".source")).to_be_visible()
    inside: Any = pg.evaluate(
        "e => [...e.querySelectorAll('script, img, iframe, svg, math, a, object, embed, video, form')].length"
    )
    assert inside == 0

    page.evaluate(_AXE.read_text("utf-8"))
    for theme in ("light", "dark"):
        notebook.set_theme(theme)  # type: ignore[arg-type]  # a literal
        assert page.evaluate(_RUN_AXE) == []
    assert page.evaluate(f"window.{FLAG}") is None
    assert HOSTILE
    notebook.save()
    again = notebook.reopen(trust=True)
    expect(again.outputs(1)).to_contain_text("A playground: run this cell")
    assert again.page.evaluate(f"window.{FLAG}") is None
    assert again.foreign_requests == []
    assert again.dialogs == []
