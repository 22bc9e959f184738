"""Rows under 5 % 429, 5 % 500 and 2 % resets on a Dask cluster: workers killed, PostgreSQL restarted.

The client is killed twice as well. Says how many rows were answered, how often a row was paid twice, and
what the batch has cost of its budget.

Run: .venv/bin/python -m tests.perf.bench_cluster_faults [--rows 10000] [--workers 4]
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from time import perf_counter

from tests.perf._side_by_side import heading
from tests.support.dask_cluster import cluster
from tests.support.fake_server import FakeServer, Fault, Reply, Seen
from tests.support.postgres_server import PostgresServer
from tests.support.processes import Child

CONCURRENCY = 64
LATENCY_S = 0.05
BUDGET_USD = 0.05
KILLED_AT = (0.2, 0.4)
"""Shares of the rows at which the client is killed."""
_CLIENT = f"""
import sys
import pandas as pd
import allos
from distributed import Client
if __name__ == "__main__":
    rows, scheduler = int(sys.argv[1]), sys.argv[2]
    data = pd.DataFrame({{"text": [f"<{{number}}>" for number in range(rows)]}})
    with Client(scheduler) as client:
        batch = allos.batch(
            data,
            "Echo {{{{text}}}}",
            models=["groq/llama-3.1-8b-instant"],
            concurrency={CONCURRENCY},
            max_attempts=8,
            max_tokens=10,
            budget_usd={BUDGET_USD},
            executor=client,
        )
        batch.wait()
        print(len(batch.frame), batch.frame["status"].value_counts().to_dict())
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    given = parser.parse_args()
    rows: int = given.rows
    print(heading("allos-jupyter", "distributed", "psycopg"))
    paid: Counter[str] = Counter()

    def answer(seen: Seen) -> Reply:
        row = re.findall(r"<\d+>", seen.prompt or "")[0]
        paid[row] += 1
        return Reply(f"echo {row}", first_delay_s=LATENCY_S)

    from distributed import Client

    import allos

    with FakeServer() as server, PostgresServer() as postgres, ExitStack() as stack:
        server.reply(answer)
        server.odds(
            (0.05, Fault.status(429, retry_after=0.05)),
            (0.05, Fault.status(500)),
            (0.02, Fault.reset()),
            seed=3,
        )
        url = postgres.new_database()
        # Workers, also those that take the place of others, inherit these.
        os.environ.update(
            GROQ_BASE_URL=server.base_url, GROQ_API_KEY="gsk-of-the-test", ALLOS_LOG=url
        )
        started = stack.enter_context(cluster(given.workers))
        command = [sys.executable, "-c", _CLIENT, str(rows), started.scheduler_address]

        def client() -> Child[str]:
            return Child(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

        start = perf_counter()
        with Client(started) as admin:
            for share in KILLED_AT:
                with client() as child:
                    server.wait_for(lambda share=share: len(paid) >= share * rows, 600)  # type: ignore[misc]  # bound at once
                    child.kill_group()
            with client() as child:
                server.wait_for(lambda: len(paid) >= 0.5 * rows, 600)
                victim = next(iter(admin.run(os.getpid).values()))
                os.kill(victim, signal.SIGKILL)
                server.wait_for(lambda: len(paid) >= 0.6 * rows, 600)
                postgres.restart()
                output, errors = child.communicate(timeout=1800)
        elapsed_s = perf_counter() - start
        allos.log.open(url)
        logged = allos.responses(columns=["task_key", "status", "cost_usd"])
        answered = logged[logged["status"] == "ok"]
        allos.log.close()
    print(f"the client printed        {output.strip()} {errors.strip()}")
    print(f"rows answered             {answered['task_key'].nunique():,} of {rows:,}")
    print(f"logged more than once     {len(answered) - answered['task_key'].nunique():,}")
    print(
        f"paid more than once       {sum(paid.values()) - rows:,} (at most {CONCURRENCY} in flight, killed 3 times)"
    )
    print(f"cost of the budget        ${logged['cost_usd'].sum():.6f} of ${BUDGET_USD}")
    print(f"time                      {elapsed_s:.1f} s")


if __name__ == "__main__":
    main()
