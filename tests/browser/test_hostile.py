"""Nothing that a model, a tool or a server writes runs or calls home, in JupyterLab in a real Chromium.

Every text of the corpus goes through every way to the screen. What is counted: executed scripts,
dialogs, opened pages, requests and web sockets to anywhere else, elements and attributes that are
not ours, elements that leave their place.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from allos.parts import Image, data_uri
from allos.render.comparison_columns import COLOURS
from allos.render.comparison_facts import MAX_PROMPT_CHARS
from allos.render.plain import clean_text
from tests.support.fake_server import Call, FakeServer, Fault, Raw, Reply
from tests.support.hostile import FLAG, HOSTILE, HOSTILE_PARTS, MARK, judge
from tests.support.jupyter import Lab, Notebook
from tests.support.pictures import png

_PER_CELL = 40
"""JupyterLab hides the outputs of a cell beyond its fiftieth."""
_FIELD_CHARS = 2_000
_FORMULA_CHARS = 200
"""Of a text that repeats a formula: for each output JupyterLab styles anew what stands on the page, and
thousands of equal formulas say no more than some."""
_REPEATED = {
    *("math_many", "math_many_blocks", "math_many_matrices", "math_dollar_lines"),
    "math_brackets_lines",
}
_PER_PROMPT = 10
_PROMPT_CHARS = 200
"""Of a text that is a part of a prompt: how it begins is what counts."""

TEXTS = [text.encode(errors="ignore").decode() for _, text in HOSTILE]
SHORT = [
    text[: _FORMULA_CHARS if name in _REPEATED else _FIELD_CHARS]
    for (name, _), text in zip(HOSTILE, TEXTS, strict=True)
]
BATCHES = [range(at, min(at + _PER_CELL, len(TEXTS))) for at in range(0, len(TEXTS), _PER_CELL)]
HALVES = BATCHES[::2], BATCHES[1::2]
"""Of the corpus, for two pages: for each output JupyterLab styles anew what stands on its page. Pages without
boards run side by side."""

# Counts how often a payload sets its flag; looks at what stands in our outputs.
_COUNT = f"""() => {{
    let count = window.{FLAG} ? 1 : 0;
    Object.defineProperty(window, '{FLAG}', {{ get: () => count, set: () => {{ count += 1; }} }});
}}"""
_LEAVERS = """() => [...document.querySelectorAll('.allos-out *, .allos-board *, .allos-question *')].filter(e => {
    const style = getComputedStyle(e);
    return !['static', 'relative'].includes(style.position)
        && !e.closest('.time') && !e.matches('.unseen, .search > kbd, .scroller > table > * > tr > th');
}).map(e => e.outerHTML.slice(0, 200))"""
_OUTPUTS = """() => [...document.querySelectorAll('.allos-out')].map(e => {
    const copy = e.cloneNode(true);
    for (const style of copy.querySelectorAll('style')) style.remove();
    // The board's own around code: a box with the code and a button that says nothing of a model's.
    for (const box of e.closest('.allos-board') ? copy.querySelectorAll('div.code') : []) {
        const [pre, button] = box.children;
        const own = box.children.length === 2 && pre.localName === 'pre' && button.outerHTML ===
            '<button type="button" class="btn copy" aria-label="Copy the code">Copy</button>';
        if (own) box.replaceWith(pre);
    }
    // JupyterLab writes its own over ours.
    for (const link of copy.querySelectorAll('a[rel="noopener"]')) link.rel = 'noopener noreferrer';
    return copy.outerHTML;
})"""


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A busy machine may be slow."""
    expect.set_options(timeout=60_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as started:
        for number, (text, short) in enumerate(zip(TEXTS, SHORT, strict=True)):
            every = Reply(
                text=text,
                reasoning=short,
                refusal=short,
                tool_calls=[Call(short[:60] or "x", {short[:200]: short})],
                # Small enough to cut everything that can be cut.
                chunk_size=7 if text == short else 2_000,
            )
            started.reply(every, on=f"h{number}")
            started.reply(Fault.status(400, message=short), on=f"bad{number}")
            started.script(
                Reply(tool_calls=[Call("read", {"number": number, "what": short})]),
                Reply(text=short),
                on=f"tool{number}",
            )
        yield started


def _setting(server: FakeServer) -> str:
    """First cell: a service, and the corpus as `texts`, which no cell's source holds."""
    return (
        "import os, sys\n"
        f"os.environ.update(GROQ_BASE_URL={server.base_url!r}, GROQ_API_KEY='gsk-test-key')\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from tests.browser.test_hostile import SHORT as texts\n"
        "from IPython.display import display\n"
        "import allos\n%load_ext allos\nrun = get_ipython().run_cell_magic"
    )


def _open(lab: Lab, name: str, server: FakeServer, *pages: list[str]) -> list[Notebook]:
    """Notebooks with these cells, which run at the same time."""
    notebooks = []
    for number, cells in enumerate(pages):
        lab.write(f"{name}-{number}.ipynb", _setting(server), *cells)
        notebooks.append(notebook := lab.open(f"{name}-{number}.ipynb"))
        notebook.page.evaluate(_COUNT)
        notebook.run_all(wait=False)
    for notebook in notebooks:
        notebook.page.bring_to_front()  # what is behind another page is not drawn
        notebook.wait_idle(480)
    return notebooks


def _did_nothing(notebook: Notebook, outputs: int, classes: frozenset[str] = frozenset()) -> None:
    """Zero and zero: look at the page as a whole, and point at a few links."""
    page = notebook.page
    expect(notebook.outputs().locator(".allos-out").first).to_be_attached()
    for link in page.locator(".allos-out a:visible").all()[:5]:
        link.hover()
    found = page.evaluate(_OUTPUTS)
    faults = {fault for html in found for fault in judge(html, classes=classes, images=True)[0]}

    _quiet(notebook)
    assert page.evaluate(_LEAVERS) == []
    assert faults == set()
    assert len(found) >= outputs


def test_cells(lab: Lab, server: FakeServer) -> None:
    """Answers, reasoning, refusals and calls of tools: streaming, fresh, saved, exported and reopened."""
    pages = [
        [
            f"for n in range({batch.start}, {batch.stop}):\n    run('allos', f'groq/h{{n}}', 'Go on')"
            for batch in half
        ]
        for half in HALVES
    ]
    notebooks = _open(lab, "hostile", server, *pages)

    assert sum(map(_count, HALVES)) == len(TEXTS) >= 150
    for notebook, half in zip(notebooks, HALVES, strict=True):
        expect(notebook.outputs().locator(".allos-out")).to_have_count(_count(half))
        _did_nothing(notebook, _count(half))
        notebook.save()
    _did_nothing_exported(lab, len(TEXTS), *notebooks)
    for notebook, half in zip(notebooks, HALVES, strict=True):
        for opened in _did_nothing_reopened(notebook, _count(half)):
            opened.screenshot(f"hostile-{'trusted' if opened.trusted else 'untrusted'}")


def _count(batches: Sequence[range]) -> int:
    return sum(map(len, batches))


def _did_nothing_exported(lab: Lab, outputs: int, *notebooks: Notebook) -> None:
    """In pages made by nbconvert, whose own typesetter runs."""
    paths = [lab.root / notebook.name for notebook in notebooks]
    subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", *map(str, paths)],
        check=True,
        capture_output=True,
        timeout=120,
        env=lab.environment,
    )
    seen: list[str] = []
    count = 0
    for path in paths:
        page: Page = lab.browser.new_page()
        page.on("request", lambda request: seen.append(request.url))
        page.goto(path.with_suffix(".html").as_uri())
        page.wait_for_timeout(1500)
        assert page.evaluate(f"() => window.{FLAG} ?? 0") == 0
        count += page.locator(".allos-out").count()
        page.close()

    assert [url for url in seen if MARK in url or url.startswith("file:///etc")] == []
    assert count == outputs


