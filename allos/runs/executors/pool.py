"""Executors of others: what they are called, how many calls they run at once, and their errors."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from allos.errors import ConfigurationError

_UNKNOWN_SLOTS = 4


@dataclass(frozen=True, slots=True)
class Pool:
    """An executor, and how much of it there is."""

    executor: Executor
    slots: int
    """Partitions that run at the same time."""
    processes: int
    """Processes that they run in, each with a share of the limits."""
    given: Any = None
    """What was given as ``executor=``."""


def pool_of(executor: Any) -> Pool:
    """The pool behind ``executor=``: an `concurrent.futures.Executor`, or the client of a Dask cluster.

    Raises
    ------
    ConfigurationError
        It is neither, or a client of `asyncio`.
    """
    client: Any = executor if _is_dask(executor) else getattr(executor, "_client", None)
    if _is_dask(client):
        if getattr(client, "asynchronous", False):
            raise ConfigurationError(
                "executor= needs a Dask client that is not asynchronous: Client(address). Nothing was sent."
            )
        threads = client.nthreads()
        # A task is of its batch, and not the same as another with equal arguments.
        own = client.get_executor(pure=False) if executor is client else executor
        return Pool(own, max(1, sum(threads.values())), max(1, len(threads)), executor)
    if not isinstance(executor, Executor):
        raise ConfigurationError(
            "executor= takes a concurrent.futures.Executor or a dask.distributed.Client, got "
            f"{type(executor).__name__}. Nothing was sent."
        )
    slots = getattr(executor, "_max_workers", None)
    slots = slots if isinstance(slots, int) and slots > 0 else _UNKNOWN_SLOTS
    return Pool(executor, slots, 1 if isinstance(executor, ThreadPoolExecutor) else slots, executor)


def _is_dask(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "distributed" and hasattr(
        value, "get_executor"
    )


def reason_of(error: BaseException) -> str:
    """Why a worker did not do its part, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text:.300}" if text else type(error).__name__
