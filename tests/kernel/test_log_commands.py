"""The log's commands in real kernels: summaries, search, rankings, logging off, two kernels at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.fake_server import FakeServer, Reply
from tests.support.jupyter import Kernel, Result


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(
        Reply(text="A trampoline is strong fabric, stretched over a frame.")
    ) as started:
        yield started


def _shown(result: Result) -> tuple[str, str]:
    data = result.displays[-1]["content"]["data"]
    return data["text/plain"], data["text/html"]


def test_a_days_log_in_a_few_lines(kernel: Kernel, server: FakeServer) -> None:
    """What was asked is found, summed up and ranked, each in one line and as a table to read."""
    kernel.run("%%allos groq/one -o one -q\nWhat is a trampoline?")
    kernel.run("%%allos groq/two -o two -q\nWhat is a trampoline?")
    kernel.run("allos.vote(one, two, 'a'); allos.rate(one, +1, note='clear')")
    found = kernel.run("%allos search tramp")
    grep = kernel.run('%allos log --grep "strong fabric" groq/two')
    summary = kernel.run("%allos summary today")
    cost = kernel.run("%allos cost --by model")
    ranked = kernel.run("%allos rank")

    for result in (found, grep, summary, cost, ranked):
        assert (result.status, result.stderr) == ("ok", "")
        assert "<table" in _shown(result)[1]
    assert "2 responses found" in _shown(found)[0]
    assert "1 response found" in _shown(grep)[0]
    assert "2 calls today" in _shown(summary)[0]
    assert "for 2 calls" in _shown(cost)[0]
    assert "groq/one" in _shown(ranked)[0]
    assert kernel.value("allos.responses()['rating'].tolist()[0]") == 1


def test_a_cell_and_a_session_without_log(kernel: Kernel, server: FakeServer) -> None:
    """`--no-log` is for one cell, also of a comparison, `off` until `on`; answers come all the same."""
    kernel.run("%%allos groq/m -o first --no-log\nOne")
    kernel.run("%%allos compare groq/a groq/b --no-log -o cmp\nTwo")
    kernel.run("cmp.wait(10)")
    kernel.run("%allos log off")
    kernel.run("%%allos groq/m -o second\nThree")
    off = kernel.run("%allos log")
    kernel.run("%allos log on")
    kernel.run("%%allos groq/m\nFour")

    assert kernel.value("[r.ok for r in (first, *cmp.responses, second)]") == [True] * 4
    assert kernel.value("allos.responses()['prompt'].tolist()") == ["Four"]
    assert "New calls are not logged" in _shown(off)[0] or "No response" in _shown(off)[0]
    assert "not logged" in kernel.value("cmp.to_html()")


def test_mistakes_are_one_line(kernel: Kernel, server: FakeServer) -> None:
    """A word that a command does not know is an error of one line, which names the next step."""
    for line in ("search", "rank nope", "summary 5", "log --grep", "cost --by modle"):
        result = kernel.run(f"%allos {line}")

        assert result.status == "error"
        assert len(result.traceback) == 1, line
        assert "\n" not in result.traceback[0].strip()


def test_two_kernels_rate_at_once(kernel: Kernel, server: FakeServer, tmp_path: Path) -> None:
    """Each rating that a cell has returned from is in the log, once, whoever wrote meanwhile."""
    kernel.run("%%allos groq/one -o one -q\nWhat is a trampoline?")
    kernel.run("allos.log.flush()")
    folder = tmp_path / "other"
    folder.mkdir()
    rate = "for n in range(40): allos.rate({}, n, rater='{}')"
    with Kernel(folder, {"ALLOS_LOG": str(tmp_path / "log.sqlite")}) as other:
        other.run("import allos")
        theirs = other.start(rate.format("allos.responses()['id'].tolist()[0]", "bo"))
        ours = kernel.run(rate.format("one", "ann"))
        theirs.wait()
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as db, db:
        rows = db.execute("SELECT rater, rating FROM ratings ORDER BY seq").fetchall()

    assert (ours.status, theirs.status) == ("ok", "ok")
    for rater in ("ann", "bo"):
        assert [value for name, value in rows if name == rater] == [*range(40)]
