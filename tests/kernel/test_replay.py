"""A notebook that used allos re-runs offline, for free, with the same answers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.support.fake_server import Call, FakeServer, Reply
from tests.support.jupyter import Kernel, Result, private_environment

WIDGET = "application/vnd.jupyter.widget-view+json"

CELLS = [
    "%load_ext allos\n%allos replay study.replay.jsonl",
    "%%allos groq/m -o answer\nHi",
    "%%allos groq/m --no-stream\nHi",
    "answer.content, _.content, answer.latency_s",
    'import allos\nallos.ask("Ho", model="groq/m").content',
    "from dataclasses import dataclass\n@dataclass\nclass City:\n    name: str\n"
    'allos.ask("City?", model="groq/json", schema=City).parsed',
    "def double(n: int) -> int:\n    return 2 * n\n"
    'allos.ask("Twice 21?", model="groq/tools", tools=[double]).content',
    "%%allos compare groq/m groq/m groq/n -n 2 -o both\nHi",
    "[response.content for response in both.responses]",
    "from allos.providers import ProviderRegistry\n"
    'with ProviderRegistry.get_provider("groq", model="m").stream("Stream") as stream:\n'
    "    for text in stream: pass\n"
    "stream.response.content",
    'allos.responses(session_id=allos.log.session_id()).groupby("model")["content"].count()',
]


def _answer(server: FakeServer, seen: Any) -> Reply:
    if seen.body["model"] == "json":
        return Reply('{"name": "Rome"}')
    if seen.body["model"] == "tools" and seen.body["messages"][-1]["role"] == "user":
        return Reply(tool_calls=[Call("double", {"n": 21})])
    return Reply(f"Answer **{len(server.requests)}** of the *service*.", delay_s=0.01)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(lambda seen: _answer(started, seen)) as started:
        yield started


def _keys(server: FakeServer) -> dict[str, str]:
    return {"GROQ_BASE_URL": server.base_url, "GROQ_API_KEY": "gsk-of-the-test"}


def _kernel(folder: Path, **environment: str) -> Kernel:
    (folder / "kernel").mkdir(exist_ok=True)
    return Kernel(
        folder / "kernel", {"ALLOS_LOG": str(folder / "kernel" / "log.sqlite"), **environment}
    )


HEADLESS = (
    "import sys, nbformat\nfrom nbclient import NotebookClient\n"
    "nb = nbformat.read(sys.argv[1], as_version=4)\n"
    "NotebookClient(nb, timeout=60, resources={'metadata': {'path': sys.argv[2]}}).execute()\n"
    "nbformat.write(nb, sys.argv[1])\n"
)


def _run_headless(folder: Path, **environment: str) -> list[Any]:
    """Run the notebook as nbclient does, in a fresh kernel; returns the outputs of its cells."""
    notebook = folder / "study.ipynb"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbformat.write(made, notebook)
    done = subprocess.run(
        [sys.executable, "-c", HEADLESS, str(notebook), str(folder)],
        env={
            **private_environment(folder / "home"),
            "ALLOS_LOG": str(folder / "log.sqlite"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [cell.outputs for cell in nbformat.read(notebook, as_version=4).cells]


_REPLAYED = re.compile(
    r'(?:  |<span class="allos-sep"> · </span><span>)replayed(?: \(\d+ of \d+\))?(?:</span>)?'
)
_ONCE = re.compile(
    r"cmp_\w+|(?:  |<span class=\"allos-sep\"> · </span><span><span> )spent(?: </span><b[^>]*>[^<]+</b></span>| [^\s<]+)"
)


def _same(outputs: list[Any]) -> list[Any]:
    """Outputs without what belongs to one run: ids, what was spent, and that it was replayed."""
    return [
        [
            {
                kind: _ONCE.sub("", _REPLAYED.sub("", "".join(data)))
                for kind, data in output.get("data", {"text": output.get("text", "")}).items()
            }
            for output in of_cell
        ]
        for of_cell in outputs
    ]


def test_notebook_runs_again_with_server_and_key_gone(tmp_path: Path) -> None:
    """Recorded once against a server; then without server and key, strictly: the same outputs."""
    with FakeServer(lambda seen: _answer(server, seen)) as server:
        first = _run_headless(tmp_path, **_keys(server))
        sent = len(server.requests)
    record = (tmp_path / "study.replay.jsonl").read_text()
    again = _run_headless(tmp_path, ALLOS_REPLAY_MODE="strict")

    assert sent == 13
    assert len(record.splitlines()) == 13
    assert _same(again) == _same(first)
    assert (tmp_path / "study.replay.jsonl").read_text() == record
    for cell in (1, 2):
        assert "replayed" not in str(first[cell][0]["data"])
        assert "replayed" in again[cell][0]["data"]["text/plain"].splitlines()[-1]
        assert "<span>replayed</span>" in again[cell][0]["data"]["text/html"]
    table = again[7]
    assert [sorted(output["data"]) for output in table] == [["text/html", "text/plain"]]
    assert "replayed" in table[0]["data"]["text/html"]
    for secret in ("gsk-of-the-test", "127.0.0.1", str(tmp_path)):
        assert secret not in record


def _last(result: Result) -> str:
    return str(result.displays[-1]["content"]["data"]["text/plain"])


def _value(kernel: Kernel, expression: str) -> Any:
    result = kernel.run(f"print(repr({expression}))")
    assert result.status == "ok", result
    return eval(result.stdout)  # our own literals, printed by our own kernel


def test_person_runs_one_cell_again(tmp_path: Path, server: FakeServer) -> None:
    """A cell that is run again shows its own answer again; Run All begins a new run; `refresh` asks."""
    one, two = "%%allos groq/m -o one\nHi", "%%allos groq/m -o two\nHi"
    with _kernel(tmp_path, **_keys(server)) as kernel:
        kernel.run("%load_ext allos\nimport allos\n%allos replay a.jsonl", cell_id="r")
        kernel.run(one, cell_id="one")
        kernel.run(two, cell_id="two")
        first = _value(kernel, "(one.content, two.content)")
        kernel.run(two, cell_id="two")
        kernel.run(one, cell_id="one")
        by_hand = _value(kernel, "(one.content, two.content)")
        kernel.run("%allos replay a.jsonl", cell_id="r")
        kernel.run(one, cell_id="one")
        kernel.run(two, cell_id="two")
        run_all = _value(kernel, "(one.content, two.content)")
        status = _last(kernel.run("%allos replay"))
        kernel.run("%%allos groq/m -o new --refresh\nHi", cell_id="one")

        assert first == by_hand == run_all
        assert first[0] != first[1]
        assert _value(kernel, "(one.replayed, two.replayed, new.replayed)") == (True, True, False)
        assert "2 recorded; this run: 2 replayed, 0 requested, 0 unused" in status
        assert len(server.requests) == 3


def test_comparison_of_a_person(tmp_path: Path, server: FakeServer) -> None:
    """Replayed it is one static table and no widget; where a model has to be asked, the board."""
    cell = "%%allos compare groq/m groq/n -o cmp\nHi"
    with _kernel(tmp_path, **_keys(server)) as kernel:
        kernel.run("%load_ext allos\n%allos replay a.jsonl")
        first = kernel.run(cell, cell_id="c")
        kernel.run("cmp.wait(30)")
        kernel.run("%allos replay a.jsonl")
        replayed = kernel.run(cell, cell_id="c")
        more = kernel.run(cell.replace("groq/n", "groq/other"), cell_id="c")
        kernel.run("cmp.wait(30)")

        assert [WIDGET in m["content"]["data"] for m in first.of_type("display_data")] == [
            False,
            True,
        ]
        assert [sorted(m["content"]["data"]) for m in replayed.displays] == [
            ["text/html", "text/plain"]
        ]
        assert "2 of 2 done" in _last(replayed)
        assert any(WIDGET in m["content"]["data"] for m in more.of_type("display_data"))
        assert len(server.requests) == 3


def test_misses_and_mistakes_are_one_line(tmp_path: Path, server: FakeServer) -> None:
    """A strict miss fails the cell with one sentence, and so does a wrong line or file."""
    folder = tmp_path / "kernel"
    folder.mkdir()
    (folder / "data.jsonl").write_text('{"a": 1}\n')
    with _kernel(tmp_path, **_keys(server)) as kernel:
        kernel.run("%load_ext allos\n%allos replay a.jsonl record")
        kernel.run("%%allos groq/m -t 0\nHi")
        kernel.run("%allos replay a.jsonl strict")
        results = [
            kernel.run("%%allos groq/m -t 1\nHi"),
            kernel.run("%allos replay missing.jsonl strict"),
            kernel.run("%allos replay data.jsonl"),
            kernel.run("%allos replay a.jsonl strikt"),
            kernel.run("%allos replay a.jsonl strict now"),
        ]
        messages = [
            "differs in temperature (0.0 recorded, 1.0 requested)",
            "There is no replay file 'missing.jsonl'",
            "'data.jsonl' is not a valid replay file",
            "Did you mean 'strict'?",
            "takes a file and a mode",
        ]

        assert [result.status for result in results] == ["error"] * 5
        assert [len(result.traceback) for result in results] == [1] * 5
        for result, words in zip(results, messages, strict=True):
            assert words in str(result.evalue)
        assert len(server.requests) == 1
        assert "Removed" not in str(kernel.run("%allos replay prune").displays)


def test_prune_and_off(tmp_path: Path, server: FakeServer) -> None:
    """`prune` removes what the run did not use and says how many; after `off` the service answers."""
    with _kernel(tmp_path, **_keys(server)) as kernel:
        kernel.run("%load_ext allos\n%allos replay a.jsonl")
        kernel.run("%%allos groq/m\nHi")
        kernel.run("%%allos groq/m\nHo")
        kernel.run("%allos replay a.jsonl")
        kernel.run("%%allos groq/m\nHi")
        pruned = _last(kernel.run("%allos replay prune"))
        kernel.run("%allos replay off")
        off = _last(kernel.run("%allos replay"))
        kernel.run("%%allos groq/m\nHi")

        assert "Removed 1 recorded answer." in pruned
        assert "Replay is off." in off
        assert len(server.requests) == 3


def test_file_of_the_environment_is_open_before_the_first_cell(tmp_path: Path) -> None:
    """`ALLOS_REPLAY` opens the file with the extension, so a provider is made without a key."""
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "a.jsonl").touch()
    with _kernel(tmp_path, ALLOS_REPLAY="a.jsonl", ALLOS_REPLAY_MODE="strict") as kernel:
        assert kernel.run("%load_ext allos").outputs == []
        made = kernel.run(
            "from allos.providers import ProviderRegistry\n"
            "ProviderRegistry.get_provider('groq', model='m').chat('Hi')"
        )
        assert made.ename == "ReplayMissError"
    with _kernel(tmp_path, ALLOS_REPLAY="b.jsonl", ALLOS_REPLAY_MODE="strict") as kernel:
        loaded = kernel.run("%load_ext allos")

        assert loaded.ename == "ReplayError"
        assert len(loaded.traceback) == 1
