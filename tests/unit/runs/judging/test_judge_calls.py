from __future__ import annotations

import contextvars
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

import allos
import allos.log
from allos.errors import Interrupted
from allos.request import Request
from allos.session import Session
from allos.testing import Answer, Hold, ScriptedProvider

ROWS = pd.DataFrame({"prompt": "p", "model": ["a", "b"], "content": ["One.", "Two."]})
WINNER = '{"rationale": "x", "winner": "A"}'


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    yield
    allos.log.close()


def judge_that_hangs() -> tuple[ScriptedProvider, Hold]:
    """It answers in the first order, and keeps the second one waiting."""
    hold = Hold()

    def answer(request: Request) -> Answer:
        text = request.messages[-1].text or ""
        is_first = text.index("One.") < text.index("Two.")
        return Answer(WINNER) if is_first else Answer([hold, WINNER])

    return ScriptedProvider(answer), hold


def when_one_is_done(session: Session, hold: Hold, act: Callable[[], object]) -> threading.Thread:
    """Start a thread that acts once one call is done and the other one hangs."""

    def wait() -> None:
        try:
            hold.wait_until_reached()
            (run,) = session.active_runs
            run.cells[0].wait(10)
        finally:
            act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_an_interrupt_keeps_the_verdicts_so_far() -> None:
    """Ctrl-C stops the judge; what it said is in the log, as a vote, and it goes on where it stopped."""
    model, hold = judge_that_hangs()

    main = threading.get_ident()
    presser = when_one_is_done(
        allos.current_session(), hold, lambda: signal.pthread_kill(main, signal.SIGINT)
    )
    with pytest.raises(Interrupted, match="verdicts so far are in the log"):
        allos.judge(ROWS, rubric="r", model=model)
    presser.join()

    assert len(allos.votes()) == 1
    assert allos.responses(tags="judge")["status"].tolist() == ["ok", "cancelled"]
    assert not allos.current_session().active_runs
    other = ScriptedProvider(WINNER)
    found = allos.judge(ROWS, rubric="r", model=other, planted=0)
    assert len(other.requests) == 1
    assert found.frame["outcome"].tolist() == ["verdict"] * 2
    assert len(allos.votes()) == 2


def test_stop_all_ends_the_judge() -> None:
    """Another thread stops it: its open calls are no verdicts."""
    model, hold = judge_that_hangs()

    context = contextvars.copy_context()
    session = allos.current_session()
    facts: list[object] = []

    def stop() -> None:
        (run,) = session.active_runs
        facts.extend((run.kind, run.question, run.answered, run.unanswered))
        context.run(allos.stop_all)

    stopper = when_one_is_done(session, hold, stop)
    found = allos.judge(ROWS, rubric="r", model=model, planted=0)
    stopper.join()

    assert facts == ["judge", "scripted/scripted judges", 1, 1]
    assert found.reliability[["verdicts", "cancelled"]].iloc[0].tolist() == [1, 1]
    assert "No verdict: 1 stopped call." in str(found)
