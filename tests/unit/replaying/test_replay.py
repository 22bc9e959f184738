"""An open replay file: what is served, asked, recorded, counted and pruned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.replaying.test_replay_file import line

from allos import context
from allos.errors import ConfigurationError, ReplayError, ReplayMissError, SchemaError
from allos.hashing import request_hash
from allos.messages import Message
from allos.replaying.replay import Replay, chosen_mode
from allos.replaying.replay_file import read
from allos.request import Request
from allos.response import ProviderResponse


def asked(prompt: str = "Hi", **changes: Any) -> Request:
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


Ask = Callable[..., str]


def ask(replay: Replay, request: Request, answer: str | ProviderResponse) -> str:
    """What a call does: ask the source, else the service, whose answer is observed."""
    served = replay.source(request)
    if served is not None:
        return served.content
    response = answer if isinstance(answer, ProviderResponse) else ProviderResponse(answer)
    replay.observe(replace(response, request=request, context=context.current()))
    return response.content


def recorded(path: Path, *answers: tuple[str, str]) -> None:
    replay = Replay(path, "record")
    for prompt, answer in answers:
        ask(replay, asked(prompt), answer)
    replay.close()


def answers(path: Path) -> list[str]:
    return [entry.values["answer"]["content"] for entry in read(path).entries.values()]


def test_record_then_serve_in_order(path: Path) -> None:
    """The k-th equal request gets the k-th answer; a new run begins at the first."""
    recorded(path, ("Hi", "one"), ("Ho", "ho"), ("Hi", "two"))
    for _ in range(2):
        replay = Replay(path, "strict")
        got = [ask(replay, asked(prompt), "new") for prompt in ("Hi", "Hi", "Ho")]

        assert got == ["one", "two", "ho"]
        assert (replay.served, replay.asked, replay.unused, replay.recorded) == (3, 0, 0, 3)
        replay.close()


def test_strict_miss(path: Path) -> None:
    """Strict replay of what is not recorded is an error, the same one at every try."""
    recorded(path, ("Hi", "one"))
    replay = Replay(path, "strict")
    for _ in range(2):
        with pytest.raises(ReplayMissError, match="differs in message 1 of 1"):
            replay.source(asked("Ho"))
    replay.source(asked("Hi"))
    for _ in range(2):
        with pytest.raises(ReplayMissError, match="made 2 times in this run and is recorded once"):
            replay.source(asked("Hi"))

    assert (replay.served, replay.asked) == (1, 0)


def test_strict_needs_its_file(path: Path) -> None:
    """Strict replay of a file that is not there says so at once; the other modes make it."""
    with pytest.raises(ReplayError, match=r"There is no replay file 'a.jsonl'"):
        Replay(path, "strict")
    with pytest.raises(ReplayError, match="There is no folder"):
        Replay(path / "deeper" / "a.jsonl", "record")
    Replay(path, "replay").close()

    assert not path.exists()


def test_miss_is_asked_and_recorded(path: Path) -> None:
    """Replay asks for what is missing, once: the new answer is served from then on."""
    recorded(path, ("Hi", "one"))
    replay = Replay(path, "replay")
    got = [ask(replay, asked(prompt), "new") for prompt in ("Hi", "Hi", "Ho")]
    replay.close()

    assert got == ["one", "new", "new"]
    assert (replay.served, replay.asked) == (1, 2)
    again = Replay(path, "strict")
    assert [ask(again, asked(prompt), "x") for prompt in ("Hi", "Hi", "Ho")] == [
        "one",
        "new",
        "new",
    ]


def test_record_replaces_in_place(path: Path) -> None:
    """Recording anew asks for everything and changes only the lines that changed."""
    recorded(path, ("a", "1"), ("b", "2"), ("c", "3"))
    before = path.read_text().splitlines()
    recorded(path, ("c", "3"), ("b", "changed"))
    after = path.read_text().splitlines()

    assert answers(path) == ["1", "changed", "3"]
    assert after[0] == before[0]
    assert len(after) == 3


def test_cell_run_again_gets_its_own_answers(path: Path) -> None:
    """Whoever runs one cell again by hand gets that cell's answers; nothing is asked."""
    recorded(path, ("Hi", "one"), ("Hi", "two"))
    replay = Replay(path, "strict")
    got = []
    for cell, count in (("first", 1), ("second", 2), ("first", 3), ("first", 4), ("second", 5)):
        with context.using(cell_id=cell, execution_count=count):
            got.append(ask(replay, asked(), "new"))

    assert got == ["one", "two", "one", "one", "two"]


def test_cell_recorded_again_replaces_its_answers(path: Path) -> None:
    """Running a cell again while recording does not pile up answers."""
    replay = Replay(path, "record")
    for count, answer in enumerate(["one", "two", "three"]):
        with context.using(cell_id="c", execution_count=count):
            ask(replay, asked(), answer)
    replay.close()

    assert answers(path) == ["three"]


