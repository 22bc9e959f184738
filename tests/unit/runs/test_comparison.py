from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import allos
from allos.providers import ProviderRegistry
from allos.runs.active_runs import stop_all
from allos.runs.compare import compare
from tests.support.fake_server import FakeServer, Reply

STORY = Reply(chunks=["word "] * 200, delay_s=0.02)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    with FakeServer("Hello.") as started:
        monkeypatch.setenv("GROQ_BASE_URL", started.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
        yield started
        stop_all()
        allos.log.close()


def test_changes_are_told_cell_by_cell(server: FakeServer) -> None:
    """At first every cell is news; after the end only the one that was asked again."""
    comparison = compare("Hi", models=["groq/a", "groq/b"], n=2)
    _, at_first = comparison.changed_since(0)
    comparison.wait(30)
    version, _ = comparison.changed_since(0)
    answers = comparison.answers_version
    comparison.cells[2].retry()
    comparison.wait(30)

    assert at_first == comparison.cells
    assert comparison.changed_since(version)[1] == [comparison.cells[2]]
    assert comparison.answers_version == answers + 2
    assert [cell.index for cell in comparison.cells_of(1)] == [2, 3]


def test_stopping_a_cell_that_no_starter_has_ends_it_at_once(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its column is slow to start, a cell that is stopped is cancelled and never sent."""
    gate, starting = threading.Event(), threading.Event()
    usual = ProviderRegistry.get_provider

    def slow(*args: object, **options: object) -> object:
        starting.set()
        assert gate.wait(20)
        return usual(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ProviderRegistry, "get_provider", slow)
    comparison = compare("Hi", models=["groq/a"], n=3)
    assert starting.wait(10)
    first, second, third = comparison.cells
    second.stop()
    ended_early = second.wait(10) and not first.done
    gate.set()
    comparison.wait(30)

    assert ended_early
    assert [cell.state for cell in (first, second, third)] == ["ok", "cancelled", "ok"]
    assert len(server.requests) == 2
    rows = allos.responses(comparison_id=comparison.id).sort_values("sample_index")
    assert rows["status"].tolist() == ["ok", "cancelled", "ok"]
    second.retry()
    assert comparison.wait(30).responses[1].ok


def test_whether_all_was_replayed_is_known_as_soon_as_one_call_is_sent(
    server: FakeServer, tmp_path: Path
) -> None:
    """`from_replay` does not wait for the answers of calls that were sent."""
    server.reply(STORY)
    try:
        allos.replay(tmp_path / "a.jsonl")
        comparison = compare("Hi", models=["groq/a", "groq/b"])

        assert not comparison.from_replay()
        assert not comparison.done
        comparison.cancel()
        comparison.wait(10)
    finally:
        allos.replay(mode="off")


def test_everything_can_be_stopped_from_the_loop_thread(server: FakeServer) -> None:
    """Whoever watches may cancel: with the first text here, where most cells were not even started."""
    server.reply(STORY)
    provider = ProviderRegistry.get_provider("groq", model="m", max_in_flight=1)
    comparison = compare("Hi", models=[provider], n=300)
    comparison.watch(lambda: any(c.pieces for c in comparison.cells) and comparison.cancel())  # type: ignore[func-returns-value]
    comparison.wait(30)

    assert {response.status for response in comparison.responses} == {"cancelled"}
    assert len(allos.responses(comparison_id=comparison.id, limit=None)) == 300
    assert len(server.requests) <= 2
