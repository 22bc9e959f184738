"""What may be given as ``executor=``."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest

from allos.errors import ConfigurationError
from allos.runs.executors.pool import pool_of


class Client:
    """Looks like a client of Dask."""

    asynchronous = False

    def nthreads(self) -> dict[str, int]:
        return {"tcp://a": 2, "tcp://b": 4}

    def get_executor(self, **options: Any) -> str:
        return f"executor {options}"


Client.__module__ = "distributed.client"


def test_how_much_there_is_of_it() -> None:
    """Tasks at once, and processes, among which limits are divided."""
    with ThreadPoolExecutor(3) as threads:
        of_threads = pool_of(threads)
    with ProcessPoolExecutor(2) as processes:
        of_processes = pool_of(processes)
    of_dask, unknown = pool_of(Client()), pool_of(Executor())

    assert [(each.slots, each.processes) for each in (of_threads, of_processes, of_dask)] == [
        (3, 1),
        (2, 2),
        (6, 2),
    ]
    assert unknown.slots >= 1
    assert str(of_dask.executor) == "executor {'pure': False}"


@pytest.mark.parametrize(
    "wrong",
    [
        object(),
        "dask",
        type("AsyncClient", (Client,), {"asynchronous": True, "__module__": "distributed"})(),
    ],
)
def test_anything_else_is_refused(wrong: Any) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match=r"^executor= .*Nothing was sent"):
        pool_of(wrong)
