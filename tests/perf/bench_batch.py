"""How close a batch comes to what its service could take, beside the raw SDK; and going on with a done one.

Efficiency: the time that the calls would take if nothing but the service cost any, over the time taken.

Run: .venv/bin/python -m tests.perf.bench_batch [--rows 100000]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from tests.perf._side_by_side import heading
from tests.support.fake_server.process import FakeProcess

KEY = "sk-of-the-bench-0123456789"
CASES = ((0.1, 64, 3_000), (0.1, 256, 6_000), (1.0, 256, 2_560))
"""Seconds of an answer, calls in flight, calls."""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, default=100_000, help="of the batch that is gone on with"
    )
    rows: int = parser.parse_args().rows
    print(heading("allos-jupyter", "openai", "aiohttp", "uvloop"))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ALLOS_LOG"] = str(Path(folder) / "log.sqlite")
        for latency_s, in_flight, calls in CASES:
            efficiency(latency_s, in_flight, calls)
        budget(*CASES[0])
        plan(1_000_000)
        going_on(rows)


def efficiency(latency_s: float, in_flight: int, calls: int) -> None:
    """Print wall time and CPU of a batch, and of the raw SDK with a semaphore."""
    import pandas as pd

    import allos
    from allos.providers import ProviderRegistry

    with FakeProcess("--reply", "Hello there.", "--first-delay-s", str(latency_s)) as server:
        provider = ProviderRegistry.get_provider(
            "chat_completions", model="m", base_url=server.base_url, api_key=KEY
        )
        allos.batch(table(in_flight), "{{ text }}", models=provider, concurrency=in_flight).wait()
        data = pd.DataFrame({"text": [f"{latency_s} {in_flight} {n}" for n in range(calls)]})
        ideal_s = calls * latency_s / in_flight

        began, cpu = perf_counter(), process_time()
        allos.batch(data, "{{ text }}", models=provider, concurrency=in_flight).wait()
        ours_s, ours_cpu = perf_counter() - began, process_time() - cpu

        began, cpu = perf_counter(), process_time()
        asyncio.run(raw(server.base_url, calls, in_flight))
        raw_s, raw_cpu = perf_counter() - began, process_time() - cpu
    print(
        f"{1000 * latency_s:.0f} ms, {in_flight} in flight: efficiency {ideal_s / ours_s:.2f} (raw SDK "
        f"{ideal_s / raw_s:.2f}); CPU for 1,000 calls {1000 * ours_cpu / calls:.2f} s (raw SDK "
        f"{1000 * raw_cpu / calls:.2f} s)"
    )


def budget(latency_s: float, in_flight: int, calls: int, rounds: int = 3) -> None:
    """Print the efficiency of a batch with a budget that has room, and of one without, in turns."""
    import pandas as pd

    import allos

    with FakeProcess("--reply", "Hello there.", "--first-delay-s", str(latency_s)) as server:
        os.environ.update(OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY=KEY)
        options = {"models": "openai/gpt-4o", "max_tokens": 50, "concurrency": in_flight}
        allos.batch(table(in_flight), "{{ text }}", **options).wait()
        for number in range(rounds):
            for usd in (None, 50.0):
                data = pd.DataFrame({"text": [f"{number} {usd} {n}" for n in range(calls)]})
                began, cpu = perf_counter(), process_time()
                allos.batch(data, "{{ text }}", budget_usd=usd, **options).wait()
                wall_s, cpu_s = perf_counter() - began, process_time() - cpu
                print(
                    f"{'no budget' if usd is None else 'a budget'}: efficiency "
                    f"{calls * latency_s / in_flight / wall_s:.2f}; CPU for 1,000 calls {1000 * cpu_s / calls:.2f} s"
                )


async def raw(base_url: str, calls: int, in_flight: int) -> None:
    """The same with the SDK alone."""
    from openai import AsyncOpenAI

    room = asyncio.Semaphore(in_flight)
    async with AsyncOpenAI(api_key=KEY, base_url=base_url, max_retries=0) as client:

        async def one(number: int) -> None:
            async with room:
                await client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": str(number)}]
                )

        await asyncio.gather(*(one(number) for number in range(calls)))


def table(count: int) -> object:
    """Rows of the first calls, which connect."""
    import pandas as pd

    return pd.DataFrame({"text": [f"warm {number}" for number in range(count)]})


def plan(count: int) -> None:
    """Print the time to plan a large batch."""
    import pandas as pd

    from allos.messages import Message
    from allos.runs.batching.batch_plan import BatchPlan
    from allos.runs.batching.data_rows import DataRows
    from allos.runs.grid import Grid, build_columns

    data = pd.DataFrame({"text": [f"ticket {number}" for number in range(count)]})
    began = perf_counter()
    rows = DataRows(data)
    columns = build_columns(["groq/m"], [{}], {})
    found = BatchPlan(Grid([(Message("user", "Hi {{ text }}"),)], columns, rows=rows), rows)
    _ = found.id
    print(f"a plan of {count:,} rows: {perf_counter() - began:.1f} s")


def going_on(count: int) -> None:
    """Print the time to find that a batch of so many rows is done, and to read its frame."""
    import pandas as pd

    import allos

    with FakeProcess("--reply", "Hi") as server:
        os.environ.update(GROQ_BASE_URL=server.base_url, GROQ_API_KEY=KEY)
        data = pd.DataFrame({"text": [f"ticket {number} of many" for number in range(count)]})
        allos.batch(data[:100], "Warm: {{ text }}", models="groq/m").wait()
        before_mb = resident_mb()
        began, cpu = perf_counter(), process_time()
        batch = allos.batch(data, "Classify: {{ text }}", models="groq/m").wait()
        wall_s, cpu_s = perf_counter() - began, process_time() - cpu
        print(
            f"a batch of {count:,} rows: {wall_s:.0f} s, {1000 * cpu_s / count:.2f} s CPU for 1,000, "
            f"{resident_mb() - before_mb:.0f} MB of memory"
        )
        allos.log.flush()
        began = perf_counter()
        again = allos.batch(data, "Classify: {{ text }}", models="groq/m")
        assert again.done
        print(f"going on with it, done: {perf_counter() - began:.2f} s")
        began = perf_counter()
        assert len(batch.frame) == count
        print(f"its frame: {perf_counter() - began:.1f} s")
        print(f"requests: {server.stats()['count']:,}")


def resident_mb() -> float:
    """Memory of the process now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
