"""Comparisons in a real kernel: they run behind the cells, and show what a person can use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fake_server import FakeServer, Fault, Reply
from tests.support.jupyter import Kernel, Result

STORY = Reply(chunks=["word "] * 600, delay_s=0.02)
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer("A **short** answer.") as started:
        started.reply(STORY, on="slow")
        yield started


def _kinds(result: Result) -> list[list[str]]:
    return [sorted(m["content"]["data"]) for m in result.of_type("display_data", "execute_result")]


def test_interactive_cell_shows_table_and_board_and_returns(
    kernel: Kernel, server: FakeServer
) -> None:
    """With a person there the cell returns at once with two outputs, and the next cell runs."""
    result = kernel.run("%%allos compare groq/slow groq/b -o cmp\nHi")
    meanwhile = kernel.run("6 * 7")

    assert result.status == "ok"
    assert [WIDGET in kinds for kinds in _kinds(result)] == [False, True]
    assert "text/html" in _kinds(result)[0]
    assert meanwhile.displays[-1]["content"]["data"]["text/plain"] == "42"
    assert kernel.value("cmp.done") is False
    assert kernel.value("Out[2] is cmp") is True
    kernel.run("cmp.cancel(); cmp.wait(10)")


def test_table_is_updated_when_answers_arrive(kernel: Kernel, server: FakeServer) -> None:
    """The static table gets the finished answers by an update of its own display."""
    result = kernel.run("%%allos compare groq/a groq/b -o cmp\nHi")
    table_id = result.displays[0]["content"]["transient"]["display_id"]
    kernel.run("cmp.wait(10)")

    def updated() -> bool:
        return any(
            m["header"]["msg_type"] == "update_display_data"
            and m["content"]["transient"]["display_id"] == table_id
            and m["content"]["data"]["text/html"].count("<strong>short</strong>") == 2
            for m in kernel.messages
        )

    kernel.listen(updated, 10)
    assert updated()


def test_headless_cell_waits_and_shows_one_table(kernel: Kernel, server: FakeServer) -> None:
    """Where nobody can answer a question (nbclient, nbval) the cell waits: one output, no widget."""
    server.reply(Reply(text="Later.", first_delay_s=0.5), on="later")
    result = kernel.run("%%allos compare groq/a groq/later\nHi", allow_stdin=False)
    assigned = kernel.run("x = allos.compare('Hi', models=['groq/a'])", allow_stdin=False)

    assert _kinds(result) == [["text/html", "text/plain"]]
    assert "Later." in result.displays[-1]["content"]["data"]["text/plain"]
    assert "2 of 2 done" in result.displays[-1]["content"]["data"]["text/plain"]
    assert assigned.outputs == []


def test_colab_waits_and_repaints_the_table(kernel: Kernel, server: FakeServer) -> None:
    """Where updates from behind a cell get lost, the cell shows the table anew as answers end."""
    server.reply(Reply(text="Later.", first_delay_s=2), on="later")
    kernel.run("import os; os.environ['COLAB_RELEASE_TAG'] = 'release'")
    result = kernel.run("%%allos compare groq/a groq/later -o cmp\nHi")
    table_id = result.displays[0]["content"]["transient"]["display_id"]
    shown = [m["content"]["data"]["text/plain"] for m in result.displays]

    assert kernel.value("cmp.done") is True
    assert {m["content"]["transient"]["display_id"] for m in result.displays} == {table_id}
    assert result.outputs == result.displays
    assert all(WIDGET not in kinds for kinds in _kinds(result))
    assert "A **short** answer." not in shown[0]
    assert any("A **short** answer." in text and "Later." not in text for text in shown)
    assert "2 of 2 done" in shown[-1]
    assert "Later." in shown[-1]


def test_stop_button_on_colab(kernel: Kernel, server: FakeServer) -> None:
    """The stop button ends the wait in one line; the table keeps what had come."""
    kernel.run("import os; os.environ['COLAB_RELEASE_TAG'] = 'release'")
    waiting = kernel.start("%%allos compare groq/slow groq/a -o cmp\nHi")
    waiting.until(lambda result: "A **short** answer." in str(result.displays))
    kernel.interrupt()
    waiting.wait()

    assert waiting.ename == "Interrupted"
    assert len(waiting.traceback) == 1
    assert kernel.value("[r.status for r in cmp.responses]") == ["cancelled", "ok"]
    assert "word word" in waiting.displays[-1]["content"]["data"]["text/plain"]


def test_running_the_cell_again_stops_what_it_had_started(
    kernel: Kernel, server: FakeServer
) -> None:
    """The second run of a cell cancels the first comparison; another cell's goes on."""
    kernel.run("other = allos.compare('Hi', models=['groq/slow'])", cell_id="other")
    kernel.run("first = allos.compare('Hi', models=['groq/slow'])", cell_id="same")
    kernel.run("second = allos.compare('Hi', models=['groq/slow'])", cell_id="same")
    kernel.run("first.wait(10)")

    assert kernel.value("[r.status for r in first.responses]") == ["cancelled"]
    assert kernel.value("(second.done, other.done)") == (False, False)
    assert "Stopped 2 comparisons." in str(kernel.run("%allos stop").displays[-1]["content"])
    kernel.run("second.wait(10), other.wait(10)")
    assert kernel.value("[r.status for r in second.responses + other.responses]") == [
        "cancelled",
        "cancelled",
    ]


