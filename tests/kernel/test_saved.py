"""A notebook that was run and saved gives the same rows as the log, without running again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

import allos
from allos.log import query
from allos.log.columns import FRAME_NAMES
from allos.log.notebook_rows import PRIVATE_COLUMNS
from allos.log.store.protocol import Where
from allos.log.store.sqlite import SQLiteStore
from tests.support.dtypes import TEXT
from tests.support.fake_server import Call, FakeServer, Fault, Reply
from tests.support.jupyter import private_environment

CELLS = [
    "%load_ext allos\nimport allos\ntopic = 'tides'",
    "%%allos groq/a -t 0.2 --max-tokens 50 -s 'Be terse' -o answer\nExplain {{topic}}.",
    "answer",  # shown again: the same row
    "%%allos compare groq/a groq/bad groq/b -n 2 -o cmp\nHow about {{topic}}?",
    "try:\n    get_ipython().run_cell_magic('allos', 'groq/broken', 'Hi')\n"
    "except allos.AllosError:\n    pass",
    "def weather(city: str) -> str:\n    return 'sunny'\n"
    "allos.ask('Weather?', model='groq/tool', tools=[weather], tags=['x', 'y'])",
    "allos.ask(['What is it?', allos.File(data=b'a text', name='n.txt')], model='groq/a', seed=7)",
    "allos.log.flush()",
]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Reply(text="A **short** answer. \U0001f30a", reasoning="Hm.")) as started:
        started.reply(Fault.bad_key(), on="bad")
        started.reply(Fault.reset(after_deltas=2), on="broken")
        started.script(Reply(tool_calls=[Call("weather", {"city": "Rome"})]), on="tool")
        yield started


def the_log(path: Path) -> pd.DataFrame:
    """All rows of a log file, without what stays in it."""
    store = SQLiteStore(path)
    rows = query.read(store, FRAME_NAMES, Where())
    store.close()
    assert rows["user"].notna().any() or rows["host"].notna().any()
    for name in PRIVATE_COLUMNS:
        rows[name] = pd.array([None] * len(rows), dtype=TEXT)
    return rows


def test_a_saved_notebook_gives_the_rows_of_the_log(server: FakeServer, tmp_path: Path) -> None:
    """Answers, comparisons, failures and runs with tools, run by nbclient: every column is equal."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    environment = {
        **private_environment(tmp_path / "home"),
        "GROQ_BASE_URL": server.base_url,
        "GROQ_API_KEY": "gsk-of-the-test",
        "ALLOS_LOG": str(tmp_path / "log.sqlite"),
    }
    NotebookClient(book, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute(
        env=environment
    )
    nbformat.write(book, tmp_path / "study.ipynb")
    saved = (tmp_path / "study.ipynb").read_text(encoding="utf-8")
    found = allos.from_notebook(tmp_path / "study.ipynb")
    wanted = the_log(tmp_path / "log.sqlite")

    pd.testing.assert_frame_equal(
        found.sort_values("id", ignore_index=True), wanted.sort_values("id", ignore_index=True)
    )
    assert len(found) == 1 + 6 + 1 + 2 + 1
    assert found["created_at"].is_monotonic_increasing
    assert "gsk-of-the-test" not in saved
