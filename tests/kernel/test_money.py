"""`--dry-run`, `--budget` and `%allos doctor` in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_server import FakeServer, Reply
from tests.support.jupyter import Kernel

KEY = "sk-of-the-test"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Reply("Fine.", usage={"input_tokens": 1000, "output_tokens": 1000})) as started:
        yield started


@pytest.fixture
def kernel(server: FakeServer, tmp_path: Path) -> Iterator[Kernel]:
    environment = {
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_API_KEY": KEY,
        "ALLOS_LOG": str(tmp_path / "log.sqlite"),
    }
    folder = tmp_path / "kernel"
    folder.mkdir()
    with Kernel(folder, environment) as started:
        started.run("%load_ext allos\nimport allos")
        yield started


def _shown(result: Any, kind: str = "text/plain") -> str:
    return str(result.displays[-1]["content"]["data"][kind])


def test_dry_run_shows_the_request_and_sends_nothing(kernel: Kernel, server: FakeServer) -> None:
    """The cell shows address, body, tokens and cost as HTML and text, and holds a Preview."""
    kernel.run("x = '<script>alert(1)</script>'")
    result = kernel.run("%%allos openai gpt-4o --dry-run --max-tokens 100\nTell me of {{ x }}")
    html = _shown(result, "text/html")

    assert server.count == 0
    assert "/v1/responses" in _shown(result)
    assert "at most 100 output tokens" in _shown(result)
    assert _shown(result).endswith("Nothing was sent.")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert KEY not in str(kernel.messages)
    assert _shown(kernel.run("len(allos.responses())")) == "0"


def test_dry_run_of_a_comparison(kernel: Kernel, server: FakeServer) -> None:
    """A comparison's dry run shows each column, which of them needs a key, and the sum."""
    cell = "%%allos compare openai/gpt-4o groq/m -n 3 --dry-run --max-tokens 100\nHello"
    result = kernel.run(cell)

    assert server.count == 0
    assert "Would be sent 3 times." in _shown(result)
    assert "No key for 'groq'" in _shown(result)
    assert "6 calls, " in _shown(result)
    assert "3 would need a key first. Nothing was sent." in _shown(result)


def test_budget_of_a_cell(kernel: Kernel, server: FakeServer) -> None:
    """A cell that may cost more than it may spend fails in one line; headless, nobody is asked."""
    cell = "%%allos openai gpt-4o --budget 0.001 --max-tokens 1000\nHello"
    result = kernel.run(cell, allow_stdin=False)
    after = kernel.run("%%allos openai gpt-4o --max-tokens 1000 -o a\nHello")

    assert (result.status, result.ename) == ("error", "BudgetError")
    assert result.traceback == [result.evalue]
    assert "Nothing was sent." in str(result.evalue)
    assert [m["header"]["msg_type"] for m in result.outputs if m not in result.displays] == [
        "error"
    ]
    assert after.status == "ok"
    assert server.count == 1


def test_person_may_say_yes(kernel: Kernel, server: FakeServer) -> None:
    """With somebody there, a call past the cell's budget is asked about: no, then yes."""
    cell = "%%allos openai gpt-4o --budget 0.001 --max-tokens 1000\nHello"
    no = kernel.run(cell, answers=["n"])
    yes = kernel.run(cell, answers=["y"])

    assert "the call may cost $0.010" in no.input_requests[0]["content"]["prompt"]
    assert (no.ename, yes.status) == ("BudgetError", "ok")
    assert server.count == 1


def test_budget_of_the_settings_holds_every_call(kernel: Kernel, server: FakeServer) -> None:
    """`budget_usd` holds cells, ask and bare providers, and keeps what is spent when it changes."""
    kernel.run("allos.configure(budget_usd=0.02)")
    first = kernel.run("%%allos openai gpt-4o --max-tokens 1000\nHello")
    second = kernel.run("%%allos openai gpt-4o --max-tokens 1000\nHello", allow_stdin=False)
    bare = kernel.run(
        "from allos.providers import ProviderRegistry as R\n"
        "R.get_provider('openai', model='gpt-4o', max_tokens=1000).chat('Hi')"
    )
    kernel.run("allos.configure(budget_usd=0.05)")
    third = kernel.run("%%allos openai gpt-4o --max-tokens 1000\nHello")
    left = kernel.run("allos.budget()")

    assert (first.status, second.ename, bare.ename) == ("ok", "BudgetError", "BudgetError")
    assert third.status == "ok"
    assert "$0.025 of $0.050 spent by 2 calls, 2 calls not sent" in _shown(left)


def test_doctor_in_a_cell(kernel: Kernel, server: FakeServer) -> None:
    """`%allos doctor` shows a table, asks no service unless it is told to, and shows no key."""
    shown = kernel.run("%allos doctor")
    online = kernel.run("%allos doctor --online")
    wrong = kernel.run("%allos doctor --offline")

    assert "openai: found in OPENAI_API_KEY." in _shown(shown)
    assert f"{server.base_url} (OPENAI_BASE_URL)" in _shown(shown)
    assert "Running in a Jupyter kernel" in _shown(shown)
    assert "<table>" in _shown(shown, "text/html")
    assert "openai responds and lists 1 models." in _shown(online)
    assert {request.method for request in server.requests} == {"GET"}
    assert wrong.ename == "ConfigurationError"
    assert "Did you mean '--online'?" in str(wrong.evalue)
    assert KEY not in str(kernel.messages)
