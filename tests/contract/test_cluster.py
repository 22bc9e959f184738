"""A real Dask cluster of processes, and a real PostgreSQL: what one kernel does, a cluster does as well."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
from tests.support.dask_cluster import set_environment
from tests.support.fake_server import FakeServer, Fault, Reply, Seen
from tests.support.postgres_server import PostgresServer

MODEL = "groq/llama-3.1-8b-instant"
KEY = "gsk-of-the-test-0123456789"
ROWS = 160


def write_often() -> None:
    """Let a worker write what it has every tick."""
    from allos.runs.executors import answer_writer, worker

    answer_writer.EVERY_S, worker._POLL_S = 0.0, 0.1


@pytest.fixture
def service(fake_server: FakeServer) -> Iterator[tuple[FakeServer, Counter[str]]]:
    """A service, and how often it has answered each row."""
    paid: Counter[str] = Counter()

    def answer(seen: Seen) -> Reply:
        row = re.findall(r"<\d+>", seen.prompt or "")[0]
        paid[row] += 1
        return Reply(f"echo {row}", first_delay_s=0.1)

    fake_server.reply(answer)
    yield fake_server, paid
    allos.log.close()


@pytest.mark.process
def test_a_worker_dies_and_the_server_restarts(
    service: tuple[FakeServer, Counter[str]],
    dask_client: Any,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Under faults of the service, too: every row once, within the budget, no key on its way."""
    server, paid = service
    server.odds(
        (0.05, Fault.status(429, retry_after=0.01)),
        (0.05, Fault.status(500)),
        (0.02, Fault.reset()),
        seed=3,
    )
    url = postgres.new_database()
    allos.log.open(url.replace("admin@", "admin:the-password@"))
    own = {"GROQ_BASE_URL": server.base_url, "GROQ_API_KEY": KEY, "ALLOS_LOG": url}
    for name, value in own.items():  # a worker that takes the place of another inherits these
        monkeypatch.setenv(name, value)
    victim, _ = dask_client.run(set_environment, own).values()
    data = pd.DataFrame({"text": [f"<{number}>" for number in range(ROWS)]})
    options = {"models": MODEL, "max_tokens": 10, "max_attempts": 8, "concurrency": 8}
    batch = allos.batch(data, "Echo {{ text }}", executor=dask_client, budget_usd=0.01, **options)
    server.wait_for(lambda: len(paid) >= ROWS // 4, 90)
    os.kill(victim, signal.SIGKILL)
    server.wait_for(lambda: len(paid) >= ROWS // 2, 90)
    postgres.restart()
    batch.wait(120)
    logged = allos.responses()
    answered = logged[logged["status"] == "ok"]
    frame = batch.frame

    assert list(frame["content"]) == [f"echo {text}" for text in data["text"]]
    assert len(answered) == answered["task_key"].nunique() == ROWS
    # Of the worker that died: what was under way, and what was answered but not committed.
    assert sum(paid.values()) - ROWS <= 2 * 8
    assert logged["cost_usd"].sum() <= 0.01
    assert frame["session_id"].nunique() >= 2
    assert allos.current_session().log.session_id not in set(frame["session_id"])


@pytest.mark.process
def test_workers_without_a_common_log(
    service: tuple[FakeServer, Counter[str]],
    dask_client: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """They write files; a worker that is killed has lost a moment, and a second log finds all of it."""
    server, paid = service
    own = {"GROQ_BASE_URL": server.base_url, "GROQ_API_KEY": KEY, "ALLOS_LOG": "off"}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    victim, _ = dask_client.run(set_environment, own).values()
    dask_client.run(write_often)
    rows = ROWS // 2
    data = pd.DataFrame({"text": [f"<{number}>" for number in range(rows)]})
    options = {"models": MODEL, "max_tokens": 10, "concurrency": 8, "executor": dask_client}
    frames = []
    for name in ("log.sqlite", "other.sqlite"):
        allos.log.open(tmp_path / name)
        batch = allos.batch(data, "Echo {{ text }}", store=tmp_path / "team", **options)
        if not frames:
            server.wait_for(lambda: len(paid) >= rows // 3, 90)
            os.kill(victim, signal.SIGKILL)
        frames.append(batch.wait(120).frame)

    assert [list(frame["content"]) for frame in frames] == [[f"echo {t}" for t in data["text"]]] * 2
    assert allos.current_session().log.session_id not in set(frames[0]["session_id"])
    # Of the worker that died: what was under way, and what came after it had written last.
    assert sum(paid.values()) - rows <= 3 * 8
    assert KEY.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*.parquet"))
