"""The guides' Python runs as it stands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import allos
from allos import wire
from allos.log.notebook_rows import rows_metadata
from allos.log.vote_signature import page_key, signature
from allos.providers import ProviderRegistry, unregister
from allos.runs.batching import polling
from tests.support.fake_server import Call, FakeServer, Fault, Raw, Reply, paths
from tests.support.pictures import PDF, PNG

GUIDES = Path(__file__).parents[1] / "docs" / "guide"

IN_IPYTHON = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell

given = json.load(sys.stdin)
shell = InteractiveShell.instance()
failed = [cell for cell in given["without_key"] if not shell.run_cell(cell).success]
import allos
for comparison in (shell.user_ns["both"], shell.user_ns["_"]):
    getattr(comparison, "wait", lambda: None)()
allos.log.flush()
rows = allos.responses()[["prompt", "status", "content"]].to_dict("records")
os.environ.update(given["environment"])
failed += [cell for cell in given["with_key"] if not shell.run_cell(cell).success]
print()
print(json.dumps({"failed": failed, "rows": rows, "city": repr(shell.user_ns["city"].parsed)}))
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    with FakeServer("The third.") as started:
        for name in ("OPENAI", "ANTHROPIC", "GROQ"):
            monkeypatch.setenv(f"{name}_BASE_URL", started.base_url)
            monkeypatch.setenv(f"{name}_API_KEY", "sk-of-the-test")
        monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
        monkeypatch.chdir(tmp_path)
        yield started
        allos.log.close()


def run(page: str, names: dict[str, object] | None = None) -> int:
    """Run every Python block of a page, in order and with `names`; returns how many there are."""
    text = (GUIDES.parent / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {} if names is None else names
    names["__name__"] = "__main__"
    for block in blocks:
        exec(block, names)
    return len(blocks)


def test_images_and_files(server: FakeServer, tmp_path: Path) -> None:
    """Every Python block of the page runs, in order, and every call is answered."""
    (tmp_path / "chart.png").write_bytes(PNG)
    (tmp_path / "paper.pdf").write_bytes(PDF)
    (tmp_path / "notes.md").write_text("# Notes\n")

    assert run("guide/images-and-files.md") == 4
    assert allos.responses()["status"].tolist() == ["ok"] * 4
    assert {request.api for request in server.requests} == {"responses", "messages"}


def test_cells(server: FakeServer) -> None:
    """The page's loop asks once for each word."""
    assert run("guide/cells.md") == 1
    assert [request.prompt[-13:] for request in server.requests] == [
        "cat to French",
        "dog to French",
    ]


def test_compare(server: FakeServer) -> None:
    """Two models at two settings, twice, are eight answers and rows, as for two languages; prompts make eight more."""
    assert run("guide/compare.md") == 8
    assert server.count == 24
    assert len(set(allos.responses()["comparison_id"])) == 4


def test_share(server: FakeServer, tmp_path: Path) -> None:
    """A page, a blind one whose votes come back, a table and a workbook of one comparison."""
    for name in ("gpt-5.4-mini", "claude-haiku-4-5"):
        server.reply(f"I am {name}.", on=name)
    names: dict[str, object] = {}
    text = (GUIDES / "share.md").read_text(encoding="utf-8")
    first, second, third, last = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(first + second, names)
    key = page_key(tmp_path / "log.sqlite", "page_1")
    a, b = allos.responses()["id"][:2]
    vote = {"id": "vote-0001", "cast_at": 0, "a": a, "b": b, "winner": "a"}
    body = json.dumps({"rater": "Ann", "votes": [vote]})
    file = {"allos_votes": 1, "page": "page_1", "body": body, "signature": signature(key, body)}
    (tmp_path / "votes-ann.json").write_text(json.dumps(file))
    exec(third + last, names)

    assert allos.votes()["rater"].tolist() == ["Ann"]
    assert {path.name for path in tmp_path.glob("*s.*l*")} >= {"topics.html", "topics.xlsx"}
    assert (tmp_path / "topics.csv").exists()
    assert (tmp_path / "study.html").exists()


