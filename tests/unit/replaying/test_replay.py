"""An open replay file: what is replayed, requested, recorded, counted and pruned."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from allos import context
from allos.errors import ConfigurationError, ReplayError, ReplayMissError, SchemaError
from allos.hashing import request_hash
from allos.messages import Message
from allos.replaying.replay import Replay, chosen_mode
from allos.replaying.replay_file import read
from allos.request import Request
from allos.response import ProviderResponse
from tests.unit.replaying.test_replay_file import line


def a_request(prompt: str = "Hi", **changes: Any) -> Request:
    request = Request(
        provider="groq",
        endpoint="groq",
        api="chat",
        base_url="",
        model="m",
        messages=(Message("user", prompt),),  # type: ignore[arg-type]
        **changes,
    )
    return replace(request, request_hash=request_hash(request, request.sample))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.jsonl"


def start(replay: Replay, request: Request) -> Any:
    """Begin a call: the recorded answer, or a function that takes the service's answer."""
    return replay.before(SimpleNamespace(request=request))  # type: ignore[arg-type]


def finish(after: Any, request: Request, answer: str | ProviderResponse) -> str:
    """End a call that went to the service."""
    response = answer if isinstance(answer, ProviderResponse) else ProviderResponse(answer)
    response = replace(response, request=request, context=context.current())
    assert after(response) is response
    return response.content


def ask(replay: Replay, request: Request, answer: str | ProviderResponse) -> str:
    """One call from beginning to end; `answer` is what the service would answer."""
    found = start(replay, request)
    return found.content if isinstance(found, ProviderResponse) else finish(found, request, answer)


def recorded(path: Path, *answers: tuple[str, str]) -> None:
    replay = Replay(path, "record")
    for prompt, answer in answers:
        ask(replay, a_request(prompt), answer)
    replay.close()


def answers(path: Path) -> list[str]:
    return [entry.values["answer"]["content"] for entry in read(path).entries.values()]


def test_record_then_replay_in_order(path: Path) -> None:
    """The k-th equal request gets the k-th answer; a new run begins at the first."""
    recorded(path, ("Hi", "one"), ("Ho", "ho"), ("Hi", "two"))
    for _ in range(2):
        replay = Replay(path, "strict")
        got = [ask(replay, a_request(prompt), "new") for prompt in ("Hi", "Hi", "Ho")]

        assert got == ["one", "two", "ho"]
        assert (replay.replayed, replay.requested, replay.unused, replay.recorded) == (3, 0, 0, 3)
        replay.close()


def test_strict_miss(path: Path) -> None:
    """Strict replay of what is not recorded is an error, the same one at every try."""
    recorded(path, ("Hi", "one"))
    replay = Replay(path, "strict")
    for _ in range(2):
        with pytest.raises(ReplayMissError, match="differs in message 1 of 1"):
            start(replay, a_request("Ho"))
    start(replay, a_request("Hi"))
    for _ in range(2):
        with pytest.raises(ReplayMissError, match="made 2 times in this run and is recorded once"):
            start(replay, a_request("Hi"))

    assert (replay.replayed, replay.requested) == (1, 0)


def test_strict_needs_its_file(path: Path) -> None:
    """Strict replay of a missing file is an error at once; the other modes create it."""
    with pytest.raises(ReplayError, match=r"There is no replay file 'a.jsonl'"):
        Replay(path, "strict")
    with pytest.raises(ReplayError, match=r"The folder of the replay file .* does not exist"):
        Replay(path / "deeper" / "a.jsonl", "record")
    Replay(path, "replay").close()

    assert not path.exists()


def test_a_miss_is_requested_and_recorded(path: Path) -> None:
    """Replay requests what is missing, once: the new answer is replayed from then on."""
    recorded(path, ("Hi", "one"))
    replay = Replay(path, "replay")
    got = [ask(replay, a_request(prompt), "new") for prompt in ("Hi", "Hi", "Ho")]
    replay.close()

    assert got == ["one", "new", "new"]
    assert (replay.replayed, replay.requested) == (1, 2)
    again = Replay(path, "strict")
    assert [ask(again, a_request(prompt), "x") for prompt in ("Hi", "Hi", "Ho")] == [
        "one",
        "new",
        "new",
    ]


def test_record_replaces_in_place(path: Path) -> None:
    """Recording again requests everything and changes only the lines that differ."""
    recorded(path, ("a", "1"), ("b", "2"), ("c", "3"))
    before = path.read_text().splitlines()
    recorded(path, ("c", "3"), ("b", "changed"))
    after = path.read_text().splitlines()

    assert answers(path) == ["1", "changed", "3"]
    assert after[0] == before[0]
    assert len(after) == 3