def _did_nothing_reopened(
    notebook: Notebook, outputs: int, classes: frozenset[str] = frozenset()
) -> Iterator[Notebook]:
    """Opened again as one's own, and as a file that came by mail: one after the other."""
    for trust in (True, False):
        notebook = notebook.reopen(trust=trust)
        notebook.page.evaluate(_COUNT)
        expect(notebook.outputs().locator("code").first).to_be_attached()
        shown = notebook.outputs().locator(".jp-OutputArea-output")
        assert shown.count() >= outputs
        assert notebook.trusted is trust
        if trust:
            _did_nothing(notebook, outputs, classes)
        _quiet(notebook)
        yield notebook


def _quiet(notebook: Notebook) -> None:
    """No script, no request, no dialog, no other page."""
    assert notebook.page.evaluate(f"() => window.{FLAG} ?? 0") == 0
    assert notebook.foreign_requests == []
    assert notebook.dialogs == []
    assert notebook.popups == []


def test_tools(lab: Lab, server: FakeServer) -> None:
    """What a tool gives back."""
    tool = "def read(number: int, what: str) -> str:\n    'Read.'\n    return texts[number]"
    pages = [
        [
            f"for n in range({batch.start}, {batch.stop}):\n"
            "    display(allos.ask('Go on', model=f'groq/tool{n}', tools=[read], approve='always'))"
            for batch in half
        ]
        for half in HALVES
    ]
    notebooks = _open(lab, "tools", server, *([tool, *runs] for runs in pages))

    for notebook, half in zip(notebooks, HALVES, strict=True):
        expect(notebook.outputs().locator(".allos-tool")).to_have_count(_count(half))
        _did_nothing(notebook, _count(half))


