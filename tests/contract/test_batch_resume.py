"""A batch whose process is killed, in real processes: nothing that was acknowledged is lost or paid twice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import allos
from tests.support.fake_server import FakeServer, Fault, Reply, Seen
from tests.support.processes import Child

ROWS, CONCURRENCY = 200, 16
_CHILD = f"""
import pandas as pd
import allos
from allos.engine import retry
if __name__ == "__main__":
    data = pd.DataFrame({{"text": [f"<{{number}}>" for number in range({ROWS})]}})
    with retry.using(base_s=0.01):
        batch = allos.batch(
            data, "Echo {{{{text}}}}", models=["groq/m"], concurrency={CONCURRENCY}, max_attempts=8
        )
        batch.wait(60)
    print(len(batch.frame), set(batch.frame["status"]))
"""


class Paid:
    """Answers, and counts what it has answered by row."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()

    def __call__(self, seen: Seen) -> Reply:
        row = re.findall(r"<\d+>", seen.prompt or "")[0]
        self.rows[row] += 1
        return Reply(f"echo {row}", first_delay_s=0.02)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as started:
        yield started


def start(server: FakeServer, folder: Path, script: str = _CHILD) -> Child[str]:
    environment = {
        **os.environ,
        "GROQ_BASE_URL": server.base_url,
        "GROQ_API_KEY": "gsk-of-the-test",
        "ALLOS_LOG": str(folder / "log.sqlite"),
    }
    return Child(
        [sys.executable, "-c", script],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.process
def test_killed_three_times(server: FakeServer, tmp_path: Path) -> None:
    """Under 5 % 429, 5 % 500 and 2 % resets every row is answered, once but for those under way."""
    paid = Paid()
    server.reply(paid)
    server.odds(
        (0.05, Fault.status(429, retry_after=0.01)),
        (0.05, Fault.status(500)),
        (0.02, Fault.reset()),
        seed=3,
    )
    for part in (1, 2, 3):
        with start(server, tmp_path) as child:
            server.wait_for(lambda part=part: len(paid.rows) >= part * ROWS // 4, 60)
            child.kill_group()
        server.wait_for(lambda: not server.in_flight, 10)
    with start(server, tmp_path) as child:
        output, errors = child.communicate(timeout=90)
    allos.log.open(tmp_path / "log.sqlite")
    rows = allos.responses()
    answered = rows[rows["status"] == "ok"]
    allos.log.close()
    twice = sum(paid.rows.values()) - ROWS

    assert (output.strip(), errors) == (f"{ROWS} {{'ok'}}", "")
    assert len(answered) == answered["task_key"].nunique() == ROWS
    assert set(answered["content"]) == {f"echo <{number}>" for number in range(ROWS)}
    # At each kill: what was under way, and what had been answered but not committed.
    assert twice <= 3 * 2 * CONCURRENCY


@pytest.mark.process
def test_a_process_that_ends_says_what_was_left(server: FakeServer, tmp_path: Path) -> None:
    """Nobody has waited: the calls under way are cancelled, with one line, and running again goes on."""
    server.reply(Fault.stall())
    script = _CHILD.replace("batch.wait(60)", "import time; time.sleep(1); raise SystemExit")
    with start(server, tmp_path, script) as child:
        output, errors = child.communicate(timeout=60)

    assert output == ""
    assert errors == (
        f"allos: {ROWS} answers of a batch had not come and were cancelled. Running it again goes on.\n"
    )
