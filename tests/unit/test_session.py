"""Sessions side by side: each has its own log, budget, settings and conversations."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import allos
from allos.errors import BudgetError, ConfigurationError, ReplayMissError
from allos.session import Session, current_session
from allos.testing import Answer, ScriptedProvider
from allos.usage import Usage


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "default.sqlite"))
    with Session().active() as active:
        yield active
        allos.log.close()


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
    """Settings and conversations of one session are unknown to the other."""
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


def test_a_block_has_its_session_and_threads_do_not(session: Session) -> None:
    """The session of a block is current in it; outside, and on a plain thread, it is the default one."""
    seen: list[Session] = []
    thread = threading.Thread(target=lambda: seen.append(current_session()))
    thread.start()
    thread.join(10)

    assert current_session() is session
    assert seen != [session]
    with Session().active() as inner:
        assert current_session() is inner
    assert current_session() is session


def test_a_provider_passes_through(session: Session) -> None:
    """A provider object is used as it is; anything but a name or a provider is refused."""
    provider = ScriptedProvider("Hi")

    assert session.provider_for(provider) is provider
    with pytest.raises(ConfigurationError, match="got int"):
        session.provider_for(5)  # type: ignore[arg-type]


def test_replay_of_a_session(session: Session, tmp_path: Path) -> None:
    """A recorded answer is served again in any session that opens the file, and in no other."""
    model = ScriptedProvider(["Once."])
    recording = session.open_replay(tmp_path / "a.jsonl", "record")
    model.chat("Hi")
    assert session.replay is recording
    session.close_replay()
    assert session.replay is None
    with Session().active() as other:
        other.open_replay(tmp_path / "a.jsonl", "strict")
        again = model.chat("Hi")
        with pytest.raises(ReplayMissError):
            model.chat("Ho")
        other.close_replay()

    assert (again.content, again.replayed) == ("Once.", True)
    assert len(model.requests) == 1


def test_log_that_cannot_be_opened_warns_once(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that fails to open does not fail a call, and causes one warning."""
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path))  # a folder is not a log
    with pytest.warns(UserWarning, match="Responses are not logged"):
        session.open_log()
    session.open_log()

    assert not session.log.is_open


@pytest.mark.parametrize("model", ["nope", "grok/m", "groq"])
def test_a_default_model_must_exist(model: str) -> None:
    """Settings that no call could use are refused in code as well; nothing is changed."""
    with pytest.raises(ConfigurationError):
        allos.configure(temperature=0.5, model=model)

    assert allos.current_session().settings.get("temperature") is None
