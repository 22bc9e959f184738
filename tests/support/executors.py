"""Executors without processes: what they are handed is pickled, as on its way to another process."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class PicklingExecutor(Executor):
    """Runs what it is handed at once, on a copy that was pickled.

    Attributes
    ----------
    sent : list of bytes
        What was handed over.
    failures : list of Exception
        What the next tasks end with, one each, instead of running.
    refusal : Exception or None
        What `submit` raises, as long as it is set.
    """

    def __init__(self, workers: int = 2) -> None:
        self._max_workers = workers
        self.sent: list[bytes] = []
        self.failures: list[Exception] = []
        self.refusal: Exception | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.refusal is not None:
            raise self.refusal
        task = pickle.dumps((fn, args, kwargs))
        self.sent.append(task)
        future: Future[Any] = Future()
        try:
            if self.failures:
                raise self.failures.pop(0)
            function, arguments, keywords = pickle.loads(task)
            future.set_result(pickle.loads(pickle.dumps(function(*arguments, **keywords))))
        except Exception as error:  # noqa: BLE001  # as an executor hands it on
            future.set_exception(error)
        return future
