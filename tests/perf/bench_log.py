"""What the log costs: CPU per response that is logged, and per frame that is read.

Run: ``python tests/perf/bench_log.py [rows]`` (100,000 rows of 70 columns by default).
It prints figures with versions and asserts nothing. CPU is that of the whole process, the writer's
thread included; the raw table and the segments are written as in use.
"""

from __future__ import annotations

import gc
import os
import platform
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

import allos
import allos.log
from allos.context import RunContext
from allos.log.columns import NAMES
from allos.log.query import read, responses
from allos.log.store.protocol import Where
from allos.log.store.sqlite import SQLiteStore
from allos.messages import Message, MessageRole
from allos.request import Request
from allos.response import ProviderResponse

LOGGED = 5_000
MODELS = ["groq/claude-haiku-4-5", "gpt-5-mini"]
START = datetime(2026, 11, 1, tzinfo=UTC)
WORDS = "the of and to in is was for on that by with as at from are it an be this which or".split()  # noqa: SIM905  # reads better


def text(chooser: random.Random, words: int) -> str:
    return " ".join(chooser.choices(WORDS, k=words))


def response(chooser: random.Random, number: int) -> ProviderResponse:
    """An answer with 44 known facts, a prompt of 20 words and a text of 60 words."""
    number_of = chooser.random
    prompt, answer = text(chooser, 20), text(chooser, 60)
    made = START + timedelta(milliseconds=number)
    model = chooser.choice(["llama-3.1-8b-instant", "claude-haiku-4-5", "gpt-5-mini"])
    return ProviderResponse(
        answer,
        id=f"01HF{number:022d}",
        created_at=made,
        completed_at=made + timedelta(seconds=number_of()),
        metadata={
            "provider": "groq",
            "base_url": "https://api.groq.com/openai/v1",
            "api": "chat",
            "model": model,
            "response_model": model,
            "temperature": 0.2,
            "max_tokens": 256,
            "stream": True,
            "params": {"temperature": 0.2, "max_tokens": 256},
            "status": "ok",
            "finish_reason": "stop",
            "finish_reason_raw": "stop",
            "input_tokens": chooser.randrange(1000),
            "output_tokens": chooser.randrange(1000),
            "total_tokens": chooser.randrange(2000),
            "usage_source": "provider",
            "usage": {"prompt_tokens": 5},
            "cost_usd": number_of(),
            "input_cost_usd": number_of(),
            "output_cost_usd": number_of(),
            "price_version": "2026-11-01",
            "latency_s": number_of(),
            "total_time_s": number_of(),
            "queue_s": number_of(),
            "time_to_first_token_s": number_of(),
            "tokens_per_second": number_of() * 100,
            "http_status": 200,
            "attempts": 1,
            "response_id": f"chatcmpl-{number}",
            "request_id": f"req_{number}",
            "ratelimit_remaining_requests": number,
            "ratelimit_remaining_tokens": number,
            "ratelimit_reset_s": number_of(),
            "service_tier": "default",
        },
        request=Request(
            provider="groq",
            api="chat",
            base_url="https://api.groq.com/openai/v1",
            model=model,
            messages=(Message(MessageRole.SYSTEM, "Be terse."), Message(MessageRole.USER, prompt)),
            request_hash=f"{chooser.getrandbits(256):064x}",
        ),
        context=RunContext(
            notebook="study.ipynb",
            cell_id="a1b2",
            execution_count=number % 50,
            comparison_id=f"01HG{number // 5:022d}",
            tags=("study",),
        ),
        body={"model": model, "messages": [{"role": "user", "content": prompt}]},
        reply={"id": number, "choices": [{"message": {"content": answer}}]},
    )


def cpu_s(task: Callable[[], Any], repeats: int = 5) -> float:
    """Least CPU seconds of some runs of a task."""
    best = float("inf")
    for _ in range(repeats):
        gc.collect()
        start = time.process_time()
        kept = task()
        best = min(best, time.process_time() - start)
        del kept
    return best


def logged(made: list[ProviderResponse]) -> tuple[float, float]:
    """CPU us per response from the interceptor to the commit, and the caller's part of it."""
    log = allos.current_session().log
    calls = [SimpleNamespace(request=one.request) for one in made]
    process, thread = time.process_time(), time.thread_time()
    for call, one in zip(calls, made, strict=True):
        log.before(call)(one)  # type: ignore[arg-type]
    caller_s = time.thread_time() - thread
    allos.log.flush(120)
    return (time.process_time() - process) / len(made) * 1e6, caller_s / len(made) * 1e6


def main(rows: int) -> None:
    chooser = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite"
        allos.log.open(path)
        print(
            f"allos {allos.__version__}, Python {platform.python_version()}, "
            f"pandas {pd.__version__}, SQLite {sqlite3.sqlite_version}, {platform.machine()}, "
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        )
        done, costs = 0, []
        while done < rows:
            made = [response(chooser, done + number) for number in range(min(LOGGED, rows - done))]
            costs.append(logged(made))
            done += len(made)
        total, caller = (min(cost) for cost in zip(*costs, strict=True))
        print(f"log one response ({LOGGED} at a time): {total:.1f} us CPU, best of {len(costs)}")
        print(f"  of it on the caller's thread: {caller:.2f} us")
        print(f"  size on disk: {path.stat().st_size / rows:.0f} bytes a row")
        print(f"{rows} rows -> DataFrame: {cpu_s(responses):.3f} s CPU")
        print(f"  filtered, two rows in three: {cpu_s(lambda: responses(model=MODELS)):.3f} s CPU")
        print(
            f"  two columns: {cpu_s(lambda: responses(columns=['model', 'latency_s'])):.3f} s CPU"
        )
        print(f"  newest 100: {cpu_s(lambda: responses(limit=100)):.4f} s CPU")
        allos.log.close()
        with sqlite3.connect(path) as db:
            db.execute("DELETE FROM segments")
        db.close()
        store = SQLiteStore(path)
        plain = cpu_s(lambda: read(store, NAMES, Where()), repeats=2)
        store.close()
        print(f"  without segments, row by row: {plain:.3f} s CPU")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