def test_cell_run_again_gets_its_own_answers(path: Path) -> None:
    """A cell that is run again by hand gets its own answers; nothing is requested."""
    recorded(path, ("Hi", "one"), ("Hi", "two"))
    replay = Replay(path, "strict")
    got = []
    for cell, count in (("first", 1), ("second", 2), ("first", 3), ("first", 4), ("second", 5)):
        with context.using(cell_id=cell, execution_count=count):
            got.append(ask(replay, a_request(), "new"))

    assert got == ["one", "two", "one", "one", "two"]


def test_cell_recorded_again_replaces_its_answers(path: Path) -> None:
    """Running a cell again while recording does not pile up answers."""
    replay = Replay(path, "record")
    for count, answer in enumerate(["one", "two", "three"]):
        with context.using(cell_id="c", execution_count=count):
            ask(replay, a_request(), answer)
    replay.close()

    assert answers(path) == ["three"]


def test_refresh_requests_again_and_replaces(path: Path) -> None:
    """A request with refresh=True is sent although it is recorded; strict replay ignores that."""
    recorded(path, ("Hi", "one"), ("Ho", "ho"))
    replay = Replay(path, "replay")
    got = [ask(replay, a_request("Hi", refresh=True), "new"), ask(replay, a_request("Ho"), "new")]
    replay.close()

    assert got == ["new", "ho"]
    assert answers(path) == ["new", "ho"]
    assert ask(Replay(path, "strict"), a_request("Hi", refresh=True), "x") == "new"


FAILED = [
    ProviderResponse("part", metadata={"status": "error"}),
    ProviderResponse("part", metadata={"status": "cancelled"}),
    ProviderResponse("no JSON", error=SchemaError("does not match")),
]


@pytest.mark.parametrize("failed", FAILED)
def test_failures_are_not_recorded(path: Path, failed: ProviderResponse) -> None:
    """Only complete answers are recorded, and the retry of a failed request takes its place."""
    replay = Replay(path, "record")
    ask(replay, a_request(), failed)
    ask(replay, a_request(), "well")
    replay.close()

    assert answers(path) == ["well"]
    assert ask(Replay(path, "strict"), a_request(), "x") == "well"


def test_simultaneous_equal_requests_keep_their_own_numbers(path: Path) -> None:
    """Of two equal requests under way, each answer is recorded under its own call's number, also when
    the second one finishes first."""
    replay = Replay(path, "record")
    request = a_request()
    first, second = start(replay, request), start(replay, request)
    finish(second, request, "two")
    finish(first, request, "one")
    replay.close()
    again = Replay(path, "strict")

    assert [ask(again, request, "x") for _ in range(2)] == ["one", "two"]


def test_a_failure_costs_only_its_own_number(path: Path) -> None:
    """When the second of two equal requests fails first, its retry takes number 1, not number 0."""
    replay = Replay(path, "record")
    request = a_request()
    first, second = start(replay, request), start(replay, request)
    finish(second, request, ProviderResponse("part", metadata={"status": "cancelled"}))
    retry = start(replay, request)
    finish(retry, request, "two")
    finish(first, request, "one")
    replay.close()
    again = Replay(path, "strict")

    assert [ask(again, request, "x") for _ in range(2)] == ["one", "two"]
    with pytest.raises(ReplayMissError):
        start(again, request)


def test_a_cell_that_runs_again_is_recorded_last(path: Path) -> None:
    """The late answer of an earlier execution does not replace the one of the present execution."""
    replay = Replay(path, "record")
    request = a_request()
    with context.using(cell_id="c", execution_count=1):
        late = start(replay, request)
    with context.using(cell_id="c", execution_count=2):
        ask(replay, request, "new")
    finish(late, request, "old")
    replay.close()

    assert answers(path) == ["new"]


def test_what_is_not_recorded(path: Path) -> None:
    """Requests without a hash, answers that another layer replayed, and calls that end after the file
    was closed are not recorded."""
    replay = Replay(path, "record")
    assert start(replay, replace(a_request(), request_hash=None)) is None
    ask(replay, a_request(), ProviderResponse("x", replayed=True))
    late = start(replay, a_request())
    replay.close()
    finish(late, a_request(), "late")

    assert not path.exists()


