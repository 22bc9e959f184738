"""10,000 calls under 5 % 429, 5 % 500 and 2 % resets, with the process killed three times.

Says how many rows were answered, how often a row was paid twice, and what was under way at each kill.

Run: .venv/bin/python -m tests.perf.bench_batch_faults [--rows 10000]
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter

from tests.perf._side_by_side import heading
from tests.support.fake_server import FakeServer, Fault, Reply, Seen
from tests.support.processes import Child

CONCURRENCY = 64
LATENCY_S = 0.05
BUDGET_USD = 0.05
_CHILD = """
import sys
import pandas as pd
import allos
from allos.engine import retry
if __name__ == "__main__":
    rows, concurrency, budget_usd = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    data = pd.DataFrame({"text": [f"<{number}>" for number in range(rows)]})
    with retry.using(base_s=0.05):
        batch = allos.batch(
            data,
            "Echo {{text}}",
            models=["groq/llama-3.1-8b-instant"],
            concurrency=concurrency,
            max_attempts=8,
            max_tokens=10,
            budget_usd=budget_usd,
        )
        batch.wait()
    print(len(batch.frame), batch.frame["status"].value_counts().to_dict())
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    rows: int = parser.parse_args().rows
    print(heading("allos-jupyter", "openai", "aiohttp", "uvloop"))
    paid: Counter[str] = Counter()

    def answer(seen: Seen) -> Reply:
        row = re.findall(r"<\d+>", seen.prompt or "")[0]
        paid[row] += 1
        return Reply(f"echo {row}", first_delay_s=LATENCY_S)

    with tempfile.TemporaryDirectory() as folder, FakeServer(record=False) as server:
        server.reply(answer)
        server.odds(
            (0.05, Fault.status(429, retry_after=0.05)),
            (0.05, Fault.status(500)),
            (0.02, Fault.reset()),
            seed=11,
        )
        log = str(Path(folder) / "log.sqlite")
        environment = {
            **os.environ,
            "GROQ_BASE_URL": server.base_url,
            "GROQ_API_KEY": "gsk-of-the-bench",
            "ALLOS_LOG": log,
        }
        budget_usd = BUDGET_USD * rows / 1_000
        command = [sys.executable, "-c", _CHILD, str(rows), str(CONCURRENCY), str(budget_usd)]
        began, under_way = perf_counter(), []
        for part in (1, 2, 3):
            with Child(command, env=environment) as child:
                server.wait_for(lambda part=part: len(paid) >= part * rows // 4, 600)
                child.kill_group()
            under_way.append(server.in_flight)
            server.wait_for(lambda: not server.in_flight, 30)
        with Child(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
            output, _ = child.communicate(timeout=900)
        print(f"last run: {output.strip()}; {perf_counter() - began:.0f} s in all")
        import allos

        allos.log.open(log)
        answered = allos.responses(status="ok")
        cost = float(answered["cost_usd"].sum())
        allos.log.close()
    twice = sum(paid.values()) - len(paid)
    print(
        f"rows answered: {answered['task_key'].nunique():,} distinct, {len(answered):,} in the log"
    )
    print(f"paid twice: {twice}; under way at the kills: {under_way}; requests: {server.count:,}")
    print(f"logged cost: ${cost:.6f} of a budget of ${budget_usd:.6f}")


if __name__ == "__main__":
    main()
