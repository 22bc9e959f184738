"""Blind votes on the board: with the mouse in JupyterLab, with keys, over hostile texts, for axe-core."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

import allos
from allos import testing
from tests.support.board_page import shown
from tests.support.hostile import FLAG, HOSTILE
from tests.support.jupyter import Lab, Notebook
from tests.support.voted import compared

SETUP = """\
import allos, os
from allos import testing
testing.register("kind", ["I am sorry. We look into it.", "Of course you may."] * 9)
testing.register("short", ["Wait.", "No."] * 9)
allos.log.open("votes.sqlite")"""
COMPARE = """\
c = allos.compare("Answer kindly: {{ ticket }}", models=["kind/model-a", "short/model-b"],
                  data=[{"ticket": "Where is my parcel?"}, {"ticket": "May I return it?"}])
c"""


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A busy machine may be slow."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


def _told(notebook: Notebook, code: str) -> str:
    """What the last cell prints once `code` has run in it."""
    notebook.page.evaluate(
        "code => { window.jupyterapp.shell.currentWidget.content.widgets[2].model.sharedModel.setSource(code); }",
        code,
    )
    notebook.run_cell(2)
    return notebook.outputs(2).inner_text()


def _button(board: Locator, name: str) -> Locator:
    return board.get_by_role("button", name=name)


def test_a_blind_vote_with_the_mouse_alone(lab: Lab) -> None:
    """From a board to a ranking; a reload keeps what is hidden and what was voted, the file tells nothing."""
    lab.write("votes.ipynb", SETUP, COMPARE, "")
    notebook = lab.open("votes.ipynb")
    notebook.run_cell(0)
    notebook.run_cell(1)
    output = notebook.outputs(1)
    board = output.locator(".allos-board")
    expect(board).to_contain_text("model-a")
    _button(board, "Vote v").click()
    expect(board).to_contain_text("0 of 2 pairs")
    expect(output).not_to_contain_text("model-a")
    assert "model-b" not in output.inner_html()

    _button(board, "Left is better").click()
    expect(board).to_contain_text("1 of 2 pairs")
    expect(board.locator(".sum")).to_contain_text("Left, your choice, was ")
    _button(board, "Reveal and stop").click()
    expect(board.get_by_role("region", name="Ranking by votes")).to_contain_text("1 vote")
    expect(output.locator(".allos-cmp")).to_contain_text("model-a")
    _button(board, "Vote v").click()
    expect(board).to_contain_text("1 of 2 pairs")
    expect(output.locator(".allos-cmp")).not_to_contain_text("model-a")
    saved = notebook.save().read_text("utf-8")
    assert "kind/model-a" not in saved.replace(r"models=[\"kind/model-a\", \"short/model-b\"]", "")
    assert "We look into it" in saved
    notebook.page.reload()
    expect(board).to_contain_text("1 of 2 pairs")
    assert "1 1" in _told(
        notebook, "v = allos.votes(); print(len(v), v.time_taken_s.notna().sum())"
    )
    _button(board, "Both bad").click()
    expect(board).to_contain_text("Undecided: 2 models share the first rank after 2 votes")
    expect(board.locator("thead").last).to_contain_text("model-a")
    _button(board, "Undo the last vote").click()
    expect(board).to_contain_text("1 of 2 pairs")
    assert notebook.errors == []
    assert notebook.foreign_requests == []


def test_keys_before_the_second_script_do_nothing(tmp_path: Path, lab: Lab) -> None:
    """While the two answers are awaited, `d` and `x` reach neither the board nor the notebook around it."""
    with (
        compared(tmp_path / "log.sqlite", models=3, blind=True) as comparison,
        shown(lab.browser, comparison, second=False) as page,
    ):
        page.page.evaluate(
            "() => { window.heard = ''; addEventListener('keydown', ({key}) => { heard += key; }); }"
        )
        page.board.focus()
        page.page.keyboard.type("ddx0")
        page.page.keyboard.press("Escape")
        assert page.page.evaluate("heard") == "Escape"


def test_keys_vote_tie_undo_and_note(tmp_path: Path, lab: Lab) -> None:
    """Without the mouse; the page shows a choice before the kernel has answered."""
    with (
        compared(tmp_path / "log.sqlite", models=3, blind=True) as comparison,
        shown(lab.browser, comparison) as page,
    ):
        keys, board = page.page.keyboard, page.board
        expect(board).to_contain_text("0 of 9 pairs")
        board.focus()
        keys.press("n")
        keys.type("1 is nicer #kind")
        keys.press("Escape")
        keys.press("2")
        expect(_button(board, "Right is better")).to_have_attribute("aria-pressed", "true")
        expect(board).to_contain_text("0 of 9 pairs")
        page.flush()
        expect(board).to_contain_text("1 of 9 pairs")
        for key in "0x":
            keys.press(key)
            page.flush()
        keys.press("d")
        keys.press("u")
        page.flush()
        expect(board).to_contain_text("2 of 9 pairs")
        cast = allos.votes()

        assert cast["winner"].tolist() == ["b", "tie"]
        assert cast["note"].tolist()[0] == "1 is nicer"
        assert cast["tags"].tolist()[0] == '["kind"]'
        assert page.errors == []


_AXE = files("axe_playwright_python").joinpath("axe.min.js")
_RUN_AXE = """() => axe.run(".allos-board", {resultTypes: ["violations"]}).then((found) =>
    found.violations.map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 160))]))"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_votes_and_ranking_are_accessible(tmp_path: Path, lab: Lab, dark: bool) -> None:
    """axe-core finds nothing, and nothing leaves the board at any width."""
    with (
        compared(tmp_path / "log.sqlite") as comparison,
        shown(lab.browser, comparison.blind(rubric=["Which is kinder?"]), dark=dark) as page,
    ):
        page.page.evaluate(_AXE.read_text("utf-8"))
        _button(page.board, "note").click()
        found = [page.page.evaluate(_RUN_AXE)]
        for name in ("Left is better", "Tie", "Left is better"):
            _button(page.board, name).click()
            page.flush()
        expect(page.board).to_contain_text("3 votes")
        found.append(page.page.evaluate(_RUN_AXE))
        for width in (480, 1900):
            page.page.set_viewport_size({"width": width, "height": 900})
            assert page.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

        assert found == [[], []]