def test_prune(path: Path) -> None:
    """What the run did not use is removed, and lines that cannot be read; nothing else."""
    recorded(path, ("a", "1"), ("b", "2"), ("c", "3"))
    with path.open("a") as file:
        file.write("<<<<<<< ours\n")
    with pytest.warns(UserWarning, match="Line 4 of the replay file 'a.jsonl' cannot be read"):
        replay = Replay(path, "replay")
    with pytest.raises(ReplayError, match="has not used any answer"):
        replay.prune()
    ask(replay, a_request("b"), "x")
    ask(replay, a_request("d"), "4")

    assert replay.unused == 2
    assert replay.prune() == 2
    assert replay.unused == 0
    assert answers(path) == ["2", "4"]
    assert read(path).damaged == {}
    assert replay.prune() == 0
    replay.close()
    assert answers(path) == ["2", "4"]


def test_prune_spares_what_another_kernel_recorded(path: Path) -> None:
    """Answers that another kernel has recorded since the file was opened are not removed."""
    recorded(path, ("a", "1"), ("b", "2"))
    mine = Replay(path, "replay")
    recorded(path, ("theirs", "3"))
    ask(mine, a_request("a"), "x")
    mine.prune()

    assert answers(path) == ["1", "3"]


def test_repr_and_str(path: Path) -> None:
    """Its repr is the name alone, since outputs are compared; printed, it shows the counts."""
    recorded(path, ("a", "1"), ("b", "2"))
    replay = Replay(path, "replay")
    ask(replay, a_request("a"), "x")

    assert repr(replay) == "Replay('a.jsonl', mode='replay')"
    assert str(replay) == (
        "a.jsonl (replay): 2 recorded; this run: 1 replayed, 0 requested, 1 unused"
    )
    assert str(Replay(None, "off")) == "Replay is off."
    assert repr(Replay(None, "off")) == "Replay(mode='off')"
    with pytest.raises(ReplayError, match="Replay is off"):
        Replay(None, "off").prune()


def test_mode_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ALLOS_REPLAY_MODE` takes precedence over the mode of a call that gives a file, and only there."""
    assert chosen_mode("a.jsonl", "record") == "record"
    with pytest.raises(
        ConfigurationError, match=r"mode must be .*, got 'strikt'.* Did you mean 'strict'"
    ):
        chosen_mode("a.jsonl", "strikt")
    monkeypatch.setenv("ALLOS_REPLAY_MODE", "strict")
    assert chosen_mode("a.jsonl", "record") == "strict"
    assert chosen_mode(None, "off") == "off"
    monkeypatch.setenv("ALLOS_REPLAY_MODE", "recrod")
    with pytest.raises(
        ConfigurationError, match=r"ALLOS_REPLAY_MODE must be .*, got 'recrod'.*'record'"
    ):
        chosen_mode("a.jsonl", "record")


def test_damage_is_one_warning(path: Path) -> None:
    """Several damaged lines are one warning; the answers around them are used."""
    recorded(path, ("a", "1"))
    path.write_text(f"oops\n{path.read_text()}oops\n{line('x')}\n")
    with pytest.warns(UserWarning, match="Line 1 and 1 more of the replay file") as caught:
        replay = Replay(path, "strict")

    assert len(caught) == 1
    assert ask(replay, a_request("a"), "x") == "1"


FORKED = """
import multiprocessing, sys, warnings
sys.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore", DeprecationWarning)
import allos
from tests.unit.replaying.test_replay import a_request, ask

replay = allos.replay(sys.argv[2], "record")
ask(replay, a_request("parent"), "one")

def work():
    ask(replay, a_request("child"), "two")

child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join(30)
ask(replay, a_request("parent"), "three")
print(child.exitcode)
"""


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_records_its_own_answers(path: Path) -> None:
    """Parent and child each write what they recorded, once, also when they just end."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", FORKED, str(root), str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("0\n", "")
    assert sorted(answers(path)) == ["one", "three", "two"]
    assert len(path.read_text().splitlines()) == 3


def test_a_forked_child_that_records_nothing_leaves_the_file(path: Path) -> None:
    """The child closes the replay that it inherited; compacting the file is the parent's part."""
    replay = Replay(path, "record")
    for count, answer in enumerate(["old", "new"]):
        with context.using(cell_id="c", execution_count=count):
            ask(replay, a_request(), answer)
    replay.flush()
    before = path.read_bytes()
    replay.after_fork_in_child()
    replay.close()

    assert len(before.splitlines()) == 2
    assert path.read_bytes() == before