@pytest.mark.filterwarnings("ignore:.*does not support 'max_tokens'")
def test_batches(server: FakeServer, tmp_path: Path) -> None:
    """Three tickets times three models, typed answers, a file; nothing is asked twice."""
    (tmp_path / "tickets.csv").write_text("text\nfrom a file\n")
    server.reply(
        lambda seen: (
            Reply('{"topic": "billing", "urgency": 3}')
            if "response_format" in seen.body
            else Reply("billing")
        )
    )

    with polling.using(first_s=0.01, longest_s=0.1):
        assert run("guide/batches.md") == 5
        for batch in list(allos.current_session().active_runs):
            batch.wait(30)
    assert (
        sum(seen.api in ("chat", "responses", "messages") for seen in server.requests) == 6 + 3 + 1
    )
    assert len(list(server.batches.answered())) == 3
    assert (tmp_path / "labels.parquet").exists()
    assert allos.batches()["state"].tolist() == ["done"] * 3


def test_playground(server: FakeServer) -> None:
    """Only what is run asks: two rows, and the comparison of two models."""
    assert run("guide/playground.md") == 3
    assert len(server.wait_requests(4)) == 4


def test_evaluate(server: FakeServer) -> None:
    """A second evaluation asks nothing, and scores of the log's answers are made without asking."""
    server.reply("billing")

    assert run("guide/evaluate.md") == 4
    assert server.count == 6