def test_hostile_texts_do_nothing_in_a_vote(tmp_path: Path, lab: Lab) -> None:
    """As answers, prompts, questions, notes and tags; whole and levelled."""
    texts = [text.encode(errors="ignore").decode() or "-" for _, text in HOSTILE][::4]
    allos.log.open(tmp_path / "log.sqlite")
    testing.register("evil", texts * 2)
    testing.register("good", [f"Answer {at}" for at in range(len(texts))] * 2)
    try:
        prompts = [f"{at} {text}"[:500] for at, text in enumerate(texts)]
        comparison = allos.compare(prompts=prompts, models=["evil/m", "good/m"]).wait(60)
        comparison.blind(rubric=[texts[0][:200]])
        with shown(lab.browser, comparison) as page:
            page.page.evaluate(
                f"""() => {{ let count = 0; Object.defineProperty(window, "{FLAG}",
                    {{ get: () => count, set: () => {{ count += 1; }} }}); }}"""
            )
            page.board.focus()
            count = comparison.voting().count
            for at in range(count):
                expect(page.board).to_contain_text(f"{at} of {count} pairs")
                if at == 1:
                    _button(page.board, "Level the formatting").click()
                page.page.keyboard.press("0")
                page.flush()
            expect(page.board).to_contain_text(f"{count} votes")

            assert page.page.evaluate(FLAG) == 0
            assert page.requests == []
            assert page.errors == []
    finally:
        testing.unregister("evil")
        testing.unregister("good")
        allos.log.close()
