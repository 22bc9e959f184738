"""A comparison as a file of its own, in Chromium: from the disk, and from a notebook server's own origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

import allos
import allos.log
from allos.runs.compare import compare
from allos.testing import ScriptedProvider
from tests.browser.test_board_views import source, tickets
from tests.support.hostile import FLAG, HOSTILE
from tests.support.jupyter import Lab
from tests.support.jupyter.notebook import PICTURES
from tests.support.voted import compared

VIEWS = ("Columns", "Table", "Focus", "Grid")


class Opened:
    """An exported page, and all that it asked for or complained about."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.requests: list[str] = []
        self.messages: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.goto(address)
        self.board: Locator = page.locator(".allos-board")

    def choose(self, *names: str) -> None:
        """Press buttons of the toolbar."""
        for name in names:
            bar = self.board.locator(".bar")
            bar.get_by_role("button", name=re.compile(rf"^{name}( \d+|: off)?$")).click()


@contextmanager
def opened(lab: Lab, address: str) -> Iterator[Opened]:
    page = lab.browser.new_page()
    try:
        # Counts what runs; the page's policy does not hold for the browser's own script.
        page.add_init_script(
            f"""let count = 0; Object.defineProperty(window, "{FLAG}",
                {{ get: () => count, set: () => {{ count += 1; }} }});"""
        )
        yield Opened(page, address)
    finally:
        page.close()


@pytest.fixture(params=["file", "server"])
def page(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """The page from the disk, and from a notebook server, which adds a sandbox."""
    path = tickets().to_html(lab.root / "tickets.html", title="Tickets")
    address = path.as_uri()
    if request.param == "server":
        address = f"{lab.url}/files/tickets.html?token={lab.token}"
    with opened(lab, address) as found:
        yield found
        assert [url for url in found.requests if url != address] == []
        assert found.messages == []


def test_it_is_the_board(page: Opened) -> None:
    """It filters, sorts, searches and shows what differs, without a kernel; nothing can be run."""
    expect(page.page.get_by_role("heading", name="Tickets")).to_be_visible()
    expect(page.page.locator("#allos-table")).to_be_hidden()
    rows = page.board.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(
        page.board.get_by_role("button", name=re.compile("Run again|Retry|model"))
    ).to_have_count(0)
    page.choose("Errors")
    expect(rows).to_have_count(1)
    page.choose("All", "Table")
    page.board.get_by_role("button", name="latency").click()
    page.board.get_by_role("button", name="latency").click()
    expect(rows.first).to_contain_text("claude-haiku-4-5")
    page.choose("Grid")
    page.board.locator(".search input").fill("carrier")
    expect(rows).to_have_count(1)
    page.board.locator(".search input").fill("")
    page.choose("Diff")
    expect(page.board.locator("del").first).to_have_text("We will refund you today")
    page.board.get_by_role("button", name="Keys").click()
    expect(page.board.locator(".help")).to_contain_text("show differences")


def test_ratings_and_the_ranking_are_shown(lab: Lab, tmp_path: Path) -> None:
    """What people say in the log, to read: nothing of it can be changed in a page without a kernel."""
    with compared(tmp_path / "log.sqlite") as comparison:
        good, better = comparison.cells[0].response, comparison.cells[3].response
        assert good is not None
        assert better is not None
        allos.rate(good, 1)
        allos.vote(good, better, "b")
        path = comparison.to_html(tmp_path / "page.html")
    with opened(lab, path.as_uri()) as found:
        ranking = found.board.get_by_role("region", name="Ranking by votes")
        expect(ranking.locator("tbody th")).to_have_text(
            [re.compile("model-b"), re.compile("model-a")]
        )
        expect(ranking.get_by_role("button")).to_have_count(0)
        found.choose("Columns")
        thumbs = found.board.locator(".thumbs button:visible")
        expect(thumbs).to_have_accessible_name("Good answer of A, model-a")
        thumbs.press("Enter")
        expect(thumbs).to_have_attribute("aria-pressed", "true")
        PICTURES.mkdir(parents=True, exist_ok=True)
        found.page.screenshot(path=PICTURES / "exported-ranking.png", full_page=True)

        assert found.messages == []


def test_paper_gets_all_of_it(lab: Lab, tmp_path: Path) -> None:
    """Rows that a screen would scroll to, long answers whole, and nothing to press."""
    answers = [[f"answer {row} " * 90] for row in range(40)]
    many = source(answers, answers, rows=[f"Ticket {row}" for row in range(40)])
    with opened(lab, many.to_html(tmp_path / "many.html").as_uri()) as found:
        rows = found.board.locator("tbody tr th.row")
        expect(rows.first).to_be_visible()
        shown = rows.count()
        pdf = found.page.pdf(format="A4")
        found.page.emulate_media(media="print")
        found.page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
        expect(rows).to_have_count(40)
        cut = found.board.locator(".clamp").evaluate_all(
            "all => all.filter((each) => each.scrollHeight > each.clientHeight + 1).length"
        )

        assert shown < 40
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) > 10
        assert cut == 0
        expect(found.board.get_by_role("button")).to_have_count(40)  # the names of the rows


