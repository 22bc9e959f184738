"""Batches whose calls others make: what comes back, and what happens when it does not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel

import allos
from allos.errors import BatchPausedError, ConfigurationError
from allos.providers import ProviderRegistry
from allos.runs.batching.live_batch import Batch
from allos.runs.executors import executor_calls, worker
from allos.session import Session
from tests.support.executors import PicklingExecutor
from tests.support.fake_server import FakeServer, Fault, Reply, Seen

MODEL = "groq/llama-3.1-8b-instant"
_WAIT_S = 60
KEY = "gsk-of-the-test-0123456789"


@pytest.fixture
def server(
    monkeypatch: pytest.MonkeyPatch, fake_server: FakeServer, tmp_path: Path
) -> Iterator[FakeServer]:
    """A service under the name of Groq, whose answers repeat the prompt; the log is open."""
    monkeypatch.setenv("GROQ_BASE_URL", fake_server.base_url)
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    fake_server.reply(lambda seen: Reply(f"echo {seen.prompt}"))
    allos.log.open(tmp_path / "log.sqlite")
    yield fake_server
    allos.log.close()


def _weather(city: str) -> str:
    """The weather in a city."""
    return city


def data(rows: int = 20) -> pd.DataFrame:
    return pd.DataFrame({"text": [f"row {number}" for number in range(rows)], "label": "x"})


def run(executor: Any, rows: int = 20, **options: Any) -> Batch:
    options = {"models": MODEL, "max_tokens": 10, **options}
    return allos.batch(data(rows), "{{ text }}", executor=executor, **options)


def test_the_frame_is_that_of_one_process(server: FakeServer) -> None:
    """The same rows, keys and costs; running it again, here or there, asks nothing."""
    there = run(PicklingExecutor(), tags=["mine"]).wait(_WAIT_S)
    frame = there.frame
    here = run(None).wait(_WAIT_S)
    again = run(PicklingExecutor()).wait(_WAIT_S)
    by_id = allos.resume(there.id, executor=PicklingExecutor()).wait(_WAIT_S)

    assert by_id.done
    assert list(frame["content"]) == [f"echo row {number}" for number in range(20)]
    assert list(frame["task_key"]) == list(here.frame["task_key"])
    assert set(frame["tags"]) == {'["mine"]'}
    assert there.cost_usd == pytest.approx(frame["cost_usd"].sum())
    assert len(server.requests) == 20
    assert here.id == there.id == again.id


def test_no_key_is_handed_over(server: FakeServer) -> None:
    """Not that of the environment, not one that was passed: each worker finds its own."""
    executor = PicklingExecutor()
    run(executor, api_key="sk-passed-by-hand", headers={"x-api-key": "sk-in-a-header"}).wait(
        _WAIT_S
    )
    sent = b"".join(executor.sent)

    assert b"row 1" in sent
    assert all(secret not in sent for secret in (b"gsk-", b"sk-passed", b"sk-in-a-header"))


def test_rows_arrive_as_they_come(server: FakeServer) -> None:
    """A loop gets each row once; values have the type that stayed here."""

    class Label(BaseModel):
        name: str

    server.reply(Reply('{"name": "billing"}'))
    with ThreadPoolExecutor(2) as executor:
        rows = list(run(executor, schema=Label))

    assert sorted(row.index for row in rows) == list(range(20))
    assert {type(row.parsed) for row in rows} == {Label}


def test_without_a_log_answers_come_back_all_the_same(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers log nothing then."""
    allos.log.close()
    monkeypatch.setenv("ALLOS_LOG", "off")
    frame = run(PicklingExecutor()).frame

    assert list(frame["content"]) == [f"echo row {number}" for number in range(20)]


def test_a_part_that_failed_is_done_again(server: FakeServer) -> None:
    """By another worker, without a word; what was answered is not asked again."""
    executor = PicklingExecutor()
    executor.failures += [ConnectionError("lost"), EOFError("lost")]
    batch = run(executor).wait(_WAIT_S)

    assert (batch.answered, list(batch.notes), len(server.requests)) == (20, [], 20)


@pytest.mark.parametrize("refused", [True, False])
def test_an_executor_that_does_nothing_pauses_the_batch(server: FakeServer, refused: bool) -> None:
    """One line says why; `resume` goes on when it works again."""
    executor = PicklingExecutor(1)
    executor.refusal = RuntimeError("cannot schedule new futures") if refused else None
    executor.failures += [] if refused else [RuntimeError("cannot find\nallos")] * 30
    batch = run(executor)
    with pytest.raises(BatchPausedError) as paused:
        batch.wait(_WAIT_S)
    executor.refusal, executor.failures = None, []
    batch.resume().wait(_WAIT_S)

    reason = (
        "RuntimeError: cannot schedule new futures"
        if refused
        else "RuntimeError: cannot find allos"
    )
    assert str(paused.value).endswith(reason)
    assert batch.state == "done"


def test_a_service_without_quota_stops_its_own_rows(server: FakeServer) -> None:
    """What was not sent is said in one line, and is asked when the batch runs again."""
    server.reply(Fault.status(402))
    batch = run(PicklingExecutor(1), rows=40, concurrency=1).wait(_WAIT_S)
    failed = batch.frame
    server.reply(Reply("ok"))
    again = run(PicklingExecutor(1), rows=40).wait(_WAIT_S)

    assert batch.done
    assert any("not sent" in note for note in batch.notes)
    assert set(failed["status"]) == {"error"}
    assert len(server.requests) < 80
    assert set(again.frame["status"]) == {"ok"}


def test_the_first_error_pauses_it(server: FakeServer) -> None:
    """With ``on_error="raise"``, as in one process."""
    server.reply(Fault.status(404))

    batch = run(PicklingExecutor(1), on_error="raise")
    with pytest.raises(allos.ProviderError):
        batch.wait(_WAIT_S)
    batch.cancel()