def test_fresh_asks_one_anew_and_replaces_it(path: Path) -> None:
    """A fresh request is asked although it is recorded; strict replay serves it all the same."""
    recorded(path, ("Hi", "one"), ("Ho", "ho"))
    replay = Replay(path, "replay")
    got = [ask(replay, asked("Hi", refresh=True), "new"), ask(replay, asked("Ho"), "new")]
    replay.close()

    assert got == ["new", "ho"]
    assert answers(path) == ["new", "ho"]
    assert ask(Replay(path, "strict"), asked("Hi", refresh=True), "x") == "new"


FAILED = [
    ProviderResponse("part", metadata={"status": "error"}),
    ProviderResponse("part", metadata={"status": "cancelled"}),
    ProviderResponse("no JSON", error=SchemaError("does not match")),
]


@pytest.mark.parametrize("failed", FAILED)
def test_failures_are_not_recorded(path: Path, failed: ProviderResponse) -> None:
    """Only complete answers are recorded, and the retry of a failed request takes its place."""
    replay = Replay(path, "record")
    ask(replay, asked(), failed)
    ask(replay, asked(), "well")
    replay.close()

    assert answers(path) == ["well"]
    assert ask(Replay(path, "strict"), asked(), "x") == "well"


def test_strangers_are_not_recorded(path: Path) -> None:
    """Replayed answers, calls that were never sent, and calls from before are left alone."""
    replay = Replay(path, "record")
    replay.observe(ProviderResponse("x", request=asked(), replayed=True))
    replay.observe(ProviderResponse("x", request=replace(asked(), request_hash=None)))
    replay.observe(ProviderResponse("x"))
    replay.observe(ProviderResponse("x", request=asked()))
    replay.close()

    assert not path.exists()


def test_prune(path: Path) -> None:
    """What the run did not use is removed, and lines that cannot be read; nothing else."""
    recorded(path, ("a", "1"), ("b", "2"), ("c", "3"))
    with path.open("a") as file:
        file.write("<<<<<<< ours\n")
    with pytest.warns(UserWarning, match="Line 4 of the replay file 'a.jsonl' cannot be read"):
        replay = Replay(path, "replay")
    with pytest.raises(ReplayError, match="has used no answer"):
        replay.prune()
    ask(replay, asked("b"), "x")
    ask(replay, asked("d"), "4")

    assert replay.unused == 2
    assert replay.prune() == 2
    assert replay.unused == 0
    assert answers(path) == ["2", "4"]
    assert read(path).damaged == {}
    assert replay.prune() == 0
    replay.close()
    assert answers(path) == ["2", "4"]


def test_prune_spares_what_another_kernel_recorded(path: Path) -> None:
    """Answers that came into the file since it was opened are not this run's to remove."""
    recorded(path, ("a", "1"), ("b", "2"))
    mine = Replay(path, "replay")
    recorded(path, ("theirs", "3"))
    ask(mine, asked("a"), "x")
    mine.prune()

    assert answers(path) == ["1", "3"]


def test_words(path: Path) -> None:
    """What it says of itself: the name alone where outputs are compared, the counts when printed."""
    recorded(path, ("a", "1"), ("b", "2"))
    replay = Replay(path, "replay")
    ask(replay, asked("a"), "x")

    assert repr(replay) == "Replay('a.jsonl', mode='replay')"
    assert str(replay) == (
        "a.jsonl (replay): 2 recorded; in this run 1 served, 0 asked, 1 not used"
    )
    assert str(Replay(None, "off")) == "Replay is off."
    assert repr(Replay(None, "off")) == "Replay(mode='off')"
    with pytest.raises(ReplayError, match="Replay is off"):
        Replay(None, "off").prune()


def test_mode_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ALLOS_REPLAY_MODE` goes before the mode of a call that names a file, and only there."""
    assert chosen_mode("a.jsonl", "record") == "record"
    with pytest.raises(ConfigurationError, match=r"mode is 'strikt'.* Did you mean 'strict'"):
        chosen_mode("a.jsonl", "strikt")
    monkeypatch.setenv("ALLOS_REPLAY_MODE", "strict")
    assert chosen_mode("a.jsonl", "record") == "strict"
    assert chosen_mode(None, "off") == "off"
    monkeypatch.setenv("ALLOS_REPLAY_MODE", "recrod")
    with pytest.raises(ConfigurationError, match=r"ALLOS_REPLAY_MODE is 'recrod'.*'record'"):
        chosen_mode("a.jsonl", "record")


def test_damage_is_one_warning(path: Path) -> None:
    """Several damaged lines are one warning; the answers around them are served."""
    recorded(path, ("a", "1"))
    path.write_text(f"oops\n{path.read_text()}oops\n{line('x')}\n")
    with pytest.warns(UserWarning, match="Line 1 and 1 more of the replay file") as told:
        replay = Replay(path, "strict")

    assert len(told) == 1
    assert ask(replay, asked("a"), "x") == "1"