def test_errors_and_names(lab: Lab, server: FakeServer) -> None:
    """What a server says of a fault, and the names of models."""
    pages = [
        [
            cell
            for batch in half
            for cell in (
                f"for n in range({batch.start}, {batch.stop}):\n"
                "    try:\n        run('allos', f'groq/bad{n}', 'Go on')\n"
                "    except allos.AllosError:\n        get_ipython().showtraceback()",
                f"for n in range({batch.start}, {batch.stop}):\n"
                "    try:\n        display(allos.ask('Hi', model='groq/' + texts[n]))\n"
                "    except Exception as exc:\n        print(exc)",
            )
        ]
        for half in HALVES
    ]

    for notebook, half in zip(_open(lab, "errors", server, *pages), HALVES, strict=True):
        _did_nothing(notebook, _count(half))


def test_questions_about_tools(lab: Lab, server: FakeServer) -> None:
    """The question whether a tool may run, and its record: open, answered, saved and reopened."""
    for start in range(0, len(TEXTS), _PER_PROMPT):
        some = [text[:1_000] for text in TEXTS[start : start + _PER_PROMPT]]
        ask = Reply(text="Go on", tool_calls=[Call("read", {"what": some, "more": {"a": some}})])
        server.script(ask, Reply(text="`done`"), on=f"ask{start}")
    tool = (
        "def read(what: list[str], more: dict[str, list[str]]) -> str:\n"
        "    'Read.'\n    raise AssertionError"
    )
    starts = list(range(0, len(TEXTS), _PER_PROMPT))
    # JupyterLab shows 50 outputs of a cell, and each question has two.
    cells = [starts[at : at + 20] for at in range(0, len(starts), 20)]
    asked = [
        f"for n in {some}:\n    run('allos', f'groq/ask{{n}} --tools read', 'Go on')"
        for some in cells
    ]
    patient = "from allos.notebook import tool_question\ntool_question.HELLO_TIMEOUT_S = 60"
    lab.write("questions.ipynb", f"{_setting(server)}\n{patient}\n{tool}", *asked)
    notebook = lab.open("questions.ipynb")
    notebook.page.evaluate(_COUNT)
    notebook.run_cell(0)
    for cell, some in enumerate(cells, 1):
        notebook.run_cell(cell, wait=False)
        question = notebook.outputs(cell).locator(".allos-question")
        records = notebook.outputs(cell).get_by_text("Not allowed: read(")
        for number, start in enumerate(some):
            expect(records).to_have_count(number)
            # As JSON, letter for letter: what is seen is what the tool would get.
            line = question.locator("pre").inner_text().split("\nmore = ")[0]
            asked_about = [text[:1_000] for text in TEXTS[start : start + _PER_PROMPT]]
            assert json.loads(line.removeprefix("what = ")) == list(map(_seen, asked_about))
            assert question.locator(":not(div, b, pre, button)").count() == 0
            assert notebook.page.evaluate(_LEAVERS) == []
            _quiet(notebook)
            question.get_by_role("button", name="No").click()
        notebook.wait_idle()
        expect(question).to_have_count(0)

    _did_nothing(notebook, 2 * len(starts))
    notebook.save()
    assert len(list(_did_nothing_reopened(notebook, 2 * len(starts)))) == 2


