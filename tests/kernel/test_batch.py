"""Batches in a real kernel: the cell returns, its table follows, the stop button pauses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fake_server import FakeServer, Reply
from tests.support.jupyter import Kernel

TABLE = "import pandas as pd\ndf = pd.DataFrame({'text': [f'<{n}>' for n in range(40)]})"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer("An answer.") as started:
        started.reply(lambda seen: Reply(f"echo {seen.prompt}", first_delay_s=0.1))
        yield started


def test_the_cell_returns_and_its_table_follows(kernel: Kernel, server: FakeServer) -> None:
    """The kernel is free at once; the table of the cell is updated until the batch is done."""
    kernel.run(TABLE)
    result = kernel.run("%%allos batch df groq/m -o out\nSay {{text}}")
    shown = result.displays[0]["content"]
    meanwhile = kernel.run("6 * 7")
    kernel.run("out.wait(20)")

    def updated() -> bool:
        return any(
            m["header"]["msg_type"] == "update_display_data"
            and m["content"]["transient"] == shown["transient"]
            and "Batch, done: 40 of 40 answered" in m["content"]["data"]["text/plain"]
            for m in kernel.messages
        )

    kernel.listen(updated, 10)

    assert result.status == "ok"
    assert "Batch, running: " in shown["data"]["text/plain"]
    assert meanwhile.displays[-1]["content"]["data"]["text/plain"] == "42"
    assert updated()
    assert kernel.value("out.frame['content'].iloc[-1]") == "echo Say <39>"
    assert server.count == 40


def test_running_the_cell_again_goes_on(kernel: Kernel, server: FakeServer) -> None:
    """A second run of the cell, also while it runs, asks nothing twice."""
    kernel.run(TABLE)
    for _ in range(2):
        kernel.run("%%allos batch df groq/m -o out\nSay {{text}}")
    kernel.run("out.wait(20)")
    kernel.run("%%allos batch df groq/m -o out\nSay {{text}}")

    assert kernel.value("out.done") is True
    assert server.count == 40
