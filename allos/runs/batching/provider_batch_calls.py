"""The calls of a batch that its services make in their own batch APIs, for half the price."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from allos.engine import runtime
from allos.errors import AllosError, BudgetError, ConfigurationError, LogError
from allos.providers import Provider
from allos.runs.batching.batch_calls import BatchCalls
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.call_states import CallState
from allos.runs.batching.calls import BatchOptions
from allos.runs.batching.service_column import ServiceColumn
from allos.runs.batching.stopping import Stop, not_sent_note
from allos.runs.batching.submitted_files import SubmittedFile, SubmittedFiles
from allos.runs.batching.tool_calls import ToolOptions
from allos.session import Session


class ProviderBatchCalls(BatchCalls):
    """As `BatchCalls`; what is sent are files of calls, whose answers come within a day.

    Raises
    ------
    ConfigurationError
        There is no log, a model's service has no batch API, or its tools would need further calls.
    """

    waits_for_budget = False  # the calls that it would wait for are not sent before it
    is_at_service = True

    def __init__(
        self,
        run_id: str,
        plan: BatchPlan,
        session: Session,
        options: BatchOptions,
        *,
        kept: Iterable[int] = (),
        spent_by_session: Mapping[str, float] | None = None,
        tools: ToolOptions | None = None,
    ) -> None:
        super().__init__(
            run_id, plan, session, options, kept=kept, spent_by_session=spent_by_session
        )
        if any(self._runs_tools):
            raise ConfigurationError(
                'Tools take several calls for each row, and mode="provider_batch" makes one: leave out '
                "mode=, or pass tools without functions, whose calls are in the column tool_calls. "
                "Nothing was sent."
            )
        if session.log.store is None:
            raise ConfigurationError(
                'mode="provider_batch" needs the log, which knows what is at the service: unset '
                "ALLOS_LOG, or call allos.log.open(path). Nothing was sent."
            )
        self.files = SubmittedFiles(session.log.store, run_id)
        self.going = asyncio.Event()  # not set: paused
        self.going.set()
        self._submitting: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._progress: dict[str, tuple[int, int]] = {}
        self._columns = [
            ServiceColumn(self, column, self._service_of(column))
            for column in range(len(plan.grid.columns))
            if self.states.columns[column].left
        ]
        self._running: list[Future[None]] = []
        self._refused: Counter[int] = Counter()
        """By column, the calls that did not fit into the budget when it was their turn."""
        self._budget_notes: dict[int, int] = {}
        """By column, the place of its note."""
        self._noting = threading.Lock()  # guards both, and that notes keep their places

    def _service_of(self, column: int) -> Provider:
        provider = self.bound_column(column).model
        if not isinstance(provider, Provider):
            provider = self._session.provider_for(provider)  # raises what is wrong with it
        provider.batch_service()
        return provider

    # ---- what is asked for (any thread) -----------------------------------------------------------

    def start(self) -> None:
        """Hand over every call that is not done, and collect what was handed over before."""
        loop = runtime.get()
        for column in self._columns:
            self._running.append(self._context.copy().run(loop.submit, column.run()))

    def pause(self) -> None:
        """Hand over nothing more; what is at a service goes on."""
        super().pause()
        self._on_loop(self.going.clear)

    def resume(self) -> None:
        """Go on."""
        super().resume()
        self._on_loop(self.going.set)

    def cancel(self) -> None:
        """Have the services stop. What they have answered until then is collected by running it again."""
        self.leave()
        super().cancel()
        self._tell(self.states.give_up_started(lambda column: True, CallState.CANCELLED))
        loop = runtime.get()
        for column in self._columns:
            loop.submit(column.cancel())

    def leave(self) -> None:
        """Stop waiting for the services; running it again goes on."""
        for running in self._running:
            running.cancel()

    @staticmethod
    def _on_loop(action: Any) -> None:
        runtime.get().loop.call_soon_threadsafe(action)

    # ---- what the columns tell ----------------------------------------------------------------------

    @property
    def at_service(self) -> tuple[int, int] | None:
        """Calls at the services that are done there, and all of them; None: there are none."""
        found = list(self._progress.values())
        return (sum(done for done, _ in found), sum(all for _, all in found)) if found else None

    def submitting(self, service: str) -> asyncio.Lock:
        """Lock of those who submit something to a service. Loop thread."""
        return self._submitting[service]

    def progress(self, file: str, done: int, total: int) -> None:
        """Note how far a file is at its service."""
        self._progress[file] = (min(done, total), total)

    def is_collected(self, file: str) -> None:
        """Note that a file is not at a service any more."""
        self._progress.pop(file, None)

    def forget(self, file: SubmittedFile) -> None:
        """Forget a file whose rows are in the log. Not on the loop thread."""
        with suppress(LogError):  # then it is read once more
            self._session.log.flush()
            self.files.remove(file)

    def _stop(self, stop: Stop, column: int, error: AllosError) -> None:
        """As of calls; several may have been refused by the budget, while earlier ones are under way."""
        if not isinstance(error, BudgetError):
            super()._stop(stop, column, error)
            return
        self.stop_errors.setdefault(column, error)
        self._give_up(lambda each: each == column, CallState.NOT_SENT)
        with self._noting:
            self._refused[column] += 1
            count = self._refused[column] + self.states.columns[column].not_sent
            name = self.plan.grid.columns[column].name
            note = not_sent_note(name, count, self.stop_errors[column])
            place = self._budget_notes.setdefault(column, len(self.notes))
            self.notes[place : place + 1] = [note]

    def fail(self, column: int, error: AllosError) -> None:
        """End all calls of a column, because of an error that is not one of theirs."""
        self.stop_errors.setdefault(column, error)
        with self._noting:
            self.notes.append(f"{self.plan.grid.columns[column].name}: {error}")
        positions = self.states.give_up_started(lambda each: each == column, CallState.NOT_SENT)
        self._give_up(lambda each: each == column, CallState.NOT_SENT)
        self._tell(positions)
