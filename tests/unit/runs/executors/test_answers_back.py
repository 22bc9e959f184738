"""Batches whose workers have no log in common: what they write comes back, whoever dies."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
from allos.errors import BatchPausedError, ConfigurationError, LogError
from allos.runs.batching.live_batch import Batch
from allos.runs.executors import answer_writer, worker
from allos.runs.executors.answer_files import AnswerFiles
from allos.session import Session
from tests.support.executors import PicklingExecutor
from tests.support.fake_server import FakeServer, Fault, Reply, Seen

MODEL = "groq/llama-3.1-8b-instant"
KEY = "gsk-of-the-test-0123456789"
_WAIT_S = 60

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch, fake_server: FakeServer, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("GROQ_BASE_URL", fake_server.base_url)
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    fake_server.reply(lambda seen: Reply(f"echo {seen.prompt}"))
    allos.log.open(tmp_path / "log.sqlite")
    yield
    allos.stop_all()
    allos.log.close()


@pytest.fixture(params=["folder", "object store"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "folder":
        yield str(tmp_path / "team")
        return
    import fsspec

    yield "memory://bucket/team"
    if fsspec.filesystem("memory").exists("/bucket"):
        fsspec.filesystem("memory").rm("/bucket", recursive=True)


def run(executor: Any, store: str | None, rows: int = 20, **options: Any) -> Batch:
    data = pd.DataFrame({"text": [f"row {number}" for number in range(rows)]})
    options = {"models": MODEL, "max_tokens": 10, **options}
    return allos.batch(data, "{{ text }}", executor=executor, store=store, **options)


def paid(server: FakeServer) -> Counter[str]:
    return Counter(str(seen.prompt) for seen in server.requests)


def expected(rows: int = 20) -> list[str]:
    return [f"echo row {number}" for number in range(rows)]


def test_answers_are_files_and_rows_of_the_log(fake_server: FakeServer, store: str) -> None:
    """The frame is that of one process; running it again asks nothing; no key is handed over or in a file."""
    executor = PicklingExecutor()
    batch = run(executor, store, tags=["mine"], api_key="sk-by-hand-0123456789").wait(_WAIT_S)
    frame, files = batch.frame, AnswerFiles(store, batch.id)
    here = run(None, None).wait(_WAIT_S)
    rows = [row for name in files.names() for row in files.read(name)]
    place = files._place
    data = b"".join(place[0].cat_file(f"{place[1]}/{name}") for name in files.names())

    assert frame["content"].tolist() == expected() == here.frame["content"].tolist()
    assert set(frame["tags"]) == {'["mine"]'}
    assert frame["prompt"].tolist() == [f"row {number}" for number in range(20)]
    assert batch.cost_usd == pytest.approx(frame["cost_usd"].sum())
    assert len(allos.responses()) == len(rows) == 20
    assert len(fake_server.requests) == 20
    for secret in (b"gsk-", b"sk-by-hand"):
        assert secret not in b"".join(executor.sent) + data
        assert secret not in pickle.dumps(rows)


def test_a_new_log_has_what_is_in_the_store(
    fake_server: FakeServer, store: str, tmp_path: Path
) -> None:
    """On another computer, or when the log is gone: nothing is asked again but what failed."""
    fake_server.reply(
        lambda seen: Fault.status(400) if seen.prompt == "row 3" else Reply(f"echo {seen.prompt}")
    )
    run(PicklingExecutor(), store).wait(_WAIT_S)
    fake_server.reply(lambda seen: Reply(f"echo {seen.prompt}"))
    allos.log.close()
    with Session().active():
        allos.log.open(tmp_path / "other.sqlite")
        run(PicklingExecutor(), store).wait(_WAIT_S)
        frame = run(PicklingExecutor(), store, rows=22).wait(_WAIT_S).frame
        again = allos.resume(
            allos.batches()["batch_id"][0], executor=PicklingExecutor(), store=store
        )
        again.wait(_WAIT_S)
        allos.log.close()

    assert frame["content"].tolist()[:20] == expected()
    assert {text for text, times in paid(fake_server).items() if times > 1} == {"row 3"}


def test_a_worker_that_dies_has_written_before(
    fake_server: FakeServer, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its executor runs the partition again, or says that it is lost: neither pays for an answer that is written."""
    monkeypatch.setattr(answer_writer, "EVERY_S", 0.0)
    monkeypatch.setattr(worker, "_POLL_S", 0.01)
    deaths = iter(["again", "lost"])

    class Dying(PicklingExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            death = next(deaths, None)
            if death is not None:
                super().submit(fn, *args, **kwargs)
            if death == "lost":
                self.failures.append(ConnectionError("lost"))
            return super().submit(fn, *args, **kwargs)

    batch = run(Dying(), store).wait(_WAIT_S)

    assert batch.frame["content"].tolist() == expected()
    assert batch.counts[0].ok == 20
    assert set(paid(fake_server).values()) == {1}
    assert len(allos.responses()) == 20


def test_a_caller_that_dies_loses_nothing(fake_server: FakeServer, store: str) -> None:
    """Workers went on; whoever runs the batch next, with workers or without, has what they wrote."""
    executor = PicklingExecutor()

    class Forgetful(PicklingExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            super().submit(fn, *args, **kwargs)
            raise RuntimeError("the kernel was killed")

    batch = run(Forgetful(), store, rows=40)
    with pytest.raises(BatchPausedError):
        batch.wait(_WAIT_S)
    batch.cancel()
    asked = len(fake_server.requests)
    frame = run(None, None, rows=40).wait(_WAIT_S).frame

    assert 0 < asked < 40
    assert not executor.sent
    assert frame["content"].tolist() == expected(40)
    assert set(paid(fake_server).values()) == {1}


def test_answers_come_back_where_the_store_cannot_be_written(
    fake_server: FakeServer, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a note; what cannot be read stops the start, since it may hold answers."""

    def full(*_: Any) -> str:
        raise LogError("cannot write to the store: it is full")

    with monkeypatch.context() as patched:
        patched.setattr(AnswerFiles, "write", full)
        batch = run(PicklingExecutor(), store).wait(_WAIT_S)
    files = AnswerFiles(store, batch.id)
    system, folder = files._place
    system.pipe_file(f"{folder}/X-1.parquet", b"nothing")

    assert batch.frame["content"].tolist() == expected()
    assert len(batch.notes) == 1
    assert "it is full" in batch.notes[0]
    with pytest.raises(LogError, match="is not a file of answers"):
        run(PicklingExecutor(), store)


def test_it_stops_where_it_is_paused(
    fake_server: FakeServer, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a mark in the store; what was answered is there, and the rest is asked when it goes on."""
    monkeypatch.setattr(worker, "_POLL_S", 0.01)
    with ThreadPoolExecutor(1) as pool:
        batch = run(pool, store, rows=16, concurrency=1)

        def answer(seen: Seen) -> Reply:
            if len(fake_server.requests) == 2:
                batch.pause()
            return Reply(f"echo {seen.prompt}", first_delay_s=0.05)

        fake_server.reply(answer)
        fake_server.wait_for(lambda: batch.is_paused and not batch._calls.states.started, _WAIT_S)
        asked = len(fake_server.requests)
        frame = batch.resume().wait(_WAIT_S).frame

    assert asked < 16
    assert frame["content"].tolist() == expected(16)
    assert set(paid(fake_server).values()) == {1}


def test_a_preview_knows_what_is_in_the_store(
    fake_server: FakeServer, store: str, tmp_path: Path
) -> None:
    """It counts as `batch` does, whatever log is open, and refuses what `batch` refuses."""
    data = pd.DataFrame({"text": [f"row {number}" for number in range(25)]})
    options: dict[str, Any] = {"models": MODEL, "max_tokens": 10, "executor": PicklingExecutor()}
    batch = run(options["executor"], store).wait(_WAIT_S)
    allos.log.open(tmp_path / "other.sqlite")
    asked = fake_server.count
    plan = allos.preview_batch(data, "{{ text }}", batch_id=batch.id, store=store, **options)
    with pytest.raises(ConfigurationError, match="one budget for all workers"):
        allos.preview_batch(data, "{{ text }}", store=store, budget_usd=1.0, **options)
    with pytest.raises(ConfigurationError, match="pass executor="):
        allos.preview_batch(data, "{{ text }}", models=MODEL, store=store)

    assert (plan.calls, plan.answered) == (5, 20)
    assert fake_server.count == asked


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"executor": None}, "pass executor="),
        ({"budget_usd": 1}, "takes a log that they share"),
        ({"store": 5}, "store must be a folder or a URL"),
    ],
)
def test_what_cannot_be_is_one_line(
    fake_server: FakeServer, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    """Before anything is sent."""
    given = {"executor": PicklingExecutor(), "store": str(tmp_path), **options}
    with pytest.raises(ConfigurationError, match=message):
        run(given.pop("executor"), given.pop("store"), **given)

    assert not fake_server.requests


def test_it_needs_the_log(fake_server: FakeServer, tmp_path: Path) -> None:
    """Which takes in the answers; and its texts are as they came."""
    with allos.log.paused(), pytest.raises(ConfigurationError, match="needs the log of this"):
        run(PicklingExecutor(), str(tmp_path))
    allos.log.redact(str.upper)
    with pytest.raises(ConfigurationError, match="redact"):
        run(PicklingExecutor(), str(tmp_path))
    allos.log.redact(None)

    assert not fake_server.requests
