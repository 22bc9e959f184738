"""The sub-commands of `%allos` and frames of responses, as JupyterLab shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.fake_server import FakeServer, Reply
from tests.support.jupyter import Lab

LONG = "Gravity is the **curvature** of spacetime; `x = 1` and $5 or $6. " * 12
CELLS = (
    "%allos providers",
    "%allos providers groq",
    "%allos models groq",
    "%allos config",
    "%allos chats",
    "%allos key",
    "%allos log",
    "%allos log 2 failed",
    "%allos last",
    "%allos spent today",
    "%allos replay",
    "%allos stop",
    "df = allos.responses()\ndf",
    "df[['model', 'content']].head(2)",
    "get_ipython().run_line_magic('allos', f'show {c.id}')",
    "allos.comparison(c.id)",
)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Reply(text=LONG)) as started:
        started.models = [
            {"id": "openai/gpt-oss-20b", "context_window": 131072, "created": 1_754_407_957},
            {"id": "qwen/qwen3-32b", "context_window": 131072, "max_completion_tokens": 40960},
        ]
        yield started


def test_commands_are_tables(lab: Lab, server: FakeServer) -> None:
    """Each is a left-aligned table without NaN, light and dark, trusted and not."""
    lab.write(
        "commands.ipynb",
        "import os\n"
        f"os.environ.update(GROQ_BASE_URL={server.base_url!r}, GROQ_API_KEY='gsk-of-the-test')\n"
        "os.environ['ALLOS_LOG'] = 'commands.sqlite'\n%load_ext allos\nimport allos",
        "for name in 'abc':\n    allos.ask(f'What is gravity, {name}?', model='groq/llama-3.1-8b-instant')\n"
        "allos.chat('trip').ask('Hello', model='groq/qwen/qwen3-32b')\n"
        "c = allos.compare('Compare them.', models=['groq/a', 'groq/b', 'openai/c']).wait(20)",
        *CELLS,
    )
    notebook = lab.open("commands.ipynb")
    notebook.run_all()
    for at, cell in enumerate(CELLS, 2):
        output = notebook.outputs(at)
        expect(output, cell).not_to_contain_text(re.compile(r"Error\b"))  # boards count "Errors"
        expect(output, cell).not_to_contain_text("NaN")
    notebook.screenshot("commands-light")
    notebook.set_theme("dark")
    notebook.screenshot("commands-dark")
    notebook.set_theme("light")
    notebook.save()
    again = notebook.reopen(trust=False)
    expect(again.outputs(2).locator("td").first).to_have_css("text-align", "left")
    again.screenshot("commands-untrusted")

    assert again.foreign_requests == notebook.foreign_requests == []
    assert notebook.errors == []
