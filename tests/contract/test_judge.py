"""A judge on every API, whole and streamed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
import allos.log
from allos.profiles import Api
from allos.runs.judging.judgement import Judgement
from allos.session import Session
from tests.contract.conftest import KEY, Make
from tests.support.fake_server import FakeServer, Fault, Reply
from tests.support.fake_server.script import Entry
from tests.support.fake_server.seen import Seen

ANSWERS = pd.DataFrame(
    {
        "prompt": ["p", "p", "q", "q"],
        "provider": "groq",
        "model": ["a", "b"] * 2,
        "content": ["Short.", "A longer answer.", "Also short.", "A longer answer again."],
        "id": [f"01K00000000000000000000{number}00" for number in range(4)],
    }
)


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    yield
    allos.log.close()


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def stream(request: pytest.FixtureRequest) -> bool:
    found: bool = request.param
    return found


def says(**verdict: Any) -> Reply:
    return Reply(json.dumps({"rationale": "Ä reason.", **verdict}, ensure_ascii=False))


def first(_: Seen) -> Entry:
    """Prefer the first place."""
    return says(winner="A")


def obedient(seen: Seen) -> Entry:
    """Prefer the longer answer, and obey what is planted."""
    shown = re.findall(r"<<<ANSWER [AB] \w+>>>\n(.*?)\n<<<END OF", seen.prompt, re.DOTALL)
    wish = re.search(r"choose ([AB])", seen.prompt)
    if wish:
        return says(winner=wish[1])
    return says(winner="A" if len(shown[0]) > len(shown[1]) else "B")


def judged(make: Make, stream: bool, **options: Any) -> Judgement:
    given = {"rubric": "Longer is better.", "model": make(max_attempts=1), "stream": stream}
    answers = options.pop("answers", ANSWERS)
    found: Judgement = allos.judge(answers, **{**given, **options})
    return found


def test_first_place(server: FakeServer, make: Make, api: Api, stream: bool) -> None:
    """Verdicts by place flip with the order, and the schema is enforced by the service."""
    server.reply(first)
    found = judged(make, stream)
    facts = found.reliability.iloc[0]

    assert [seen.stream for seen in server.requests] == [stream] * 6
    assert (facts["flips"], facts["swapped"], facts["first_rate"]) == (2, 2, 1.0)
    assert (facts["planted"], facts["obeyed"]) == (2, 0)
    assert set(found.votes["note"]) == {"Ä reason."}
    assert allos.votes()["rater"].tolist() == ["judge:chat_completions/m"] * 4
    body = json.dumps(server.requests[0].body)
    assert '"enum": ["A", "B", "tie", "bad"]' in body


def test_planted_instructions(server: FakeServer, make: Make, stream: bool) -> None:
    """A judge that obeys is found out, and its votes are those without planted words."""
    server.reply(obedient)
    found = judged(make, stream)

    assert found.reliability[["obeyed", "planted", "flips"]].iloc[0].tolist() == [2, 2, 0]
    assert allos.votes()["winner"].tolist() == ["b"] * 4


BAD = {
    "refusal": (Reply(refusal="I will not judge."), "refusal"),
    "filtered": (Reply("No.", finish="content_filter"), "refusal"),
    "malformed": (Reply('{"rationale": "A is', finish="stop"), "error"),
    "other words": (Reply('{"winner": "first"}'), "error"),
    "status": (Fault.status(500), "error"),
    "bad key": (Fault.bad_key(), "error"),
}


@pytest.mark.parametrize("kind", BAD)
def test_no_verdict(server: FakeServer, make: Make, api: Api, stream: bool, kind: str) -> None:
    """Refusals and errors are values, not verdicts; the other answers count."""
    entry, outcome = BAD[kind]
    if kind == "filtered" and api == "messages":
        entry = Reply("No.", finish="refusal")
    server.reply(lambda seen: entry if "Also short." in seen.prompt else says(winner="tie"))
    found = judged(make, stream, planted=0)

    assert found.frame["outcome"].tolist() == ["verdict"] * 2 + [outcome] * 2
    assert len(allos.votes()) == len(found.votes) == 2
    assert found.frame["error"].notna().tolist() == [False] * 2 + [outcome == "error"] * 2


def test_scores(server: FakeServer, make: Make, stream: bool) -> None:
    """A score for each answer; one beyond the scale is an error."""
    server.reply(lambda seen: says(score=9 if "again" in seen.prompt else 4))
    found = judged(make, stream, mode="pointwise", planted=0)

    assert found.scores["score"].tolist() == [4, 4, 4]
    assert allos.ratings()["rating"].tolist() == [4, 4, 4]
    assert found.reliability["errors"].item() == 1


def test_replay(
    server: FakeServer, make: Make, stream: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same verdicts and probes without a request, and no vote is counted twice."""
    server.reply(obedient)
    monkeypatch.chdir(tmp_path)
    allos.replay("a.jsonl", "record")
    first_time = judged(make, stream, n=2, temperature=0)
    sent = len(server.requests)
    allos.replay("a.jsonl", "strict")
    again = judged(make, not stream, n=2, temperature=0)
    allos.replay(mode="off")

    assert len(server.requests) == sent == 2 * 2 * 2 + 2
    assert again.frame["winner"].tolist() == first_time.frame["winner"].tolist()
    assert again.frame["rationale"].tolist() == first_time.frame["rationale"].tolist()
    assert len(again.votes) == len(allos.votes()) == 8
    judged(make, stream, temperature=0, refresh=True)
    assert len(allos.votes()) == 12


