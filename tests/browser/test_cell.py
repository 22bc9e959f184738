"""A cell's answer in JupyterLab in a real Chromium: it streams, it looks right, nothing in it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from tests.support.fake_server import FakeServer, Fault, Reply
from tests.support.jupyter import Lab
from tests.support.jupyter.notebook import PICTURES

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

ANSWER = """Rows without a time to first token were **not streamed**, so there was no first token to \
time. It costs $5 or $6. Drop them with:

```python
df = df.dropna(subset=["time_to_first_token_s"])  # keeps streamed rows
```

| column | null when |
| --- | --- |
| `time_to_first_token_s` | not streamed |
| `cost_usd` | price unknown |

- See [the schema](https://example.org/schema).
"""


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Reply(text=ANSWER, reasoning="The user asks about nulls.")) as started:
        yield started


def _setting(server: FakeServer) -> str:
    return (
        "import os\n"
        f"os.environ.update(GROQ_BASE_URL={server.base_url!r}, GROQ_API_KEY='gsk-test-key')\n"
        "%load_ext allos"
    )


@pytest.mark.model
def test_the_first_five_cells(lab: Lab) -> None:
    """Load, ask with a value filled in, keep the answer, await one, see the rows: all in the page."""
    lab.write(
        "first.ipynb",
        "import os\nos.environ['ALLOS_LOG'] = 'first.sqlite'\nname = 'Ada'\n%load_ext allos",
        "%%allos local/smollm2 -t 0 --max-tokens 40\nSay hello to {{name}}.",
        "%%allos local/smollm2 -t 0 --max-tokens 40 -o answer\nSay hello to {{name}}.",
        "answer.metadata",
        "import allos\nawait allos.aask('Say hi.', model='local/smollm2', max_tokens=8)",
        "allos.responses()[['provider', 'model', 'status', 'prompt', 'output_tokens']]",
    )
    notebook = lab.open("first.ipynb")
    notebook.run_all()
    notebook.screenshot("first-five-cells")
    footer = notebook.outputs(1).locator(".allos-foot")

    expect(notebook.outputs(0)).to_be_empty()
    expect(footer).to_contain_text("local/smollm2")
    expect(footer).to_contain_text(re.compile(r"\d+ in, \d+ out"))
    expect(notebook.outputs(3)).to_contain_text("'provider': 'local'")
    expect(notebook.outputs(4).locator(".allos-foot")).to_contain_text("local/smollm2")
    expect(notebook.outputs(5).locator("tbody tr")).to_have_count(3)
    expect(notebook.outputs(5)).to_contain_text("Say hello to Ada.")
    assert notebook.foreign_requests == []


@pytest.mark.model
def test_quickstart_runs_in_the_page(lab: Lab) -> None:
    """The quickstart notebook runs to its end in JupyterLab, light and dark."""
    book = nbformat.read(NOTEBOOKS / "01-quickstart.ipynb", as_version=4)
    book.cells.insert(0, nbformat.v4.new_code_cell("%env ALLOS_LOG=quickstart.sqlite"))
    nbformat.write(book, lab.root / "01-quickstart.ipynb")
    notebook = lab.open("01-quickstart.ipynb")
    notebook.run_all()
    notebook.screenshot("quickstart-light")
    notebook.set_theme("dark")
    notebook.screenshot("quickstart-dark")

    expect(notebook.outputs().last.locator("tbody tr")).to_have_count(3)
    shown = "\n".join(notebook.outputs().all_inner_texts())
    assert "The capital of France is Paris." in shown
    assert "City(name='Rome', country='Italy', people=2748109)" in shown
    assert "Did you mean 'anthropic'?" in shown
    assert notebook.foreign_requests == []
    assert notebook.errors == []


def test_blocks_are_rendered_while_the_answer_streams(lab: Lab, server: FakeServer) -> None:
    """A finished block is rendered, the one being written stands there as typed. At the end nothing has
    moved: there is a quiet footer, reasoning is folded, and dollars of prices are no formula."""
    server.reply(Reply(text=ANSWER, reasoning="Nulls mean: not known.", delay_s=0.1))
    lab.write("stream.ipynb", _setting(server), "%%allos groq llama-3.1-8b-instant\nWhy nulls?")
    notebook = lab.open("stream.ipynb")
    notebook.run_cell(0)
    notebook.run_cell(1, wait=False)
    output = notebook.outputs(1)
    # Looked for by the page itself: a busy machine would be late.
    notebook.page.wait_for_function("""() => {
        const output = document.querySelectorAll('.jp-Cell')[1].querySelector('.jp-OutputArea');
        return output.innerText.includes('**not streamed**') && !output.querySelector('strong');
    }""")
    expect(output.locator("strong")).to_have_text("not streamed")
    expect(output.locator(".allos-md + .allos-text")).to_contain_text("```python")
    # In one step: each update replaces the elements.
    place = "e => { const r = e.querySelector('.allos-md > p').getBoundingClientRect(); return [r.x, r.y, r.width, r.height] }"
    before = output.evaluate(place)
    notebook.wait_idle()
    notebook.screenshot("cell-light")
    after = output.evaluate(place)
    notebook.set_theme("dark")
    notebook.screenshot("cell-dark")

    assert before == after
    expect(output.locator("table td").first).to_have_text("time_to_first_token_s")
    # As while it streams: inline styles for pages without our sheet move nothing.
    expect(output.locator("table td").first).to_have_css("vertical-align", "baseline")
    expect(output.locator("pre code span").first).to_be_visible()
    expect(output).to_contain_text("$5 or $6")
    expect(output.locator("mjx-container")).to_have_count(0)
    expect(output.locator("details")).not_to_have_attribute("open", "")
    expect(output.locator("details summary")).to_contain_text("Reasoning")
    expect(output.locator(".allos-foot b")).to_have_text("groq/llama-3.1-8b-instant")
    expect(output.locator(".jp-OutputArea-output")).to_have_count(1)
    assert notebook.foreign_requests == []
    assert notebook.errors == []


MATHS = r"""The roots of $ax^2 + bx + c = 0$ are

$$x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}$$