def test_tools(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The page's function is called with checked arguments, run by us and by hand."""
    calls = Reply(tool_calls=[Call("stock", {"item": "bolt"})])
    server.script(calls, Reply("There are 120."), calls, Reply("Eighty."))

    assert run("guide/tools.md") == 4
    assert capsys.readouterr().out == "There are 120.\nEighty.\n"
    assert server.count == 4


def test_structured_output(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    """An answer that matches is parsed; one that does not is an error that keeps the text."""
    server.script(Reply('{"name": "Rome", "people": 3}'), Reply("Knock, knock."))

    assert run("guide/structured-output.md") == 2
    assert capsys.readouterr().out.endswith("Knock, knock.\n")


def test_conversations(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second model of the page gets the turns of the first one."""

    assert run("guide/conversations.md") == 1
    assert [len(request.body.get("messages", [])) for request in server.requests] == [0, 3]


def test_settings(server: FakeServer) -> None:
    """The page's settings hold for the call, and are taken back."""
    assert run("reference/settings.md") == 1
    assert server.requests[0].body["model"] == "gpt-4.1-mini"


@pytest.fixture
def anywhere(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """The server behind the names that the pages about providers use."""
    for name in ("TOGETHER", "CHAT_COMPLETIONS", "OLLAMA"):
        monkeypatch.setenv(f"{name}_BASE_URL", server.base_url)
        monkeypatch.setenv(f"{name}_API_KEY", "sk-of-the-test")
    server.models = ["claude-haiku-4-5", "openai/gpt-oss-20b"]
    return server


def test_providers(anywhere: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The page's providers are built, asked and listed; nothing goes to the address that is only named."""
    assert run("guide/providers.md") == 9
    assert capsys.readouterr().out == (
        "openai says: The third.\nanthropic says: The third.\nThe third.The third."
    )
    assert [request.api for request in anywhere.requests] == [
        *("responses", "messages", "chat", "chat", "chat", "models")
    ]


def test_own_provider(anywhere: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's providers are registered as it says, and its own API answers."""
    names = ("gateway", "gateway_team", "writer", "echo", "echo_team")
    monkeypatch.setitem(paths.PATHS, "/generate", "generate")
    anywhere.reply(Raw.json({"text": "Once.", "stopped_by": "end"}), on="generate")
    try:
        assert run("guide/own-provider.md") == 5
        assert set(names) <= set(ProviderRegistry.list_providers()) | {"echo"}
        writer = ProviderRegistry.get_provider(
            "writer", model="m", base_url=anywhere.base_url, api_key="k"
        )
        assert writer.chat("Hi", max_tokens=9).content == "Once."
    finally:
        wire.unregister("generate")
        for name in names:
            unregister(name)
    (request,) = anywhere.requests

    assert request.body == {"model": "m", "prompt": "Hi", "stream": False, "length": 9}


@pytest.mark.parametrize(
    ("page", "blocks", "asked"),
    [
        ("openai", 3, ["responses", "responses"]),
        ("anthropic", 3, ["messages", "messages", "models", "models"]),
        ("chat-completions", 3, ["chat", "chat", "chat"]),
        ("ollama", 2, ["chat", "show", "models"]),
    ],
)
def test_pages_of_providers(anywhere: FakeServer, page: str, blocks: int, asked: list[str]) -> None:
    """What a provider's page shows is asked of that provider, and nothing else."""
    assert run(f"providers/{page}.md") == blocks
    assert [request.api for request in anywhere.requests] == asked


@pytest.mark.model
def test_page_of_the_embedded_model() -> None:
    """The page's question is answered by the real model."""
    assert run("providers/local.md") == 2


def test_errors_and_limits(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The page's calls fail, end and stop as the page says."""
    endless = Fault.stall(after_deltas=2, reply=Reply("one two three"))
    server.reply(lambda seen: endless if "million" in seen.prompt else Reply("Hello"))
    server.reply(Fault.model_not_found(), on="no-such-model")
    blocks = run("guide/errors-and-limits.md")
    printed = capsys.readouterr().out.splitlines()

    assert blocks == 6
    assert printed[0].startswith("openai/no-such-model: the service has no such model (404): ")
    assert printed[1].startswith("ModelNotFoundError 404 req_")
    assert printed[-1].startswith("openai/gpt-5.4-mini does not support 'seed'")
    assert allos.responses()["status"].tolist() == ["error", "ok", "ok", "ok", "cancelled", "error"]


def test_saved_notebooks(server: FakeServer, tmp_path: Path) -> None:
    """The page's Python runs on a notebook that holds the rows of two answers."""
    answers = [allos.ask("Hi", model=f"openai/{name}") for name in ("a", "b")]
    outputs = [{"output_type": "display_data", "metadata": rows_metadata([r])} for r in answers]
    book = {"nbformat": 4, "cells": [{"cell_type": "code", "outputs": outputs}]}
    (tmp_path / "study.ipynb").write_text(json.dumps(book))

    assert run("guide/saved-notebooks.md") == 2
    assert allos.from_notebook("study.ipynb")["model"].tolist() == ["a", "b"]


def test_replay(server: FakeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every Python block of the page runs, in order, and the page shows the error of a miss."""
    names: dict[str, object] = {}
    try:
        assert run("guide/replay.md", names) == 4
    finally:
        allos.replay(mode="off")
    page = (GUIDES / "replay.md").read_text(encoding="utf-8")
    said = re.sub("request [0-9a-f]{12}", "request 5f0c7c1b9a3e", capsys.readouterr().out)

    assert " ".join(said.split()) in " ".join(page.split())
    assert [request.prompt for request in server.requests] == ["Name three primes."] * 3
    assert names["again"].replayed is True  # type: ignore[attr-defined]
    assert names["better"].replayed is False  # type: ignore[attr-defined]
    assert len((tmp_path / "study.replay.jsonl").read_text().splitlines()) == 1


def test_keys(tmp_path: Path, server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    """A key is set, bound to a host, and forgotten; the missing key reads as the page says."""
    (tmp_path / "groq.key").write_text("gsk-of-the-page\n")

    assert run("guide/keys.md") == 3
    allos.forget_key("openai", base_url="https://proxy.example/v1")
    printed = capsys.readouterr().out
    assert "the key is deleted from this process. GROQ_API_KEY is still set" in printed
    assert "'openai@https://proxy.example': the key is set for this process." in printed
    assert "gsk-of-the-page" not in printed
    page = (GUIDES / "keys.md").read_text(encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GROQ_API_KEY")
        patch.delenv("GROQ_BASE_URL")
        with pytest.raises(allos.ConfigurationError) as missing:
            allos.ask("Hi", model="groq/m")
    assert str(missing.value) in page


def test_money(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The dry runs send nothing, the budget refuses what the page says, and what is left is sent."""
    server.reply(Reply("High.", usage={"input_tokens": 10, "output_tokens": 10}))
    try:
        assert run("guide/money.md") == 5
    finally:
        allos.budget(None)
    printed = capsys.readouterr().out
    page = (GUIDES / "money.md").read_text(encoding="utf-8")
    summary = next(line for line in printed.splitlines() if line.startswith("1 call, at most"))
    refused = next(line for line in printed.splitlines() if "Pass a smaller" in line)
    about = next(line for line in printed.splitlines() if line.startswith("openai/gpt-4o: about"))

    assert server.count == 3, "one answer, and two of the comparison"
    assert summary in page
    assert refused in page
    assert about.partition("; prices")[0] in page


def test_doctor(capsys: pytest.CaptureFixture[str], server: FakeServer) -> None:
    """The report prints, is a frame, and asks no service."""
    assert run("guide/doctor.md") == 2
    assert capsys.readouterr().out.startswith("allos doctor: ")
    assert server.count == 0


def test_testing(server: FakeServer) -> None:
    """Scripted models answer as the page says, and no server is asked."""
    assert run("guide/testing.md") == 8
    assert server.count == 0


def test_sessions(server: FakeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each session has its own log, and an interceptor refuses and counts the calls of one."""
    server.reply(Reply("2, 3, 5.", usage={"input_tokens": 5, "output_tokens": 6}))

    assert run("guide/sessions.md") == 3
    assert capsys.readouterr().out.splitlines() == [
        "1 True",
        "False",
        "This prompt contains an internal name. Nothing was sent.",
        "{'gpt-5.4-mini': 6}",
    ]
    assert allos.responses()["prompt"].tolist() == ["Name three primes.", "Summarise Project X."]
    assert server.count == 2


@pytest.mark.model
def test_readme(anywhere: FakeServer, tmp_path: Path) -> None:
    """Every cell of the README runs, one after the other, and shows what the README says.

    The first five minutes need no key and no service, and none of their answers is an error.
    """
    readme = (GUIDES.parents[1] / "README.md").read_text(encoding="utf-8")
    parts = [re.findall(r"```python\n(.*?)```", part, re.DOTALL) for part in _halves(readme)]
    services = {n: v for n, v in os.environ.items() if n.endswith(("_API_KEY", "_BASE_URL"))}
    given = {"without_key": parts[0], "with_key": parts[1], "environment": services}
    done = subprocess.run(
        [sys.executable, "-c", IN_IPYTHON],
        input=json.dumps(given),
        env={n: v for n, v in os.environ.items() if n not in services}
        | {"PYTHONPATH": str(GUIDES.parents[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    report = json.loads(done.stdout.splitlines()[-1])
    answers = {row["prompt"]: row["content"] for row in report["rows"]}

    assert report["failed"] == [], done.stdout
    assert {row["status"] for row in report["rows"]} == {"ok"}
    assert len(report["rows"]) == 9
    assert "Paris" in answers["What is the capital of France?"]
    assert f"`city.parsed` is `{report['city']}`" in readme
    assert {request.api for request in anywhere.requests} == {"chat", "messages"}


def _halves(readme: str) -> list[str]:
    before, heading, after = readme.partition("\n## With a key\n")
    assert heading
    return [before, after]


def test_responses(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The usual questions are answered from the log, and a comparison comes back from it."""
    names: dict[str, object] = {}
    allos.compare("Hi", models=["openai/gpt-5-mini", "groq/openai/gpt-oss-20b"]).wait(20)

    assert run("guide/responses.md", names) == 9
    assert len(names["both"]) == 2  # type: ignore[arg-type]
    assert len(names["table"].responses) == 2  # type: ignore[attr-defined]


def test_the_log(server: FakeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every Python block of the page runs in order: found, rated, redacted, pruned, copied, merged."""
    assert run("guide/log.md") == 8
    assert capsys.readouterr().out.startswith("0 new responses from")
    assert allos.responses()["rating"].tolist() == [1]


def test_asking_again(server: FakeServer) -> None:
    """Last week's prompts are asked again, and both weeks compared."""
    server.script(*["The third."] * 3)
    names: dict[str, object] = {"allos": allos}
    allos.ask("Which planet?", model="openai/gpt-5-mini")
    text = (GUIDES / "did-the-model-change.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(block.replace(', until="monday"', ""), names)

    assert len(names["again"].new) == 1  # type: ignore[attr-defined]