def test_without_scripts_it_is_a_table(lab: Lab, tmp_path: Path) -> None:
    """In a mail program's preview, say: no answer is lost."""
    path = tickets().to_html(tmp_path / "plain.html")
    page = lab.browser.new_page()
    page.set_content(re.sub(r"<script>.*?</script>", "", path.read_text("utf-8"), flags=re.S))
    table = page.locator("#allos-table")
    expect(table).to_be_visible()
    expect(table.locator("tbody > tr.allos-each")).to_have_count(3)
    expect(table).to_contain_text("asked the carrier")
    page.close()


_AXE = files("axe_playwright_python").joinpath("axe.min.js")
_RUN_AXE = """() => axe.run(document, {resultTypes: ["violations"]}).then((found) =>
    found.violations.map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 160))]))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible(lab: Lab, tmp_path: Path, scheme: Any) -> None:
    """axe-core finds nothing in the whole page."""
    with opened(lab, tickets().to_html(tmp_path / "page.html").as_uri()) as found:
        found.page.emulate_media(color_scheme=scheme)
        found.page.evaluate(_AXE.read_text("utf-8"))
        faults: dict[str, Any] = {}
        for view in VIEWS:
            found.choose(view)
            faults[view] = found.page.evaluate(_RUN_AXE)
        PICTURES.mkdir(parents=True, exist_ok=True)
        found.page.screenshot(path=PICTURES / f"exported-{scheme}.png", full_page=True)

        assert [each for each in faults.items() if each[1]] == []


def test_hostile_texts_do_nothing(lab: Lab, tmp_path: Path) -> None:
    """The corpus as answers, prompts, names of values and title, in every view, the table and on paper."""
    # Long ones are there to cost time, which other tests measure.
    texts = [text.encode(errors="ignore").decode()[:2_000] for _, text in HOSTILE]
    shifted = [*texts[1:], texts[0]]
    rows = [text or "-" for text in texts]
    board = source([[t or "-"] for t in texts], [[t or "-"] for t in shifted], rows=rows)
    path = board.to_html(tmp_path / "hostile.html", title=" ".join(rows)[:20_000])
    with opened(lab, path.as_uri()) as found:
        for view in VIEWS:
            found.choose(view)
        found.choose("Diff")
        found.page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
        expect(found.board.locator("tbody tr th.row")).to_have_count(len(texts))
        found.page.evaluate("() => { document.querySelector('#allos-table').hidden = false; }")
        found.board.locator(".search input").fill("script <img")
        found.page.wait_for_timeout(500)
        kept = "iframe, object, embed, form, base, link, [onerror], [onload]"

        assert found.page.evaluate(f"() => window.{FLAG}") == 0
        assert found.page.locator(f"main :is({kept}, script, style)").count() == 0
        assert found.page.locator("script").count() == 2
        assert found.requests == [path.as_uri()]
        assert found.messages == []


@pytest.fixture
def log(tmp_path: Path) -> Iterator[None]:
    allos.log.open(tmp_path / "log.sqlite")
    yield
    allos.log.close()


def _study(path: Path, *answers: list[str]) -> Path:
    """A blind page: of each model the answers to each prompt."""
    models = [ScriptedProvider(each, model=f"m{at}") for at, each in enumerate(answers)]
    data = [{"number": number} for number in range(len(answers[0]))]
    return compare("Part {{ number }}", models=models, data=data).wait(60).to_html(path, blind=True)


@pytest.mark.usefixtures("log")
def test_votes_come_home_in_a_file(lab: Lab, tmp_path: Path) -> None:
    """Blind votes with keys and mouse, undone, kept over a reload, saved, and imported once."""
    path = _study(tmp_path / "study.html", ["Rome.", "Oslo."], ["Paris.", "Bonn."])
    with opened(lab, path.as_uri()) as found:
        page, board = found.page, found.page.locator("#allos-page > .allos-board")
        expect(board.locator(".side")).to_have_count(2)
        assert "scripted" not in page.content()
        page.keyboard.press("1")
        expect(board).to_contain_text("1 of 2 pairs")
        board.get_by_role("button", name="undo").click()
        expect(board).to_contain_text("0 of 2 pairs")
        board.get_by_role("button", name="Left is better").click()
        expect(board).to_contain_text("Left, your choice, was scripted/m")
        page.reload()
        expect(board).to_contain_text("1 of 2 pairs")
        page.evaluate(_AXE.read_text("utf-8"))
        assert page.evaluate(_RUN_AXE) == []
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / "exported-blind.png", full_page=True)
        page.keyboard.press("0")
        expect(board.get_by_role("button", name="Grid")).to_be_visible()
        save = page.get_by_role("button", name="Save my votes")
        save.click()
        expect(page.get_by_text("Type your name first.")).to_be_visible()
        page.keyboard.type("Ann")
        with page.expect_download() as download:
            save.click()
        download.value.save_as(tmp_path / "votes.json")
        assert download.value.suggested_filename == "votes-ann.json"
        assert [url for url in found.requests if not url.startswith(("blob:", path.as_uri()))] == []
        assert found.messages == []
    added = allos.import_votes(tmp_path / "votes.json")

    assert sorted(added["winner"])[1:] == ["tie"]
    assert set(added["rater"]) == {"Ann"}
    assert len(allos.import_votes(tmp_path / "votes.json")) == 0


@pytest.mark.usefixtures("log")
def test_votes_leave_a_sandbox_as_text(lab: Lab) -> None:
    """A notebook server allows its files no download and no store; the hostile corpus is voted on."""
    texts = [text.encode(errors="ignore").decode()[:2_000] or "-" for _, text in HOSTILE[:40]]
    _study(lab.root / "study.html", texts, [*texts[1:], texts[0]])
    address = f"{lab.url}/files/study.html?token={lab.token}"
    with opened(lab, address) as found:
        page, board = found.page, found.page.locator("#allos-page > .allos-board")
        expect(page.get_by_text("This browser does not keep them")).to_be_visible()
        pairs = int(board.locator(".chip").inner_text().split()[2])
        for voted in range(1, pairs):
            page.keyboard.press("1")
            expect(board.locator(".chip")).to_have_text(f"{voted} of {pairs} pairs")
        page.get_by_label("Your name").fill("Bo")
        page.get_by_role("button", name="Copy them").click()
        text = page.get_by_label("Your votes as text").input_value()
        assert page.evaluate(f"() => window.{FLAG}") == 0
        assert [url for url in found.requests if url != address] == []

    assert len(allos.import_votes(text)) == pairs - 1 > 30