def test_loop_in_one_cell_keeps_all_its_comparisons(kernel: Kernel, server: FakeServer) -> None:
    """Several comparisons of one execution do not stop each other."""
    kernel.run(
        "many = [allos.compare('Hi', models=['groq/a']) for _ in range(3)]\n"
        "[c.wait(10) for c in many]",
        cell_id="loop",
    )

    assert kernel.value("[c.responses[0].status for c in many]") == ["ok"] * 3


def test_interrupt_while_waiting_stops_the_comparison(kernel: Kernel, server: FakeServer) -> None:
    """The stop button on a cell that waits cancels every column and keeps what had come."""
    kernel.run("cmp = allos.compare('Hi', models=['groq/slow', 'groq/slow'])")
    waiting = kernel.start("cmp.wait()")
    server.wait_requests(2)
    kernel.interrupt()
    waiting.wait()

    assert waiting.ename == "Interrupted"
    assert len(waiting.traceback) == 1
    assert kernel.value("{r.status for r in cmp.wait(10).responses}") == {"cancelled"}


def test_rows_know_cell_and_comparison(kernel: Kernel, server: FakeServer) -> None:
    """Each column is a row with the comparison's id, its cell and its repeat, failures too."""
    server.reply(Fault.bad_key(), on="bad")
    kernel.run(
        "topic = 'tides'",
    )
    kernel.run("%%allos compare groq/a groq/bad -n 2 -o cmp\nExplain {{topic}}", cell_id="c9")
    kernel.run("cmp.wait(10)")
    columns = ["model", "status", "cell_id", "sample_index", "prompt"]
    rows = kernel.value(
        f"allos.responses(comparison_id=cmp.id)[{columns}].astype(str)"
        ".sort_values(['model', 'sample_index']).values.tolist()",
    )

    assert rows == [
        ["a", "ok", "c9", "0", "Explain tides"],
        ["a", "ok", "c9", "1", "Explain tides"],
        ["bad", "error", "c9", "0", "Explain tides"],
        ["bad", "error", "c9", "1", "Explain tides"],
    ]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%allos compare\nHi", "takes provider/model names"),
        ("%%allos compare groq\nHi", "'groq' needs a model"),
        ("%%allos compare grok/a\nHi", "Did you mean 'groq'"),
        ("%%allos groq/a -n 3\nHi", "-n repeats a comparison"),
    ],
)
def test_mistakes_are_one_line(kernel: Kernel, server: FakeServer, cell: str, said: str) -> None:
    """A wrong compare line fails the cell with one sentence; nothing is sent."""
    result = kernel.run(cell)

    assert result.status == "error"
    assert said in str(result.evalue)
    assert len(result.traceback) == 1
    assert server.requests == []
