"""A notebook saved by JupyterLab in a real Chromium gives the rows of its log again."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
from playwright.sync_api import expect

import allos
from tests.kernel.test_saved import the_log
from tests.support.fake_server import Call, FakeServer, Reply
from tests.support.jupyter import Lab

DATA = (
    "\N{WATER WAVE} a  b\n\n```python\nx = 1\n\n\ny = 2\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n"
)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Reply(text=DATA, reasoning="First *this*.\n\nThen that.")) as started:
        started.script(
            Reply(
                text="Let me look.",
                tool_calls=[
                    Call("weather", {"city": "Rome"}),
                    Call("weather", {"city": "Oslo", "note": "long words " * 40}),
                ],
            ),
            Reply(text="It is **sunny** in Rome."),
            on="tool",
        )
        started.reply('{"name": "Ada", "born": 1815}', on="json")
        yield started


def test_rows_and_looks(lab: Lab, server: FakeServer) -> None:
    """After saving, every column equals the log's; steps of tools and values of schemas are shown."""
    lab.write(
        "saved.ipynb",
        "import os\n"
        f"os.environ.update(GROQ_BASE_URL={server.base_url!r}, GROQ_API_KEY='gsk-of-the-test')\n"
        "os.environ['ALLOS_LOG'] = 'saved.sqlite'\n%load_ext allos\nimport allos",
        "%%allos groq/a -t 0.3\nWhat is $5 or $6?",
        "def weather(city: str, note: str = '') -> str:\n"
        "    if city == 'Oslo':\n        raise ValueError('no such city')\n"
        "    return '\\n'.join(f'{h}:00 sunny, {20 + h % 5} °C' for h in range(24))\n"
        "allos.ask('Weather?', model='groq/tool', tools=[weather], approve='always', seed=2**60 + 1)",
        "class Person(__import__('pydantic').BaseModel):\n    name: str\n    born: int\n"
        "allos.ask('Who?', model='groq/json', schema=Person)",
        "c = allos.compare('How?', models=['groq/a', 'groq/b'], n=2)\nc",
        "c.wait(20); allos.log.flush()",
    )
    notebook = lab.open("saved.ipynb")
    notebook.run_all()
    table = notebook.outputs(4).locator(".allos-cmp")
    expect(table.locator(".allos-sum")).to_contain_text("4 of 4 done")
    run = notebook.outputs(2)
    expect(run.locator(".allos-tool")).to_have_count(2)
    notebook.screenshot("answers-light")
    run.locator("details.allos-more").first.locator("summary").click()
    notebook.set_theme("dark")
    notebook.screenshot("answers-dark")
    path = notebook.save()
    found = allos.from_notebook(path)
    wanted = the_log(lab.root / "saved.sqlite")

    expect(run).to_contain_text("no such city")
    expect(run.locator(".allos-foot")).to_contain_text("2 calls")
    expect(notebook.outputs(3)).to_contain_text("Person")
    pd.testing.assert_frame_equal(
        found.sort_values("id", ignore_index=True), wanted.sort_values("id", ignore_index=True)
    )
    assert len(found) == 1 + 2 + 1 + 4
    assert found["seed"].dropna().tolist() == [2**60 + 1] * 2
    assert notebook.foreign_requests == []
    assert notebook.errors == []
