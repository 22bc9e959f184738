"""From an empty notebook to a blind vote, as somebody does it who has read nothing: the embedded model alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.jupyter import Lab
from tests.support.jupyter.notebook import PICTURES


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """The embedded model answers on a busy machine."""
    expect.set_options(timeout=60_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.mark.model
def test_from_an_empty_notebook_to_a_blind_vote(lab: Lab) -> None:
    """Two settings of one model are chosen, asked, voted on and ranked, with the mouse; each step has a picture."""
    lab.write(
        "first.ipynb",
        "import os\nos.environ['ALLOS_LOG'] = 'first.sqlite'",
        "import allos\n\nallos.playground()",
    )
    notebook = lab.open("first.ipynb")
    page = notebook.page
    page.set_viewport_size({"width": 1180, "height": 1300})
    PICTURES.mkdir(parents=True, exist_ok=True)

    def picture(name: str) -> None:
        page.locator(".jp-Notebook .jp-Cell").nth(1).screenshot(
            path=str(PICTURES / f"first-vote-{name}.png"), animations="disabled"
        )

    notebook.run_all()
    output = notebook.outputs(1)
    pg = output.locator(".allos-playground").first
    pg.get_by_label("Prompt", exact=True).fill("Name a good reason to walk to work. One sentence.")
    pg.get_by_role("combobox", name="Models", exact=True).click()
    pg.locator("[role=option]").filter(has_text="smollm2").first.click()
    expect(pg.locator(".model")).to_have_count(2)
    pg.get_by_label(re.compile("^Add a parameter for B,")).select_option("temperature")
    pg.get_by_role("textbox", name=re.compile("temperature of B", re.I)).fill("1.2")
    pg.get_by_label("Add a parameter for all models").select_option("max_tokens")
    pg.get_by_role("textbox", name=re.compile("^max.tokens$", re.I)).fill("60")
    expect(pg.locator(".sums")).to_contain_text("2 calls")
    picture("asked")

    pg.get_by_role("button", name="Run").click()
    board = output.locator(".allos-board").first
    expect(board).to_contain_text("2 of 2 done")
    picture("answers")
    board.get_by_role("button", name="Vote").click()
    expect(board.get_by_role("button", name="Left is better")).to_be_visible()
    expect(board).not_to_contain_text("smollm2")
    picture("vote")
    board.get_by_role("button", name="Left is better").click()
    expect(board.get_by_role("region", name="Ranking by votes")).to_contain_text("1 vote")
    picture("ranking")
    assert notebook.foreign_requests == []
