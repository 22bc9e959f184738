"""Sessions side by side: each has its own log, budget, settings and conversations."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import allos
from allos.errors import BudgetError
from allos.session import Session
from allos.testing import Answer, ScriptedProvider
from allos.usage import Usage


def test_two_sessions_with_two_logs_and_two_budgets(tmp_path: Path) -> None:
    """Calls of each session are rows of its own log and count for its own budget, at the same time."""
    answer = Answer("Hi.", usage=Usage(input_tokens=10, output_tokens=10, source="provider"))
    rich, poor = Session(), Session()
    both_open = threading.Barrier(2)
    found: dict[str, object] = {}

    def work(name: str, session: Session, usd: float, calls: int) -> None:
        with session.active():
            allos.log.open(tmp_path / f"{name}.sqlite")
            allos.budget(usd)
            both_open.wait(10)
            model = ScriptedProvider(answer, model="gpt-4o", price_id="openai", max_tokens=20)
            try:
                for _ in range(calls):
                    allos.ask(name, model=model)
            except BudgetError as exc:
                found[f"{name} error"] = str(exc)
            allos.log.flush()
            found[name] = allos.responses()["prompt"].tolist()
            found[f"{name} spent"] = allos.budget().spent_usd > 0
            allos.log.close()

    threads = [
        threading.Thread(target=work, args=("rich", rich, 1.0, 3)),
        threading.Thread(target=work, args=("poor", poor, 0.0, 3)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert found["rich"] == ["rich"] * 3
    assert found["rich spent"] is True
    assert "rich error" not in found
    assert found["poor"] == ["poor"], "the refused call is a row as well"
    assert found["poor spent"] is False
    assert "$0" in str(found["poor error"])


def test_comparisons_stay_in_their_session(tmp_path: Path) -> None:
    """The threads that start a comparison's calls belong to the session that it was made in."""
    session = Session()
    with session.active():
        allos.log.open(tmp_path / "mine.sqlite")
        run = allos.compare("Hi", models=[ScriptedProvider("Yes."), ScriptedProvider("No.")])
        run.wait(30)
        allos.log.flush()
        rows = allos.responses()
        allos.log.close()

    assert sorted(rows["content"]) == ["No.", "Yes."]
    assert not allos.log.is_open()


def test_settings_and_conversations_are_the_sessions_own() -> None:
    """What is set or said in one session is unknown to the other."""
    with Session().active() as inner:
        allos.configure(temperature=0.5)
        allos.chat("trip")
        known = (inner.settings.get("temperature"), list(inner.chats))

    assert known == (0.5, ["trip"])
    outer = allos.current_session()
    assert (outer.settings.get("temperature"), outer.chats) == (None, {})


def test_a_session_can_be_entered_again() -> None:
    """Blocks may nest, and the session before is current again after each."""
    session, outer = Session(), allos.current_session()
    with session.active():
        with Session().active() as other:
            assert allos.current_session() is other
        assert allos.current_session() is session

    assert allos.current_session() is outer


@pytest.mark.parametrize("layer", ["log", "budgets"])
def test_layers_stand_in_one_order(layer: str) -> None:
    """The log sees every call; a recorded answer costs no budget; prices are known to both."""
    session = Session()
    names = [type(each).__name__ for each in session.interceptors]

    assert names == ["Log", "Budgets", "Prices"]
    assert getattr(session, layer) in session.interceptors