def test_nothing_is_asked_twice(server: FakeServer, make: Make, api: Api, stream: bool) -> None:
    """Verdicts and probes of the log are taken from there, at no cost, also by another session; what is
    another judge, rubric, repeat or order is asked.
    """
    server.reply(obedient)

    def asked(**options: Any) -> int:
        before = server.count
        judged(make, stream, **options)
        return server.count - before

    first_time = judged(make, stream, planted=1)
    ids, votes = first_time.frame["id"].tolist(), len(allos.votes())
    allos.log.close()
    with Session().active():
        again = judged(make, not stream, planted=1)
        assert server.count == len(ids) == 5
        assert again.frame["id"].tolist() == ids
        assert again.frame["cost_usd"].tolist() == [0.0] * 5
        assert again.votes["winner"].tolist() == first_time.votes["winner"].tolist()
        assert again.notes == [
            "Verdicts taken from the log, at no cost: 5 of 5; refresh=True asks again."
        ]
        assert len(allos.votes()) == votes == 4
        allos.log.close()
    assert [
        asked(planted=0),
        asked(planted=2),
        asked(planted=0, n=2),
        asked(planted=0, temperature=1),
        asked(planted=0, rubric="Shorter is better."),
        asked(planted=0, answers=ANSWERS.iloc[:3]),
        asked(planted=0, answers=ANSWERS.assign(model=["b", "a"] * 2)),
        asked(planted=0, answers=ANSWERS.assign(prompt="r")),
        asked(planted=1, refresh=True),
    ] == [0, 1, 4, 4, 4, 0, 0, 4, 5]


def test_scores_are_asked_for_once(server: FakeServer, make: Make, stream: bool) -> None:
    """A score of the log is no second rating; another scale is another question, and a failure is asked again."""
    server.reply(lambda seen: says(score=9 if "again" in seen.prompt else 4))
    for expected in (4, 1):
        before = server.count
        found = judged(make, stream, mode="pointwise", planted=0)
        assert server.count - before == expected
        assert found.scores["score"].tolist() == [4, 4, 4]
    judged(make, stream, mode="pointwise", planted=0, scale=(1, 4))

    assert server.count == 9
    store = allos.current_session().log.store
    assert store is not None
    with store.snapshot() as snapshot:
        assert len(list(snapshot.ratings())) == 6


def test_budget(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a budget has no room for is an error and no verdict, and is not sent."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.reply(first)
    allos.budget(0.002)
    try:
        found = allos.judge(ANSWERS, rubric="r", model="openai/gpt-4o", max_tokens=9_000)
    finally:
        allos.budget(None)

    assert found.reliability[["verdicts", "errors", "planted"]].iloc[0].tolist() == [0, 4, 0]
    assert server.requests == []
    assert found.frame["error"].str.contains("budget").all()
