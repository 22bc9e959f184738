from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
import allos.log
from allos.testing import Answer, ScriptedProvider, register, unregister

PAIR = {"prompt": "p", "model": ["a", "b"], "content": ["One.", "Two."]}
ROWS = pd.DataFrame(PAIR)
TWICE = pd.concat([ROWS, ROWS], ignore_index=True)
VERDICTS = [f'{{"rationale": "x", "winner": "{winner}"}}' for winner in ("A", "B", "tie", "bad")]


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    yield
    allos.log.close()


def asked(rows: pd.DataFrame = ROWS, answer: Any = VERDICTS[0], **options: Any) -> int:
    """How often the judge was asked."""
    judge = ScriptedProvider(answer, model="judge")
    allos.judge(rows, rubric="r", model=judge, planted=0, **options)
    return len(judge.requests)


def test_equal_questions_have_a_verdict_each() -> None:
    """Equal answers, and repeats, are as many verdicts; each of them is found again."""
    judge = ScriptedProvider(VERDICTS, model="judge")
    one = allos.judge(TWICE, rubric="r", model=judge, planted=0)
    again = allos.judge(TWICE, rubric="r", model=judge, planted=0)

    assert sorted(one.frame["winner"]) == ["a", "a", "bad", "tie"]
    assert again.frame["winner"].tolist() == one.frame["winner"].tolist()
    assert len(judge.requests) == 4
    assert [asked(), asked(n=2), asked(TWICE), asked(TWICE, n=2)] == [0, 2, 0, 2]


def test_how_it_is_called_makes_no_other_judge() -> None:
    """Its key, limits and times may change; its host and parameters may not."""
    script = register("mock", VERDICTS[0])
    options: list[dict[str, Any]] = [
        *({}, {"api_key": "k", "max_attempts": 1, "timeout_s": 9, "max_in_flight": 2}),
        *({"seed": None}, {"seed": 1}, {"base_url": "http://127.0.0.1:9/v1", "api_key": "k"}),
    ]
    counts = []
    try:
        for each in options:
            allos.judge(ROWS, rubric="r", model="mock/x", planted=0, **each)
            counts.append(len(script.requests))
    finally:
        unregister("mock")

    assert counts == [2, 2, 2, 4, 6]


def test_what_was_no_verdict_is_asked_again() -> None:
    """A refusal and words that are no verdict."""
    assert [
        asked(answer=Answer(refusal="No.")),
        asked(answer="A is better."),
        asked(),
        asked(),
    ] == [
        *(2, 2, 2),
        0,
    ]


def test_a_log_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a log, or with texts that it has redacted, the judge is asked."""
    allos.log.redact(lambda text: "[removed]")
    redacted = [asked(), asked()]
    allos.log.redact(None)
    monkeypatch.setenv("ALLOS_LOG", "off")
    allos.log.close()

    assert [*redacted, asked(), asked()] == [2] * 4


def test_a_replay_file_has_all_answers_of_its_run(tmp_path: Path) -> None:
    """A recording made where the log knows the verdicts is complete; so it is for a scorer."""
    model = ScriptedProvider('{"rationale": "x", "score": 1}', model="judge")
    frame = pd.DataFrame({"prompt": ["p"], "content": ["One."]})
    first = asked()
    allos.score(frame, [allos.judge(rubric="r", model=model)])
    allos.replay(tmp_path / "a.jsonl", "record")
    recorded = asked()
    allos.score(frame, [allos.judge(rubric="r", model=model)])
    allos.replay(tmp_path / "a.jsonl", "strict")
    replayed = asked()
    allos.score(frame, [allos.judge(rubric="r", model=model)])
    allos.replay(mode="off")

    assert [first, recorded, replayed] == [2, 2, 0]
    assert len(model.requests) == 2
    assert len(allos.votes()) == 4


def test_a_log_of_a_team(postgres: Any) -> None:
    """The same in PostgreSQL."""
    allos.log.open(postgres.new_database())

    assert [asked(), asked(), asked(refresh=True), asked()] == [2, 0, 2, 0]
