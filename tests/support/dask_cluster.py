"""A Dask cluster of processes on this computer."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


def set_environment(values: Mapping[str, str]) -> int:
    """Set variables of a worker's environment; returns its process id."""
    os.environ.update(values)
    return os.getpid()


@contextmanager
def cluster(workers: int, threads: int = 1) -> Iterator[Any]:
    """Start a scheduler and its workers, which find no key and no log of their own."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers,
        threads_per_worker=threads,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",  # any free port: two clusters may run at once
        silence_logs=logging.CRITICAL,  # a worker that is killed is what the tests are about
    ) as started:
        yield started
