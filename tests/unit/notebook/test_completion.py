from __future__ import annotations

from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter

from allos.notebook import completion
from allos.notebook.completion import candidates
from allos.runs import chats
from tests.support.executors import PicklingExecutor


def add(a: int) -> int:
    return a


SPACE: dict[str, Any] = {
    "add": add,
    "answer": 1,
    "City": int,
    "_hidden": 2,
    "shape": {"type": 1},
    "pool": PicklingExecutor(),
}


@pytest.mark.parametrize(
    ("before", "word", "offered"),
    [
        ("%%allos gro", "gro", ["groq"]),
        ("%%allos comp", "comp", ["compare"]),
        ("%allos las", "las", ["last"]),
        ("answer = %allos las", "las", ["last"]),
        ("%%allos compare gro", "gro", ["groq/"]),
        ("%%allos groq/m --max", "--max", ["--max-tokens"]),
        ("%%allos groq/m --no-stream --no", "--no", ["--no-log"]),
        ("%%allos groq/m -o an", "an", ["answer"]),
        ("%%allos batch df groq/m --mode p", "p", ["provider_batch"]),
        ("%%allos batch df groq/m --mode=", "--mode=", ["--mode=calls", "--mode=provider_batch"]),
        ("%%allos batch df groq/m --executor ", "", ["pool"]),
        ("%%allos batch df groq/m --ex", "--ex", ["--executor"]),
        ("%%allos groq/m --tools a", "a", ["add"]),
        ("%%allos groq/m --tools add,a", "add,a", ["add,add"]),
        ("%%allos groq/m --tools=a", "--tools=a", ["--tools=add"]),
        ("%%allos groq/m --schema ", "", ["City", "shape"]),
        ("%%allos groq/m --chat tr", "tr", ["trip"]),
        ("%allos models gro", "gro", ["groq"]),
        ("%allos local in", "in", ["install"]),
        ("%%allos local in", "in", []),
        ("%allos key gro", "gro", ["groq"]),
        ("%allos chats sh", "sh", ["show"]),
        ("%allos su", "su", ["summary"]),
        ("%allos log of", "of", ["off"]),
        ("%allos log --", "--", ["--grep"]),
        ("%allos log --grep wo", "wo", []),
        ("%allos summary to", "to", ["today", "together"]),
        ("%allos cost --", "--", ["--by"]),
        ("%allos cost --by notebo", "notebo", ["notebook"]),
        ("%allos cost --by model,notebo", "model,notebo", ["model,notebook"]),
        ("%allos rank mo", "mo", ["month", "monday"]),
        ("%allos search tr", "tr", []),
        ("%allos chats show tr", "tr", ["trip"]),
        ("%allos replay study.jsonl st", "st", ["strict"]),
        ("%%allos x << gro", "gro", ["groq"]),
        ("%%allos groq/m -t ", "", []),
        ("%%allos groq m ", "", []),
        ("%%allos nope/", "nope/", []),
        ("%%allos groq/openai/gpt-oss-1", "groq/openai/gpt-oss-1", ["groq/openai/gpt-oss-120b"]),
        ("%%allos compare mistral/codes", "mistral/codes", ["mistral/codestral-latest"]),
        ("%%allos anthropic claude-haiku-4-5-", "claude-haiku-4-5-", ["claude-haiku-4-5-20251001"]),
        ("%%allos vllm/", "vllm/", []),
    ],
)
def test_what_may_stand_there(
    before: str, word: str, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Providers, models, flags, their values and sub-commands are offered where they fit."""
    chats.chat("trip")

    assert candidates(before, SPACE) == (word, offered)


@pytest.mark.parametrize(
    "before",
    ["gro", "x = gro", "%allo", "%%allos", '%allos groq/m "Say he', "%%allos -s 'Be te",
     "%allos replay ans"],
)  # fmt: skip
def test_other_completers_answer(before: str) -> None:
    """Outside our lines, in quotes and for files, nothing is offered and nothing kept away."""
    assert candidates(before, SPACE) is None


def test_models_are_those_that_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a provider's name or slash its models are offered, without asking anybody."""
    monkeypatch.setattr(completion, "models", lambda provider: [f"{provider}-one", "two"])

    assert candidates("%%allos groq gr", {}) == ("gr", ["groq-one"])
    assert candidates("%%allos compare local/x groq/gr", {}) == ("groq/gr", ["groq/groq-one"])
    assert candidates("%%allos groq/", {}) == ("groq/", ["groq/groq-one", "groq/two"])


def test_models_that_do_not_chat_are_not_offered() -> None:
    """Speech and the like are no answer to a prompt."""
    assert candidates("%%allos groq whis", {}) == ("whis", [])
    assert candidates("%%allos openai/text-emb", {}) == ("openai/text-emb", [])


def completed(shell: Any, line: str) -> list[tuple[str, str]]:
    """What the shell's completer would put in the place of what, at the end of a line."""
    with provisionalcompleter():
        found = list(shell.Completer.completions(line, len(line)))
    return [(line[each.start : each.end], each.text) for each in found]


@pytest.mark.parametrize(
    ("line", "word", "offered"),
    [
        ("%%allos gro", "gro", "groq"),
        ("answer = %allos las", "las", "last"),
        ("%%allos groq/m --max", "--max", "--max-tokens"),
        ("%%allos groq/m -o=an", "an", "answer"),
        ("%%allos groq/m impor", "impor", "impor"),
    ],
)
def test_completer_of_the_shell_offers_them(shell: Any, line: str, word: str, offered: str) -> None:
    """IPython's own completer, old or new, offers ours and nothing of Python's."""
    shell.user_ns["answer"] = 1

    assert completed(shell, line) == [(word, offered)]


def test_unloading_takes_it_back(shell: Any) -> None:
    """After unloading the completer asks us no more."""
    shell.run_line_magic("unload_ext", "allos")
    offered = completed(shell, "%%allos gro")
    shell.run_line_magic("load_ext", "allos")  # for the fixture's own unloading

    assert ("gro", "groq") not in offered
