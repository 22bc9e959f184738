"""What becomes of the calls of one model that are handed over to its service: files, answers, what is left.

It sends nothing (`allos.runs.batching.service_column` does). Everything here may take long: not for the loop
thread.
"""

from __future__ import annotations

import copy
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from allos.engine import Call, HandedOver
from allos.errors import BadRequestError, InvalidResponseError, ProviderError
from allos.ids import new_id
from allos.providers import Provider
from allos.runs.batching.submitted_files import SubmittedFile, custom_id, task_key
from allos.runs.start import hand_over_task, task_arrived

if TYPE_CHECKING:
    from allos.runs.batching.batch_plan import BatchPlan
    from allos.runs.batching.call_states import CallStates
    from allos.runs.batching.calls import BatchOptions
    from allos.runs.batching.submitted_files import SubmittedFiles
    from allos.runs.grid import Column
    from allos.wire.batch_api import BatchLine

ROUNDS = 3
"""How often a call is handed over at most, where the service loses it or fails."""


class Calls(Protocol):
    """The calls of the whole batch; see `allos.runs.batching.provider_batch_calls`."""

    plan: BatchPlan
    options: BatchOptions
    states: CallStates
    files: SubmittedFiles

    def bound_column(self, index: int) -> Column:
        """Column with its provider."""

    def follow(self, position: int, call: Call) -> None:
        """Note what becomes of a call."""


class _Line(NamedTuple):
    position: int
    line: bytes
    headers: dict[str, str] | None


class HandedOverCalls:
    """The calls of one model with one set of parameters.

    Parameters
    ----------
    calls : Calls
    column : int
        Index of the column.
    provider : Provider
    """

    def __init__(self, calls: Calls, column: int, provider: Provider) -> None:
        self._calls = calls
        self._plan = calls.plan
        self._index = column
        self._column = replace(calls.bound_column(column), model=provider)
        self._service = provider.batch_service()
        self._handed: dict[int, HandedOver] = {}
        self._tries: Counter[int] = Counter()
        self._again: deque[int] = deque()
        self._held: _Line | None = None
        self._waiting = self._waiting_positions()

    # ---- files ----------------------------------------------------------------------------------------

    def load(self) -> list[SubmittedFile]:
        """Files of earlier processes, whose calls are under way from now on."""
        own = self._plan.column_keys[self._index]
        files = [f for f in self._calls.files.load() if f.keys[0].split(".")[1] == own]
        for file in files:
            found = map(self._plan.find, file.keys)
            file.positions = {at for at in found if at is not None and self._calls.states.start(at)}
        return files

    def adopt(self, file: SubmittedFile) -> None:
        """Prepare for the answers to calls that another process has handed over."""
        since = datetime.fromtimestamp(file.created_at, UTC)
        for position in sorted(file.positions):
            self._take(position, since)
        file.positions = self.unanswered(file)

    def unanswered(self, file: SubmittedFile) -> set[int]:
        """Calls of a file that have not ended."""
        return {position for position in file.positions if position in self._handed}

    @property
    def has_more(self) -> bool:
        """Whether calls wait to be asked again."""
        return bool(self._again)

    def ask_again(self, positions: Iterable[int]) -> None:
        """Hand some calls over again; any thread."""
        self._again.extend(sorted(positions))

    def next_file(self) -> tuple[SubmittedFile, list[bytes]] | None:
        """The next calls, as many as the service takes in one file."""
        terms = self._service.terms
        chosen: list[_Line] = []
        size = 0
        while len(chosen) < terms.max_requests:
            made = self._held or self._next_line()
            self._held = None
            if made is None:
                break
            if len(made.line) + 1 > terms.max_bytes:
                self._refuse(made.position, len(made.line))
                continue
            if chosen and (
                size + len(made.line) + 1 > terms.max_bytes or made.headers != chosen[0].headers
            ):
                self._held = made
                break
            chosen.append(made)
            size += len(made.line) + 1
        if not chosen:
            return None
        positions = [each.position for each in chosen]
        file = SubmittedFile(
            name=f"allos-{new_id().lower()}",
            service=self._service.name,
            keys=[self._plan.key(position) for position in positions],
            created_at=time.time(),
            headers=chosen[0].headers,
            positions=set(positions),
        )
        return file, [each.line for each in chosen]

    def _next_line(self) -> _Line | None:
        """The next call that is to be handed over; those that end before are settled."""
        while True:
            position = self._again.popleft() if self._again else next(self._waiting, None)
            if position is None:
                return None
            if (made := self._take(position)) is not None:
                return made

    def _take(self, position: int, since: datetime | None = None) -> _Line | None:
        task = self._plan.task(position)
        refresh = self._calls.options.refresh
        before = self._handed.get(position)
        body, handed = hand_over_task(
            task, self._column, refresh=refresh, handed=before, since=since
        )
        if isinstance(handed, Call):
            self._calls.follow(position, handed)
            return None
        self._handed[position] = handed
        if since is not None or body is None:
            return None
        line = self._service.api.line(custom_id(task.key), body.body)
        return _Line(position, line, dict(body.headers) if body.headers else None)

    def _refuse(self, position: int, size: int) -> None:
        most = self._service.terms.max_bytes
        self._end(
            position,
            BadRequestError(
                f"the request has {size:,} bytes, and a batch of {self._service.name} takes {most:,}"
            ),
        )

    def _waiting_positions(self) -> Iterator[int]:
        for group in self._plan.groups():
            for row in group:
                for sample in range(self._plan.grid.n):
                    position = self._plan.position(row, self._index, sample)
                    if self._calls.states.start(position):
                        yield position

    # ---- answers --------------------------------------------------------------------------------------

    def settle(self, lines: list[BatchLine], left: set[int], heard: set[int]) -> None:
        """End the calls that some lines are of; what may be better another time stays in `left`."""
        calls = []
        for line in lines:
            position = self._plan.find(task_key(line.key))
            if position is None or position not in left:  # twice, or not asked here
                continue
            heard.add(position)
            outcome: bytes | ProviderError | None = line.content
            if line.outcome == "expired":
                continue
            if line.outcome == "cancelled":
                outcome = None
            elif line.error is not None:
                if line.error.retryable and self._tries[position] + 1 < ROUNDS:
                    continue
                outcome = self._service.error(line.error)
            left.discard(position)
            calls.append(self._end(position, outcome))
        for call in calls:  # so that not all of a file is under way at once
            call.future.result()

    def miss(self, positions: set[int]) -> None:
        """Ask again what a file has brought no answer to, a few times."""
        for position in sorted(positions):
            self._tries[position] += 1
            if self._tries[position] < ROUNDS:
                self._again.append(position)
            else:
                self._end(position, _no_answer())

    def end_all(self, positions: set[int], error: ProviderError) -> None:
        """End calls with an error."""
        for position in sorted(positions):
            self._end(position, copy.copy(error)).future.result()

    def _end(self, position: int, outcome: bytes | ProviderError | None) -> Call:
        task = self._plan.task(position)
        refresh = self._calls.options.refresh
        handed = self._handed.pop(position)
        call = task_arrived(task, self._column, handed, outcome, refresh=refresh)
        self._calls.follow(position, call)
        return call


def _no_answer() -> ProviderError:
    return InvalidResponseError(
        f"the batches of the service have brought no answer to this call, in {ROUNDS} rounds"
    )
