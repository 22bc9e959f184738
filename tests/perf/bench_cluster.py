"""Calls per second of one Dask worker and of four, with a team's log in PostgreSQL.

The service takes a second for each answer, and each worker has 16 calls under way.

Run: .venv/bin/python -m tests.perf.bench_cluster [--latency 1.0] [--rounds 10]
"""

from __future__ import annotations

import argparse
import os
from time import perf_counter

import pandas as pd

from tests.perf._side_by_side import heading
from tests.support.dask_cluster import cluster
from tests.support.fake_server import FakeServer, Reply
from tests.support.postgres_server import PostgresServer

IN_FLIGHT = 16
"""Of each worker."""
WORKERS = (1, 4)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    print(heading("allos-jupyter", "distributed", "psycopg"))
    from distributed import Client

    import allos

    speeds = []
    with FakeServer() as server, PostgresServer() as postgres:
        server.reply(Reply("ok", first_delay_s=given.latency))
        url = postgres.new_database()
        os.environ.update(
            GROQ_BASE_URL=server.base_url, GROQ_API_KEY="gsk-of-the-test", ALLOS_LOG=url
        )
        allos.log.open(url)
        for workers in WORKERS:
            with cluster(workers) as started, Client(started) as client:
                for part in ("warm", "run"):
                    rows = workers * IN_FLIGHT * (1 if part == "warm" else given.rounds)
                    data = pd.DataFrame({"text": [f"{part} {workers} {n}" for n in range(rows)]})
                    start = perf_counter()
                    allos.batch(
                        data,
                        "{{ text }}",
                        models="groq/llama-3.1-8b-instant",
                        concurrency=workers * IN_FLIGHT,
                        executor=client,
                    ).wait()
                    elapsed_s = perf_counter() - start
            speeds.append(rows / elapsed_s)
            best = workers * IN_FLIGHT / given.latency
            print(
                f"{workers} workers   {speeds[-1]:6.1f} calls/s, {speeds[-1] / best:.2f} of what is possible"
            )
        allos.log.close()
    print(f"speed-up    {speeds[-1] / speeds[0]:.2f}")


if __name__ == "__main__":
    main()
