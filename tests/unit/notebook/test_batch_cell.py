"""``%%allos batch`` in a real IPython shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
from allos.errors import ConfigurationError
from tests.support.executors import PicklingExecutor
from tests.support.fake_server import FakeServer, Fault, Reply


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    with FakeServer() as started:
        started.reply(lambda seen: Reply(f"echo {seen.prompt}"))
        monkeypatch.setenv("GROQ_BASE_URL", started.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
        yield started
        allos.stop_all()
        allos.log.close()


@pytest.fixture
def shell(shell: Any) -> Any:
    shell.user_ns["df"] = pd.DataFrame({"text": ["a", "b"]})
    shell.user_ns["pool"] = PicklingExecutor()
    shell.user_ns["nothing"] = None
    shell.user_ns["text"] = "a variable, which is not what a column is"
    return shell


def test_a_batch_from_a_cell(shell: Any, server: FakeServer) -> None:
    """Columns take the place of braces, variables never; the batch is the cell's value and `-o`."""
    found = shell.run_cell("%%allos batch df groq/x groq/y -o out -n 2 -t 0\nSay {{text}}\n")
    frame = shell.user_ns["out"].frame

    assert found.success
    assert shell.user_ns["out"] is found.result
    assert sorted(frame["content"]) == ["echo Say a"] * 4 + ["echo Say b"] * 4
    assert set(frame["temperature"]) == {0.0}


def test_running_the_cell_again_asks_nothing(shell: Any, server: FakeServer) -> None:
    """It goes on where it was: here everything is answered."""
    for _ in range(2):
        shell.run_cell("%%allos batch df groq/x -o out\n{{text}}\n")
        shell.user_ns["out"].wait(20)

    assert server.count == 2


def test_the_path_of_a_file_and_the_default_model(
    shell: Any, server: FakeServer, tmp_path: Path
) -> None:
    """A path stands in quotes; without a model the configured one is asked."""
    (tmp_path / "rows.csv").write_text("text\nfrom a file\n")
    allos.configure(model="groq/mine")
    shell.run_cell(f'%%allos batch "{tmp_path / "rows.csv"}" -o out\n{{{{text}}}}\n')
    allos.configure(model=None)

    assert shell.user_ns["out"].frame["content"].tolist() == ["echo from a file"]


def test_a_dry_run_sends_nothing(shell: Any, server: FakeServer) -> None:
    """It says how many calls there would be and what they cost at most."""
    found = shell.run_cell(
        "%%allos batch df groq/llama-3.1-8b-instant --dry-run --max-tokens 9 --budget 1\n{{text}}\n"
    )

    assert "2 calls, at most $" in str(found.result)
    assert "Budget: $1.00" in str(found.result)
    assert not server.count


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("batch", "batch needs a table"),
        ("batch dff groq/x", "'dff' is not defined. Did you mean 'df'"),
        ("batch df groq", "'groq' needs a model"),
        ("batch df grok/x", "grok"),
        ("batch df groq/x --chat c", "--chat is not supported in a batch"),
        (
            "batch df groq/x --mode provider",
            "--mode must be calls or provider_batch, got 'provider'",
        ),
        ("batch df groq/x --mode", "--mode needs a value"),
        ("batch df groq/x --executor poool", "'poool' is not defined. Did you mean 'pool'"),
        ("batch df groq/x --executor nothing", "'nothing' is None"),
        ("batch df groq/x --executor df", "executor= takes a concurrent.futures.Executor"),
        ("batch df groq/x --mode provider_batch --executor pool", "use one"),
        ('batch df groq/x --params {"mode":"calls"}', "use the flag --mode"),
        ("groq/x --mode calls", "--mode is for a batch"),
        ("batch df groq/x --store team", "pass executor="),
        ("groq/x --store team", "--store is for a batch"),
        ("compare groq/x groq/y --executor pool", "--executor is for a batch"),
    ],
)
def test_a_wrong_line_is_one_line(shell: Any, server: FakeServer, line: str, message: str) -> None:
    """It says what to do, and nothing is sent."""
    with pytest.raises(ConfigurationError, match=message):
        shell.run_cell_magic("allos", line, "{{text}}\n")
    with pytest.raises(ConfigurationError, match="batch is a cell magic: %%allos batch DATA"):
        shell.run_line_magic("allos", "batch df")

    assert not server.count


def test_who_makes_the_calls(shell: Any, server: FakeServer) -> None:
    """An executor in a variable, or the batch API of the service; a dry run has its prices."""
    pool = shell.user_ns["pool"]
    shell.run_cell("%%allos batch df groq/x -q -o out --executor pool\nSay {{text}}\n")
    answered = shell.user_ns["out"].wait(20).frame["content"].tolist()
    plans = [
        shell.run_cell(
            f"%%allos batch df groq/llama-3.1-8b-instant --dry-run --max-tokens 9 {mode}\n{{{{text}}}}\n"
        ).result.worst_cost_usd
        for mode in ("--mode calls", "--mode provider_batch")
    ]

    assert answered == ["echo Say a", "echo Say b"]
    assert pool.sent
    assert plans[1] == pytest.approx(plans[0] / 2)


def test_where_workers_write_their_answers(shell: Any, server: FakeServer, tmp_path: Path) -> None:
    """A folder, which may be quoted."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("fsspec")
    line = f'%%allos batch df groq/x -q -o out --executor pool --store "{tmp_path / "the team"}"'
    shell.run_cell(f"{line}\nSay {{{{text}}}}\n")

    assert shell.user_ns["out"].wait(20).frame["content"].tolist() == ["echo Say a", "echo Say b"]
    assert list((tmp_path / "the team").rglob("*.parquet"))


def test_a_batch_that_is_not_logged(shell: Any, server: FakeServer) -> None:
    """`--no-log` writes no row of it; its answers are there."""
    shell.run_cell("%%allos batch df groq/x -q -o out --no-log\n{{text}}\n")

    assert len(shell.user_ns["out"].wait(20).frame) == 2
    assert not len(allos.responses())


def test_what_a_batch_shows(shell: Any, server: FakeServer) -> None:
    """Counts by model, errors by kind, the newest rows; in text and as safe HTML."""
    server.reply(
        lambda seen: Fault.status(400) if seen.prompt == "b" else Reply("<img src=x onerror=1>")
    )
    shell.run_cell("%%allos batch df groq/x -q -o out\n{{text}}\n")
    batch = shell.user_ns["out"].wait(20)
    data, _ = shell.display_formatter.format(batch)

    assert "1 of 2 answered, 1 failed" in data["text/plain"]
    assert "1 BadRequestError" in data["text/html"]
    assert "&lt;img src=x" in data["text/html"]
    assert "<img" not in data["text/html"]


def test_the_list_of_batches(shell: Any, server: FakeServer) -> None:
    """`%allos batches` is a table of allos."""
    shell.run_cell("%%allos batch df groq/x -q -o out\n{{text}}\n")
    shell.user_ns["out"].wait(20)
    frame = shell.run_line_magic("allos", "batches")
    data, _ = shell.display_formatter.format(frame)

    assert frame["state"].tolist() == ["done"]
    assert "2 of 2" in data["text/html"]
    assert shell.user_ns["out"].id in data["text/html"]