def _seen(text: str) -> str:
    """Text with what JSON cannot spell out in its place: selectors of variants, which hide as well."""
    return "".join(char if ord(char) < 0xE0100 else clean_text(char) for char in text)


def _prompts() -> list[range]:
    """The texts in groups that a board shows whole, one below the other."""
    found, chars = [range(0)], 0
    for number, text in enumerate(SHORT):
        chars += len(text[:_PROMPT_CHARS]) + len("\n\n")
        if chars > MAX_PROMPT_CHARS:
            found.append(range(number, number))
            chars = len(text[:_PROMPT_CHARS]) + len("\n\n")
        found[-1] = range(found[-1].start, number + 1)
    return found


def test_comparisons(lab: Lab, server: FakeServer) -> None:
    """Board and table: answers, models' names, prompts, system texts, names of files, errors."""
    prompts = _prompts()
    formulas = 0
    # One page after the other: a board has two seconds to start.
    for number, (batches, asked) in enumerate(
        zip(HALVES, (prompts[::2], prompts[1::2]), strict=True)
    ):
        (notebook,) = _open(lab, f"boards-{number}", server, _board_cells(batches, asked))
        boards = notebook.outputs().locator(".allos-board")
        expect(boards.first).to_be_visible()
        expect(boards.locator(".col[aria-busy=true]")).to_have_count(0)
        foreign = "script, iframe, img:not(.allos-img), form, svg, object, link"
        expect(boards.locator(foreign)).to_have_count(0)
        maths = boards.locator(".allos-math > rp > math").count()
        assert boards.locator("math").count() == maths
        formulas += maths
        notebook.screenshot(f"board-hostile-{number}")

        assert boards.count() == 2 * len(batches) + len(asked)
        assert boards.locator(".col").count() >= 3 * _count(batches)
        _did_nothing(notebook, _count(batches), _own_classes(notebook))
        notebook.save()
        reopened = _did_nothing_reopened(notebook, 2 * len(batches), _own_classes(notebook))
        assert len(list(reopened)) == 2
        lab.close_all()

    assert formulas > 0


def _board_cells(batches: Sequence[range], prompts: Sequence[range]) -> list[str]:
    """Cells that compare answers, errors and names of a part of the corpus, and ask texts of it."""
    answers = [
        "c = allos.compare('Go on', models=["
        f"name for n in range({batch.start}, {batch.stop}) for name in ({names})])\nc"
        for batch in batches
        for names in ("f'groq/h{n}',", "f'groq/bad{n}', 'groq/m' + texts[n][:300]")
    ]
    asked = (
        f"for at in {[*prompts]}:\n"
        f"    some = [text[:{_PROMPT_CHARS}] for text in texts[at.start:at.stop]]\n"
        "    files = [allos.File(data=b'x', name='a' + text) for text in some[:3]]\n"
        "    c = allos.compare([*some, *files], system='\\n\\n'.join(some), models=['groq/h0'])\n"
        "    display(c.wait())"
    )
    ended = "while allos.current_session().active_runs: __import__('time').sleep(0.1)"
    return [*[cell for each in answers for cell in (each, ended)], asked]


def _own_classes(notebook: Notebook) -> frozenset[str]:
    """Classes of ours that differ from comparison to comparison."""
    roots = notebook.page.evaluate(
        "() => [...document.querySelectorAll('.allos-cmp')].flatMap(e => [...e.classList])"
    )
    return frozenset(roots) | {f"allos-c{slot}" for slot in range(COLOURS)}


