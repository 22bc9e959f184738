"""The calls of one model at its service's batch API: handed over file by file, polled, collected.

See ``docs/explanation/batches.md``. Everything runs on the loop thread; what blocks, or takes long, runs in
threads.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from allos.engine import Call, HandedOver
from allos.errors import (
    AllosError,
    BadRequestError,
    InvalidResponseError,
    ProviderError,
    RateLimitError,
)
from allos.ids import new_id
from allos.providers import Provider
from allos.runs.batching import polling
from allos.runs.batching.submitted_files import SubmittedFile, custom_id, task_key
from allos.runs.start import hand_over_task, task_arrived

if TYPE_CHECKING:
    from allos.runs.batching.batch_plan import BatchPlan
    from allos.runs.batching.call_states import CallStates
    from allos.runs.batching.calls import BatchOptions
    from allos.runs.batching.submitted_files import SubmittedFiles
    from allos.runs.grid import Column
    from allos.wire.batch_api import BatchLine, ServiceBatch
    from allos.wire.clients import Client

ROUNDS = 3
"""How often a call is handed over at most, where the service loses it or fails."""
SUBMISSIONS = 8
"""How often it is tried to hand over one file."""


class Calls(Protocol):
    """The calls of the whole batch; see `allos.runs.batching.provider_batch_calls`."""

    plan: BatchPlan
    options: BatchOptions
    states: CallStates
    files: SubmittedFiles
    going: asyncio.Event

    def bound_column(self, index: int) -> Column:
        """Column with its provider."""

    def follow(self, position: int, call: Call) -> None:
        """Note what becomes of a call."""

    def progress(self, file: str, done: int, total: int) -> None:
        """Note how far a file is at its service."""

    def is_collected(self, file: str) -> None:
        """Note that a file is not at a service any more."""

    def forget(self, file: SubmittedFile) -> None:
        """Forget a file whose rows are in the log."""

    def fail(self, column: int, error: AllosError) -> None:
        """End all calls of a column."""


class _Line(NamedTuple):
    position: int
    line: bytes
    headers: dict[str, str] | None


class ServiceColumn:
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
        self._open: dict[str, SubmittedFile] = {}

    # ---- loop thread ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Hand over and collect until every call has ended."""
        tasks: set[asyncio.Task[None]] = set()
        try:
            for file in await asyncio.to_thread(self._load):
                tasks.add(asyncio.create_task(self._go_on(file)))
            while True:
                await self._calls.going.wait()
                made = await asyncio.to_thread(self._next_file)
                if made is not None:
                    tasks.add(asyncio.create_task(self._hand_over(*made)))
                elif tasks:
                    done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        task.result()
                elif not self._again:
                    return
        except AllosError as exc:  # the log, most likely
            self._calls.fail(self._index, exc)
        except Exception as exc:  # noqa: BLE001 - nobody may wait for ever, even after a bug of allos
            self._calls.fail(self._index, AllosError(f"{type(exc).__name__}: {exc}"))
        finally:
            for task in tasks:
                task.cancel()

    async def cancel(self) -> None:
        """Have the service stop; errors are nobody's concern any more."""
        for file in list(self._open.values()):
            if file.id is not None:
                request = partial(self._service.api.cancel, batch_id=file.id)
                with suppress(ProviderError):
                    await self._service.call(request)

    async def _go_on(self, file: SubmittedFile) -> None:
        """Follow a file of another process."""
        if not file.positions:  # everything that it brought is in the log
            await self._forget(file)
            return
        self._calls.progress(file.name, 0, len(file.positions))
        if file.id is None:
            found = await self._find(file) or await self._find_later(file)
            if found is None:  # the service has none of it
                await self._forget(file)
                self._again.extend(sorted(file.positions))
                return
            await self._accepted(file, found)
        await asyncio.to_thread(self._adopt, file)
        await self._follow(file)

    async def _hand_over(self, file: SubmittedFile, lines: list[bytes]) -> None:
        await asyncio.to_thread(self._calls.files.save, file)  # before anything is sent
        self._open[file.name] = file
        self._calls.progress(file.name, 0, len(file.positions))
        try:
            batch = await self._submit(file, lines)
        except ProviderError as exc:
            await asyncio.to_thread(self._end_all, file.positions, exc)
            # Where nobody knows what became of it, the next run looks for it.
            await self._forget(file, keep=not _is_refusal(exc))
            return
        await self._accepted(file, batch)
        del lines
        await self._follow(file)

    async def _submit(self, file: SubmittedFile, lines: list[bytes]) -> ServiceBatch:
        api = self._service.api
        for number, wait_s in enumerate(polling.policy.waits(), 1):
            try:
                return await self._service.call(
                    lambda client: api.submit(client, lines, file.name, file.headers)
                )
            except ProviderError as exc:
                if _is_refusal(exc) or number >= SUBMISSIONS:
                    raise
                is_unsure = not isinstance(exc, RateLimitError)
                wait_s = max(wait_s, exc.retry_after_s or 0.0)
            await asyncio.sleep(wait_s)
            # It may have been accepted, although no answer came.
            if is_unsure and (found := await self._find(file)) is not None:
                return found
        raise AssertionError

    async def _find(self, file: SubmittedFile) -> ServiceBatch | None:
        """Look for a file among the batches of the service."""
        known = {each.id for each in self._open.values()}
        api = self._service.api
        for wait_s in polling.policy.waits():
            try:
                found = await self._service.call(
                    lambda client: api.find(client, file.name, file.created_at, len(file.keys))
                )
            except ProviderError as exc:
                if not exc.retryable:
                    raise
                await asyncio.sleep(wait_s)
            else:
                return next((each for each in found if each.id not in known), None)
        raise AssertionError

    async def _find_later(self, file: SubmittedFile) -> ServiceBatch | None:
        """As `_find`, a moment later: what has just been accepted may not be listed yet."""
        await asyncio.sleep(polling.policy.first_s)
        return await self._find(file)

    async def _accepted(self, file: SubmittedFile, batch: ServiceBatch) -> None:
        file.id = batch.id
        await asyncio.to_thread(self._calls.files.save, file)

    async def _follow(self, file: SubmittedFile) -> None:
        """Wait for the end of a file, and collect it."""
        try:
            batch = await self._ended(file)
            if batch.error is not None:
                raise self._service.error(batch.error)
            left = await self._collect(file, batch)
        except ProviderError as exc:
            if exc.retryable:  # such as too many calls that wait at the service already
                await asyncio.sleep(polling.policy.longest_s)
                self._again.extend(sorted(self._unanswered(file)))
                await self._forget(file)
                return
            await asyncio.to_thread(self._end_all, self._unanswered(file), exc)
            is_gone = exc.status_code == 404 or exc.status_code is None
            await self._forget(file, keep=not is_gone)
            return
        await asyncio.to_thread(self._missing, left)
        await self._forget(file)

    async def _ended(self, file: SubmittedFile) -> ServiceBatch:
        assert file.id is not None
        batch_id = file.id
        for wait_s in polling.policy.waits():
            try:
                batch = await self._service.call(lambda c: self._service.api.poll(c, batch_id))
            except ProviderError as exc:
                if not exc.retryable:
                    raise
                wait_s = max(wait_s, exc.retry_after_s or 0.0)
            else:
                self._calls.progress(file.name, batch.done, len(file.positions))
                if batch.is_ended:
                    return batch
            await asyncio.sleep(wait_s)
        raise AssertionError

    async def _collect(self, file: SubmittedFile, batch: ServiceBatch) -> set[int]:
        """Settle what the results hold, and return the calls that are still without an answer."""
        left, heard = set(file.positions), set[int]()
        waits = polling.policy.waits()
        for attempt in range(SUBMISSIONS):
            error: ProviderError | None = None
            results = self._service.call(lambda client: self._read(client, batch, left, heard))
            try:
                await results
            except ProviderError as exc:
                error = exc
            if error is not None and not error.retryable:
                raise error
            if not left - heard or (error is None and attempt):
                return left
            await asyncio.sleep(next(waits))  # read once more before anything is asked again
        return left

    async def _read(
        self, client: Client, batch: ServiceBatch, left: set[int], heard: set[int]
    ) -> None:
        async for lines in self._service.api.results(client, batch):
            await asyncio.to_thread(self._settle, lines, left, heard)

    async def _forget(self, file: SubmittedFile, *, keep: bool = False) -> None:
        self._open.pop(file.name, None)
        self._calls.is_collected(file.name)
        if not keep:
            await asyncio.to_thread(self._calls.forget, file)

    # ---- threads ------------------------------------------------------------------------------------

    def _load(self) -> list[SubmittedFile]:
        """Files of earlier processes, whose calls are under way from now on."""
        own = self._plan.column_keys[self._index]
        files = [f for f in self._calls.files.load() if f.keys[0].split(".")[1] == own]
        for file in files:
            found = map(self._plan.find, file.keys)
            file.positions = {at for at in found if at is not None and self._calls.states.start(at)}
            self._open[file.name] = file
        return files

    def _adopt(self, file: SubmittedFile) -> None:
        """Prepare for the answers to calls that another process has handed over."""
        since = datetime.fromtimestamp(file.created_at, UTC)
        for position in sorted(file.positions):
            self._take(position, since)
        file.positions = self._unanswered(file)

    def _unanswered(self, file: SubmittedFile) -> set[int]:
        return {position for position in file.positions if position in self._handed}

    def _waiting_positions(self) -> Iterator[int]:
        for group in self._plan.groups():
            for row in group:
                for sample in range(self._plan.grid.n):
                    position = self._plan.position(row, self._index, sample)
                    if self._calls.states.start(position):
                        yield position

    def _next_file(self) -> tuple[SubmittedFile, list[bytes]] | None:
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

    def _settle(self, lines: list[BatchLine], left: set[int], heard: set[int]) -> None:
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

    def _missing(self, positions: set[int]) -> None:
        """Ask again what a file has brought no answer to, a few times."""
        for position in sorted(positions):
            self._tries[position] += 1
            if self._tries[position] < ROUNDS:
                self._again.append(position)
            else:
                self._end(position, _no_answer())

    def _end_all(self, positions: set[int], error: ProviderError) -> None:
        for position in sorted(positions):
            self._end(position, _copy(error)).future.result()

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


def _is_refusal(error: ProviderError) -> bool:
    """Whether a service has surely not accepted what it was sent, and never will."""
    return error.status_code is not None and error.status_code < 500 and not error.retryable


def _copy(error: ProviderError) -> ProviderError:
    return copy.copy(error)