@pytest.mark.parametrize("way", ["pause", "cancel"])
def test_workers_stop_as_well(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """They end what is under way; the rest of their partition is not asked, until it goes on."""
    monkeypatch.setattr(worker, "_POLL_S", 0.02)
    monkeypatch.setattr(executor_calls, "_PARTS_PER_SLOT", 1)
    begun, noticed, go_on = threading.Event(), threading.Event(), threading.Event()
    look = worker._is_stopped

    def watched(*arguments: Any) -> bool:
        stopped = look(*arguments)
        if stopped:
            noticed.set()
        return stopped

    monkeypatch.setattr(worker, "_is_stopped", watched)

    def answer(seen: Seen) -> Reply:
        begun.set()
        go_on.wait(_WAIT_S)
        return Reply("late")

    server.reply(answer)
    with ThreadPoolExecutor(1) as executor:
        batch = run(executor, concurrency=1)
        begun.wait(_WAIT_S)
        getattr(batch, way)()
        noticed.wait(_WAIT_S)
        go_on.set()
        server.wait_for(lambda: batch._calls.states.started == 0, _WAIT_S)
        asked, state = len(server.requests), batch.state
        batch.resume()
        batch.wait(_WAIT_S)

    assert 0 < asked <= 3
    assert state == ("paused" if way == "pause" else "cancelled")
    assert len(server.requests) == (20 if way == "pause" else asked)
    assert len(batch.frame) == 20


def test_the_budget_is_shared(server: FakeServer) -> None:
    """All partitions together never exceed it, and earlier runs count."""
    worst = run(None, rows=1).wait(_WAIT_S).cost_usd
    budget_usd = 60 * worst
    batch = run(PicklingExecutor(3), rows=200, budget_usd=budget_usd).wait(_WAIT_S)

    assert 0 < batch.answered <= 200
    assert allos.responses(columns=["cost_usd"])["cost_usd"].sum() <= budget_usd
    assert any("budget" in str(error).lower() for error in batch.frame["error_message"].dropna())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"models": [ProviderRegistry.get_provider("groq", model="x", api_key=KEY)]},
            "a provider object",
        ),
        ({"tools": [_weather]}, "tools"),
        ({"mode": "provider_batch"}, "use one"),
    ],
)
def test_what_cannot_be_handed_over_is_said_first(
    server: FakeServer, options: dict[str, Any], message: str
) -> None:
    """Nothing was sent."""
    with pytest.raises(ConfigurationError, match=f"{message}.*Nothing was sent"):
        run(PicklingExecutor(), **options)
    assert not server.requests


def test_a_decision_needs_the_answers_one_by_one(server: FakeServer) -> None:
    """What looks at answers as they come, and what gives them back in parts, do not go together."""
    more: dict[str, Any] = {"models": [MODEL, "groq/two"], "scorers": "exact", "target": "label"}
    for options in ({"executor": PicklingExecutor()}, {"mode": "provider_batch"}):
        with pytest.raises(ConfigurationError, match=r"until='decided'.*Nothing was sent"):
            allos.evaluate(data(), "{{ text }}", until="decided", **more, **options)
    assert not server.requests


def test_a_redacted_log_stays_here(server: FakeServer) -> None:
    """Workers do not have the function that changes what is logged."""
    allos.log.redact(str.upper)
    with pytest.raises(ConfigurationError, match=r"allos.log.redact.*Nothing was sent"):
        run(PicklingExecutor())


def test_a_file_of_another_computer_is_refused(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker there would log into a file that nobody reads."""
    from allos.runs.executors import partition

    monkeypatch.setattr(partition.socket, "gethostname", iter(["here", *["there"] * 50]).__next__)
    monkeypatch.setattr("allos.runs.executors.worker.current_session", Session)
    with pytest.raises(BatchPausedError, match="is a file of here, which this worker cannot share"):
        run(PicklingExecutor(1)).wait(_WAIT_S)
    assert not server.requests


@pytest.mark.parametrize(
    "again",
    [
        lambda batch: run(PicklingExecutor(), batch_id=batch.id),
        lambda batch: run(None, batch_id=batch.id),
        lambda batch: allos.resume(batch.id),
        lambda batch: allos.resume(batch.id, executor=PicklingExecutor()),
    ],
    ids=["another executor", "none", "its id", "its id and another executor"],
)
def test_a_batch_whose_executor_is_gone_goes_on_elsewhere(
    server: FakeServer, again: Callable[[Batch], Batch]
) -> None:
    """What is stuck is replaced; every row is asked once."""
    gone = PicklingExecutor()
    gone.refusal = RuntimeError("cannot schedule new futures after shutdown")
    stuck = run(gone)
    with pytest.raises(BatchPausedError):
        stuck.wait(_WAIT_S)

    assert again(stuck).wait(_WAIT_S).frame["status"].tolist() == ["ok"] * 20
    assert len(server.requests) == 20
    assert stuck.state == "cancelled"


def test_a_decision_about_a_batch_under_way_elsewhere(server: FakeServer) -> None:
    """Workers ask every row of it, and nobody can stop them in between."""
    params = [{"seed": 1}, {"seed": 2}]
    free = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(free.wait)
        under_way = run(pool, params=params)
        options: dict[str, Any] = {"models": MODEL, "max_tokens": 10, "params": params}
        with pytest.raises(ConfigurationError, match=r"every row of it is asked.*Nothing was sent"):
            allos.evaluate(
                data(),
                "{{ text }}",
                scorers=["exact"],
                target="label",
                until="decided",
                **options,
            )
        under_way.cancel()
        free.set()

    assert not server.requests