\begin{align}
f(x) &= (x+1)^2 \\
     &= x^2 + 2x + 1
\end{align}

So \(e^{i\pi} = -1\), \[ \boxed{A = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}} \] and not $\foo{x}$. It costs $5 to $10.
"""


def test_maths_is_typeset_and_readable_where_it_is_not(lab: Lab, server: FakeServer) -> None:
    """MathML of ours in a fresh output; in a notebook that is not trusted, the sources."""
    server.reply(Reply(text=MATHS))
    lab.write("maths.ipynb", _setting(server), "%%allos groq/maths\nThe roots?")
    notebook = lab.open("maths.ipynb")
    notebook.run_all()
    notebook.screenshot("maths-light")
    output = notebook.outputs(1)

    expect(output.locator("math")).to_have_count(5)
    for formula in output.locator("math").all():
        expect(formula).to_be_visible()
    expect(output.locator(".allos-tex:visible")).to_have_count(0)
    expect(output.locator("mjx-container")).to_have_count(0)
    expect(output.locator("code:visible")).to_have_text(r"$\foo{x}$")
    expect(output).to_contain_text("It costs $5 to $10.")
    notebook.save()
    notebook = notebook.reopen(trust=False)
    output = notebook.outputs(1)
    notebook.screenshot("maths-untrusted")

    expect(output.locator("code:visible")).to_have_count(6)
    expect(output.locator("code").first).to_have_text("$ax^2 + bx + c = 0$")
    expect(output.locator("math, mjx-container, .allos-math:visible")).to_have_count(0)


def test_errors_in_the_page(lab: Lab, server: FakeServer) -> None:
    """Each error is one line in the cell that caused it; where it is narrow it breaks at words."""
    server.reply(Fault.reset(after_deltas=4), on="broken")
    lab.write(
        "errors.ipynb",
        _setting(server),
        "%%allos grok llama-3.1-8b-instant\nHello",
        "%%allos openai gpt-5-mini\nHello",
        "%%allos groq broken\nHello",
    )
    notebook = lab.open("errors.ipynb")
    for cell in range(4):
        notebook.run_cell(cell)
    notebook.screenshot("errors")

    expect(notebook.outputs(1)).to_contain_text("Did you mean 'groq'?")
    expect(notebook.outputs(2)).to_contain_text("set OPENAI_API_KEY")
    expect(notebook.outputs(3)).to_contain_text(
        "the answer broke off: the server closed the connection."
    )
    expect(notebook.outputs(3).locator(".allos-foot")).to_contain_text("failed")
    expect(notebook.outputs(3).locator(".allos-foot")).to_be_visible()
    for cell in (1, 2):
        assert len(notebook.outputs(cell).inner_text().strip().splitlines()) == 1
        expect(notebook.outputs(cell).locator(".allos-error-rule-alone")).to_be_hidden()
    for cell in (1, 2, 3):
        expect(notebook.outputs(cell).locator("pre").last).to_have_css("word-break", "normal")
    notebook.page.set_viewport_size({"width": 700, "height": 900})
    notebook.page.screenshot(path=PICTURES / "errors-narrow.png", animations="disabled")


@pytest.mark.model
def test_picture_of_the_readme(lab: Lab) -> None:
    """The cells of the README's picture run as they stand there."""
    lab.write(
        "readme.ipynb",
        "%env ALLOS_LOG=readme.sqlite",
        '%load_ext allos\ntopic = "gravity"',
        "%%allos local/smollm2 -t 0 -o answer\nExplain {{ topic }} in one sentence.",
        "%%allos local/smollm2 -t 0\nWhat is the capital of France?",
        "import allos\n\n"
        'columns = ["prompt", "content", "output_tokens", "latency_s"]\n'
        'allos.responses(since="1h")[columns].round(2)',
    )
    notebook = lab.open("readme.ipynb")
    notebook.run_all()
    notebook.run_cell(0)
    whole = notebook.screenshot("readme-whole")
    notebook.page.set_viewport_size({"width": 1100, "height": 1400})
    first = notebook.page.locator(".jp-Notebook .jp-Cell").nth(1).bounding_box()
    last = notebook.page.locator(".jp-Notebook .jp-Cell").last.bounding_box()
    assert first is not None
    assert last is not None
    notebook.page.screenshot(
        path=str(whole.with_name("readme.png")),
        clip={
            "x": first["x"],
            "y": first["y"] + 3,
            "width": first["width"],
            "height": last["y"] + last["height"] - first["y"],
        },
    )

    expect(notebook.outputs(4).locator("tbody tr")).to_have_count(2)