def test_images(lab: Lab, server: FakeServer) -> None:
    """A picture is drawn in cell, board, table and saved page; what pretends to be one does nothing."""
    parts = [part for _, part in HOSTILE_PARTS]
    picture = {"type": "image_url", "image_url": {"url": data_uri(Image(data=png(48, 48)))}}
    for number, part in enumerate([picture, *parts]):
        delta = {"role": "assistant", "content": "", "images": [part]}
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        chunks = [{"choices": [{"index": 0, "delta": delta}]}, {"choices": [end]}]
        server.reply(Raw.sse(chunks), on=f"part{number}")
    server.reply(Reply("`code`"), on="words")
    names = [*(f"groq/part{number}" for number in range(len(parts) + 1)), "groq/words"]
    cells = [
        f"for name in {names!r}:\n    run('allos', name, 'Go on')",
        f"c = allos.compare('Go on', models={names!r})\nc",
        "while allos.current_session().active_runs: __import__('time').sleep(0.1)",
    ]
    (notebook,) = _open(lab, "images", server, cells)
    pictures = notebook.page.locator("img.allos-img:visible")
    board = notebook.outputs().locator(".allos-board")
    expect(board.locator("img.allos-img").first).to_be_visible()
    expect(board).not_to_contain_text("Stopped before the first word")
    classes = _own_classes(notebook)
    widths = pictures.evaluate_all("all => all.map(e => e.naturalWidth)")
    notebook.screenshot("images")

    assert widths.count(48) == 2
    _did_nothing(notebook, len(names), classes)
    notebook.save()
    assert len(list(_did_nothing_reopened(notebook, len(names), classes))) == 2


_UNSAFE = (
    f"<script>window.{FLAG}=1</script><img src=x onerror='window.{FLAG}=1'>"
    f"<img src='https://{MARK}/a.png'><div style='position:fixed'>over</div>"
)


def test_the_check_can_fail(lab: Lab, server: FakeServer) -> None:
    """A rendering that is unsafe is caught by each of the counts: what the others find is no blindness."""
    lab.write(
        "unsafe.ipynb",
        "from IPython.display import HTML, Markdown, display",
        f"display(HTML('''<div class=allos-out>{_UNSAFE}</div>'''))",
        f"display(Markdown('![x](https://{MARK}/md.png)'))",
        "display(HTML('<script>alert(1);window.open(\"about:blank\")</script>'))",
    )
    notebook = lab.open("unsafe.ipynb")
    notebook.page.evaluate(_COUNT)
    notebook.run_all()
    requests = f"https://{MARK}/a.png", f"https://{MARK}/md.png"
    notebook.page.wait_for_timeout(1000)

    assert notebook.page.evaluate(f"() => window.{FLAG}") == 2
    assert set(requests) <= set(notebook.foreign_requests)
    assert notebook.dialogs == ["1"]
    assert notebook.popups != []
    assert len(notebook.page.evaluate(_LEAVERS)) == 1
    assert {"element img", "element script"} <= set(judge(notebook.page.evaluate(_OUTPUTS)[0])[0])


def test_unsafe_html_is_what_it_says(lab: Lab, server: FakeServer) -> None:
    """With --unsafe-html the answer's script runs, below a notice and a line of the standard error."""
    server.reply(Reply(text=f"**Hi** {_UNSAFE}"), on="wild")
    lab.write("wild.ipynb", _setting(server), "%%allos groq/wild --unsafe-html\nGo on")
    notebook = lab.open("wild.ipynb")
    notebook.page.evaluate(_COUNT)
    notebook.run_all()
    expect(notebook.outputs(1).locator(".allos-err")).to_contain_text(
        "UNSAFE: the model's own HTML"
    )
    notebook.page.wait_for_timeout(500)

    expect(notebook.outputs(1)).to_contain_text("because you asked for `--unsafe-html`")
    assert notebook.page.evaluate(f"() => window.{FLAG}") >= 1
